/* ledger/note.h -- a checkpoint of the tree as a signed text: made, read, verified.  Pure.
 *
 * The form is that of C2SP (github.com/C2SP/C2SP: tlog-checkpoint.md, signed-note.md):
 *
 *     ORIGIN
 *     SIZE, decimal
 *     ROOT, base64
 *     time INSTANT (RFC 3339; a line of extension)
 *     (an empty line)
 *     — ORIGIN base64(key id, 4 bytes, then the signature)
 *
 * Signed are the lines before the empty one with all their line feeds.  The key's name is the origin; its id is the first four bytes
 * of SHA-256(name || LF || type || public key), where type is 01 for Ed25519, and FF "yiwang/sm2-sm3" for SM2, which C2SP does not know.
 * A key is told as NAME+ID+base64(type || public key), the id as eight hexadecimal digits.
 */
#ifndef LEDGER_NOTE_H
#define LEDGER_NOTE_H
#include "crypto/sign.h"
#include "ledger/merkle.h"
struct arena;

enum { ORIGIN_MOST = 100, NOTE_MOST = 1024 };
struct checkpoint { const char *origin; int64_t size, at; struct merkle_hash root; };

bool origin_allowed(const char *);              /* 1 to ORIGIN_MOST printable ASCII characters, no space, no '+' */
/* at is written to the second. */
bool note_sign(struct arena *, const struct checkpoint *, const struct signers *, const char **note, struct err *) MUST_CHECK;
/* ERR_INVALID: it is no such text.  Nothing is said of its signature. */
bool note_read(struct arena *, const char *note, struct checkpoint *, struct err *) MUST_CHECK;
/* Whether a key of the file has signed it under its own origin. */
bool note_signed(const char *note, const struct signers *);
const char *note_key(struct arena *, const char *origin, const struct sign_public *);
#endif
