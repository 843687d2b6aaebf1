-- Topics as tasks (类案治理): many cases of one subject, with one owner who ends the cause.  They outlive the topic they were made of.
CREATE TABLE topic_task (
        id        INTEGER PRIMARY KEY,
        topic     INTEGER NOT NULL,             -- id of its topic as it was found last (a topic's id may change as old reports leave it)
        name      TEXT NOT NULL,
        goal      TEXT NOT NULL,
        owner     TEXT NOT NULL,                -- code of the unit
        due       INTEGER NOT NULL,             -- 0 = none
        state     TEXT NOT NULL,                -- open, closed
        made_by   TEXT NOT NULL,
        made_at   INTEGER NOT NULL,
        closed_by TEXT NOT NULL,
        closed_at INTEGER NOT NULL,             -- 0 = open
        result    TEXT NOT NULL
);
CREATE INDEX topic_task_open ON topic_task(topic) WHERE state = 'open';
CREATE INDEX topic_task_owner ON topic_task(owner, id);

CREATE TABLE topic_task_member (
        task     INTEGER NOT NULL,
        case_id  INTEGER NOT NULL,
        state    TEXT NOT NULL,                 -- in; out: taken out by hand, does not join again by itself
        added_by TEXT NOT NULL,                 -- login; '' = it is of the topic
        at       INTEGER NOT NULL,
        PRIMARY KEY (task, case_id)
) WITHOUT ROWID;
CREATE INDEX topic_task_member_case ON topic_task_member(case_id, task);

-- What people did with a task, and what its owner reports.  Only ever added to.
CREATE TABLE topic_task_act (
        id      INTEGER PRIMARY KEY,
        task    INTEGER NOT NULL,
        act     TEXT NOT NULL,                  -- made, note, added, removed, closed, reopened
        actor   TEXT NOT NULL,
        unit    TEXT NOT NULL,
        text    TEXT NOT NULL,
        case_id INTEGER NOT NULL,               -- of added and removed; 0 = none
        at      INTEGER NOT NULL
);
CREATE INDEX topic_task_act_task ON topic_task_act(task, id);
