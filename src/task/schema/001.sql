-- Timers: `wake` is when the scheduler looks next (due, then the end of a lease or of a pause).
CREATE TABLE timer (
        kind    TEXT NOT NULL,
        key     TEXT NOT NULL,
        due     INTEGER NOT NULL,
        wake    INTEGER NOT NULL,
        tries   INTEGER NOT NULL DEFAULT 0,
        parked  INTEGER NOT NULL DEFAULT 0,
        stamp   INTEGER NOT NULL DEFAULT 0,     -- grows with each setting and each lease: who has an older one has lost it
        payload TEXT,
        error   TEXT,
        PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE INDEX timer_wake ON timer (kind, wake) WHERE parked = 0;
CREATE INDEX timer_parked ON timer (kind) WHERE parked = 1;

-- SQLite commits in the order of seq.  On PostgreSQL (tx, seq) is an order in which nothing can come
-- before a settled row any more; the index is empty on SQLite, where tx is 0.
CREATE TABLE outbox (
        seq     SERIAL_KEY,
        tx      INTEGER NOT NULL DEFAULT TX_NUMBER,
        time    INTEGER NOT NULL,
        topic   TEXT NOT NULL,
        key     TEXT NOT NULL,
        payload TEXT NOT NULL
);
CREATE INDEX outbox_order ON outbox (tx, seq) WHERE tx > 0;
CREATE VIEW outbox_settled AS SELECT tx, seq, time, topic, key, payload FROM outbox WHERE tx < TX_SETTLED;

CREATE TABLE outbox_cursor (
        consumer TEXT PRIMARY KEY,
        tx       INTEGER NOT NULL,
        seq      INTEGER NOT NULL,
        owner    INTEGER NOT NULL,      -- the scheduler that feeds it now
        until    INTEGER NOT NULL       -- end of its lease
);
