-- Where a session was opened, what keys may do and until when, second factors.
ALTER TABLE session ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;   -- 0 = before this was kept
ALTER TABLE session ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN agent TEXT NOT NULL DEFAULT '';          -- User-Agent, shortened
ALTER TABLE api_key ADD COLUMN scopes TEXT NOT NULL DEFAULT '';         -- separated by '|'; '' = all that the role may
ALTER TABLE api_key ADD COLUMN expires_at INTEGER NOT NULL DEFAULT 0;   -- 0 = never
CREATE TABLE second_factor (
        account   INTEGER PRIMARY KEY,
        secret    BLOB NOT NULL,                -- sealed (crypto/seal.h)
        sealed_by INTEGER NOT NULL,             -- number of the key
        confirmed INTEGER NOT NULL,             -- 0 until a code of it was given
        last_step INTEGER NOT NULL              -- of the last code that was taken; no code counts twice
);
CREATE TABLE recovery_code (
        account INTEGER NOT NULL,
        hash    BLOB NOT NULL,                  -- SHA-256 of 65 random bits
        used_at INTEGER NOT NULL,               -- 0 = not
        PRIMARY KEY (account, hash)
);
