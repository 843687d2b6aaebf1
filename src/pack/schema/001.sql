CREATE TABLE pack_version (
        id        INTEGER PRIMARY KEY,
        name      TEXT NOT NULL,
        title     TEXT NOT NULL,
        title_en  TEXT NOT NULL,
        release_name TEXT NOT NULL,
        number_prefix TEXT NOT NULL,
        hash      TEXT NOT NULL,        -- SHA-256 over the names and bytes of all files
        loaded_at INTEGER NOT NULL,
        active    INTEGER NOT NULL
);
CREATE TABLE pack_file (
        version INTEGER NOT NULL,
        path    TEXT NOT NULL,
        content BLOB NOT NULL,
        PRIMARY KEY (version, path)
);
