CREATE TABLE area (
        version   INTEGER NOT NULL,
        position  INTEGER NOT NULL,
        code      TEXT NOT NULL,
        name      TEXT NOT NULL,
        name_en   TEXT,
        level     TEXT NOT NULL,
        parent    TEXT,
        place     TEXT NOT NULL
);
CREATE INDEX area_code ON area(version, code);
CREATE INDEX area_level ON area(version, level, position);
CREATE TABLE area_outline (
        version   INTEGER NOT NULL,
        code      TEXT NOT NULL,
        schematic INTEGER NOT NULL,
        outline   BLOB NOT NULL,        -- WKB
        place     TEXT NOT NULL
);
CREATE INDEX area_outline_code ON area_outline(version, code);
CREATE TABLE area_alias (
        version INTEGER NOT NULL,
        alias   TEXT NOT NULL,
        area    TEXT NOT NULL,
        place   TEXT NOT NULL
);
