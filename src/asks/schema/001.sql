-- What is asked on a case and what became of it.
CREATE TABLE case_ask (
        case_id     INTEGER NOT NULL,
        n           INTEGER NOT NULL,           -- 1, 2, ... in the case
        kind        TEXT NOT NULL,              -- extension, suspension, urge, supervision, appeal, leader_note
        state       TEXT NOT NULL,              -- open, passed (first review), granted, refused, answered, ended
        level       TEXT NOT NULL,              -- of a supervision; else ''
        unit        TEXT NOT NULL,              -- whose matter it is
        reason_code TEXT NOT NULL,
        reason      TEXT NOT NULL,
        asked_by    TEXT NOT NULL,
        asked_at    INTEGER NOT NULL,
        until       INTEGER NOT NULL,           -- end of a suspension, deadline of an answer; 0 = none
        told        INTEGER NOT NULL,           -- 1: that `until` has passed was told
        passed_by   TEXT NOT NULL,
        decided_by  TEXT NOT NULL,
        decided_at  INTEGER NOT NULL,           -- 0 = not yet
        reply       TEXT NOT NULL,
        PRIMARY KEY (case_id, n)
) WITHOUT ROWID;
CREATE INDEX case_ask_waits ON case_ask(kind, until, case_id) WHERE state IN ('open', 'passed');

CREATE TABLE supervision_level (
        version INTEGER NOT NULL,
        level   TEXT NOT NULL,
        name    TEXT NOT NULL,
        name_en TEXT NOT NULL,
        role    TEXT NOT NULL,                  -- the least who may order it
        amount  REAL NOT NULL,
        unit    TEXT NOT NULL,
        place   TEXT NOT NULL
);
CREATE INDEX supervision_level_level ON supervision_level(version, level);
