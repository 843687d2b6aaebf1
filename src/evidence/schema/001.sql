-- What the pack demands before a move, and what was added to cases.
CREATE TABLE evidence_rule (
        version    INTEGER NOT NULL,
        item       TEXT NOT NULL,               -- '*' = every item; else this item and all below it
        move       TEXT NOT NULL,
        kind       TEXT NOT NULL,
        least      INTEGER NOT NULL,            -- so many pieces
        metres     REAL,                        -- taken at most so far from the place of the case; NULL = anywhere
        dated      TEXT,                        -- yes: the picture says when it was taken, and that was after the case came in
        name       TEXT NOT NULL,
        name_en    TEXT NOT NULL,
        value_unit TEXT,                        -- of a measurement
        value_most REAL,                        -- at most this value
        place      TEXT NOT NULL
);
CREATE INDEX evidence_rule_move ON evidence_rule(version, move, item);

CREATE TABLE case_evidence (
        case_id  INTEGER NOT NULL,
        n        INTEGER NOT NULL,              -- 1, 2, ... in the case
        kind     TEXT NOT NULL,
        hash     TEXT NOT NULL,                 -- of the picture (media/); '' = none
        type     TEXT NOT NULL,
        bytes    INTEGER NOT NULL,
        lon      REAL,
        lat      REAL,
        taken_at INTEGER NOT NULL,              -- 0 = the picture does not say
        metres   REAL,
        value    REAL,
        note     TEXT NOT NULL,
        actor    TEXT NOT NULL,
        unit     TEXT NOT NULL,
        at       INTEGER NOT NULL,
        PRIMARY KEY (case_id, n)
) WITHOUT ROWID;
