-- Other platforms (a city, a district) that cases are exchanged with, and what their words of status mean here; of each pack version.
CREATE TABLE exchange_peer (
        version     INTEGER NOT NULL,
        place       TEXT NOT NULL,
        code        TEXT NOT NULL,
        name        TEXT NOT NULL,
        name_en     TEXT,
        direction   TEXT NOT NULL,              -- out: cases go to it; in: they come from it; both
        unit        TEXT,                       -- stands for it here
        role        TEXT NOT NULL,              -- its moves are taken as if by this role
        channel     TEXT,                       -- its cases are reported through it
        items       TEXT NOT NULL,              -- lists, '*' = all; what goes to it
        areas       TEXT NOT NULL,
        properties  TEXT NOT NULL,
        channels    TEXT NOT NULL,
        on_conflict TEXT NOT NULL,              -- ours, theirs, ask
        PRIMARY KEY (version, place)
);
CREATE TABLE exchange_status (
        version     INTEGER NOT NULL,
        place       TEXT NOT NULL,
        peer        TEXT NOT NULL,
        direction   TEXT NOT NULL,              -- out: our state or move becomes the word; in: the word becomes moves
        ours        TEXT,                       -- out: a state or a move
        word        TEXT NOT NULL,
        moves       TEXT,                       -- in: list of moves, taken as far as each starts where the case is
        on_conflict TEXT,                       -- in: instead of the peer's
        PRIMARY KEY (version, place)
);

-- A case that two platforms have.  `word` is the last status both were told of, from whichever side.
CREATE TABLE exchange_link (
        peer          TEXT NOT NULL,
        case_id       INTEGER NOT NULL,
        number        TEXT NOT NULL,            -- ours
        peer_number   TEXT,                     -- theirs; NULL = not known yet
        ours          INTEGER NOT NULL,         -- 1 = it was sent by us; 0 = it came from them
        sent          INTEGER NOT NULL,         -- our last revision
        acked         INTEGER NOT NULL,         -- the last of ours that they took
        received      INTEGER NOT NULL,         -- their last revision
        told          INTEGER NOT NULL,         -- seq of the case's history up to which the other side knows it
        word          TEXT NOT NULL,
        received_word TEXT NOT NULL,            -- of their last revision
        answer        TEXT NOT NULL,            -- that revision's: the same again gets the same
        state         TEXT NOT NULL,            -- open, conflict, settled
        insisted      INTEGER NOT NULL,         -- 1 = a rule has settled a conflict since both last agreed; the next one is asked
        held          TEXT,                     -- their message, while a conflict waits for a person
        error         TEXT NOT NULL,            -- '' = none
        changed_at    INTEGER NOT NULL,
        PRIMARY KEY (peer, case_id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX exchange_link_theirs ON exchange_link(peer, peer_number);
CREATE INDEX exchange_link_case ON exchange_link(case_id);
CREATE INDEX exchange_link_number ON exchange_link(number);
CREATE INDEX exchange_link_conflict ON exchange_link(peer, case_id) WHERE state = 'conflict';

-- What goes to a peer, in order of revision for each case.
CREATE TABLE exchange_message (
        id         INTEGER PRIMARY KEY,
        peer       TEXT NOT NULL,
        case_id    INTEGER NOT NULL,
        revision   INTEGER NOT NULL,
        body       TEXT NOT NULL,               -- the same in every try
        state      TEXT NOT NULL,               -- waiting, sent, refused
        error      TEXT NOT NULL,               -- of the last try
        created_at INTEGER NOT NULL,
        not_before INTEGER NOT NULL,            -- when it is tried next; while it is tried, the lease's end
        sent_at    INTEGER NOT NULL,
        tries      INTEGER NOT NULL,
        stamp      INTEGER NOT NULL             -- grows with each lease: who has an older one has lost it
);
CREATE UNIQUE INDEX exchange_message_case ON exchange_message(peer, case_id, revision);
CREATE INDEX exchange_message_due ON exchange_message(peer, not_before) WHERE state = 'waiting';
