-- Cases that belong together: merged into another, or split off another.  A merge that was undone keeps its row.
CREATE TABLE case_link (
        case_id   INTEGER NOT NULL,             -- the merged or split-off case
        n         INTEGER NOT NULL,             -- 1, 2, ... of that case
        kind      TEXT NOT NULL,                -- merged, split
        target    INTEGER NOT NULL,             -- the case it went into, or came from
        actor     TEXT NOT NULL,
        made_at   INTEGER NOT NULL,
        undone_at INTEGER NOT NULL,             -- 0 = stands
        PRIMARY KEY (case_id, n)
) WITHOUT ROWID;
CREATE INDEX case_link_target ON case_link(target, kind, case_id) WHERE undone_at = 0;
