/* text/phrases.c -- see phrases.h. */
#include "text/phrases.h"
#include "base/arena.h"
#include "text/fold.h"
#include "text/shingles.h"

enum { BEFORE = 2, LONGEST = 12, WORDS = 160, FIRSTS = 1024 }; /* BEFORE: units of a name that count */

/* --- lists of words ------------------------------------------------------------------------------------------------------ */

/* Made from a text of words between blanks, on the stack: the lists are short, and most characters begin no word at all. */
struct words {
        size_t n;
        struct word {
                uint32_t c[LONGEST];
                size_t n;
        } at[WORDS];
        bool begins[FIRSTS]; /* by the first character's lowest bits */
};

/* The lists hold ASCII and ideographs of three bytes. */
static void words_read(struct words *w, const char *list)
{
        struct word *word = &w->at[0];
        *w = (struct words){0};
        for (const unsigned char *p = (const unsigned char *)list; *p;) {
                uint32_t c = *p++;
                if (c >= 0xE0) {
                        c = (c & 15) << 12 | (uint32_t)(p[0] & 63) << 6 | (p[1] & 63);
                        p += 2;
                }
                if (c == ' ') {
                        word++;
                        continue;
                }
                assert(word < w->at + WORDS && word->n < LONGEST);
                if (word->n == 0)
                        w->begins[c % FIRSTS] = true;
                word->c[word->n++] = c;
                w->n = (size_t)(word - w->at) + 1;
        }
}

/* A word of letters stands alone: "is" is not in "this". */
static bool is_whole(const struct folded *f, size_t from, size_t to)
{
        const bool before = from > 0 && letter_kind(f->c[from - 1]) == LETTER_WORD;
        const bool behind = to < f->n && letter_kind(f->c[to]) == LETTER_WORD;
        return letter_kind(f->c[from]) != LETTER_WORD || (!before && !behind);
}

/* Characters of the longest word of the list that stands at i; 0: none. */
static size_t word_at(const struct words *w, const struct folded *f, size_t i)
{
        size_t longest = 0;
        for (size_t k = 0; w->begins[f->c[i] % FIRSTS] && k < w->n; k++) {
                const struct word *word = &w->at[k];
                if (word->n > longest && word->n <= f->n - i && memcmp(word->c, f->c + i, word->n * sizeof *word->c) == 0
                    && is_whole(f, i, i + word->n))
                        longest = word->n;
        }
        return longest;
}

/* --- usual words ---------------------------------------------------------------------------------------------------------- */

static const char usual[] =
        "尊敬的 敬爱的 各位 领导 书记 市长 区长 局长 您好 你好 请问 请求 恳请 恳求 希望 盼望 期待 敬请 有关部门 "
        "相关部门 职能部门 有关单位 相关单位 政府 部门 尽快 尽早 早日 及时 解决 处理 答复 回复 回应 谢谢 感谢 反映 "
        "反应 投诉 举报 咨询 建议 求助 呼吁 问题 关于 情况 如下 我是 我们 本人 市民 居民 业主 群众 老百姓 百姓 "
        "严重 影响 生活 是否 能否 可否 什么时候 为什么 为何 如何 怎么 核实 调查 关注 重视 督促 麻烦 辛苦 帮忙 "
        "帮助 多次 一直 现在 目前 但是 因为 所以 而且 没有 可以 已经 不知道 来电人 反映人 附近 存在 巡查发现 现场 "
        "dear hello please thank you thanks regards sir madam soon as possible residents complaint the is are "
        "and to of in a it this has be for near";

bool *usual_words(const struct folded *f, struct arena *a)
{
        struct words w;
        bool *covered = NEW_ARRAY(a, bool, f->n + 1);
        words_read(&w, usual);
        for (size_t i = 0; i < f->n; i++)
                memset(covered + i, 1, word_at(&w, f, i));
        return covered;
}

/* --- places and bodies -------------------------------------------------------------------------------------------------------- */

static const char kinds[] =
        "小区 花园 家园 嘉园 新城 新村 公寓 广场 大厦 大楼 大道 大街 社区 街道 工业园 产业园 开发区 经开区 学校 "
        "小学 中学 大学 学院 幼儿园 医院 法院 公园 市场 超市 酒店 公司 集团 物业 地铁站 车站 水库 国际 商场 "
        "步行街 苑 路 街 巷 村 镇 乡 县 区 市 站 厂 桥 河 湖 山 城 府 湾 号线 高速 street road estate garden "
        "gardens square park school hospital market village district";
/* They look like the words above and are none. */
static const char no_kinds[] =
        "马路 道路 公路 铁路 线路 走路 电路 一路 套路 思路 出路 城市 市民 市政 市区 市委 市里 市长 区域 地区 "
        "区别 区长 区委 县城 县委 县里 农村 村民 村里 村委 厂家 厂房 工厂 上街 政府 城管 城镇 乡镇 乡村 网站 "
        "逛街 市容 市委书记 街坊 站点 站在 城乡 路过";
/* What may not stand in a name, so the name begins behind it. */
static const char stops[] =
        "的 在 是 位 于 到 从 和 与 及 对 把 被 了 有 我 们 本 该 这 那 为 请 你 他 就 都 也 很 不 个 各 每 等 住 至 "
        "问 由 让 给 向 去 来 没";
static const char generic[] =
        "居民 住宅 整个 高档 附近 周边 商业 这条 一个 老旧 旁边 贵 相邻 我市 维保 有限 责任 "
        "科技 开发 施工 建筑 物业 装修 管理 服务 供水 来水 燃气 责任 发展 实业 置业 地产 楼下 住户 中介 保洁 前期 批发 农贸 公立 "
        "私立 民办 重点 实验 技术 职业";

struct reader {
        const struct folded *f;
        const struct unit *u;
        struct words kinds, no_kinds, stops, generic;
};

/* The name in front of the word for its kind: u[first .. at-1].  A word or number of other scripts ends it ("b2区"). */
static size_t name_before(const struct reader *r, size_t at, bool wants_two)
{
        const struct unit *u = r->u;
        size_t first = at;
        while (first > 0 && at - first < BEFORE) {
                const struct unit *one = &u[first - 1];
                const bool joins = one->to == u[first].from || (u[at].word && one->to + 1 == u[first].from);
                if (!joins || word_at(&r->stops, r->f, one->from) > 0)
                        break;
                first--;
                if (one->word)
                        return first;
        }
        return wants_two && at - first < BEFORE ? at : first;
}

static uint32_t name_hash(const struct unit *u, size_t first, size_t last)
{
        uint32_t h = UINT32_C(0x706c6163);
        for (size_t i = first; i < last; i++)
                h = hash_mix(h * UINT32_C(0x9e3779b1) + u[i].hash);
        return h;
}

size_t place_phrases(const struct folded *f, struct arena *a, struct place_phrase **out)
{
        struct unit *u;
        const size_t units = text_units(f, a, &u);
        struct place_phrase *p = NEW_ARRAY(a, struct place_phrase, units + 1);
        struct reader *r = NEW(a, struct reader);
        size_t n = 0;
        r->f = f;
        r->u = u;
        words_read(&r->kinds, kinds);
        words_read(&r->no_kinds, no_kinds);
        words_read(&r->stops, stops);
        words_read(&r->generic, generic);
        for (size_t i = 0; i < units;) {
                const size_t is = word_at(&r->kinds, f, u[i].from), is_not = word_at(&r->no_kinds, f, u[i].from);
                const size_t length = is > is_not ? is : is_not, end = u[i].from + length;
                size_t last = i, first = i;
                while (last < units && u[last].from < end)
                        last++;
                if (is > is_not)
                        first = name_before(r, i, length == 1);
                if (first < i && word_at(&r->generic, f, u[first].from) != u[i].from - u[first].from)
                        p[n++] = (struct place_phrase){u[first].from, u[last - 1].to, name_hash(u, first, last)};
                i = last > i ? last : i + 1;
        }
        *out = p;
        return n;
}

void rare_learn_text(struct rare *rare, const struct folded *text)
{
        struct arena *a = arena_new();
        struct shingle *s;
        struct place_phrase *p;
        const size_t n = text_shingles(text, a, &s), places = place_phrases(text, a, &p);
        uint32_t *hashes = NEW_ARRAY(a, uint32_t, n + places + 1);
        size_t all = 0;
        for (size_t i = 0; i < n; i++)
                hashes[all++] = s[i].hash;
        for (size_t i = 0; i < places; i++) {
                bool again = false;
                for (size_t k = 0; k < i && !again; k++)
                        again = p[k].hash == p[i].hash;
                if (!again)
                        hashes[all++] = p[i].hash;
        }
        rare_learn(rare, hashes, all);
        arena_free(&a);
}
