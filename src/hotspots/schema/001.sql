-- What many write about just now, as it was found last.  Derived: made again every few minutes.
CREATE TABLE hotspot (
        n           INTEGER PRIMARY KEY,        -- 1 is the hottest
        topic       INTEGER NOT NULL,           -- the case of its first report
        name        TEXT NOT NULL,
        phrases     TEXT NOT NULL,              -- JSON array, the weightiest first
        heat        REAL NOT NULL,
        peak        REAL NOT NULL,
        peak_at     INTEGER NOT NULL,
        first_at    INTEGER NOT NULL,
        last_at     INTEGER NOT NULL,
        reporters   INTEGER NOT NULL,
        reports     INTEGER NOT NULL,
        week        INTEGER NOT NULL,           -- reporters in the last 7 days,
        week_before INTEGER NOT NULL,           -- in the 7 days before,
        year_before INTEGER NOT NULL,           -- and in the same a year ago
        surge_p     REAL NOT NULL,
        surges      INTEGER NOT NULL
);
CREATE TABLE hotspot_member (
        n       INTEGER NOT NULL,
        k       INTEGER NOT NULL,
        case_id INTEGER NOT NULL,
        PRIMARY KEY (n, k)
) WITHOUT ROWID;
CREATE TABLE hotspot_place (
        n         INTEGER PRIMARY KEY,
        name      TEXT NOT NULL,
        weeks     INTEGER NOT NULL,
        reporters INTEGER NOT NULL
);
CREATE TABLE hotspot_round (
        id      INTEGER PRIMARY KEY,            -- 1, the only row
        at      INTEGER NOT NULL,               -- when it was found
        reports INTEGER NOT NULL                -- in how many reports
);
