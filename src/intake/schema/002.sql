-- Answers to what the item asks (item_attributes.csv); several rows of one code for a list of which many may be chosen.
CREATE TABLE report_attribute (
        report_id INTEGER NOT NULL,
        n         INTEGER NOT NULL,             -- 1, 2, ... as they came
        code      TEXT NOT NULL,
        value     TEXT NOT NULL,                -- as sent; of lists the key
        PRIMARY KEY (report_id, n)
) WITHOUT ROWID;
