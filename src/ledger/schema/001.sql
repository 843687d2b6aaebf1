-- The append-only history of cases.  Rows are only ever inserted.
CREATE TABLE history (
        subject INTEGER NOT NULL,       -- case id
        seq     INTEGER NOT NULL,       -- 1, 2, ... without a gap
        lane    INTEGER NOT NULL,       -- first row: 0..63, later rows: -1
        ordinal INTEGER NOT NULL,       -- first row: 1, 2, ... without a gap in its lane; later rows: 0
        move    TEXT NOT NULL,
        origin  TEXT NOT NULL,          -- state before; '' for the first row
        dest    TEXT NOT NULL,
        actor   TEXT NOT NULL,
        role    TEXT NOT NULL,
        unit    TEXT NOT NULL,          -- '' when the actor belongs to none
        form    TEXT NOT NULL,          -- JSON
        at      INTEGER NOT NULL,
        hash    BLOB NOT NULL,
        PRIMARY KEY (subject, seq)
) WITHOUT ROWID;

CREATE TABLE ledger_lane (
        lane INTEGER PRIMARY KEY,
        last INTEGER NOT NULL           -- the highest ordinal given out
);
INSERT INTO ledger_lane(lane, last)
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 63) SELECT i, 0 FROM n;
