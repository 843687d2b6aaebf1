-- Who looked at whose personal data, when and why; who erased it.  Rows are only ever inserted, and hold nothing personal of reporters.
CREATE TABLE personal_access (
        id      INTEGER PRIMARY KEY,            -- time-ordered
        at      INTEGER NOT NULL,
        actor   TEXT NOT NULL,                  -- login or name of the key; 'system' for the timer, 'command' for the command line
        role    TEXT NOT NULL,
        unit    TEXT NOT NULL,                  -- '' = of none
        action  TEXT NOT NULL,                  -- unmask, search, erase, expire
        number  TEXT NOT NULL,                  -- of the case; '' = of none
        fields  TEXT NOT NULL,                  -- name|phone|email
        purpose TEXT NOT NULL,                  -- verify, handle, ...; '' for the timer
        note    TEXT NOT NULL,
        found   INTEGER NOT NULL                -- how many reporters it was about
);
CREATE INDEX personal_access_actor ON personal_access(actor, at);
CREATE INDEX personal_access_number ON personal_access(number, id);

-- How long reporters are kept, of each pack version (privacy.yaml).
CREATE TABLE retention (
        version INTEGER PRIMARY KEY,
        years   INTEGER NOT NULL,               -- after closing
        fields  TEXT NOT NULL,                  -- what is erased then: name|phone|email
        place   TEXT NOT NULL
);
-- Up to which closed case reporters were erased.
CREATE TABLE retention_mark (
        id        INTEGER PRIMARY KEY,          -- 1, the only row
        closed_at INTEGER NOT NULL,
        case_id   INTEGER NOT NULL,
        fields    TEXT NOT NULL                 -- which were erased; when the pack wants others, it begins anew
);
-- What closed long ago, in the order in which it did.
CREATE INDEX cases_closed ON cases(closed_at, id) WHERE open = 0;
