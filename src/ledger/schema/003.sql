-- The Merkle tree over all histories (ledger/tree.h).  Rows are only ever inserted, but for the one row of ledger_tree.
CREATE TABLE ledger_leaf (
        idx     INTEGER PRIMARY KEY,    -- 0, 1, 2, ... without a gap
        subject INTEGER NOT NULL,
        seq     INTEGER NOT NULL,
        digest  BLOB NOT NULL           -- history.hash as it was when the row came into the tree
);
CREATE UNIQUE INDEX ledger_leaf_row ON ledger_leaf(subject, seq);

-- Hashes of complete subtrees of 16, 256, 4096, ... leaves.
CREATE TABLE ledger_node (
        level INTEGER NOT NULL,         -- 4, 8, 12, ...: it has 2^level leaves
        idx   INTEGER NOT NULL,         -- and begins with leaf idx * 2^level
        hash  BLOB NOT NULL,
        PRIMARY KEY (level, idx)
) WITHOUT ROWID;

CREATE TABLE ledger_tree (
        id       INTEGER PRIMARY KEY,   -- 1
        size     INTEGER NOT NULL,      -- leaves
        tx       INTEGER NOT NULL,      -- the outbox is swept up to here
        seq      INTEGER NOT NULL,
        walked   INTEGER NOT NULL,      -- a walk over all cases has come to this one
        walk_end INTEGER NOT NULL       -- when the last whole walk ended; 0 = none has
);
INSERT INTO ledger_tree(id, size, tx, seq, walked, walk_end) VALUES (1, 0, 0, 0, 0, 0);

CREATE TABLE ledger_checkpoint (
        size INTEGER PRIMARY KEY,
        at   INTEGER NOT NULL,
        note TEXT NOT NULL              -- as signed (ledger/note.h)
);
