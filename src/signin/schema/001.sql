-- Who stands in for whom, while somebody is absent.
CREATE TABLE stand_in (
        id       INTEGER PRIMARY KEY,
        absent   INTEGER NOT NULL,              -- accounts
        deputy   INTEGER NOT NULL,
        from_at  INTEGER NOT NULL,
        until_at INTEGER NOT NULL,
        made_by  TEXT NOT NULL,
        made_at  INTEGER NOT NULL,
        ended_at INTEGER NOT NULL               -- taken back; 0 = not
);
CREATE INDEX stand_in_deputy ON stand_in(deputy, until_at);
CREATE INDEX stand_in_absent ON stand_in(absent, until_at);
