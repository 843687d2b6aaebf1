CREATE TABLE route (
        version  INTEGER NOT NULL,
        position INTEGER NOT NULL,
        item     TEXT NOT NULL,         -- code of any level, or '*'
        area     TEXT NOT NULL,
        kind     TEXT,                  -- kind of entity; NULL or '*' = any
        unit     TEXT NOT NULL,         -- code, or 'rota:NAME'
        assists  TEXT,                  -- codes separated by '|'
        note     TEXT,
        place    TEXT NOT NULL
);
CREATE INDEX route_key ON route(version, item, area);
CREATE TABLE rota (
        version INTEGER NOT NULL,
        rota    TEXT NOT NULL,
        unit    TEXT NOT NULL,
        weight  INTEGER NOT NULL,
        place   TEXT NOT NULL
);
