/* edge/head.h -- is the head of a request what everybody on its way must have read alike?  (pure; fuzzed)
 *
 * Request smuggling lives on heads that two programs read in two ways (RFC 9112, section 11.2).  So whatever is not plain is
 * refused, and the connection ends with the answer.  One thing cannot be seen any more: NUL beside LF in the place of CR LF; who takes
 * that for the end of a line reads the lines as we do, and who does not refuses it.
 */
#ifndef EDGE_HEAD_H
#define EDGE_HEAD_H
#include "base/base.h"

enum { HEAD_LINES_MOST = 100, HEAD_BYTES_MOST = 16 << 10, HEAD_URI_MOST = 8 << 10 };

struct head_line { const char *name, *value; };
/* As the HTTP library leaves it in memory: all texts lie in one piece of `size` bytes that begins with the method; it has put a NUL in
 * the place of each colon, of the spaces of the first line, and two in the place of CR LF. */
struct head {
        const char *method, *uri, *version;
        const char *asked;                      /* a copy of the uri before the library took it apart */
        size_t size;
        struct head_line lines[HEAD_LINES_MOST];
        size_t n;                               /* lines that came; those beyond HEAD_LINES_MOST are not kept */
};

/* False with the status to answer.  Refused are, beside what is too large (414, 431): bare LF or CR, folded lines, NUL and other
 * control characters, spaces in names or in the uri, methods and names that are no tokens, a missing or second Host, a second
 * Content-Length, Content-Type, Authorization or X-CSRF-Token, a Content-Length that is no number, Transfer-Encoding (RFC 9112,
 * section 6.3, allows 411 for a body without Content-Length), and expectations other than 100-continue (417). */
bool head_check(const struct head *, int *status, struct err *) MUST_CHECK;
#endif
