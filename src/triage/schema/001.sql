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
        counted   INTEGER NOT NULL,             -- stands in triage_day
        judged    INTEGER NOT NULL,             -- its truth is known
        settled   TEXT NOT NULL                 -- the item as it was last learned from the case
);

-- What people decided otherwise, or where the machine had not dared: learned at once, and again by every model until one has it.
CREATE TABLE triage_fix (
        id      INTEGER PRIMARY KEY,            -- 1, 2, ...
        case_id INTEGER NOT NULL,
        was     TEXT NOT NULL,                  -- the machine's guess
        item    TEXT NOT NULL,
        at      INTEGER NOT NULL
);
CREATE INDEX triage_fix_at ON triage_fix(at);

-- Counts by day (of the opinion, Shanghai) and guessed item.
CREATE TABLE triage_day (
        day        INTEGER NOT NULL,            -- 20261130
        item       TEXT NOT NULL,
        asked      INTEGER NOT NULL,
        sure       INTEGER NOT NULL,
        judged     INTEGER NOT NULL,
        hits       INTEGER NOT NULL,
        sure_judged INTEGER NOT NULL,
        sure_hits  INTEGER NOT NULL,
        PRIMARY KEY (day, item)
) WITHOUT ROWID;
