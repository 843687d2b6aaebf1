-- Hours on duty.  A person of whom no shift stands here is on duty whenever the unit works.
CREATE TABLE shift (
        id       INTEGER PRIMARY KEY,
        account  INTEGER NOT NULL,
        from_at  INTEGER NOT NULL,
        until_at INTEGER NOT NULL,
        made_by  TEXT NOT NULL,
        made_at  INTEGER NOT NULL,
        ended_at INTEGER NOT NULL               -- taken back; 0 = not
);
CREATE INDEX shift_account ON shift(account, until_at);
CREATE INDEX shift_until ON shift(until_at);
