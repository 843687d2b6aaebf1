CREATE TABLE unit (
        version  INTEGER NOT NULL,
        position INTEGER NOT NULL,
        code     TEXT NOT NULL,
        name     TEXT NOT NULL,
        name_en  TEXT,
        kind     TEXT NOT NULL,
        parent   TEXT,
        area     TEXT,
        fallback INTEGER NOT NULL,
        place    TEXT NOT NULL
);
CREATE INDEX unit_code ON unit(version, code);
CREATE INDEX unit_position ON unit(version, position);
CREATE TABLE unit_alias (
        version INTEGER NOT NULL,
        alias   TEXT NOT NULL,
        unit    TEXT NOT NULL,
        place   TEXT NOT NULL
);

CREATE TABLE account (
        id         INTEGER PRIMARY KEY,
        login      TEXT NOT NULL,
        name       TEXT NOT NULL,
        role       TEXT NOT NULL,
        unit       TEXT,
        area       TEXT,
        password   TEXT NOT NULL,               -- Argon2id, PHC form
        disabled   INTEGER NOT NULL,
        created_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX account_login ON account(login);
CREATE TABLE session (
        token      BLOB NOT NULL,               -- SHA-256 of the token
        account    INTEGER NOT NULL,
        csrf       TEXT NOT NULL,
        expires_at INTEGER NOT NULL,
        PRIMARY KEY (token)
);
CREATE INDEX session_account ON session(account);
CREATE TABLE api_key (
        id         INTEGER PRIMARY KEY,
        name       TEXT NOT NULL,
        role       TEXT NOT NULL,
        channel    TEXT,                        -- NULL = any
        token      BLOB NOT NULL,               -- SHA-256 of the key
        created_at INTEGER NOT NULL,
        revoked_at INTEGER NOT NULL             -- 0 = not
);
CREATE UNIQUE INDEX api_key_name ON api_key(name);
CREATE UNIQUE INDEX api_key_token ON api_key(token);
CREATE TABLE login_failure (
        login TEXT NOT NULL,
        at    INTEGER NOT NULL
);
CREATE INDEX login_failure_login ON login_failure(login, at);
