CREATE TABLE item (
        version     INTEGER NOT NULL,
        position    INTEGER NOT NULL,
        code        TEXT NOT NULL,
        name        TEXT NOT NULL,
        name_en     TEXT,
        parent      TEXT,
        grade       TEXT,
        amount      REAL,
        unit        TEXT,
        urgent_amount REAL,
        urgent_unit TEXT,
        workflow    TEXT,
        scope       TEXT,
        closing     TEXT,
        law         TEXT,
        place       TEXT NOT NULL
);
CREATE INDEX item_code ON item(version, code);
CREATE INDEX item_parent ON item(version, parent);
CREATE TABLE item_alias (
        version INTEGER NOT NULL,
        path    TEXT NOT NULL,
        item    TEXT NOT NULL,
        place   TEXT NOT NULL
);
CREATE INDEX item_alias_path ON item_alias(version, path);
