-- Disputes over responsibility (职责争议), the positions of units, rulings as precedents, and changes of the responsibility list.
CREATE TABLE dispute (
        case_id   INTEGER NOT NULL,
        n         INTEGER NOT NULL,             -- 1, 2, ... in the case
        state     TEXT NOT NULL,                -- open, ruled, withdrawn
        unit      TEXT NOT NULL,                -- who contested
        reason    TEXT NOT NULL,
        facts     TEXT NOT NULL,                -- what is new, when the point was ruled before
        actor     TEXT NOT NULL,
        opened_at INTEGER NOT NULL,
        interim   TEXT NOT NULL,                -- unit that handles meanwhile (先办后议)
        why       TEXT NOT NULL,                -- it: can_act, first_receiver, place
        principle TEXT NOT NULL,                -- of the ruling; '' = none yet
        ruling    TEXT NOT NULL,
        precedent INTEGER NOT NULL,             -- 0 = none yet
        ended_by  TEXT NOT NULL,
        ended_at  INTEGER NOT NULL,             -- 0 = open
        PRIMARY KEY (case_id, n)
) WITHOUT ROWID;
CREATE INDEX dispute_open ON dispute(opened_at, case_id) WHERE state = 'open';

CREATE TABLE dispute_position (
        case_id INTEGER NOT NULL,
        n       INTEGER NOT NULL,
        dispute INTEGER NOT NULL,
        unit    TEXT NOT NULL,
        actor   TEXT NOT NULL,
        text    TEXT NOT NULL,
        can_act INTEGER NOT NULL,
        media   TEXT NOT NULL,                  -- JSON array
        at      INTEGER NOT NULL,
        PRIMARY KEY (case_id, n)
) WITHOUT ROWID;

-- Only ever added to; routing/precedents.c reads what is new.
CREATE TABLE precedent (
        id        INTEGER PRIMARY KEY,          -- 1, 2, ...: the number people cite
        item      TEXT NOT NULL,
        area      TEXT NOT NULL,
        owner     TEXT NOT NULL,                -- of the thing; '' = none
        lead      TEXT NOT NULL,                -- '' = takes earlier ones of this pattern back
        assists   TEXT NOT NULL,                -- units, separated by '|'
        principle TEXT NOT NULL,
        text      TEXT NOT NULL,
        case_id   INTEGER NOT NULL,
        actor     TEXT NOT NULL,
        at        INTEGER NOT NULL
);
CREATE INDEX precedent_pattern ON precedent(item, area, owner, id);

CREATE TABLE list_change (
        id          INTEGER PRIMARY KEY,        -- of the precedent that led to it
        state       TEXT NOT NULL,              -- proposed, approved, refused, published
        proposed_by TEXT NOT NULL,
        proposed_at INTEGER NOT NULL,
        decided_by  TEXT NOT NULL,
        decided_at  INTEGER NOT NULL,
        reason      TEXT NOT NULL,
        version     INTEGER NOT NULL            -- of the pack that has it; 0 = none yet
);
CREATE INDEX list_change_state ON list_change(state, id);
