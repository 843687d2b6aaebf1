-- What a report of an item (or of any item below it) is asked beside its text.
CREATE TABLE item_attribute (
        version              INTEGER NOT NULL,
        item                 TEXT NOT NULL,
        code                 TEXT NOT NULL,
        datatype             TEXT NOT NULL,     -- string, number, datetime, text, singlevaluelist, multivaluelist
        required             INTEGER NOT NULL,
        description          TEXT NOT NULL,     -- the question
        datatype_description TEXT,              -- how to answer it
        position             INTEGER NOT NULL,
        choices              TEXT,              -- of lists: "key=name|key=name"
        place                TEXT NOT NULL
);
CREATE INDEX item_attribute_item ON item_attribute(version, item);
