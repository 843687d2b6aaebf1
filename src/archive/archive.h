/* archive/archive.h -- getting a SQLite database back as it was at any instant: full copies, and every commit since, in one folder.
 *
 * A commit is in the database's write-ahead log (WAL) before anybody is told of it, and stays there until the log begins anew.
 * The archive copies it from there, with the instant of the commit, into segment files.  It holds a read transaction at the
 * place up to which it has copied: SQLite then neither moves later pages into the database file nor begins the log anew, whichever
 * program wants to, so nothing can pass the archive unseen.  One program at a time keeps the archive (a lock in the folder);
 * what others commit meanwhile it sees in the log, with the instant at which it saw it.
 *
 * FOLDER/segment-00000001 ...    the commits, see inside.h
 * FOLDER/copy-INSTANT/           a full copy: yiwang.db and manifest.json
 */
#ifndef ARCHIVE_ARCHIVE_H
#define ARCHIVE_ARCHIVE_H
#include "base/base.h"
#include <stdatomic.h>
struct archive;
struct sqlite3;

struct archive_options {
        const char *folder;     /* made with mode 0700 when absent */
        const char *database;   /* the SQLite file; the store fills it in */
        int days;               /* what is not needed to restore any instant of the last so many days is removed; 0 = nothing is */
        bool copies;            /* takes a full copy when none fits the segments or the newest is a week old */
};

/* Keeps the archive on a thread of its own.  A folder that cannot be used is logged and tried again; the store works on meanwhile,
 * and its log grows up to 1 GiB: beyond that, what was not archived is given up, and a new full copy begins a new chain. */
struct archive *archive_start(const struct archive_options *);
/* The connection `db` has committed just now; its log has so many frames.  Called on the thread that commits. */
void archive_note(struct archive *, struct sqlite3 *db, int frames);
/* Returns when all that was committed before is archived and on the disk, or cannot be.  To be called before and after a
 * checkpoint: before, so that all can be moved; after, so that the log may begin anew. */
void archive_catch_up(struct archive *);
void archive_stop(struct archive **);           /* after a last archive_catch_up(); joins its threads, sets NULL */

struct archive_figures {
        int64_t commits, bytes;         /* written since the start */
        int64_t instant;                /* of the last commit that is in the archive; 0 = none yet */
        int64_t waiting;                /* commits that are not in it yet */
        bool keeps, failing;            /* this program keeps it; its last attempt failed */
};
struct archive_figures archive_figures(struct archive *);

/* --- full copies ------------------------------------------------------------------------------------------------------------- */
struct copy_job {
        const char *database, *folder;
        void (*progress)(void *, double share);         /* NULL = none */
        void *ctx;
        const atomic_bool *stop;                        /* ends the copy with ERR_BUSY when it becomes true; NULL = never */
        int pause_usec;                                 /* after each MiB, so that others come first */
        char name[64];                                  /* out: of the copy in the folder */
        int64_t instant, bytes;                         /* out */
};
/* A consistent copy while others write, in FOLDER/copy-INSTANT; it has that name only when it is whole and on the disk. */
bool archive_copy(struct copy_job *, struct err *) MUST_CHECK;

/* --- restoring --------------------------------------------------------------------------------------------------------------- */
struct restore_job {
        const char *folder;
        const char *database;           /* the file to make; ERR_CONFLICT when it or its log is there */
        int64_t at;                     /* as of the last commit not after this instant; INT64_MAX = all there is */
        bool partial;                   /* a damaged or missing segment: restore up to it */
        void (*progress)(void *, int64_t commits);
        void *ctx;
        char copy[64];                  /* out: the full copy it began with */
        int64_t copied, instant;        /* out: of that copy; of the last commit that is in the result */
        int64_t commits;                /* out: from segments */
        struct err missing;             /* out, when partial: why it ends early; kind ERR_NONE = it does not */
};
/* Checksums of all that is used are verified.  On failure no database file is left behind. */
bool archive_restore(struct restore_job *, struct err *) MUST_CHECK;
#endif
