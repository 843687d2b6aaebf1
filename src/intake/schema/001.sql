CREATE TABLE channel (
        version   INTEGER NOT NULL,
        code      TEXT NOT NULL,
        name      TEXT NOT NULL,
        name_en   TEXT,
        is_public INTEGER NOT NULL,
        place     TEXT NOT NULL
);
CREATE INDEX channel_code ON channel(version, code);
CREATE TABLE property_kind (
        version INTEGER NOT NULL,
        code    TEXT NOT NULL,
        name    TEXT NOT NULL,
        name_en TEXT,
        place   TEXT NOT NULL
);
CREATE INDEX property_kind_code ON property_kind(version, code);

-- What came in, as it came in: never changed.
CREATE TABLE report (
        id          INTEGER PRIMARY KEY,        -- also the id of the case it was filed as
        channel     TEXT NOT NULL,
        external_id TEXT,
        source      TEXT NOT NULL,
        title       TEXT NOT NULL,
        text        TEXT NOT NULL,
        property    TEXT NOT NULL,
        urgent      INTEGER NOT NULL,
        item        TEXT NOT NULL,              -- as given; '' = unsaid
        area        TEXT NOT NULL,
        lon         REAL,
        lat         REAL,
        address     TEXT NOT NULL,
        occurred_at INTEGER NOT NULL,
        received_at INTEGER NOT NULL,
        media       TEXT NOT NULL               -- JSON array
);
-- The same report again is recognised by this; NULLs do not meet each other.
CREATE UNIQUE INDEX report_external ON report(channel, external_id);

-- Who reported: every field sealed with the district's key, which is kept outside the database.
CREATE TABLE reporter (
        report_id    INTEGER PRIMARY KEY,
        name         BLOB,
        phone        BLOB,
        email        BLOB,
        confidential INTEGER NOT NULL
);

-- Reports that are kept but could not be filed yet; a timer tries again.
CREATE TABLE intake_queue (
        report_id INTEGER PRIMARY KEY,
        number    TEXT NOT NULL,                -- given to the citizen at once
        track     TEXT NOT NULL,
        cause     TEXT NOT NULL,
        queued_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX intake_queue_track ON intake_queue(track);
