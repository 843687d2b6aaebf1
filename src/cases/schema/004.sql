-- What the program tries behind a move; lists of reasons; numbers a city may set; who in the unit does the work.
ALTER TABLE workflow_move ADD COLUMN next TEXT NOT NULL DEFAULT '';      -- moves, separated by '|'
CREATE TABLE workflow_reason (
        version  INTEGER NOT NULL,
        workflow TEXT NOT NULL,
        move     TEXT NOT NULL,
        code     TEXT NOT NULL,
        zh       TEXT NOT NULL,
        en       TEXT NOT NULL,
        place    TEXT NOT NULL
);
CREATE INDEX workflow_reason_move ON workflow_reason(version, workflow, move);  -- not unique: a check tells doubles with their place
CREATE TABLE workflow_rule (
        version  INTEGER NOT NULL,
        workflow TEXT NOT NULL,
        rule     TEXT NOT NULL,
        value    REAL NOT NULL,
        place    TEXT NOT NULL
);
CREATE INDEX workflow_rule_name ON workflow_rule(version, workflow, rule);
ALTER TABLE case_task ADD COLUMN person TEXT NOT NULL DEFAULT '';        -- login of who does it; '' = the unit decides
ALTER TABLE cases ADD COLUMN report INTEGER NOT NULL DEFAULT 0;          -- the report it was filed from, when not its own (split off); else 0
