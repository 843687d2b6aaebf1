/* asks/words.c -- the guards and effects of asking and deciding; the rules are those of process.md, "Rules". */
#include "asks/rows.h"
#include "base/arena.h"
#include "base/text.h"
#include "base/clock.h"
#include "district/district.h"
#include "json/json.h"
#include "people/people.h"

/* --- what all have in common ----------------------------------------------------------------------------------------------- */

static bool in_state(struct moving *m, const char *kind, const char *state, struct ask_view *ask, struct err *e)
{
        int found = ask_find(m, kind, state, ask, e);
        return found > 0
               || (found == 0
                   && err_both(e, ERR_CONFLICT, NULL, "case %s has no %s that waits for this", "案件%s没有待处理的%s",
                               m->row.number, kind));
}

static bool turn(struct moving *m, const char *kind, const char *from, const char *to, struct err *e)
{
        struct ask_view ask;
        return in_state(m, kind, from, &ask, e) && ask_turn(m, &ask, to, e);
}

/* Nobody decides what he asked for himself, and two reviews are two persons. */
static bool another_person(const struct moving *m, const struct ask_view *ask, struct err *e)
{
        return (!text_is(ask->asked_by, m->mover->name) && !text_is(ask->passed_by, m->mover->name))
               || err_both(e, ERR_DENIED, NULL, "%s asked for or passed this; somebody else decides",
                           "%s是申请人或初审人，须由他人审核", m->mover->name);
}

static bool waits(struct moving *m, const char *kind, const char *state, struct err *e)
{
        struct ask_view ask;
        return in_state(m, kind, state, &ask, e) && another_person(m, &ask, e);
}

static bool none_waits(struct moving *m, const char *kind, struct err *e)
{
        int64_t open, passed;
        return ask_count(m, kind, "open", &open, e) && ask_count(m, kind, "passed", &passed, e)
               && (open + passed == 0
                   || err_both(e, ERR_CONFLICT, NULL, "case %s has a %s that is not decided yet", "案件%s已有未处理的%s",
                               m->row.number, kind));
}

/* --- extension: at most `extensions` granted, a refusal does not count, never after the deadline --------------------------- */

static bool extension_left_met(struct moving *m, struct err *e)
{
        int64_t granted, due;
        if (!none_waits(m, "extension", e) || !ask_count(m, "extension", "granted", &granted, e)
            || !clock_of_item(m, &due, false, e))
                return false;
        if ((double)granted >= m->workflow->rules[RULE_EXTENSIONS])
                return err_both(e, ERR_CONFLICT, NULL, "case %s was extended %lld times already", "案件%s已延期%lld次，不能再延",
                                m->row.number, (long long)granted);
        return (due > 0 && m->now <= due)
               || err_both(e, ERR_CONFLICT, NULL, "case %s has no deadline ahead that could be extended",
                           "案件%s已超过时限，不能延期", m->row.number);
}

static bool extension_open_met(struct moving *m, struct err *e)
{
        return waits(m, "extension", "open", e);
}

static bool extension_passed_met(struct moving *m, struct err *e)
{
        return waits(m, "extension", "passed", e);
}

/* It may be refused at either review. */
static bool extension_waits_met(struct moving *m, struct err *e)
{
        struct ask_view ask;
        int found = ask_find(m, "extension", "passed", &ask, e);
        return found < 0 ? false : found > 0 ? another_person(m, &ask, e) : waits(m, "extension", "open", e);
}

static bool ask_extension(struct moving *m, struct err *e)
{
        return ask_put(m, &(struct ask){.kind = "extension"}, e);
}

static bool pass_extension(struct moving *m, struct err *e)
{
        return turn(m, "extension", "open", "passed", e);
}

static bool extend(struct moving *m, struct err *e)
{
        int64_t due;
        return turn(m, "extension", "passed", "granted", e) && clock_of_item(m, &due, true, e);
}

static bool refuse(struct moving *m, const char *kind, struct err *e)
{
        struct ask_view ask;
        int found = ask_find(m, kind, "passed", &ask, e);
        if (found < 0)
                return false;
        return found > 0 ? ask_turn(m, &ask, "refused", e) : turn(m, kind, "open", "refused", e);
}

static bool refuse_extension(struct moving *m, struct err *e)
{
        return refuse(m, "extension", e);
}

/* --- suspension: `suspensions` times, with an end at most `suspension_days` ahead ------------------------------------------ */

static bool suspension_left_met(struct moving *m, struct err *e)
{
        int64_t n;
        return ask_count(m, "suspension", "", &n, e)
               && ((double)n < m->workflow->rules[RULE_SUSPENSIONS]
                   || err_both(e, ERR_CONFLICT, NULL, "case %s was suspended already", "案件%s已挂账过，不能再次挂账",
                               m->row.number));
}

static bool read_until(const struct moving *m, int64_t *until)
{
        return time_parse(json_get_text(m->form, "until", ""), ZONE_SHANGHAI, until);
}

static bool until_met(struct moving *m, struct err *e)
{
        int64_t until;
        const double days = m->workflow->rules[RULE_SUSPENSION_DAYS];
        if (!read_until(m, &until))
                return err_both(e, ERR_INVALID, "until", "give the end of the suspension, like 2026-12-31T18:00:00+08:00",
                                "请填写挂账截止时间，如2026-12-31T18:00:00+08:00");
        return (until > m->now && until - m->now <= (int64_t)(days * (double)USEC_DAY))
               || err_both(e, ERR_INVALID, "until", "a suspension ends in the future, at most %g days from now",
                           "挂账截止时间应在今后%g天之内", days);
}

static bool suspend(struct moving *m, struct err *e)
{
        int64_t until = 0;
        (void)read_until(m, &until);
        return ask_put(m, &(struct ask){.kind = "suspension", .until = until}, e);
}

static bool end_suspension(struct moving *m, struct err *e)
{
        struct ask_view ask;
        int found = ask_find(m, "suspension", "open", &ask, e);
        return found == 0 || (found > 0 && ask_turn(m, &ask, "ended", e));
}

/* --- urge: each person once in a working day ------------------------------------------------------------------------------- */

static int64_t local_day(int64_t instant)
{
        return (instant + (int64_t)ZONE_SHANGHAI * 60 * USEC_SECOND) / USEC_DAY;
}

/* Whether a working day has begun since: what was urged on Friday evening may be urged again on Monday. */
static bool new_working_day(const struct calendar *c, int64_t since, int64_t now)
{
        for (int64_t day = local_day(now); day > local_day(since); day--) {
                const int64_t midnight = day * USEC_DAY - (int64_t)ZONE_SHANGHAI * 60 * USEC_SECOND;
                if (calendar_worked(c, midnight, midnight + USEC_DAY) > 0)
                        return true;
                if (now - midnight > 30 * USEC_DAY)
                        return true;
        }
        return false;
}

static bool urge_left_met(struct moving *m, struct err *e)
{
        int64_t last;
        return ask_last_by(m, "urge", &last, e)
               && (last == 0 || new_working_day(m->calendar, last, m->now)
                   || err_both(e, ERR_CONFLICT, NULL, "%s has urged case %s today already", "%s今天已催办过案件%s", m->mover->name,
                               m->row.number));
}

static bool urge(struct moving *m, struct err *e)
{
        return ask_put(m, &(struct ask){.kind = "urge", .state = "answered"}, e);
}

/* --- supervision: levels with their own deadline; each needs a reply ------------------------------------------------------- */

/* The program orders at the lowest level. */
static const char *level_of(const struct moving *m)
{
        return json_get_text(m->form, "level", "centre");
}

static bool must_find_level(struct moving *m, struct level *level, struct err *e)
{
        const int found = level_find(m, level_of(m), level, e);
        return found > 0
               || (found == 0
                   && err_both(e, ERR_INVALID, "level", "there is no level of supervision \"%s\"", "没有督办级别“%s”",
                               level_of(m)));
}

static bool level_met(struct moving *m, struct err *e)
{
        struct level level;
        return must_find_level(m, &level, e)
               && (m->mover->role == 0 || m->mover->role >= level.role
                   || err_both(e, ERR_DENIED, "level", "supervision of level %s is above your role", "您的角色不能发起“%s”级督办",
                               level.name));
}

static bool supervise(struct moving *m, struct err *e)
{
        struct level level;
        int64_t until;
        return must_find_level(m, &level, e) && calendar_due(m->calendar, m->now, level.limit, &until, NULL, e)
               && ask_put(m, &(struct ask){.kind = "supervision", .level = level.name, .until = until}, e);
}

static bool supervision_open_met(struct moving *m, struct err *e)
{
        struct ask_view ask;
        return in_state(m, "supervision", "open", &ask, e);
}

static bool answer_supervision(struct moving *m, struct err *e)
{
        return turn(m, "supervision", "open", "answered", e);
}

static bool supervision_answered_met(struct moving *m, struct err *e)
{
        int64_t n;
        return ask_count(m, "supervision", "open", &n, e)
               && (n == 0
                   || err_both(e, ERR_CONFLICT, NULL, "case %s is supervised; answer that first (move answer_supervision)",
                               "案件%s正在督办，请先答复督办（answer_supervision）", m->row.number));
}

/* --- appeal against overtime: after closing, by the unit that handled it, `appeals` times, two reviews --------------------- */

static bool appeal_left_met(struct moving *m, struct err *e)
{
        int64_t n;
        if (!none_waits(m, "appeal", e) || !ask_count(m, "appeal", "", &n, e))
                return false;
        if (!m->row.late)
                return err_both(e, ERR_CONFLICT, NULL, "case %s was never late", "案件%s未曾超期", m->row.number);
        if ((double)n >= m->workflow->rules[RULE_APPEALS])
                return err_both(e, ERR_CONFLICT, NULL, "an appeal on case %s was decided already", "案件%s已申诉过", m->row.number);
        return text_empty(m->mover->unit) || unit_within(m->rules->units, m->row.unit, m->mover->unit)
               || err_both(e, ERR_DENIED, NULL, "only the unit that handled case %s may appeal", "只有案件%s的处置单位可以申诉",
                           m->row.number);
}

static bool appeal_open_met(struct moving *m, struct err *e)
{
        return waits(m, "appeal", "open", e);
}

static bool appeal_passed_met(struct moving *m, struct err *e)
{
        return waits(m, "appeal", "passed", e);
}

static bool appeal_waits_met(struct moving *m, struct err *e)
{
        struct ask_view ask;
        int found = ask_find(m, "appeal", "passed", &ask, e);
        return found < 0 ? false : found > 0 ? another_person(m, &ask, e) : waits(m, "appeal", "open", e);
}

static bool appeal(struct moving *m, struct err *e)
{
        return ask_put(m, &(struct ask){.kind = "appeal"}, e);
}

static bool pass_appeal(struct moving *m, struct err *e)
{
        return turn(m, "appeal", "open", "passed", e);
}

/* The fact of overtime stays; the row says that statistics leave it out. */
static bool grant_appeal(struct moving *m, struct err *e)
{
        return turn(m, "appeal", "passed", "granted", e);
}

static bool refuse_appeal(struct moving *m, struct err *e)
{
        return refuse(m, "appeal", e);
}

/* --- leader's note: reported, approved, noted, answered -------------------------------------------------------------------- */

static bool leader_note(struct moving *m, struct err *e)
{
        return ask_put(m, &(struct ask){.kind = "leader_note"}, e);
}

static bool leader_note_open_met(struct moving *m, struct err *e)
{
        return waits(m, "leader_note", "open", e);
}

static bool leader_note_passed_met(struct moving *m, struct err *e)
{
        struct ask_view ask;
        return in_state(m, "leader_note", "passed", &ask, e);
}

static bool approve_leader_note(struct moving *m, struct err *e)
{
        return turn(m, "leader_note", "open", "passed", e);
}

static bool answer_leader_note(struct moving *m, struct err *e)
{
        return turn(m, "leader_note", "passed", "answered", e);
}

/* --- the words ------------------------------------------------------------------------------------------------------------- */

static const struct field an_end[] = {{"until", FIELD_INSTANT, true, "挂账截止时间", "End of the suspension", 0, 0}, {0}};
static const struct field a_level[] = {{"level", FIELD_TEXT, false, "督办级别", "Level of supervision", 0, 0}, {0}};

static const struct guard guards[] = {
        {"extension_left", extension_left_met, NULL, "Fewer than `extensions` granted, none waits, the deadline is ahead."},
        {"extension_open", extension_open_met, NULL, "An extension waits for its first review, by another person."},
        {"extension_passed", extension_passed_met, NULL, "An extension waits for its second review, by another person."},
        {"extension_waits", extension_waits_met, NULL, "An extension waits for a review, by another person."},
        {"suspension_left", suspension_left_met, NULL, "The case was suspended fewer than `suspensions` times."},
        {"until", until_met, an_end, "The form gives an end at most `suspension_days` ahead."},
        {"urge_left", urge_left_met, NULL, "The mover has not urged the case in this working day."},
        {"level", level_met, a_level, "The form's level of supervision (levels.csv) is open to the mover's role."},
        {"supervision_open", supervision_open_met, NULL, "A supervision waits for its answer."},
        {"supervision_answered", supervision_answered_met, NULL, "No supervision waits for its answer."},
        {"appeal_left", appeal_left_met, NULL,
         "The case was late and fewer than `appeals` appeals were made; the unit in charge appeals."},
        {"appeal_open", appeal_open_met, NULL, "An appeal waits for its first review, by another person."},
        {"appeal_passed", appeal_passed_met, NULL, "An appeal waits for its second review, by another person."},
        {"appeal_waits", appeal_waits_met, NULL, "An appeal waits for a review, by another person."},
        {"leader_note_open", leader_note_open_met, NULL, "A leader's note waits to be approved, by another person."},
        {"leader_note_passed", leader_note_passed_met, NULL, "A leader's note waits for its answer."},
        {0},
};
static const struct effect effects[] = {
        {"ask_extension", NULL, ask_extension, NULL, "An extension is asked for."},
        {"pass_extension", NULL, pass_extension, NULL, "The first review passes the extension."},
        {"extend", extend, NULL, NULL, "The extension is granted: the deadline moves by one original limit."},
        {"refuse_extension", NULL, refuse_extension, NULL, "The extension is refused."},
        {"suspend", NULL, suspend, NULL, "The case is suspended until the form's instant."},
        {"end_suspension", NULL, end_suspension, NULL, "The suspension ends."},
        {"urge", NULL, urge, NULL, "The urge is counted."},
        {"supervise", NULL, supervise, NULL, "A supervision is ordered, with the deadline of its level."},
        {"answer_supervision", NULL, answer_supervision, NULL, "The supervision is answered."},
        {"appeal", NULL, appeal, NULL, "An appeal against overtime is made."},
        {"pass_appeal", NULL, pass_appeal, NULL, "The first review passes the appeal."},
        {"grant_appeal", NULL, grant_appeal, NULL, "The appeal is granted: statistics leave the overtime out."},
        {"refuse_appeal", NULL, refuse_appeal, NULL, "The appeal is refused."},
        {"leader_note", NULL, leader_note, NULL, "A leader's note is reported."},
        {"approve_leader_note", NULL, approve_leader_note, NULL, "The leader's note is approved."},
        {"answer_leader_note", NULL, answer_leader_note, NULL, "The leader's note is answered."},
        {0},
};
const struct vocabulary ask_words = {guards, effects};
