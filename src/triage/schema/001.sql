-- Phrases that make a case urgent, and what people say for an item: of each pack version.
CREATE TABLE urgent_phrase (
        version INTEGER NOT NULL,
        place   TEXT NOT NULL,
        phrase  TEXT NOT NULL,
        kind    TEXT NOT NULL,                  -- danger, supply, crowd
        beside  TEXT                            -- not when one of these stands in the text too, '|' between them
);
CREATE INDEX urgent_phrase_version ON urgent_phrase(version);
CREATE TABLE item_words (
        version INTEGER NOT NULL,
        place   TEXT NOT NULL,
        item    TEXT NOT NULL,
        words   TEXT NOT NULL
);
CREATE INDEX item_words_version ON item_words(version);

-- Numbers a city may set (triage.csv).
CREATE TABLE triage_number (
        version INTEGER NOT NULL,
        place   TEXT NOT NULL,
        name    TEXT NOT NULL,
        value   REAL NOT NULL
);
CREATE INDEX triage_number_version ON triage_number(version);

-- Trained models.  One is active, at most one runs in its shadow; the last few that were are kept.
CREATE TABLE triage_model (
        id          INTEGER PRIMARY KEY,
        state       TEXT NOT NULL,              -- active, shadow, retired
        made_at     INTEGER NOT NULL,
        sha256      TEXT NOT NULL,
        bytes       BLOB NOT NULL,
        last_fix    INTEGER NOT NULL,           -- corrections up to this one were among its examples
        examples    INTEGER NOT NULL,
        accuracy    REAL NOT NULL,              -- of texts unseen; -1: nothing to learn certainty from
        judged      INTEGER NOT NULL,           -- while in shadow: answers whose truth came out
        only_it     INTEGER NOT NULL,           -- of these right by the shadow only
        only_other  INTEGER NOT NULL,           -- right by the active one only
        state_since INTEGER NOT NULL
);
CREATE INDEX triage_model_state ON triage_model(state);

-- What the machine said of a report without item, as it came in.
CREATE TABLE triage_opinion (
        case_id   INTEGER PRIMARY KEY,
        model     INTEGER NOT NULL,
        at        INTEGER NOT NULL,
        guess     TEXT NOT NULL,                -- '' = none
        certainty REAL NOT NULL,
        sure      INTEGER NOT NULL,             -- it was taken without asking
        others    TEXT NOT NULL,                -- JSON: [{"item", "p"}], the guess first
        urgent    TEXT NOT NULL,                -- the phrase that made it urgent; '' = none
        shadow    TEXT NOT NULL,                -- what the shadow said; '' = none ran
        shadow_id INTEGER NOT NULL,
        judged    INTEGER NOT NULL,             -- its truth is known
        hit       INTEGER NOT NULL,             -- ... and was the guess
        settled   TEXT NOT NULL                 -- the item as it was last learned from the case
);
CREATE INDEX triage_opinion_at ON triage_opinion(at);

-- What people decided otherwise, or where the machine had not dared: learned at once, and again by every model until one has it.
CREATE TABLE triage_fix (
        id      INTEGER PRIMARY KEY,            -- 1, 2, ...
        case_id INTEGER NOT NULL,
        was     TEXT NOT NULL,                  -- the machine's guess
        item    TEXT NOT NULL,
        at      INTEGER NOT NULL
);
CREATE INDEX triage_fix_at ON triage_fix(at);

-- Who handled a case to its end: what experience is made of, in the order in which it was learned.
CREATE TABLE triage_handled (
        id      INTEGER PRIMARY KEY,            -- 1, 2, ...
        case_id INTEGER NOT NULL,
        unit    TEXT NOT NULL,
        at      INTEGER NOT NULL
);
CREATE UNIQUE INDEX triage_handled_case ON triage_handled(case_id, unit);

-- Where experience had something to say about who is responsible: it answered where the list has no row, or contradicted it.
CREATE TABLE triage_route (
        case_id   INTEGER PRIMARY KEY,
        at        INTEGER NOT NULL,
        item      TEXT NOT NULL,
        area      TEXT NOT NULL,
        listed    TEXT NOT NULL,                -- the list's unit
        place     TEXT NOT NULL,                -- of its row; '' = the fallback
        unit      TEXT NOT NULL,                -- experience's
        certainty REAL NOT NULL,
        taken     INTEGER NOT NULL,             -- it was sent there without asking
        contradicts INTEGER NOT NULL
);
CREATE INDEX triage_route_contradicts ON triage_route(at) WHERE contradicts = 1;
