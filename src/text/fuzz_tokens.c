/* text/fuzz_tokens.c -- tokens: atoms lie in the text in order, terms are well-formed and hold no long number, and a text is found
 * in itself by the terms it needs. */
#include "base/arena.h"
#include "base/text.h"
#include "text/fold.h"
#include "text/tokens.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* The table takes 50 ms to make: once. */
static struct fold *fold;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
        struct err e;
        (void)argc, (void)argv;
        return fold_new(&fold, &e) ? 0 : 1;
}

static bool holds(const struct terms *t, const char *term)
{
        for (size_t i = 0; i < t->n; i++)
                if (text_is(t->at[i], term))
                        return true;
        return false;
}

static void check_atoms(const struct atoms *t)
{
        for (size_t i = 0; i < t->n; i++) {
                const struct atom *a = &t->at[i];
                assert(a->from < a->to && a->to <= t->text->n && (!a->han || a->to == a->from + 1));
                assert(i == 0 ? !a->joined : a->from >= t->at[i - 1].to && a->joined == (a->from == t->at[i - 1].to));
        }
}

static void check_terms(const struct terms *t)
{
        for (size_t i = 0; i < t->n; i++) {
                const size_t n = strlen(t->at[i]);
                assert(n > 0 && text_utf8_fault(t->at[i], n) == n && text_characters(t->at[i]) <= TERM_MOST);
                assert(i == 0 || strcmp(t->at[i - 1], t->at[i]) < 0);
                assert(!strpbrk(t->at[i], " '\"\\:&|!*()_"));
                for (const char *p = t->at[i]; *p; p++)
                        assert(strspn(p, "0123456789") < PERSONAL_DIGITS);
        }
}

/* Any stretch of what is not personal is found, and its terms are among the text's. */
static void check_found(struct arena *a, const struct atoms *t, const struct terms *all, size_t from, size_t n)
{
        struct folded part = *t->text;
        struct atoms words = *t;
        struct terms need = {.arena = a};
        bool exact;
        words.text = &part;
        words.at = t->at + from;
        words.n = 0;
        while (words.n < n && from + words.n < t->n && !words.at[words.n].personal)
                words.n++;
        if (words.n == 0)
                return;
        assert(atoms_find(t, &words, 0) <= from);
        terms_needed(&need, &words, &exact);
        assert(need.n > 0);
        for (size_t i = 0; i < need.n; i++)
                assert(holds(all, need.at[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        struct arena *a = arena_new();
        struct folded f;
        struct atoms t;
        struct terms all = {.arena = a};
        fold_text(fold, a, (const char *)bytes, n, &f);
        atoms_of(a, &f, &t);
        check_atoms(&t);
        terms_add(&all, &t);
        terms_sort(&all);
        check_terms(&all);
        for (size_t i = 0; i < t.n && i < 20; i++)
                check_found(a, &t, &all, i, 1 + i % 5);
        arena_free(&a);
        return 0;
}
