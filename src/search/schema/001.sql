-- The index of what cases can be found by.  Derived: fed from the outbox, made anew by yiwang rebuild.
-- search_index: the terms of a case (text/tokens.h), once each, and names of what it belongs to ("_u..." its units; search/feed.c).
-- Each engine has its own index over the same terms, so both find the same cases.
ON_SQLITE CREATE VIRTUAL TABLE search_index USING fts5(terms, content='', contentless_delete=1, detail=none, tokenize="ascii tokenchars '_'");
ON_POSTGRES CREATE TABLE search_index (id BIGINT PRIMARY KEY, terms tsvector NOT NULL);
ON_POSTGRES CREATE INDEX search_index_terms ON search_index USING gin(terms) WITH (gin_pending_list_limit = 512);

CREATE TABLE search_case (
        id     INTEGER PRIMARY KEY,     -- of a case that is in the index
        digest INTEGER NOT NULL         -- of its terms: the same need not be written again
);
-- The walk that brings all cases into the index: those from before there was one, and all of them anew.
CREATE TABLE search_build (
        id     INTEGER PRIMARY KEY,     -- 1, the only row
        after  INTEGER NOT NULL,        -- cases up to this id are in
        done   INTEGER NOT NULL
);
INSERT INTO search_build (id, after, done) VALUES (1, 0, 0);
