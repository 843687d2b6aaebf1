-- Answers to what the item asks (item_attributes.csv); several rows of one code for a list of which many may be chosen.
CREATE TABLE report_attribute (
        report_id INTEGER NOT NULL,
        n         INTEGER NOT NULL,             -- 1, 2, ... as they came
        code      TEXT NOT NULL,
        value     TEXT NOT NULL,                -- as sent; of lists the key
        PRIMARY KEY (report_id, n)
) WITHOUT ROWID;

-- Pictures that came with the report; the files are kept below DATA/media, by their hash.
CREATE TABLE report_media (
        report_id INTEGER NOT NULL,
        n         INTEGER NOT NULL,             -- 1, 2, ...
        hash      TEXT NOT NULL,                -- SHA-256, hexadecimal
        type      TEXT NOT NULL,                -- image/jpeg, ...
        bytes     INTEGER NOT NULL,
        PRIMARY KEY (report_id, n)
) WITHOUT ROWID;
CREATE INDEX report_media_hash ON report_media(hash, report_id);

-- What a channel says later about a report of its own.  Never changed.
CREATE TABLE report_note (
        id          INTEGER PRIMARY KEY,        -- time-ordered
        case_id     INTEGER NOT NULL,
        sender      TEXT NOT NULL,              -- name of the key
        external_id TEXT,                       -- the sender's own id: the same again stores nothing
        text        TEXT NOT NULL,
        media       TEXT NOT NULL,              -- JSON array
        received_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX report_note_external ON report_note(sender, external_id);
CREATE INDEX report_note_case ON report_note(case_id, id);
CREATE INDEX report_note_received ON report_note(received_at, id);
