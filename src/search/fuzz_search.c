/* search/fuzz_search.c -- what is typed to search: parsed or refused with a sentence in both languages; phrases are within
 * bounds, and their terms fit the language of either engine. */
#include "base/arena.h"
#include "base/text.h"
#include "search/query.h"
#include "text/fold.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static struct fold *fold;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
        struct err e;
        (void)argc, (void)argv;
        return fold_new(&fold, &e) ? 0 : 1;
}

static void check(const struct asked *q)
{
        bool positive = false, exact = true;
        assert(q->n > 0 && q->n <= PHRASES_MOST);
        for (size_t i = 0; i < q->n; i++) {
                const struct phrase *p = &q->at[i];
                positive = positive || !p->without;
                exact = exact && p->exact;
                assert(p->words.n > 0 && p->words.n <= PHRASE_ATOMS_MOST && p->needed.n > 0);
                for (size_t k = 0; k < p->needed.n; k++) {
                        const char *term = p->needed.at[k];
                        assert(*term && !strpbrk(term, " '\"\\:&|!*()-"));
                        assert(p->number == (strncmp(term, "_n", 2) == 0));
                }
                assert(!p->number || p->needed.n == 1);
                assert(p->number || atoms_find(&p->words, &p->words, 0) == 0);
        }
        assert(positive && exact == q->exact);
        const char *const fields[] = {q->unit, q->item, q->state, q->area};
        for (size_t i = 0; i < COUNT_OF(fields); i++)
                assert(!fields[i] || *fields[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        struct arena *a = arena_new();
        struct asked q;
        struct err e = {0};
        const char *text = arena_copy(a, bytes, n);
        if (text_utf8_fault(text, n) == n) {
                if (asked_parse(fold, a, text, &q, &e))
                        check(&q);
                else
                        assert(e.kind == ERR_INVALID && text_is(e.field, "q") && e.text[0] && e.zh[0]);
        }
        arena_free(&a);
        return 0;
}
