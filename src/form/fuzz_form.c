/* form/fuzz_form.c -- bodies of forms: the first line is the Content-Type, the rest the body. */
#include "base/arena.h"
#include "base/text.h"
#include "form/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void well_formed(const char *text)
{
        const size_t n = strlen(text);
        assert(text_utf8_fault(text, n) == n);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        const uint8_t *end = memchr(bytes, '\n', n);
        if (!end)
                return 0;
        struct arena *a = arena_new();
        const char *type = arena_copy(a, bytes, (size_t)(end - bytes));
        const char *body = (const char *)end + 1;
        const size_t body_n = n - (size_t)(end + 1 - bytes);
        struct form f;
        struct err e = {0};
        if (form_is(type) && form_parse(a, type, body, body_n, &f, &e)) {
                assert(f.n_fields <= 256 && f.n_files <= 16);
                for (size_t i = 0; i < f.n_fields; i++) {
                        well_formed(f.fields[i].name);
                        well_formed(f.fields[i].value);
                }
                for (size_t i = 0; i < f.n_files; i++) {
                        well_formed(f.files[i].name);
                        well_formed(f.files[i].filename);
                        well_formed(f.files[i].type);
                        assert(f.files[i].bytes >= body && f.files[i].bytes + f.files[i].n <= body + body_n);
                }
        } else if (form_is(type)) {
                assert(e.kind == ERR_INVALID && e.text[0] && e.zh[0]);
        }
        arena_free(&a);
        return 0;
}
