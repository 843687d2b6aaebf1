/* edge/tls.h -- certificate and key from files, and their change while connections are open (GnuTLS, which libmicrohttpd uses). */
#ifndef EDGE_TLS_H
#define EDGE_TLS_H
#include "base/base.h"
#include <gnutls/abstract.h>

struct tls;

/* TLS 1.2 and 1.3; key exchange by elliptic curves only, so every session has a key of its own that nobody can work out later;
 * authenticated ciphers only; the server's order counts. */
extern const char tls_priorities[];

/* Reads both files (PEM; the certificate with those that lead to the authority behind it).  Refused with a sentence: files that cannot
 * be read or hold nothing of the kind, a key that others than its owner and group may read, a key that is not the certificate's, keys
 * too weak for today (RSA under 2048 bits).  A certificate that is not in force is only logged: a warning in the browser is better
 * than no server.  The names are copied. */
bool tls_new(struct tls **, const char *certificate, const char *key, struct err *) MUST_CHECK;
/* Reads the files anew, also others than before; new connections get the new certificate.  When it fails all stays as it was. */
bool tls_reload(struct tls *, const char *certificate, const char *key, struct err *) MUST_CHECK;
/* What a handshake is answered with: belongs to `tls` and is kept until tls_free(), since handshakes may still use it. */
void tls_current(struct tls *, gnutls_pcert_st **chain, unsigned *n, gnutls_privkey_t *key);
int64_t tls_ends(struct tls *);         /* when the certificate ends, seconds since 1970 */
void tls_free(struct tls **);           /* when no connection is left */
#endif
