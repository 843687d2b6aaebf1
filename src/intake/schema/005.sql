-- A report whose reporter says that it is the same matter as an open case: the token that POST /api/v1/alike gave for it, as it came.
CREATE TABLE report_same (
        report_id INTEGER PRIMARY KEY,
        same_as   TEXT NOT NULL
);
