-- Lists by the instant a case came in (Open311: at most 90 days, newest first).  The index holds all that such a list asks for, so
-- rows are looked up only for what is shown; `open` changes once in a case's life, `item` seldom.
CREATE INDEX cases_created ON cases(created_at, id, open, item);
