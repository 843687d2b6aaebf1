-- Cases that were looked at: whether they are the same matter as another.  Derived: what is not here is looked at no more.
CREATE TABLE matter_look (
        case_id INTEGER PRIMARY KEY,
        at      INTEGER NOT NULL
);
-- The cases each one is like, the likeliest first.
CREATE TABLE matter_like (
        case_id     INTEGER NOT NULL,
        n           INTEGER NOT NULL,           -- 1, 2, ...
        other       INTEGER NOT NULL,           -- the earlier case
        probability REAL NOT NULL,
        joins       INTEGER NOT NULL,           -- above the sure threshold
        metres      REAL NOT NULL,              -- between the points; -1 = not known
        phrases     TEXT NOT NULL,              -- JSON array: what both say
        PRIMARY KEY (case_id, n)
) WITHOUT ROWID;
CREATE INDEX matter_like_other ON matter_like(other);
