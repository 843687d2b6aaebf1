-- Workflows and clocks of each pack version.
CREATE TABLE workflow_state (
        version  INTEGER NOT NULL,
        workflow TEXT NOT NULL,
        name     TEXT NOT NULL,
        position INTEGER NOT NULL,
        zh       TEXT NOT NULL,
        en       TEXT NOT NULL,
        clock    TEXT NOT NULL,         -- runs, paused, off
        first    INTEGER NOT NULL,
        last     INTEGER NOT NULL,
        place    TEXT NOT NULL,
        PRIMARY KEY (version, workflow, name)
);
CREATE TABLE workflow_move (
        version  INTEGER NOT NULL,
        workflow TEXT NOT NULL,
        name     TEXT NOT NULL,
        position INTEGER NOT NULL,
        zh       TEXT NOT NULL,
        en       TEXT NOT NULL,
        dest     TEXT NOT NULL,         -- '=' stays where it is
        roles    TEXT NOT NULL,         -- lists are separated by '|'
        needs    TEXT NOT NULL,
        effects  TEXT NOT NULL,
        place    TEXT NOT NULL,
        PRIMARY KEY (version, workflow, name)
);
CREATE TABLE workflow_origin (          -- the states a move may start from; none for the move that makes the case
        version  INTEGER NOT NULL,
        workflow TEXT NOT NULL,
        move     TEXT NOT NULL,
        state    TEXT NOT NULL,
        place    TEXT NOT NULL,
        PRIMARY KEY (version, workflow, move, state)
);
CREATE TABLE clock_rule (
        version       INTEGER NOT NULL,
        workflow      TEXT NOT NULL,
        clock         TEXT NOT NULL,
        name          TEXT NOT NULL,
        name_en       TEXT,
        starts        TEXT NOT NULL,
        stops         TEXT NOT NULL,
        pauses        TEXT,
        resumes       TEXT,
        limit_of      TEXT,             -- 'item': the limit is the item's
        amount        REAL,
        unit          TEXT,
        urgent_amount REAL,
        urgent_unit   TEXT,
        warn          INTEGER NOT NULL, -- percent of the time
        place         TEXT NOT NULL
);
CREATE INDEX clock_rule_name ON clock_rule(version, workflow, clock);   -- not unique: a check tells doubles with their place

CREATE TABLE cases (
        id          INTEGER PRIMARY KEY,        -- of its first report too
        number      TEXT NOT NULL,
        track       TEXT NOT NULL,
        version     INTEGER NOT NULL,           -- pack version it was opened under
        workflow    TEXT NOT NULL,
        state       TEXT NOT NULL,
        open        INTEGER NOT NULL,           -- 0 once a last state is reached
        channel     TEXT NOT NULL,
        source      TEXT NOT NULL,
        property    TEXT NOT NULL,
        title       TEXT NOT NULL,
        urgent      INTEGER NOT NULL,
        item        TEXT NOT NULL,              -- '' = not known yet
        certainty   REAL NOT NULL,
        subdistrict TEXT NOT NULL,              -- area codes; '' = not known
        community   TEXT NOT NULL,
        grid        TEXT NOT NULL,
        lon         REAL,
        lat         REAL,
        address     TEXT NOT NULL,
        unit        TEXT NOT NULL,              -- in charge now
        occurred_at INTEGER NOT NULL,
        created_at  INTEGER NOT NULL,
        closed_at   INTEGER NOT NULL,           -- 0 = not yet
        due         INTEGER NOT NULL,           -- 0 = no clock runs
        late        INTEGER NOT NULL,           -- a clock was overrun
        seq         INTEGER NOT NULL,           -- rows in its history
        tip         BLOB NOT NULL               -- hash of the last of them
);
CREATE UNIQUE INDEX cases_number ON cases(number);
CREATE UNIQUE INDEX cases_track ON cases(track);
CREATE INDEX cases_state ON cases(state, id);
CREATE INDEX cases_unit ON cases(unit, id);
CREATE INDEX cases_item ON cases(item, id);
CREATE INDEX cases_subdistrict ON cases(subdistrict, id);
CREATE INDEX cases_community ON cases(community, id);
CREATE INDEX cases_due ON cases(due, id) WHERE open = 1;
CREATE INDEX cases_unit_due ON cases(unit, due, id) WHERE open = 1;

CREATE VIEW ledger_tips AS SELECT id AS subject, seq, tip AS hash FROM cases;

CREATE TABLE case_task (
        case_id    INTEGER NOT NULL,
        n          INTEGER NOT NULL,            -- 1, 2, ... in the case
        kind       TEXT NOT NULL,               -- lead, assist
        unit       TEXT NOT NULL,
        state      TEXT NOT NULL,               -- open, done, revoked
        created_at INTEGER NOT NULL,
        ended_at   INTEGER NOT NULL,            -- 0 = open
        PRIMARY KEY (case_id, n)
) WITHOUT ROWID;
CREATE INDEX case_task_open ON case_task(unit, case_id) WHERE state = 'open';

CREATE TABLE case_clock (
        case_id    INTEGER NOT NULL,
        clock      TEXT NOT NULL,
        round      INTEGER NOT NULL,            -- 1, 2, ...: a clock that starts again keeps its earlier rounds
        state      TEXT NOT NULL,               -- running, paused, met, missed
        unit       TEXT NOT NULL,               -- whose time it is
        started_at INTEGER NOT NULL,
        warn_at    INTEGER NOT NULL,            -- 0 = warned already, or no warning
        due        INTEGER NOT NULL,
        remaining  INTEGER NOT NULL,            -- while paused: microseconds of its own kind of time
        limit_unit TEXT NOT NULL,
        overdue    INTEGER NOT NULL,            -- the passing of `due` was told
        ended_at   INTEGER NOT NULL,            -- 0 = not ended
        PRIMARY KEY (case_id, clock, round)
) WITHOUT ROWID;
