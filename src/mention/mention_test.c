/* What is found in sentences of our own, what is not, and what no blank, picture or spelling may change. */
#include "mention/mention.h"
#include "text/fold.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* A Monday. */
#define NOW "2026-11-30 10:00"

static const struct area_name areas[] = {
        {"坪山区", "440310"},  {"坪山", "440310"},           {"坪山街道", "440310001"},    {"龙田街道", "440310005"},
        {"龙田", "440310005"}, {"六联社区", "440310001002"}, {"和平社区", "440310001003"}, {"六联", "440310001002"},
};
static struct fold *fold;
static struct vocabulary *vocabulary;
static struct arena *arena;
static uint32_t state_of_draw;

static int64_t instant(const char *text)
{
        int64_t t;
        if (*text == '-')
                return INT64_MIN;
        if (*text == '+')
                return INT64_MAX;
        if (!time_parse(text, ZONE_SHANGHAI, &t))
                fail_msg("%s", text);
        return t;
}

static size_t find_at(const char *text, size_t n, int64_t now, struct mention **m)
{
        struct folded f;
        fold_text(fold, arena, text, n, &f);
        return mentions_find(vocabulary, &f, text, now, ZONE_SHANGHAI, arena, m);
}

static size_t find(const char *text, struct mention **m)
{
        return find_at(text, strlen(text), instant(NOW), m);
}

/* "": of no mention. */
static const char *said(const char *text, const struct mention *m)
{
        return m ? arena_copy(arena, text + m->from, m->to - m->from) : "";
}

/* The n-th mention of the kind; NULL. */
static const struct mention *nth(const char *text, enum mention_kind kind, int n)
{
        struct mention *m;
        const size_t found = find(text, &m);
        for (size_t i = 0; i < found; i++)
                if (m[i].kind == kind && n-- == 0)
                        return &m[i];
        return NULL;
}

/* The first one, which must be there. */
static struct mention first_of(const char *text, enum mention_kind kind)
{
        const struct mention *m = nth(text, kind, 0);
        if (!m)
                fail_msg("%s: none", text);
        return m ? *m : (struct mention){0};
}

/* --- times --------------------------------------------------------------------------------------------------------- */

static const struct {
        const char *text, *said, *begin, *end;
        bool certain, repeats;
} times[] = {
        {"昨晚11点左右工地打桩", "昨晚11点左右", "2026-11-29 22:30", "2026-11-29 23:30", false, false},
        {"今天上午9:30路灯还亮着", "今天上午9:30", "2026-11-30 09:30", "2026-11-30 09:31", true, false},
        {"事情是11月3日下午三点半发生", "11月3日下午三点半", "2026-11-03 15:30", "2026-11-03 15:31", true, false},
        {"前天凌晨两点到四点有车倒垃圾", "前天凌晨两点到四点", "2026-11-28 02:00", "2026-11-28 04:00", true, false},
        {"上周五停水", "上周五", "2026-11-27 00:00", "2026-11-28 00:00", true, false},
        {"2026年11月20日报过一次", "2026年11月20日", "2026-11-20 00:00", "2026-11-21 00:00", true, false},
        {"二〇二六年十一月二十日报过", "二〇二六年十一月二十日", "2026-11-20 00:00", "2026-11-21 00:00", true, false},
        {"每天晚上10点以后开始炒作", "每天晚上10点以后", "2026-11-29 22:00", "2026-11-30 06:00", false, true},
        {"刚才有人乱扔", "刚才", "2026-11-30 09:30", "2026-11-30 10:00", false, false},
        {"半小时前井盖被偷", "半小时前", "2026-11-30 09:30", "2026-11-30 09:31", false, false},
        {"3天前打过电话", "3天前", "2026-11-27 00:00", "2026-11-28 00:00", true, false},
        {"两个月前就反映过", "两个月前", "2026-09-30 00:00", "2026-10-01 00:00", false, false},
        {"十多分钟前爆管", "十多分钟前", "2026-11-30 09:50", "2026-11-30 09:51", false, false},
        {"昨天十一点半吵醒", "昨天十一点半", "2026-11-29 11:30", "2026-11-29 11:31", true, false},
        {"二十三日停电", "二十三日", "2026-11-23 00:00", "2026-11-24 00:00", true, false},
        {"昨晚两点还在施工", "昨晚两点", "2026-11-30 02:00", "2026-11-30 02:01", true, false},
        {"昨天晚上12点放炮", "昨天晚上12点", "2026-11-30 00:00", "2026-11-30 00:01", true, false},
        {"今天凌晨12点施工", "今天凌晨12点", "2026-11-30 00:00", "2026-11-30 00:01", true, false},
        {"昨天中午1点", "昨天中午1点", "2026-11-29 13:00", "2026-11-29 13:01", true, false},
        {"昨天晚上10点到凌晨2点一直响", "昨天晚上10点到凌晨2点", "2026-11-29 22:00", "2026-11-30 02:00", true, false},
        {"昨天上午9点到5点", "昨天上午9点到5点", "2026-11-29 09:00", "2026-11-29 17:00", true, false},
        {"昨天下午3-5点", "昨天下午3-5点", "2026-11-29 15:00", "2026-11-29 17:00", true, false},
        {"11月3日至5日停水", "11月3日至5日", "2026-11-03 00:00", "2026-11-06 00:00", true, false},
        {"７月～９月没有人管", "７月～９月", "2026-07-01 00:00", "2026-10-01 00:00", true, false},
        {"2026-11-20 9:30-11:00断网", "2026-11-20 9:30-11:00", "2026-11-20 09:30", "2026-11-20 11:00", true, false},
        {"2026/11/2 8時一刻", "2026/11/2 8時一刻", "2026-11-02 08:15", "2026-11-02 08:16", true, false},
        {"凌晨3点多还在响", "凌晨3点多", "2026-11-30 03:00", "2026-11-30 04:00", false, false},
        {"晚上十一点打桩", "晚上十一点", "2026-11-29 23:00", "2026-11-29 23:01", false, false},
        {"在8点左右堵车", "8点左右", "2026-11-30 07:30", "2026-11-30 08:30", false, false},
        {"22:00-6:00施工", "22:00-6:00", "2026-11-29 22:00", "2026-11-30 06:00", false, false},
        {"12月5日要停水", "12月5日", "2026-12-05 00:00", "2026-12-06 00:00", true, false},
        {"2月29日发生", "2月29日", "2024-02-29 00:00", "2024-03-01 00:00", true, false},
        {"去年5月开始漏水", "去年5月开始", "2025-05-01 00:00", "+", false, false},
        {"上个月底交的费", "上个月底", "2026-10-21 00:00", "2026-11-01 00:00", false, false},
        {"本周三要检查", "本周三", "2026-12-02 00:00", "2026-12-03 00:00", true, false},
        {"星期天早上8点割草", "星期天早上8点", "2026-11-29 08:00", "2026-11-29 08:01", false, false},
        {"周末装修", "周末", "2026-11-28 00:00", "2026-11-30 00:00", false, false},
        {"每周五晚上聚众", "每周五晚上", "2026-11-27 18:00", "2026-11-28 00:00", false, true},
        {"每月5号收费", "每月5号", "2026-11-05 00:00", "2026-11-06 00:00", false, true},
        {"每晚都有飙车", "每晚", "2026-11-29 18:00", "2026-11-30 00:00", false, true},
        {"11月1日之前没有", "11月1日之前", "-", "2026-11-01 00:00", false, false},
        {"近三天没有水", "近三天", "2026-11-27 10:00", "2026-11-30 10:00", false, false},
        {"昨天下午5点前后", "昨天下午5点前后", "2026-11-29 16:30", "2026-11-29 17:30", false, false},
        {"昨天\u200b下\U0001F600午 3 点", "昨天\u200b下\U0001F600午 3 点", "2026-11-29 15:00", "2026-11-29 15:01", true, false},
        {"昨天凌晨两三点", "昨天凌晨两三点", "2026-11-29 02:00", "2026-11-29 03:00", false, false},
        {"2018年底买的", "2018年底", "2018-11-01 00:00", "2019-01-01 00:00", false, false},
        {"去年上半年反映过", "去年上半年", "2025-01-01 00:00", "2025-07-01 00:00", false, false},
        {"11月28日（周六）晚上9点", "11月28日（周六）晚上9点", "2026-11-28 21:00", "2026-11-28 21:01", true, false},
        {"到 17 年 5 月 6 日还没有水", "17 年 5 月 6 日", "2017-05-06 00:00", "2017-05-07 00:00", true, false},
        {"今天0时前", "今天0时前", "2026-11-29 18:00", "2026-11-30 00:00", false, false}, /* found by fuzzing: it was empty */
        {"近两三天没有水", "近两三天", "2026-11-28 10:00", "2026-11-30 10:00", false, false},
        {"18年5月买的房", "18年5月", "2018-05-01 00:00", "2018-06-01 00:00", true, false},
        {"11月20日16时40分许", "11月20日16时40分许", "2026-11-20 16:10", "2026-11-20 17:10", false, false},
};

static void times_as_said(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT_OF(times); i++) {
                const struct mention m = first_of(times[i].text, MENTION_TIME);
                assert_string_equal(said(times[i].text, &m), times[i].said);
                if (m.begin != instant(times[i].begin) || m.end != instant(times[i].end)) {
                        char b[TIME_TEXT_SIZE] = "", e[TIME_TEXT_SIZE] = "";
                        fail_msg("%s: %s %s", times[i].text, m.begin == INT64_MIN ? "-" : time_text(b, m.begin, ZONE_SHANGHAI),
                                 m.end == INT64_MAX ? "+" : time_text(e, m.end, ZONE_SHANGHAI));
                }
                if (m.certain != times[i].certain || m.repeats != times[i].repeats)
                        fail_msg("%s: certain %d, repeats %d", times[i].text, m.certain, m.repeats);
                assert_false(m.personal);
        }
}

static void no_times(void **state)
{
        static const char *const texts[] = {
                "我有三点建议",
                "一点都不好",
                "5号楼漏水",
                "住在5号院",
                "半点用都没有",
                "十分生气",
                "价格3.5元",
                "第3点意见",
                "早一点来",
                "25点",
                "13月",
                "11月31日",
                "13月5日",
                "9:75",
                "比例1:10",
                "型号X9-30",
                "《办法》(2015年修订)",
                "2018年版的图",
                "3年级学生",
                "3小时没有水",
                "3月租金",
                "目前天气很热",
                "多打一点",
                "地铁3号线",
                "2026-13-40",
                "第五点半",
                "当时没人",
                "房租每月200元",
                "24:30",
                "24点30分",
                "面积11.3平方",
                "2、3号门",
                "五月花餐厅楼上",
        };
        (void)state;
        for (size_t i = 0; i < COUNT_OF(texts); i++) {
                const struct mention *m = nth(texts[i], MENTION_TIME, 0);
                if (m)
                        fail_msg("%s: %s", texts[i], said(texts[i], m));
        }
        /* "11月31日" is not November either, but what stands beside it is read. */
        assert_string_equal(said("昨天25点", nth("昨天25点", MENTION_TIME, 0)), "昨天");
}

/* --- numbers ------------------------------------------------------------------------------------------------------- */

static const struct {
        enum mention_kind kind;
        const char *text, *said, *masked;
} numbers[] = {
        {MENTION_PHONE, "电话13800138000谢谢", "13800138000", "电话138****8000谢谢"},
        {MENTION_PHONE, "电话138-0013-8000", "138-0013-8000", "电话138****8000"},
        {MENTION_PHONE, "打138 0013 8000吧", "138 0013 8000", "打138****8000吧"},
        {MENTION_PHONE, "１３８００１３８０００", "１３８００１３８０００", "１３８****８０００"},
        {MENTION_PHONE, "微信同号：一三八零零一三八零零零。", "一三八零零一三八零零零", "微信同号：一三八****八零零零。"},
        {MENTION_PHONE, "+86 13800138000", "+86 13800138000", "138****8000"},
        {MENTION_PHONE, "008613800138000", "008613800138000", "138****8000"},
        {MENTION_PHONE, "1\u200b38001\U0001F60038000", "1\u200b38001\U0001F60038000", "138****8000"},
        {MENTION_PHONE, "座机0755-28330000", "0755-28330000", "座机075****0000"},
        {MENTION_PHONE, "座机（0755）28330000", "（0755）28330000", "座机075****0000"},
        {MENTION_PHONE, "北京01062345678", "01062345678", "北京010****5678"},
        {MENTION_PHONE, "客服400-123-4567", "400-123-4567", "客服****67"},
        {MENTION_IDENTITY, "身份证11010519491231002X", "11010519491231002X", "身份证****002X"},
        {MENTION_IDENTITY, "身份证440524188001010014号", "440524188001010014", "身份证****0014号"},
        {MENTION_IDENTITY, "旧证440524800101001", "440524800101001", "旧证****1001"},
        {MENTION_CARD, "卡号4111111111111111", "4111111111111111", "卡号****1111"},
        {MENTION_CARD, "卡号6222 0212 3456 7890 128", "6222 0212 3456 7890 128", "卡号****0128"},
        {MENTION_MAIL, "写信到li.ming@example.org吧", "li.ming@example.org", "写信到l***@example.org吧"},
        {MENTION_PLATE, "车牌粤B12345乱停", "粤B12345", "车牌粤B****乱停"},
        {MENTION_PLATE, "粤BD12345占道", "粤BD12345", "粤B****占道"},
        {MENTION_PLATE, "京A·12345", "京A·12345", "京A****"},
        {MENTION_PLATE, "教练车粤B1234学", "粤B1234学", "教练车粤B****"},
        {MENTION_PLATE, "粤Z1234港", "粤Z1234港", "粤Z****"},
};

static void numbers_as_written(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT_OF(numbers); i++) {
                struct mention *all;
                struct buf b = BUF_LIMIT(4096);
                const struct mention m = first_of(numbers[i].text, numbers[i].kind);
                assert_string_equal(said(numbers[i].text, &m), numbers[i].said);
                assert_true(m.personal);
                const size_t n = find(numbers[i].text, &all);
                mentions_mask(numbers[i].text, strlen(numbers[i].text), all, n, &b);
                assert_string_equal(b.at, numbers[i].masked);
                buf_free(&b);
        }
}

static void masked_for_another(void **state)
{
        static const struct {
                const char *text, *masked;
        } told[] = {
                {"已联系13800138000，办结", "已联系138****8000，办结"},
                {"值班电话0755-84520000或400-800-1234", "值班电话0755-84520000或400-800-1234"},
                {"身份证440307199001011234", "身份证440307199001011234"}, /* its check digit is wrong */
                {"", ""},
        };
        (void)state;
        for (size_t i = 0; i < COUNT_OF(told); i++)
                assert_string_equal(mentions_masked(fold, arena, told[i].text), told[i].masked);
        assert_ptr_equal(mentions_masked(fold, arena, told[1].text), told[1].text);

        /* What was not read is not told. */
        struct buf b = BUF_LIMIT(4 * FOLD_MOST);
        for (int i = 0; i < FOLD_MOST; i++)
                buf_text(&b, i % 2 ? "路" : "灯");
        buf_text(&b, "13800138000");
        const char *masked = mentions_masked(fold, arena, b.at);
        assert_int_equal(strlen(masked), 3 * FOLD_MOST + strlen("…"));
        assert_null(strstr(masked, "138"));
        buf_free(&b);
}

static void nobodys_numbers(void **state)
{
        static const char *const texts[] = {
                "订单1380013800012",
                "12345热线",
                "身份证110105194912310021",
                "身份证110105194913310021",
                "卡号4111111111111112",
                "粤语B12345",
                "粤B12",
                "a@b",
                "价格12800元",
                "文号2018012345678",
                "一二三四五六七八九",
                "面积120平方米",
                "粤BABCDE",
                "23800138000",
        };
        (void)state;
        for (size_t i = 0; i < COUNT_OF(texts); i++)
                for (int kind = MENTION_PHONE; kind <= MENTION_PLATE; kind++) {
                        const struct mention *m = nth(texts[i], (enum mention_kind)kind, 0);
                        if (m)
                                fail_msg("%s: %s", texts[i], said(texts[i], m));
                }
}

/* --- places and organisations -------------------------------------------------------------------------------------- */

static const struct {
        const char *text, *said;
        enum place_kind kind;
        enum place_relation relation;
        const char *code;
} places[] = {
        {"坪山大道与深汕路交叉口有坑", "坪山大道与深汕路交叉口", PLACE_CROSSING, RELATION_NONE, NULL},
        {"我住在翠景花园3栋2单元", "翠景花园3栋2单元", PLACE_BUILDING, RELATION_NONE, NULL},
        {"坪山区龙田街道锦龙大道12号门口堆垃圾", "坪山区龙田街道锦龙大道12号", PLACE_NUMBER, RELATION_BEFORE, "440310005"},
        {"六联社区没有路灯", "六联社区", PLACE_AREA, RELATION_NONE, "440310001002"},
        {"和平社区噪音", "和平社区", PLACE_AREA, RELATION_NONE, "440310001003"},
        {"在坪山经常堵车", "坪山", PLACE_AREA, RELATION_NONE, "440310"},
        {"投诉金碧路附近的烧烤", "金碧路", PLACE_ROAD, RELATION_NEAR, NULL},
        {"坪山大道对面工地", "坪山大道", PLACE_ROAD, RELATION_OPPOSITE, NULL},
        {"深汕公路旁边有人烧垃圾", "深汕公路", PLACE_ROAD, RELATION_BESIDE, NULL},
        {"东纵路口红绿灯坏了", "东纵路口", PLACE_CROSSING, RELATION_NONE, NULL},
        {"请修复人民广场的地砖", "人民广场", PLACE_ESTATE, RELATION_NONE, NULL},
        {"田头村没有水", "田头村", PLACE_ESTATE, RELATION_NONE, NULL},
        {"我们小区5号楼漏水", "5号楼", PLACE_BUILDING, RELATION_NONE, NULL},
        {"龍田街道錦龍大道的路燈", "龍田街道錦龍大道", PLACE_ROAD, RELATION_NONE, "440310005"},
        {"坪山高级中学门口", "坪山高级中学", PLACE_ESTATE, RELATION_BEFORE, NULL},
        {"在望牛路、和发路都有坑", "望牛路", PLACE_ROAD, RELATION_NONE, NULL},
        {"积水：和发路", "和发路", PLACE_ROAD, RELATION_NONE, NULL},
        {"万科金域东郡Ｂ座", "Ｂ座", PLACE_BUILDING, RELATION_NONE, NULL},
};

static void places_as_said(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT_OF(places); i++) {
                const struct mention m = first_of(places[i].text, MENTION_PLACE);
                assert_string_equal(said(places[i].text, &m), places[i].said);
                if (m.place != places[i].kind || m.relation != places[i].relation || !text_is(m.code, places[i].code))
                        fail_msg("%s: %s %d %s", places[i].text, place_kind_name(m.place), (int)m.relation, m.code);
        }
}

static void no_places(void **state)
{
        static const char *const texts[] = {
                "马路上有坑", "我们小区很吵", "全村停水",     "这条路没有灯", "让路", "没有思路",
                "跳广场舞",   "坐3路车",      "老旧小区改造", "上市公司",     "农村", "一栋房子",
        };
        (void)state;
        for (size_t i = 0; i < COUNT_OF(texts); i++) {
                const struct mention *m = nth(texts[i], MENTION_PLACE, 0);
                if (m)
                        fail_msg("%s: %s", texts[i], said(texts[i], m));
        }
}

static const struct {
        const char *text, *said; /* NULL: nobody is named */
} organs[] = {
        {"我举报深圳市宏达建筑工程有限公司拖欠工资", "深圳市宏达建筑工程有限公司"},
        {"投诉金地物业乱收费", "金地物业"},
        {"被碧岭派出所罚款", "碧岭派出所"},
        {"在坪山人民医院看病", "坪山人民医院"},
        {"咨询阳光幼儿园的学位", "阳光幼儿园"},
        {"对海悦大酒店的油烟不满", "海悦大酒店"},
        {"向六联社区工作站反映", "六联社区工作站"},
        {"我们公司不发工资", NULL},
        {"物业公司不管", NULL},
        {"这家超市卖过期食品", NULL},
        {"小区物业不作为", NULL},
        {"去医院看病", NULL},
};

static void organs_as_said(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT_OF(organs); i++) {
                const struct mention *m = nth(organs[i].text, MENTION_ORGAN, 0);
                if (!m != !organs[i].said)
                        fail_msg("%s: %s", organs[i].text, m ? said(organs[i].text, m) : "nothing");
                if (m)
                        assert_string_equal(said(organs[i].text, m), organs[i].said);
        }
}

/* --- properties ---------------------------------------------------------------------------------------------------- */

static void sound(const char *text, size_t length, const struct mention *m, size_t n)
{
        uint32_t end[MENTION_KINDS] = {0};
        for (size_t i = 0; i < n; i++) {
                assert_true(m[i].from < m[i].to && m[i].to <= length && m[i].from >= end[m[i].kind]);
                assert_true(i == 0 || m[i - 1].from <= m[i].from);
                assert_int_not_equal((unsigned char)text[m[i].from] & 0xC0, 0x80);
                assert_true(m[i].to == length || ((unsigned char)text[m[i].to] & 0xC0) != 0x80);
                assert_true(m[i].kind != MENTION_TIME || m[i].begin < m[i].end);
                end[m[i].kind] = m[i].to;
        }
}

/* xorshift32 (Marsaglia 2003): the same numbers in every run. */
static size_t draw(void)
{
        state_of_draw ^= state_of_draw << 13;
        state_of_draw ^= state_of_draw >> 17;
        state_of_draw ^= state_of_draw << 5;
        return state_of_draw >> 1;
}

/* Blanks, pictures and marks between any two characters. */
static void anything_between(void **state)
{
        static const char *const between[] = {" ", "\u3000", "\U0001F600", "\u200b", "，", "点", "号", "\n", "㍘", "１"};
        (void)state;
        state_of_draw = 5;
        for (int round = 0; round < 1500; round++) {
                struct mention *m;
                struct buf b = BUF_LIMIT(1 << 16);
                const size_t which = draw();
                const char *text = which % 3 == 0   ? times[which % COUNT_OF(times)].text
                                   : which % 3 == 1 ? numbers[which % COUNT_OF(numbers)].text
                                                    : places[which % COUNT_OF(places)].text;
                for (const char *p = text; *p; p++) {
                        if (((unsigned char)*p & 0xC0) != 0x80 && draw() % 4 == 0)
                                buf_text(&b, between[draw() % COUNT_OF(between)]);
                        buf_byte(&b, *p);
                }
                const size_t n = find_at(b.at, b.length, instant(NOW), &m);
                sound(b.at, b.length, m, n);
                buf_free(&b);
                arena_reset(arena);
        }
}

/* What folding drops changes no mention: pictures everywhere. */
static void pictures_hide_nothing(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT_OF(numbers); i++) {
                struct mention *m, *plain;
                struct buf b = BUF_LIMIT(1 << 16);
                for (const char *p = numbers[i].text; *p; p++) {
                        if (((unsigned char)*p & 0xC0) != 0x80)
                                buf_text(&b, "\U0001F600");
                        buf_byte(&b, *p);
                }
                const size_t n = find_at(b.at, b.length, instant(NOW), &m), expected = find(numbers[i].text, &plain);
                assert_int_equal(n, expected);
                for (size_t k = 0; k < n; k++)
                        assert_true(m[k].kind == plain[k].kind && m[k].begin == plain[k].begin && m[k].end == plain[k].end);
                sound(b.at, b.length, m, n);
                buf_free(&b);
        }
}

static void traditional_is_the_same(void **state)
{
        static const char *const pairs[][2] = {
                {"昨天下午三點鐘，錦龍大道與東縱路交叉口，電話13800138000，車牌粵B12345",
                 "昨天下午三点钟，锦龙大道与东纵路交叉口，电话13800138000，车牌粤B12345"},
                {"這個禮拜五晚上11點以後，龍田街道華苑3棟，兩個小時前", "这个礼拜五晚上11点以后，龙田街道华苑3栋，两个小时前"},
        };
        (void)state;
        for (size_t i = 0; i < COUNT_OF(pairs); i++) {
                struct mention *a, *b;
                const size_t n = find(pairs[i][0], &a);
                assert_true(n >= 3);
                assert_int_equal(find(pairs[i][1], &b), n);
                for (size_t k = 0; k < n; k++) {
                        assert_true(a[k].from == b[k].from && a[k].to == b[k].to); /* three bytes each, in both scripts */
                        assert_true(a[k].kind == b[k].kind && a[k].begin == b[k].begin && a[k].end == b[k].end);
                        assert_true(a[k].place == b[k].place && text_is(a[k].code, b[k].code));
                }
        }
}

/* 100,000 characters: what folding reads of them, in bounded time, with every number that is somebody's. */
static void long_texts(void **state)
{
        static const char *const pieces[] = {"13800138000，", "昨晚11点", "坪山区", "一", "0", "a", "路", "(", "到", "3到"};
        (void)state;
        for (size_t k = 0; k < COUNT_OF(pieces); k++) {
                struct mention *m;
                struct buf b = BUF_LIMIT(4 << 20);
                for (int i = 0; i < 100000; i++)
                        buf_text(&b, pieces[k]);
                const int64_t began = clock_steady();
                const size_t n = find_at(b.at, b.length, instant(NOW), &m);
                assert_true(clock_steady() - began < 5 * USEC_SECOND);
                sound(b.at, b.length, m, n);
                size_t of_kind[MENTION_KINDS] = {0};
                for (size_t i = 0; i < n; i++)
                        of_kind[m[i].kind]++;
                assert_true(of_kind[MENTION_TIME] <= MENTIONS_MOST && of_kind[MENTION_PLACE] <= MENTIONS_MOST);
                if (k == 0)
                        assert_int_equal(of_kind[MENTION_PHONE], FOLD_MOST / 12);
                buf_free(&b);
                arena_reset(arena);
        }
}

static void nothing_to_find(void **state)
{
        struct mention *m;
        struct buf b = BUF_LIMIT(100);
        (void)state;
        assert_int_equal(find("", &m), 0);
        mentions_mask("", 0, m, 0, &b);
        assert_int_equal(b.length, 0);
        struct vocabulary *empty = vocabulary_new(fold, NULL, 0);
        struct folded f;
        fold_text(fold, arena, "坪山区金碧路", strlen("坪山区金碧路"), &f);
        assert_int_equal(mentions_find(empty, &f, "坪山区金碧路", 0, ZONE_SHANGHAI, arena, &m), 1);
        assert_true(m[0].place == PLACE_ROAD && !m[0].code);
        vocabulary_free(&empty);
        assert_null(empty);
        buf_free(&b);
}

static int open_all(void **state)
{
        struct err e;
        (void)state;
        arena = arena_new();
        if (!fold_new(&fold, &e))
                return -1;
        vocabulary = vocabulary_new(fold, areas, COUNT_OF(areas));
        return 0;
}

static int close_all(void **state)
{
        (void)state;
        vocabulary_free(&vocabulary);
        fold_free(&fold);
        arena_free(&arena);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(times_as_said),
                cmocka_unit_test(no_times),
                cmocka_unit_test(numbers_as_written),
                cmocka_unit_test(masked_for_another),
                cmocka_unit_test(nobodys_numbers),
                cmocka_unit_test(places_as_said),
                cmocka_unit_test(no_places),
                cmocka_unit_test(organs_as_said),
                cmocka_unit_test(anything_between),
                cmocka_unit_test(pictures_hide_nothing),
                cmocka_unit_test(traditional_is_the_same),
                cmocka_unit_test(long_texts),
                cmocka_unit_test(nothing_to_find),
        };
        return cmocka_run_group_tests(tests, open_all, close_all);
}
