/* links/words.c -- merging and splitting; process.md: many reports, one case, and each citizen gets his own answer. */
#include "base/arena.h"
#include "base/id.h"
#include "base/text.h"
#include "cases/moves.h"
#include "cases/workflow.h"
#include "catalogue/catalogue.h"
#include "crypto/crypto.h"
#include "district/district.h"
#include "json/json.h"
#include "links/links.h"
#include "sight/sight.h"
#include "store/store.h"
#include "twin/twin.h"
#include <stdio.h>

static const char SQL_TARGET[] =
        "SELECT id, open, (SELECT COUNT(*) FROM case_link l WHERE l.case_id = c.id AND l.kind = 'merged' AND l.undone_at = 0),"
        " workflow, state FROM cases c WHERE number = $1";
static const char SQL_LINK[] = "INSERT INTO case_link(case_id, n, kind, target, actor, made_at, undone_at)"
                               " SELECT $1, COALESCE(MAX(n), 0) + 1, $2, $3, $4, $5, 0 FROM case_link WHERE case_id = $1";
/* What was merged into this case goes where it goes. */
static const char SQL_PASS_ON[] = "UPDATE case_link SET target = $2 WHERE target = $1 AND kind = 'merged' AND undone_at = 0";
static const char SQL_UNDO[] = "UPDATE case_link SET undone_at = $2 WHERE case_id = $1 AND kind = 'merged' AND undone_at = 0";
static const char SQL_MERGED[] = "SELECT c.number FROM case_link l JOIN cases c ON c.id = l.case_id"
                                 " WHERE l.target = $1 AND l.kind = 'merged' AND l.undone_at = 0 AND c.open = 1 ORDER BY l.case_id";
static const char SQL_COUNT[] = "SELECT COUNT(*) FROM case_link WHERE target = $1 AND kind = 'merged' AND undone_at = 0";
static const char SQL_WHOLE[] = "SELECT channel, source, property, address, lon, lat, occurred_at, report FROM cases WHERE id = $1";

/* --- merging --------------------------------------------------------------------------------------------------------------- */

static bool find_target(struct moving *m, int64_t *target, struct err *e)
{
        const char *number = json_get_text(m->form, "case", "");
        struct rows r;
        int64_t open = 0, merged = 0;
        bool seen = true;
        *target = 0;
        int found = text_empty(number) ? 0 : tx_first(m->tx, &r, e, SQL_TARGET, ARGS(V(number)));
        if (found < 0)
                return false;
        if (found > 0) {
                *target = rows_int(&r, 0);
                open = rows_int(&r, 1) != 0
                       && !state_ended(m->rules->workflows, rows_text(&r, m->arena, 3), rows_text(&r, m->arena, 4));
                merged = rows_int(&r, 2);
                if (!rows_done(&r, e) || !sight_sees(m->tx, m->arena, m->mover->sight, *target, &seen, e))
                        return false;
        }
        if (found == 0 || !seen)
                return err_both(e, ERR_INVALID, "case", "there is no case \"%s\" to merge into", "没有编号为“%s”的案件可供并入",
                                number);
        if (*target == m->row.id)
                return err_both(e, ERR_INVALID, "case", "a case is not merged into itself", "案件不能并入自身");
        return (open && !merged)
               || err_both(e, ERR_CONFLICT, "case", "case %s has ended or is merged itself; merge into an open one",
                           "案件%s已结束或已并入他案，请并入未结案件", number);
}

static bool target_met(struct moving *m, struct err *e)
{
        int64_t target;
        return find_target(m, &target, e);
}

static bool merge(struct moving *m, struct err *e)
{
        int64_t target;
        return find_target(m, &target, e)
               && tx_send(m->tx, e, SQL_LINK, ARGS(V(m->row.id), V("merged"), V(target), V(m->mover->name), V(m->now)))
               && tx_send(m->tx, e, SQL_PASS_ON, ARGS(V(m->row.id), V(target)));
}

static bool unmerge(struct moving *m, struct err *e)
{
        return tx_send(m->tx, e, SQL_UNDO, ARGS(V(m->row.id), V(m->now)));
}

/* Every case that was merged into this one takes `move`, with the same form. */
static bool move_merged(struct moving *m, const char *move, struct err *e)
{
        static const struct mover program = {.name = "system"};
        struct rows r;
        int64_t count;
        size_t n = 0;
        if (!tx_int(m->tx, &count, 0, e, SQL_COUNT, ARGS(V(m->row.id))) || !tx_rows(m->tx, &r, e, SQL_MERGED, ARGS(V(m->row.id))))
                return false;
        const char **numbers = NEW_ARRAY(m->arena, const char *, count ? count : 1);
        while (n < (size_t)count && rows_next(&r))
                numbers[n++] = rows_text(&r, m->arena, 0);
        if (!rows_done(&r, e))
                return false;
        for (size_t i = 0; i < n; i++) {
                struct moving joined = {.district = m->district,
                                        .arena = m->arena,
                                        .tx = m->tx,
                                        .mover = &program,
                                        .form = m->form,
                                        .lead = m->row.number,
                                        .now = m->now};
                if (!case_move_within(&joined, numbers[i], move, e))
                        return false;
        }
        return true;
}

static bool answer_merged(struct moving *m, struct err *e)
{
        return move_merged(m, "answer_merged", e);
}

static bool close_merged(struct moving *m, struct err *e)
{
        return move_merged(m, "close_merged", e);
}

/* --- splitting: what is left of the matter goes on here, the other part becomes a case of its own -------------------------- */

static bool other_item_met(struct moving *m, struct err *e)
{
        const char *code = json_get_text(m->form, "item", "");
        return (!text_empty(code) && !text_is(code, m->row.item) && item_find(m->rules->catalogue, code))
               || err_both(e, ERR_INVALID, "item",
                           "name the item of the part that is split off (see /api/v1/items), another than the case's",
                           "请填写拆出部分的事项（见 /api/v1/items），不能与原案件相同");
}

static const struct area *smallest_area(const struct moving *m)
{
        const char *const codes[] = {m->row.grid, m->row.community, m->row.subdistrict};
        for (size_t i = 0; i < COUNT_OF(codes); i++) {
                const struct area *area = text_empty(codes[i]) ? NULL : area_find(m->rules->twin, codes[i]);
                if (area)
                        return area;
        }
        return NULL;
}

static bool read_whole(struct moving *m, struct filing *f, struct place *place, struct err *e)
{
        struct rows r;
        int found = tx_first(m->tx, &r, e, SQL_WHOLE, ARGS(V(m->row.id)));
        if (found <= 0)
                return found == 0 && err_set(e, ERR_FAULT, "case %s is gone", m->row.number);
        f->channel = rows_text(&r, m->arena, 0);
        f->source = rows_text(&r, m->arena, 1);
        f->property = rows_text(&r, m->arena, 2);
        f->address = rows_text(&r, m->arena, 3);
        place->has_point = !rows_null(&r, 4) && !rows_null(&r, 5);
        if (place->has_point)
                place->point = (struct point){rows_real(&r, 4), rows_real(&r, 5)};
        f->occurred = rows_int(&r, 6);
        f->report = rows_int(&r, 7) ? rows_int(&r, 7) : m->row.id;
        return rows_done(&r, e);
}

static bool split(struct moving *m, struct err *e)
{
        struct place place = {.area = smallest_area(m)};
        struct answer answer = {0};
        struct filing_plan *plan;
        char turn[24], track[TRACK_CHARACTERS + 1];
        struct filing f = {.id = id_new(m->district->ids, m->now),
                           .urgent = m->row.urgent,
                           .title = m->row.title,
                           .certainty = 1.0,
                           .place = &place,
                           .answer = &answer,
                           .now = m->now,
                           .track = track};
        f.rules = m->rules;
        f.item = item_find(m->rules->catalogue, json_get_text(m->form, "item", ""));
        (void)snprintf(turn, sizeof turn, "%lld", (long long)f.id);
        if (!read_whole(m, &f, &place, e) || !random_token(track, TRACK_CHARACTERS, e))
                return false;
        district_route(m->district, m->rules, &(struct question){.item = f.item, .area = place.area, .turn = turn}, &answer);
        return cases_plan(m->arena, &f, &plan, e) && cases_file(m->tx, m->district, &f, plan, e)
               && tx_send(m->tx, e, SQL_LINK, ARGS(V(f.id), V("split"), V(m->row.id), V(m->mover->name), V(m->now)));
}

/* --- the words ------------------------------------------------------------------------------------------------------------- */

static const struct field a_case[] = {{"case", FIELD_CASE, true, "并入的案件", "Case it is merged into", 0, 0}, {0}};
static const struct field an_item[] = {{"item", FIELD_ITEM, true, "拆出部分的事项", "Item of the part split off", 0, 0}, {0}};

static const struct guard guards[] = {
        {"target", target_met, a_case, "The form names another open case that is not merged itself."},
        {"other_item", other_item_met, an_item, "The form names an item other than the case's."},
        {0},
};
static const struct effect effects[] = {
        {"merge", NULL, merge, NULL, "The case joins the one of the form; what was merged into it goes along."},
        {"unmerge", NULL, unmerge, NULL, "The case stands alone again."},
        {"answer_merged", NULL, answer_merged, NULL, "Cases merged into this one take the move answer_merged with the same form."},
        {"close_merged", NULL, close_merged, NULL, "Cases merged into this one take the move close_merged."},
        {"split", NULL, split, NULL, "A case of the form's item is filed from the same report."},
        {0},
};
const struct vocabulary link_words = {guards, effects};
