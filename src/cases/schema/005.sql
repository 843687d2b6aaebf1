-- The ladder of a clock: who is told after what share of the limit, and how often again.
CREATE TABLE clock_step (
        version     INTEGER NOT NULL,
        workflow    TEXT NOT NULL,
        clock       TEXT NOT NULL,
        percent     INTEGER NOT NULL,           -- of the limit; 100 = the due instant
        recipient   TEXT NOT NULL,              -- unit, or a role
        level       TEXT,                       -- supervision that the program orders; NULL = it only tells
        again       REAL,                       -- told again after this time,
        again_unit  TEXT,
        times       INTEGER,                    -- so often
        place       TEXT NOT NULL
);
CREATE INDEX clock_step_clock ON clock_step(version, workflow, clock, percent);
ALTER TABLE case_clock ADD COLUMN told INTEGER NOT NULL DEFAULT 0;      -- bit set: that step was told
ALTER TABLE case_clock ADD COLUMN step_at INTEGER NOT NULL DEFAULT 0;   -- when the next step is; 0 = none
