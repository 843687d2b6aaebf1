-- Messages by medium and language, with quiet hours, tries and a final fate; call-back by link; replies by SMS.
ALTER TABLE notice ADD COLUMN media TEXT NOT NULL DEFAULT 'sms|mail';   -- reporter: sms, mail, web
ALTER TABLE notice ADD COLUMN asks INTEGER NOT NULL DEFAULT 0;          -- the reporter is asked how it was

-- medium: mail, sms, web, webhook.  state: waiting; sent; refused (this address never takes it); gave_up (tried for too long).
ALTER TABLE message ADD COLUMN topic TEXT NOT NULL DEFAULT '';
ALTER TABLE message ADD COLUMN report INTEGER NOT NULL DEFAULT 0;       -- whose reporter is told; 0 = nobody's
ALTER TABLE message ADD COLUMN language TEXT NOT NULL DEFAULT '';
ALTER TABLE message ADD COLUMN title TEXT NOT NULL DEFAULT '';          -- a mail's subject
ALTER TABLE message ADD COLUMN recipient TEXT NOT NULL DEFAULT '';      -- keyed digest of the address
ALTER TABLE message ADD COLUMN same TEXT NOT NULL DEFAULT '';           -- what is said of which matter, digested
ALTER TABLE message ADD COLUMN urgent INTEGER NOT NULL DEFAULT 0;       -- 1 = also in quiet hours
ALTER TABLE message ADD COLUMN asks INTEGER NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN not_before INTEGER NOT NULL DEFAULT 0;   -- when it is tried next; while it is tried, the lease's end
ALTER TABLE message ADD COLUMN expires_at INTEGER NOT NULL DEFAULT 0;   -- given up then
ALTER TABLE message ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN stamp INTEGER NOT NULL DEFAULT 0;        -- grows with each lease: who has an older one has lost it
ALTER TABLE message ADD COLUMN secret BLOB;                             -- sealed token of the call-back link, until it is sent
UPDATE message SET medium = 'mail', report = COALESCE((SELECT c.id FROM cases c WHERE c.number = subject), 0) WHERE medium = 'smtp';
UPDATE message SET not_before = created_at, expires_at = created_at + 604800000000, urgent = 1;
DROP INDEX message_event;
CREATE UNIQUE INDEX message_event ON message(event_tx, event_seq, medium, target, report);
CREATE INDEX message_due ON message(medium, target, not_before) WHERE state = 'waiting';
CREATE INDEX message_expiry ON message(expires_at) WHERE state = 'waiting';
CREATE INDEX message_subject ON message(subject, id);
CREATE INDEX message_recipient ON message(recipient, created_at) WHERE recipient <> '';

-- The question behind a link, once for each message that asks.
CREATE TABLE callback (
        token      BLOB NOT NULL,               -- SHA-256 of the token
        message    INTEGER NOT NULL,
        number     TEXT NOT NULL,               -- of the case
        report     INTEGER NOT NULL,
        result     TEXT NOT NULL,               -- what the citizen was told
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        used_at    INTEGER NOT NULL,            -- 0 = not yet
        PRIMARY KEY (token)
);
CREATE INDEX callback_number ON callback(number);

CREATE TABLE callback_answer (
        id          INTEGER PRIMARY KEY,
        number      TEXT NOT NULL,
        report      INTEGER NOT NULL,
        speed       INTEGER NOT NULL,           -- 1 (worst) to 5
        effect      INTEGER NOT NULL,
        service     INTEGER NOT NULL,
        quality     INTEGER NOT NULL,           -- of the answer
        solved      INTEGER NOT NULL,
        comment     TEXT NOT NULL,
        answered_at INTEGER NOT NULL
);
CREATE INDEX callback_answer_number ON callback_answer(number, id);

CREATE TABLE sms_reply (
        id          INTEGER PRIMARY KEY,
        gateway     TEXT NOT NULL,              -- name of the key
        external_id TEXT NOT NULL,              -- the gateway's own: the same again stores nothing
        recipient   TEXT NOT NULL,              -- keyed digest of the phone number
        number      TEXT NOT NULL,              -- case it answers; '' = none was asked about
        report      INTEGER NOT NULL,
        text        TEXT NOT NULL,
        rating      INTEGER NOT NULL,           -- 1 to 4; 0 = unsaid
        solved      INTEGER,                    -- NULL = unsaid
        received_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX sms_reply_external ON sms_reply(gateway, external_id);
