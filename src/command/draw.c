/* command/draw.c -- yiwang pack draw | words: a workflow as a picture, and the words packs may use.
 *
 * States stand in one column, in the pack's order.  A move from a state to the next is an arrow between them; every other move
 * has a lane of its own, on the right when it leads on and on the left when it leads back, with a tap for each state it may start
 * from.  Moves that stay where they are stand inside the state.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "cases/moves.h"
#include "command/command.h"
#include "store/store.h"
#include <stdio.h>

enum { BOX = 250, PORT = 13, GAP = 26, LANE = 12, LINE = 13, MARGIN = 16, LABELS = 150, LANES_MOST = 64 };

struct drawn {                      /* a state */
        int y, height, right, left; /* ports used on either side */
};
struct lane { /* a move that needs one */
        const struct move *move;
        int first, last, dest; /* rows */
        bool back;
        int at; /* 0, 1, ... from the column outwards */
};
struct drawing {
        const struct workflow *workflow;
        struct drawn *states;
        struct lane *lanes;
        size_t n_lanes;
        int right, left, x, height; /* lanes on either side; where the column begins */
        bool zh;
        FILE *out;
};

static void text_out(FILE *out, const char *s)
{
        for (; *s; s++) {
                if (*s == '&' || *s == '<' || *s == '>')
                        (void)fprintf(out, "&#%d;", *s);
                else
                        (void)fputc(*s, out);
        }
}

static int row_of(const struct workflow *w, const struct state *s)
{
        return (int)(s - w->states);
}

static const char *label(const struct drawing *d, const struct move *m)
{
        return d->zh ? m->zh : m->en;
}

static bool is_step(const struct workflow *w, const struct move *m)
{
        return m->dest && m->n_origins == 1 && row_of(w, m->dest) == row_of(w, m->origins[0]) + 1;
}

static bool stays_in(const struct move *m, const struct state *s)
{
        return !m->dest && move_starts_at(m, s->name);
}

/* --- layout ------------------------------------------------------------------------------------------------------------------ */

static void add_lane(struct drawing *d, const struct move *m)
{
        struct lane *l = &d->lanes[d->n_lanes++];
        int later = 0;
        *l = (struct lane){.move = m, .dest = row_of(d->workflow, m->dest)};
        l->first = l->last = l->dest;
        for (size_t i = 0; i < m->n_origins; i++) {
                const int row = row_of(d->workflow, m->origins[i]);
                l->first = row < l->first ? row : l->first;
                l->last = row > l->last ? row : l->last;
                later += row > l->dest ? 1 : -1;
        }
        l->back = later > 0;
}

static bool meet(const struct lane *a, const struct lane *b)
{
        return a->back == b->back && a->first <= b->last && b->first <= a->last;
}

/* Short lanes stand nearest to the column. */
static void place_lanes(struct drawing *d)
{
        for (int span = 0; span < (int)d->workflow->n_states; span++)
                for (size_t i = 0; i < d->n_lanes; i++) {
                        struct lane *l = &d->lanes[i];
                        bool used[LANES_MOST] = {false};
                        if (l->last - l->first != span)
                                continue;
                        for (size_t k = 0; k < d->n_lanes; k++) {
                                const struct lane *o = &d->lanes[k];
                                const int other = o->last - o->first;
                                if (k != i && meet(l, o) && (other < span || (other == span && k < i)))
                                        used[o->at] = true;
                        }
                        while (l->at < LANES_MOST - 1 && used[l->at])
                                l->at++;
                        int *most = l->back ? &d->left : &d->right;
                        *most = l->at + 1 > *most ? l->at + 1 : *most;
                }
}

static int ports_of(const struct drawing *d, int row, bool back)
{
        int n = 0;
        for (size_t i = 0; i < d->n_lanes; i++) {
                const struct lane *l = &d->lanes[i];
                if (l->back == back)
                        n += (l->dest == row) + (move_starts_at(l->move, d->workflow->states[row].name) ? 1 : 0);
        }
        return n;
}

static void place_states(struct drawing *d)
{
        const struct workflow *w = d->workflow;
        int y = MARGIN;
        for (size_t i = 0; i < w->n_states; i++) {
                struct drawn *s = &d->states[i];
                const int right = ports_of(d, (int)i, false), left = ports_of(d, (int)i, true);
                int lines = 2;
                for (size_t k = 0; k < w->n_moves; k++)
                        lines += stays_in(&w->moves[k], &w->states[i]);
                const int ports = (right > left ? right : left) * PORT, text = lines * LINE;
                s->y = y;
                s->height = (ports > text ? ports : text) + 12;
                y += s->height + GAP;
        }
        d->height = y;
        d->x = MARGIN + LABELS + d->left * LANE;
}

/* --- drawing ----------------------------------------------------------------------------------------------------------------- */

static void draw_state(struct drawing *d, int row)
{
        const struct workflow *w = d->workflow;
        const struct state *s = &w->states[row];
        const struct drawn *at = &d->states[row];
        int y = at->y + 18;
        fprintf(d->out,
                "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\"/>"
                "<text class=\"state\" x=\"%d\" y=\"%d\">",
                s->clock, d->x, at->y, BOX, at->height, d->x + BOX / 2, y);
        text_out(d->out, d->zh ? s->zh : s->en);
        fprintf(d->out, "</text>\n");
        for (size_t i = 0; i < w->n_moves; i++) {
                if (!stays_in(&w->moves[i], s))
                        continue;
                y += LINE;
                fprintf(d->out, "<text class=\"stays\" x=\"%d\" y=\"%d\">", d->x + BOX / 2, y);
                text_out(d->out, label(d, &w->moves[i]));
                fprintf(d->out, "</text>\n");
        }
}

static void draw_step(struct drawing *d, const struct move *m)
{
        const struct drawn *from = &d->states[row_of(d->workflow, m->origins[0])], *to = from + 1;
        const int x = d->x + BOX / 2;
        fprintf(d->out, "<path d=\"M%d %dV%d\" marker-end=\"url(#a)\"/><text class=\"move\" x=\"%d\" y=\"%d\">", x,
                from->y + from->height, to->y - 1, x + 6, to->y - GAP / 2 + 4);
        text_out(d->out, label(d, m));
        fprintf(d->out, "</text>\n");
}

static int port(struct drawing *d, int row, bool back)
{
        struct drawn *s = &d->states[row];
        int *used = back ? &s->left : &s->right;
        return s->y + 12 + PORT * (*used)++;
}

static void draw_lane(struct drawing *d, const struct lane *l)
{
        const int edge = l->back ? d->x : d->x + BOX, side = l->back ? -1 : 1;
        const int x = edge + side * (LABELS + LANE * l->at), arrow = edge + side;
        int top = port(d, l->dest, l->back), low = top;
        const int end = top;
        for (size_t i = 0; i < l->move->n_origins; i++) {
                const int y = port(d, row_of(d->workflow, l->move->origins[i]), l->back);
                fprintf(d->out, "<path d=\"M%d %dH%d\"/><circle cx=\"%d\" cy=\"%d\" r=\"2\"/>\n", edge, y, x, edge, y);
                top = y < top ? y : top;
                low = y > low ? y : low;
        }
        fprintf(d->out,
                "<path d=\"M%d %dV%d\"/><path d=\"M%d %dH%d\" marker-end=\"url(#a)\"/><text class=\"%s\" x=\"%d\" y=\"%d\">", x,
                top, low, x, end, arrow, l->back ? "back" : "move", edge + side * 12, end - 2);
        text_out(d->out, label(d, l->move));
        fprintf(d->out, "</text>\n");
}

static void draw(struct drawing *d)
{
        const struct workflow *w = d->workflow;
        const int width = d->x + BOX + LABELS + d->right * LANE + MARGIN;
        fprintf(d->out,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n"
                "<style>rect{fill:#eef4fb;stroke:#2b5c8a}rect.paused{fill:#fdf3dc;stroke:#a67c1b}rect.off{fill:#eee;stroke:#888}"
                "path{fill:none;stroke:#557}circle{fill:#557}text{font:11px sans-serif;fill:#223}"
                "text.state{font:bold 13px sans-serif;"
                "text-anchor:middle}text.stays{text-anchor:middle;fill:#667}text.back{text-anchor:end}</style>\n"
                "<defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\""
                " orient=\"auto\">"
                "<path d=\"M0 0L8 4L0 8z\" style=\"fill:#557\"/></marker></defs>\n"
                "<rect width=\"%d\" height=\"%d\" style=\"fill:#fff;stroke:none\"/>\n",
                width, d->height, width, d->height, width, d->height);
        for (size_t i = 0; i < w->n_states; i++)
                draw_state(d, (int)i);
        for (size_t i = 0; i < w->n_moves; i++)
                if (is_step(w, &w->moves[i]))
                        draw_step(d, &w->moves[i]);
        for (size_t i = 0; i < d->n_lanes; i++)
                draw_lane(d, &d->lanes[i]);
        fprintf(d->out, "</svg>\n");
}

static void draw_workflow(struct command_line *line, const struct workflow *w)
{
        struct drawing d = {.workflow = w, .zh = command_in_chinese(line), .out = stdout};
        d.states = NEW_ARRAY(line->arena, struct drawn, w->n_states);
        d.lanes = NEW_ARRAY(line->arena, struct lane, w->n_moves);
        for (size_t i = 0; i < w->n_moves; i++)
                if (w->moves[i].dest && w->moves[i].n_origins && !is_step(w, &w->moves[i]))
                        add_lane(&d, &w->moves[i]);
        place_lanes(&d);
        place_states(&d);
        draw(&d);
}

/* --- the commands ------------------------------------------------------------------------------------------------------------ */

struct reading {
        const struct rulebook_readers *readers;
        int64_t version;
        struct rulebook *rules;
};

static bool read_rules(struct tx *tx, void *ctx, struct err *e)
{
        struct reading *r = ctx;
        return rulebook_load(tx, r->version, r->readers, &r->rules, e);
}

static bool draw_pack(struct command_line *line, struct err *e)
{
        struct store *store;
        struct reading r = {.readers = &line->capabilities->readers};
        const char *name = option_value(line, "workflow");
        if (!store_open(&store, &(struct store_options){.dsn = "sqlite::memory:", .migrations = all_migrations}, e))
                return false;
        bool ok = load_pack(line, store, line->words[0], false, &r.version, e) && store_read(store, read_rules, &r, e);
        const struct workflow *w = ok ? workflow_find(r.rules->workflows, name ? name : "standard") : NULL;
        if (w)
                draw_workflow(line, w);
        else if (ok)
                ok = err_both(e, ERR_NOT_FOUND, NULL, "the pack has no workflow \"%s\"", "场景包没有流程“%s”",
                              name ? name : "standard");
        rulebook_free(&r.rules);
        store_close(&store);
        return ok;
}

static bool print_words(struct command_line *line, struct err *e)
{
        (void)e;
        printf("%s\n", say(line, "Guards (needs):", "条件（needs）："));
        for (const struct vocabulary *const *v = all_vocabularies; *v; v++)
                for (const struct guard *g = (*v)->guards; g->name; g++)
                        printf("  %-22s %s\n", g->name, g->about);
        printf("%s\n", say(line, "Effects (then):", "效果（then）："));
        for (const struct vocabulary *const *v = all_vocabularies; *v; v++)
                for (const struct effect *x = (*v)->effects; x->name; x++)
                        printf("  %-22s %s\n", x->name, x->about);
        printf("%s\n", say(line, "Rules (rules.csv), with their usual values:", "规则（rules.csv）及默认值："));
        for (int i = 0; i < RULE_COUNT; i++)
                printf("  %-22s %-5g %s\n", rule_words[i].name, rule_words[i].usual, rule_words[i].about);
        return true;
}

static const struct option draw_options[] = {
        {"workflow", "NAME", "Which workflow; standard when unsaid.", "流程名称，默认 standard。"},
        {0},
};
const struct command pack_draw_command = {
        .name = "pack draw",
        .words = "DIR",
        .least = 1,
        .most = 1,
        .options = draw_options,
        .run = draw_pack,
        .about = "Draws a workflow of a pack as SVG, to standard output.",
        .about_zh = "将场景包的流程绘成 SVG，输出到标准输出。",
};
const struct command pack_words_command = {
        .name = "pack words",
        .words = "",
        .run = print_words,
        .about = "Lists the guards, effects and rules that packs may use.",
        .about_zh = "列出场景包可用的条件、效果和规则。",
};
