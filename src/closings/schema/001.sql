-- Cases that were closed, by item, place and instant, fed from the outbox: what a later case is compared with.
CREATE TABLE closing (
        case_id   INTEGER PRIMARY KEY,
        at        INTEGER NOT NULL,             -- when its clocks were switched off; taken out when it is opened again
        item      TEXT NOT NULL,
        unit      TEXT NOT NULL,                -- in charge then
        community TEXT NOT NULL,
        grid      TEXT NOT NULL,
        lon       REAL,
        lat       REAL,
        refused   INTEGER NOT NULL              -- rejected, not handled: no closing one could call false
);
CREATE INDEX closing_item ON closing(item, at);
CREATE INDEX closing_at ON closing(at, refused, unit, item);

-- False closings (假闭环): cases of a place and item where another was closed within 72 hours before.
CREATE TABLE false_closing (
        case_id    INTEGER PRIMARY KEY,         -- the later one
        other      INTEGER NOT NULL,            -- the case that was closed last before it
        created_at INTEGER NOT NULL,
        closed_at  INTEGER NOT NULL,
        item       TEXT NOT NULL,
        unit       TEXT NOT NULL,               -- that had closed
        community  TEXT NOT NULL,
        near       TEXT NOT NULL,               -- why the place is the same: point, grid, community
        metres     REAL NOT NULL                -- between the points; -1 = not known
);
CREATE INDEX false_closing_created ON false_closing(created_at, case_id);
CREATE INDEX false_closing_closed ON false_closing(closed_at, unit, item, near, other);
