/* ledger/note.c -- see note.h. */
#include "ledger/note.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include <stdio.h>

enum { KEY_ID = 4 };
static const char dash[] = "— ", time_word[] = "time ";
static const char sm2_type[] = "\xffyiwang/sm2-sm3";

bool origin_allowed(const char *origin)
{
        size_t n = 0;
        for (; origin[n]; n++)
                if (origin[n] <= ' ' || origin[n] > '~' || origin[n] == '+')
                        return false;
        return n > 0 && n <= ORIGIN_MOST;
}

/* --- keys -------------------------------------------------------------------------------------------------------------- */
static size_t typed_key(const struct sign_public *p, unsigned char out[sizeof sm2_type + SIGN_PUBLIC_MOST])
{
        const size_t n = p->kind == SIGN_SM2 ? sizeof sm2_type - 1 : 1;
        memcpy(out, p->kind == SIGN_SM2 ? sm2_type : "\x01", n);
        memcpy(out + n, p->at, p->n);
        return n + p->n;
}

static void key_id(const char *origin, const struct sign_public *p, unsigned char out[KEY_ID])
{
        unsigned char typed[sizeof sm2_type + SIGN_PUBLIC_MOST], whole[SHA256_SIZE];
        struct digest *d = digest_new();
        digest_add(d, origin, strlen(origin));
        digest_add(d, "\n", 1);
        digest_add(d, typed, typed_key(p, typed));
        digest_now(d, whole);
        digest_free(&d);
        memcpy(out, whole, KEY_ID);
}

const char *note_key(struct arena *a, const char *origin, const struct sign_public *p)
{
        unsigned char typed[sizeof sm2_type + SIGN_PUBLIC_MOST], id[KEY_ID];
        char hex[2 * KEY_ID + 1], text[BASE64_ROOM(sizeof typed)];
        key_id(origin, p, id);
        hex_text(id, sizeof id, hex);
        base64_text(typed, typed_key(p, typed), text);
        return arena_format(a, "%s+%s+%s", origin, hex, text);
}

/* --- making ------------------------------------------------------------------------------------------------------------ */
bool note_sign(struct arena *a, const struct checkpoint *c, const struct signers *signers, const char **note, struct err *e)
{
        char root[BASE64_ROOM(SHA256_SIZE)], time[TIME_TEXT_SIZE], line[BASE64_ROOM(KEY_ID + SIGNATURE_MOST)];
        unsigned char bytes[KEY_ID + SIGNATURE_MOST];
        struct signature s;
        assert(origin_allowed(c->origin));
        base64_text(c->root.at, sizeof c->root.at, root);
        const char *text = arena_format(a, "%s\n%lld\n%s\n%s%s\n", c->origin, (long long)c->size, root, time_word,
                                        time_text(time, c->at - c->at % USEC_SECOND, ZONE_SHANGHAI));
        if (!signers_sign(signers, text, strlen(text), &s, e))
                return false;
        key_id(c->origin, signers_public(signers, signers_count(signers) - 1), bytes);
        memcpy(bytes + KEY_ID, s.at, s.n);
        base64_text(bytes, KEY_ID + s.n, line);
        *note = arena_format(a, "%s\n%s%s %s\n", text, dash, c->origin, line);
        return true;
}

/* --- reading ----------------------------------------------------------------------------------------------------------- */
/* The next line of at most `most` bytes, without its line feed; NULL when there is none. */
static const char *line_of(struct arena *a, const char **at, size_t most)
{
        const char *end = strchr(*at, '\n');
        if (!end || (size_t)(end - *at) > most)
                return NULL;
        const char *line = arena_copy(a, *at, (size_t)(end - *at));
        *at = end + 1;
        return line;
}

static bool read_lines(struct arena *a, const char *at, struct checkpoint *out)
{
        const char *size, *root, *more;
        size_t n;
        *out = (struct checkpoint){.origin = line_of(a, &at, ORIGIN_MOST)};
        if (!out->origin || !origin_allowed(out->origin))
                return false;
        size = line_of(a, &at, 20);
        if (!size || !text_to_int(size, &out->size) || out->size < 0
            || !text_is(size, arena_format(a, "%lld", (long long)out->size)))
                return false;
        root = line_of(a, &at, BASE64_ROOM(SHA256_SIZE));
        if (!root || !base64_bytes(root, out->root.at, sizeof out->root.at, &n) || n != sizeof out->root.at)
                return false;
        while ((more = line_of(a, &at, NOTE_MOST)) && *more)
                if (text_starts(more, time_word) && !time_parse(more + strlen(time_word), ZONE_SHANGHAI, &out->at))
                        return false;
        return more != NULL && text_starts(at, dash);
}

bool note_read(struct arena *a, const char *note, struct checkpoint *out, struct err *e)
{
        return (strlen(note) <= NOTE_MOST && read_lines(a, note, out))
               || err_both(e, ERR_INVALID, NULL, "this is no checkpoint", "不是有效的检查点");
}

/* One line "— NAME BASE64"; 1 a key of ours signed it, 0 not. */
static bool line_signed(const char *note, size_t n, const char *origin, size_t origin_n, const char *line,
                        const struct signers *signers)
{
        char text[BASE64_ROOM(KEY_ID + SIGNATURE_MOST)];
        unsigned char bytes[KEY_ID + SIGNATURE_MOST], id[KEY_ID];
        struct signature s;
        size_t got;
        if (!text_starts(line, dash))
                return false;
        line += strlen(dash);
        const size_t rest = strcspn(line, "\n");
        if (rest <= origin_n + 1 || rest - origin_n - 1 >= sizeof text || strncmp(line, origin, origin_n) != 0
            || line[origin_n] != ' ')
                return false;
        (void)snprintf(text, sizeof text, "%.*s", (int)(rest - origin_n - 1), line + origin_n + 1);
        if (!base64_bytes(text, bytes, sizeof bytes, &got) || got <= KEY_ID)
                return false;
        s.n = got - KEY_ID;
        memcpy(s.at, bytes + KEY_ID, s.n);
        char name[ORIGIN_MOST + 1];
        (void)snprintf(name, sizeof name, "%.*s", (int)origin_n, origin);
        for (size_t i = 0; i < signers_count(signers); i++) {
                key_id(name, signers_public(signers, i), id);
                if (memcmp(id, bytes, KEY_ID) == 0 && sign_verify(signers_public(signers, i), note, n, &s))
                        return true;
        }
        return false;
}

bool note_signed(const char *note, const struct signers *signers)
{
        const char *gap = strstr(note, "\n\n");
        const size_t origin_n = strcspn(note, "\n");
        if (!gap || origin_n > ORIGIN_MOST)
                return false;
        for (const char *line = gap + 2; line[0]; line += strcspn(line, "\n") + 1) {
                if (line_signed(note, (size_t)(gap + 1 - note), note, origin_n, line, signers))
                        return true;
                if (!strchr(line, '\n'))
                        break;
        }
        return false;
}
