-- How far people see: by role and kind of unit as the pack says, else as the account or membership says itself.
CREATE TABLE role_range (
        version INTEGER NOT NULL,
        role    TEXT NOT NULL,
        kind    TEXT,                           -- of unit; NULL = any
        sees    TEXT NOT NULL,                  -- none, own, unit, subtree, area, district
        place   TEXT NOT NULL
);
CREATE INDEX role_range_version ON role_range(version);
ALTER TABLE account ADD COLUMN sees TEXT NOT NULL DEFAULT '';           -- of its unit and area; '' = as the pack says
-- What an account belongs to beside its own unit.
CREATE TABLE membership (
        account INTEGER NOT NULL,
        unit    TEXT NOT NULL,
        area    TEXT,
        sees    TEXT NOT NULL,
        PRIMARY KEY (account, unit)
) WITHOUT ROWID;
