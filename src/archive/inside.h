/* archive/inside.h -- what the files of this folder share: places in a log, segments, the folder.
 *
 * A segment is a head and then records; all numbers are little-endian; heads and bodies have a CRC-32.
 * head:   "YWSEG01\n", chain (16 hex digits), number, page size, instant, place (salt, frame) where it begins, whether checksums
 *         of frames take numbers big-endian, CRC
 * record: kind, length of body, instant, salt, first frame, frames, pages of the database, SQLite's checksum before the first frame,
 *         CRC of the body, CRC; then the body:
 *   commit    the frames of SQLite's log (sqlite.org/fileformat2.html, section 4), each: its 24 bytes as they are; how many runs of
 *             bytes the page differs in from the page's last frame in this chain (2 bytes), and for each run offset, length
 *             (2 bytes each) and bytes; or 0xffff and the whole page.  SQLite's checksum in the 24 bytes is of the whole page
 *             and counts on from the frame before: so what is restored is checked, not only what is stored
 *   moved     all frames so far are also in the database file, whose size and time of change follow: the log may have begun anew
 * A chain is segments without a gap: each begins where the one before it ends.
 */
#ifndef ARCHIVE_INSIDE_H
#define ARCHIVE_INSIDE_H
#include "archive/archive.h"
struct arena;
struct sqlite3;

enum {
        SALT = 8,               /* bytes that tell one beginning of the log from another */
        CHAIN = 16,             /* characters */
        LOG_HEAD = 32,          /* bytes before the first frame of SQLite's log */
        FRAME_HEAD = 24,
        SEGMENT_HEAD = 64,
        RECORD_HEAD = 56,
        SUM = 8,                /* bytes of a frame's checksum, at its 16th */
        PAGE_MOST = 65536,
        NAME_SIZE = 64
};
struct place { unsigned char salt[SALT]; uint32_t frame; };     /* frame: how many are before it; 0 = at the beginning */
bool place_same(const struct place *, const struct place *);

/* --- log.c: SQLite's log ------------------------------------------------------------------------------------------------------- */
struct log_state { struct place end; uint32_t moved, page_size; bool big; };    /* moved: frames that are also in the database file */
/* What the log's index says now; the connection must have read before. */
bool log_look(struct sqlite3 *, struct log_state *, struct err *) MUST_CHECK;
/* The database file, when all of the log is in it too and our read transaction keeps it so. */
struct file_state { int64_t size, changed; };   /* bytes; nanoseconds since 1970 */
bool file_look(const char *path, struct file_state *, struct err *) MUST_CHECK;
/* A connection that only reads and never checkpoints. */
struct sqlite3 *log_open(const char *database, struct err *);
bool log_begin(struct sqlite3 *, struct err *) MUST_CHECK;      /* a read transaction with its snapshot taken */
void log_end(struct sqlite3 *);

/* --- notes.c: instants of commits ---------------------------------------------------------------------------------------------- */
struct note { struct place end; uint32_t unused; int64_t at; };
struct notes { struct note *at; size_t n, room; };              /* in the order of the commits */
bool note_within(const struct note *, const struct place *end); /* the log up to `end` holds its commit */
void notes_add(struct notes *, int file, const struct note *);  /* also to the file, unless it is -1 */
void notes_drop(struct notes *, const struct place *end);       /* those within, and those before them */
void notes_join(struct notes *first, struct notes *then);       /* `then` becomes both; `first` is empty */
void notes_free(struct notes *);
int notes_open(const char *path, struct notes *out);            /* the file, with what a killed program left in it; -1 = none */
void notes_rewrite(int file, const struct notes *);

/* --- segment.c: the format; no files ---------------------------------------------------------------------------------------------- */
enum record_kind { RECORD_COMMIT = 1, RECORD_MOVED = 2 };
struct record {
        enum record_kind kind;
        int64_t time;
        struct place from;              /* its first frame is from.frame + 1 */
        uint32_t frames, pages;         /* pages: of the database after it */
        const unsigned char *body; size_t n;
        unsigned char before[SUM];      /* RECORD_COMMIT: the checksum its first frame counts on from */
        struct file_state file;         /* RECORD_MOVED */
};
struct segment_head { char chain[CHAIN + 1]; uint32_t number, page_size; int64_t time; struct place from; bool big; };
void segment_head_put(const struct segment_head *, unsigned char out[SEGMENT_HEAD]);
bool segment_head_get(const unsigned char *, size_t n, struct segment_head *) MUST_CHECK;
/* `crc`: of the body, as record_crc() counts it from 0. */
void record_head_put(const struct record *, uint32_t crc, unsigned char out[RECORD_HEAD]);
uint32_t record_crc(uint32_t before, const void *, size_t);
/* The body of RECORD_MOVED. */
enum { MOVED_BODY = 16 };
void moved_put(const struct record *, unsigned char out[MOVED_BODY]);
/* TORN: bytes end, or were never written, before the record does. */
enum found { FOUND_RECORD, FOUND_END, FOUND_TORN, FOUND_DAMAGED };
/* The record at *at, which moves behind it. */
enum found record_get(const unsigned char *, size_t n, size_t *at, const struct segment_head *, struct record *);
/* One frame of a commit.  page: the whole one, or NULL: then runs. */
struct frame { const unsigned char *head, *page, *runs; uint32_t n_runs, number; };     /* number: of the page, from 1 */
enum { WHOLE_PAGE = 0xffff, FRAME_MOST = FRAME_HEAD + 2 + PAGE_MOST };
/* The frame at *p, which moves behind it; false when the bytes are none. */
bool frame_get(const unsigned char **p, const unsigned char *end, uint32_t page_size, struct frame *) MUST_CHECK;
void frame_apply(const struct frame *, uint32_t page_size, unsigned char *page);
/* Writes the frame; `before`: the page's last frame, NULL = whole.  Returns its length, at most FRAME_MOST. */
size_t frame_put(const unsigned char *head, const unsigned char *page, const unsigned char *before, uint32_t page_size,
                 unsigned char *out);
/* Counts the checksum on over this frame; whether it is the one in its head. */
bool frame_sum(const unsigned char *head, const unsigned char *page, uint32_t page_size, bool big, uint32_t sum[2]) MUST_CHECK;
void put32(unsigned char *, uint32_t);
uint32_t get32(const unsigned char *);
uint32_t get32_big(const unsigned char *);      /* numbers inside SQLite's log */

/* --- folder.c: what is in an archive ------------------------------------------------------------------------------------------------- */
struct segment { uint32_t number; bool readable; struct segment_head head; };
/* file: of the database when the copy was made and the log was all in it, else 0; an empty log has no salt to know the place by. */
struct copy { char name[NAME_SIZE]; int64_t instant, bytes; struct place at; struct file_state file; uint32_t page_size; char sha256[65]; };
struct folder { struct segment *segments; size_t n_segments; struct copy *copies; size_t n_copies; };   /* both in order of time */
bool archive_list(struct arena *, const char *path, struct folder *, struct err *) MUST_CHECK;
bool archive_make(const char *path, struct err *) MUST_CHECK;
bool archive_sync(const char *path, struct err *) MUST_CHECK;    /* names in it are on the disk */
void segment_name(const char *folder, uint32_t number, char *out, size_t room);
/* Removes copies and segments that are not needed to restore any instant from `since` on. */
void archive_prune(const char *path, int64_t since);
bool manifest_read(struct arena *, const char *path, struct copy *, struct err *) MUST_CHECK;
bool manifest_parse(struct arena *, const char *, size_t n, struct copy *, struct err *) MUST_CHECK;
/* A file seen as bytes; *bytes is NULL for an empty one. */
bool file_map(const char *path, unsigned char **bytes, size_t *n, struct err *) MUST_CHECK;
void file_unmap(unsigned char *, size_t n);

/* --- keep.c: segments being written ---------------------------------------------------------------------------------------------------- */
struct keeper {                 /* the segment at the end of the archive */
        const char *folder;
        int file;               /* -1 = none */
        struct segment_head head;
        int64_t size;           /* bytes that are whole */
        struct place at;        /* behind the last record */
        int64_t time;           /* of the last commit; later ones are never earlier */
        bool moved, dirty;      /* the last record says moved; there is something to bring to the disk */
        struct file_state moved_file;   /* of that record */
        unsigned char *in, *out;        /* KEEP_ROOM bytes each: of the log; of the segment */
        size_t n_out;                   /* bytes in `out` */
        struct last_frames *last;       /* of pages, for the runs */
        uint32_t pages;                 /* of the database after the last commit */
};
enum { KEEP_ROOM = 1 << 20 };
/* The archive's end, when there is one and it can be written on; file -1 else.  What a crash has torn off is cut. */
bool keeper_open(struct keeper *, const char *folder, struct err *) MUST_CHECK;
bool keeper_chain(struct keeper *, const struct log_state *, int64_t now, struct err *) MUST_CHECK;     /* begins a new chain here */
/* Frames at.frame+1 ... last of the log, one commit or several, with the instant of the last. */
bool keeper_commit(struct keeper *, int log, uint32_t last, int64_t time, struct err *) MUST_CHECK;
bool keeper_moved(struct keeper *, const struct file_state *, int64_t now, struct err *) MUST_CHECK;
bool keeper_sync(struct keeper *, struct err *) MUST_CHECK;
void keeper_close(struct keeper *);
#endif
