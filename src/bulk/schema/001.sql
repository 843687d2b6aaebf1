-- How far an import is that has not ended: everything before at_byte is settled, and the rejects file says so as far as rejects_bytes.
-- Written only after the reports before it are committed; removed when the import ends.
CREATE TABLE import_mark (
        file           TEXT NOT NULL,           -- SHA-256 of the file's bytes
        map            TEXT NOT NULL,           -- SHA-256 of the map, and of the encoding that the file is read in
        run            TEXT NOT NULL,           -- who advances it: the import that began last
        at_byte        INTEGER NOT NULL,        -- where the next row begins in the file
        at_line        INTEGER NOT NULL,
        done           INTEGER NOT NULL,        -- rows before it
        rejected       INTEGER NOT NULL,        -- of these
        rejects_bytes  INTEGER NOT NULL,        -- of the rejects file
        rejects_sha256 TEXT NOT NULL,           -- of these bytes
        saved_at       INTEGER NOT NULL,
        PRIMARY KEY (file, map)
);
