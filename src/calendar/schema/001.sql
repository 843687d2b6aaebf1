CREATE TABLE calendar (
        version      INTEGER PRIMARY KEY,
        zone_minutes INTEGER NOT NULL,
        weekdays     INTEGER NOT NULL,          -- bit 0 = Monday
        first_year   INTEGER NOT NULL,
        last_year    INTEGER NOT NULL,
        weekends_only_until INTEGER NOT NULL    -- 0 = no fallback
);
CREATE TABLE calendar_period (
        version INTEGER NOT NULL,
        starts  INTEGER NOT NULL,               -- minutes after midnight
        ends    INTEGER NOT NULL,
        PRIMARY KEY (version, starts)
);
CREATE TABLE calendar_day (
        version INTEGER NOT NULL,
        day     TEXT NOT NULL,
        name    TEXT,
        works   INTEGER NOT NULL,
        place   TEXT NOT NULL
);
CREATE INDEX calendar_day_day ON calendar_day(version, day);
