/* ledger/fuzz_note.c -- signed checkpoints.  A text that is taken for one says what was read in one form only; nobody else's text
 * passes for ours; and what we signed reads back the same, but passes no more when a byte of what was signed has changed. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "ledger/note.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* Inputs that begin with it become a checkpoint of ours with changes; no note does, for no origin holds it. */
enum { OF_OURS = '+', HEAD = 18, EDIT = 3 };

/* What must hold holds for any key: a new one for each run, of both kinds. */
static struct signers *our_keys(enum sign_kind kind)
{
        static struct signers *keys[SIGN_SM2 + 1];
        char folder[] = "/tmp/fuzz-note-XXXXXX", path[64];
        struct err e;
        if (keys[kind])
                return keys[kind];
        if (!mkdtemp(folder))
                abort();
        (void)snprintf(path, sizeof path, "%s/key", folder);
        if (!signers_open(&keys[kind], path, true, kind, &e))
                abort();
        (void)unlink(path);
        (void)rmdir(folder);
        return keys[kind];
}

static void check_text(struct arena *a, const char *text)
{
        struct checkpoint c;
        struct err e = {0};
        if (!note_read(a, text, &c, &e)) {
                assert(e.kind == ERR_INVALID && e.text[0] && e.zh[0]);
        } else {
                char root[BASE64_ROOM(SHA256_SIZE)];
                base64_text(c.root.at, sizeof c.root.at, root);
                assert(strlen(text) <= NOTE_MOST && origin_allowed(c.origin) && c.size >= 0);
                assert(text_starts(text, arena_format(a, "%s\n%lld\n%s\n", c.origin, (long long)c.size, root)));
        }
        assert(!note_signed(text, our_keys(SIGN_ED25519)) && !note_signed(text, our_keys(SIGN_SM2)));
}

static const char *any_origin(struct arena *a, const uint8_t *bytes, size_t n)
{
        char *origin = arena_copy(a, bytes, n);
        for (size_t i = 0; i < n; i++)
                if (bytes[i] <= ' ' || bytes[i] > '~' || bytes[i] == '+')
                        origin[i] = 'x';
        return origin;
}

/* head: kind and length of the origin, size, instant; then the origin; then edits: place (2 bytes) and the new byte. */
static void check_ours(struct arena *a, const uint8_t *bytes, size_t n)
{
        struct checkpoint c = {0}, again;
        uint64_t size, seconds;
        const char *note;
        struct err e;
        const size_t length = 1 + (bytes[0] >> 1) % ORIGIN_MOST;
        if (n < HEAD - 1 + length)
                return;
        struct signers *keys = our_keys(bytes[0] & 1 ? SIGN_SM2 : SIGN_ED25519);
        memcpy(&size, bytes + 1, sizeof size);
        memcpy(&seconds, bytes + 9, sizeof seconds);
        c.origin = any_origin(a, bytes + HEAD - 1, length);
        c.size = (int64_t)(size >> 1);
        c.at = (int64_t)(seconds % 4000000000U) * USEC_SECOND + (int64_t)(seconds % 1000);
        for (size_t i = 0; i < sizeof c.root.at; i++)
                c.root.at[i] = bytes[i * 7 % n];
        if (!note_sign(a, &c, keys, &note, &e))
                abort();
        assert(note_read(a, note, &again, &e) && note_signed(note, keys));
        assert(text_is(again.origin, c.origin) && again.size == c.size && again.at == c.at - c.at % USEC_SECOND);
        assert(memcmp(&again.root, &c.root, sizeof c.root) == 0);
        const size_t whole = strlen(note), said = (size_t)(strstr(note, "\n\n") + 1 - note);
        char *other = arena_copy(a, note, whole);
        for (const uint8_t *edit = bytes + HEAD - 1 + length; edit + EDIT <= bytes + n; edit += EDIT)
                other[(size_t)(edit[0] << 8 | edit[1]) % whole] = (char)edit[2];
        if (note_signed(other, keys))
                assert(strncmp(other, note, said) == 0);
        (void)note_read(a, other, &again, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        struct arena *a = arena_new();
        if (n >= HEAD && bytes[0] == OF_OURS)
                check_ours(a, bytes + 1, n - 1);
        else
                check_text(a, arena_copy(a, bytes, n));
        arena_free(&a);
        return 0;
}
