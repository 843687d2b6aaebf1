/* http/assets.c -- the console's files, embedded in the binary. */
#include "base/text.h"
#include "http/inside.h"
#define ZLIB_CONST
#include <zlib.h>

static const struct {
        const char *ending, *type;
} types[] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".json", "application/json"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".ico", "image/x-icon"},
        {".woff2", "font/woff2"},
        {".webmanifest", "application/manifest+json"},
        {".txt", "text/plain; charset=utf-8"},
};
/* Only our own files, nothing inline; the map's style sheet holds its signs as data: images, and its worker is a file of ours.
 * Forms are sent by script alone: what was typed shall never get into an address. */
static const char POLICY[] = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none';"
                             " frame-ancestors 'none'";

static const char *type_of(const char *path)
{
        const size_t n = strlen(path);
        for (size_t i = 0; i < COUNT_OF(types); i++) {
                const size_t m = strlen(types[i].ending);
                if (n > m && text_is(path + n - m, types[i].ending))
                        return types[i].type;
        }
        return "application/octet-stream";
}

static const struct asset *find(const struct assets *all, const char *path)
{
        for (size_t i = 0; i < all->n; i++)
                if (text_is(all->at[i].path, path))
                        return &all->at[i];
        return NULL;
}

static bool inflate_to(const struct asset *a, struct buf *out)
{
        unsigned char piece[16384];
        z_stream z = {.next_in = a->bytes, .avail_in = (unsigned)a->n};
        if (inflateInit2(&z, 15 + 16) != Z_OK)
                return false;
        int status;
        do {
                z.next_out = piece;
                z.avail_out = sizeof piece;
                status = inflate(&z, Z_NO_FLUSH);
                buf_add(out, piece, sizeof piece - z.avail_out);
        } while (status == Z_OK);
        (void)inflateEnd(&z);
        return status == Z_STREAM_END;
}

bool reply_asset(const struct request *rq, struct reply *rp, const struct assets *all, const char *path, struct err *e)
{
        const bool file = strchr(path, '.') != NULL;
        const struct asset *a = find(all, file ? path : "/index.html");
        if (!a)
                return file ? err_both(e, ERR_NOT_FOUND, NULL, "there is no such file", "文件不存在")
                            : err_both(e, ERR_NOT_FOUND, NULL, "this server was built without its page",
                                       "本服务器构建时未包含页面");
        const char *accepts = request_header(rq, "Accept-Encoding");
        if (a->gzip && accepts && strstr(accepts, "gzip")) {
                buf_add(&rp->body, a->bytes, a->n);
                reply_header(rp, "Content-Encoding", "gzip");
        } else if (!a->gzip) {
                buf_add(&rp->body, a->bytes, a->n);
        } else if (!inflate_to(a, &rp->body)) {
                return err_set(e, ERR_FAULT, "the embedded file %s cannot be unpacked", a->path);
        }
        rp->type = type_of(a->path);
        rp->etag = a->etag;
        /* Vite puts a hash of the contents into the names below /assets/. */
        reply_header(rp, "Cache-Control", text_starts(a->path, "/assets/") ? "public, max-age=31536000, immutable" : "no-cache");
        reply_header(rp, "Content-Security-Policy", POLICY);
        return true;
}
