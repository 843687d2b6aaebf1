CREATE TABLE notice (
        version  INTEGER NOT NULL,
        topic    TEXT NOT NULL,         -- a move's name, or warning, overdue
        audience TEXT NOT NULL,         -- unit, reporter, webhook
        text     TEXT NOT NULL,         -- texts/LANG/NAME.txt
        place    TEXT NOT NULL
);
CREATE INDEX notice_topic ON notice(version, topic);

CREATE TABLE message (
        id         INTEGER PRIMARY KEY,
        event_tx   INTEGER NOT NULL,    -- the outbox row it comes from
        event_seq  INTEGER NOT NULL,
        medium     TEXT NOT NULL,       -- smtp, webhook
        target     TEXT NOT NULL,       -- webhook: its address; smtp: 'reporter' (the address stays sealed)
        subject    TEXT NOT NULL,       -- case number
        body       TEXT NOT NULL,
        state      TEXT NOT NULL,       -- waiting, sent
        error      TEXT NOT NULL,       -- of the last try
        created_at INTEGER NOT NULL,
        sent_at    INTEGER NOT NULL
);
-- The same event read twice makes no second message.
CREATE UNIQUE INDEX message_event ON message(event_tx, event_seq, medium, target);
