/* form/form.c -- see form.h. */
#include "form/form.h"
#include "base/arena.h"
#include "base/text.h"

enum { FIELDS_MOST = 256, FILES_MOST = 16, BOUNDARY_MOST = 70, PART_HEADERS_MOST = 4096 };

static const char URLENCODED[] = "application/x-www-form-urlencoded";
static const char MULTIPART[] = "multipart/form-data";

static bool type_is(const char *type, const char *wanted)
{
        const size_t n = type ? strcspn(type, "; \t") : 0;
        return n == strlen(wanted) && strncasecmp(type, wanted, n) == 0;
}

bool form_is(const char *type)
{
        return type_is(type, URLENCODED) || type_is(type, MULTIPART);
}

static bool broken(struct err *e)
{
        return err_both(e, ERR_INVALID, NULL, "the form is broken: its parts, escapes or UTF-8 are not valid",
                        "表单无效：分段、转义或 UTF-8 编码有误");
}

static bool add_field(struct form *f, const char *name, const char *value, struct err *e)
{
        if (f->n_fields == FIELDS_MOST)
                return err_both(e, ERR_INVALID, NULL, "a form may have at most %d fields", "表单最多 %d 个字段", (int)FIELDS_MOST);
        f->fields[f->n_fields++] = (struct form_field){name, value};
        return true;
}

/* --- name=value&name=value --------------------------------------------------------------------------------------- */
static bool parse_urlencoded(struct arena *a, const char *bytes, size_t n, struct form *f, struct err *e)
{
        for (size_t i = 0; i < n;) {
                const char *at = bytes + i, *end = memchr(at, '&', n - i);
                const size_t length = end ? (size_t)(end - at) : n - i;
                const char *equals = memchr(at, '=', length);
                const size_t name_n = equals ? (size_t)(equals - at) : length;
                i += length + 1;
                if (length == 0)
                        continue;
                const char *name = text_unescape(a, at, name_n, true);
                const char *value = equals ? text_unescape(a, equals + 1, length - name_n - 1, true) : "";
                if (!name || !value)
                        return broken(e);
                if (!add_field(f, name, value, e))
                        return false;
        }
        return true;
}

/* --- multipart ----------------------------------------------------------------------------------------------------- */
/* The value of a parameter of a header's value: name="x" (with \" and \\) or name=x; NULL when absent. */
static char *header_param(struct arena *a, const char *value, const char *name)
{
        const size_t name_n = strlen(name);
        while (*(value += strcspn(value, ";\"")) != '\0') {
                if (*value == '"') { /* a quoted text of another parameter is passed over */
                        for (value++; *value && *value != '"'; value++)
                                value += value[0] == '\\' && value[1];
                        value += *value == '"';
                        continue;
                }
                value += 1 + strspn(value + 1, " \t");
                if (strncasecmp(value, name, name_n) != 0 || value[name_n] != '=')
                        continue;
                value += name_n + 1;
                if (*value != '"')
                        return arena_copy(a, value, strcspn(value, "; \t"));
                char *out = arena_alloc(a, strlen(value) + 1);
                size_t n = 0;
                for (value++; *value && *value != '"'; value++) {
                        value += value[0] == '\\' && (value[1] == '"' || value[1] == '\\');
                        out[n++] = *value;
                }
                return *value == '"' ? out : NULL;
        }
        return NULL;
}

struct part {
        const char *name, *filename, *type, *bytes;
        size_t n;
};

/* One line of a part's headers, without its end. */
static void read_header(struct arena *a, const char *line, struct part *p)
{
        static const char disposition[] = "content-disposition:", type[] = "content-type:";
        if (strncasecmp(line, disposition, strlen(disposition)) == 0) {
                const char *value = line + strlen(disposition);
                p->name = header_param(a, value, "name");
                p->filename = header_param(a, value, "filename");
        } else if (strncasecmp(line, type, strlen(type)) == 0) {
                p->type = text_trim(a, line + strlen(type));
        }
}

/* From behind a boundary's line to before the next boundary: headers, an empty line, content. */
static bool read_part(struct arena *a, const char *at, size_t n, struct part *p)
{
        *p = (struct part){.type = ""};
        for (size_t i = 0; i < n && i < PART_HEADERS_MOST;) {
                const char *end = memmem(at + i, n - i, "\r\n", 2);
                if (!end)
                        return false;
                const size_t length = (size_t)(end - at) - i;
                if (length == 0) {
                        p->bytes = end + 2;
                        p->n = n - i - 2;
                        return p->name != NULL;
                }
                if (text_utf8_fault(at + i, length) != length)
                        return false;
                read_header(a, arena_copy(a, at + i, length), p);
                i += length + 2;
        }
        return false;
}

static bool keep_part(struct arena *a, const struct part *p, struct form *f, struct err *e)
{
        if (!p->filename) {
                if (text_utf8_fault(p->bytes, p->n) != p->n)
                        return broken(e);
                return add_field(f, p->name, arena_copy(a, p->bytes, p->n), e);
        }
        if (text_empty(p->filename) && p->n == 0)
                return true; /* a browser's file field in which nothing was chosen */
        if (f->n_files == FILES_MOST)
                return err_both(e, ERR_INVALID, NULL, "a form may have at most %d files", "表单最多 %d 个文件", (int)FILES_MOST);
        f->files[f->n_files++] = (struct form_file){p->name, p->filename, p->type, p->bytes, p->n};
        return true;
}

/* Where the first boundary ends; NULL: there is none.  Every boundary but one at the very beginning has a line end before it. */
static const char *first_boundary(const char *mark, size_t mark_n, const char *bytes, size_t n)
{
        if (n >= mark_n - 2 && memcmp(bytes, mark + 2, mark_n - 2) == 0)
                return bytes + mark_n - 2;
        const char *at = memmem(bytes, n, mark, mark_n);
        return at ? at + mark_n : NULL;
}

/* The part that begins at the rest of a boundary's line; *at moves behind the next boundary. */
static bool next_part(struct arena *a, const char *mark, size_t mark_n, const char **at, const char *end, struct part *p)
{
        const char *from = *at;
        while (from < end && (*from == ' ' || *from == '\t'))
                from++;
        if (end - from < 2 || memcmp(from, "\r\n", 2) != 0)
                return false;
        /* The boundary's own line end may be that before the next one: an empty part. */
        const char *next = memmem(from, (size_t)(end - from), mark, mark_n);
        if (!next || next < from + 2 || !read_part(a, from + 2, (size_t)(next - from) - 2, p))
                return false;
        *at = next + mark_n;
        return true;
}

static bool parse_multipart(struct arena *a, const char *boundary, const char *bytes, size_t n, struct form *f, struct err *e)
{
        const char *mark = arena_format(a, "\r\n--%s", boundary), *end = bytes + n;
        const size_t mark_n = strlen(mark);
        const char *at = first_boundary(mark, mark_n, bytes, n);
        while (at && end - at >= 2 && memcmp(at, "--", 2) != 0) {
                struct part p;
                if (!next_part(a, mark, mark_n, &at, end, &p))
                        return broken(e);
                if (!keep_part(a, &p, f, e))
                        return false;
        }
        return (at && end - at >= 2) || broken(e);
}

bool form_parse(struct arena *a, const char *type, const char *bytes, size_t n, struct form *f, struct err *e)
{
        *f = (struct form){.fields = NEW_ARRAY(a, struct form_field, FIELDS_MOST),
                           .files = NEW_ARRAY(a, struct form_file, FILES_MOST)};
        if (type_is(type, URLENCODED))
                return parse_urlencoded(a, bytes, n, f, e);
        const char *boundary = header_param(a, type, "boundary");
        if (text_empty(boundary) || strlen(boundary) > BOUNDARY_MOST)
                return err_both(e, ERR_INVALID, NULL, "multipart/form-data needs a boundary of 1 to %d characters",
                                "multipart/form-data 须带 1 至 %d 个字符的 boundary", (int)BOUNDARY_MOST);
        return parse_multipart(a, boundary, bytes, n, f, e);
}

const char *form_value(const struct form *f, const char *name)
{
        for (size_t i = 0; f && i < f->n_fields; i++)
                if (text_is(f->fields[i].name, name))
                        return f->fields[i].value;
        return NULL;
}
