/* archive/notes.c -- the instants of commits that are not archived yet.
 *
 * They also stand in a file beside the database, written without waiting for the disk: a program that is killed leaves them to
 * the next keeper.  When the machine fails the file may be lost; then the last half second has one instant.
 */
#include "archive/inside.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { NOTES_MOST = 1 << 20 }; /* beyond, several commits share an instant */

bool note_within(const struct note *n, const struct place *end)
{
        return memcmp(n->end.salt, end->salt, SALT) == 0 && n->end.frame <= end->frame;
}

static void make_room(struct notes *n, size_t wanted)
{
        if (wanted <= n->room)
                return;
        n->room = wanted > 2 * n->room ? wanted : 2 * n->room;
        if (!(n->at = realloc(n->at, n->room * sizeof *n->at)))
                abort();
}

void notes_add(struct notes *n, int file, const struct note *one)
{
        if (n->n < NOTES_MOST)
                make_room(n, ++n->n);
        n->at[n->n - 1] = *one;
        if (file >= 0 && write(file, one, sizeof *one) != sizeof *one)
                log_event(LOG_DEBUG, "archive.note", "errno=%d", errno);
}

void notes_drop(struct notes *n, const struct place *end)
{
        size_t done = n->n;
        while (done > 0 && !note_within(&n->at[done - 1], end))
                done--;
        n->n -= done;
        if (n->n > 0 && done > 0)
                memmove(n->at, n->at + done, n->n * sizeof *n->at);
}

void notes_join(struct notes *first, struct notes *then)
{
        const size_t before = first->n;
        make_room(first, before + then->n + 1);
        if (then->n > 0)
                memcpy(first->at + before, then->at, then->n * sizeof *then->at);
        first->n = before + then->n;
        free(then->at);
        *then = *first;
        *first = (struct notes){0};
}

void notes_free(struct notes *n)
{
        free(n->at);
        *n = (struct notes){0};
}

int notes_open(const char *path, struct notes *out)
{
        struct note one;
        const int f = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (f < 0) {
                log_event(LOG_WARN, "archive.notes", "errno=%d", errno);
                return f;
        }
        for (off_t at = 0; pread(f, &one, sizeof one, at) == sizeof one; at += (off_t)sizeof one)
                notes_add(out, -1, &one);
        return f;
}

void notes_rewrite(int file, const struct notes *n)
{
        const size_t bytes = n->n * sizeof *n->at;
        if (file >= 0 && (ftruncate(file, 0) != 0 || (bytes > 0 && write(file, n->at, bytes) != (ssize_t)bytes)))
                log_event(LOG_DEBUG, "archive.note", "errno=%d", errno);
}
