/* pack/yaml.c -- see yaml.h: a tree over libyaml's events. */
#include "pack/yaml.h"
#include "base/arena.h"
#include "base/text.h"
#include <yaml.h>

enum { LEVELS_MOST = 16, BYTES_MOST = 4 << 20 };

struct reading {
        struct arena *arena;
        yaml_parser_t parser;
        yaml_event_t event;
        int level;
};

static int line_of(const struct reading *r)
{
        return (int)r->event.start_mark.line + 1;
}

static bool next(struct reading *r, struct err *e)
{
        yaml_event_delete(&r->event);
        if (yaml_parser_parse(&r->parser, &r->event))
                return true;
        return err_both(e, ERR_INVALID, NULL, "%d: not YAML: %s", "%d：不是有效的 YAML：%s", (int)r->parser.problem_mark.line + 1,
                        r->parser.problem ? r->parser.problem : "unknown");
}

static bool plain(const struct reading *r, const void *anchor, const void *tag, struct err *e)
{
        return (!anchor && !tag)
               || err_both(e, ERR_INVALID, NULL, "%d: anchors and tags are not taken", "%d：不接受锚点和标签", line_of(r));
}

static bool read_node(struct reading *r, struct yaml *out, struct err *e);

static void append(struct yaml *parent, struct yaml **last, struct yaml *child)
{
        if (*last)
                (*last)->next = child;
        else
                parent->first = child;
        *last = child;
        parent->count++;
}

static bool read_list(struct reading *r, struct yaml *out, struct err *e)
{
        struct yaml *last = NULL;
        out->kind = YAML_LIST;
        for (;;) {
                if (!next(r, e))
                        return false;
                if (r->event.type == YAML_SEQUENCE_END_EVENT)
                        return true;
                struct yaml *child = NEW(r->arena, struct yaml);
                if (!read_node(r, child, e))
                        return false;
                append(out, &last, child);
        }
}

static bool read_key(struct reading *r, const struct yaml *map, struct yaml *child, struct err *e)
{
        if (r->event.type != YAML_SCALAR_EVENT)
                return err_both(e, ERR_INVALID, NULL, "%d: a key must be a word", "%d：键应为单个词", line_of(r));
        if (!plain(r, r->event.data.scalar.anchor, r->event.data.scalar.tag, e))
                return false;
        child->key = arena_copy(r->arena, r->event.data.scalar.value, r->event.data.scalar.length);
        child->key_line = line_of(r);
        if (strlen(child->key) != r->event.data.scalar.length)
                return err_both(e, ERR_INVALID, NULL, "%d: a key holds a NUL character", "%d：键含有空字符", child->key_line);
        if (text_is(child->key, "<<"))
                return err_both(e, ERR_INVALID, NULL, "%d: merge keys are not taken", "%d：不接受合并键", child->key_line);
        const struct yaml *earlier = yaml_get(map, child->key);
        return !earlier
               || err_both(e, ERR_INVALID, NULL, "%d: the key \"%s\" stands twice (also in line %d)",
                           "%d：键“%s”重复（另见第%d行）", child->key_line, child->key, earlier->key_line);
}

static bool read_map(struct reading *r, struct yaml *out, struct err *e)
{
        struct yaml *last = NULL;
        out->kind = YAML_MAP;
        for (;;) {
                if (!next(r, e))
                        return false;
                if (r->event.type == YAML_MAPPING_END_EVENT)
                        return true;
                struct yaml *child = NEW(r->arena, struct yaml);
                if (!read_key(r, out, child, e) || !next(r, e) || !read_node(r, child, e))
                        return false;
                append(out, &last, child);
        }
}

/* The event of the node's beginning is there already. */
static bool read_node(struct reading *r, struct yaml *out, struct err *e)
{
        bool ok = false;
        out->line = line_of(r);
        if (++r->level > LEVELS_MOST)
                return err_both(e, ERR_INVALID, NULL, "%d: nested deeper than %d levels", "%d：嵌套超过%d层", out->line,
                                (int)LEVELS_MOST);
        switch (r->event.type) {
        case YAML_SCALAR_EVENT:
                out->kind = YAML_TEXT;
                out->text = arena_copy(r->arena, r->event.data.scalar.value, r->event.data.scalar.length);
                ok = plain(r, r->event.data.scalar.anchor, r->event.data.scalar.tag, e);
                if (ok && text_utf8_fault(out->text, r->event.data.scalar.length) != r->event.data.scalar.length)
                        ok = err_both(e, ERR_INVALID, NULL, "%d: a text holds a NUL character", "%d：文本含有空字符", out->line);
                break;
        case YAML_SEQUENCE_START_EVENT:
                ok = plain(r, r->event.data.sequence_start.anchor, r->event.data.sequence_start.tag, e) && read_list(r, out, e);
                break;
        case YAML_MAPPING_START_EVENT:
                ok = plain(r, r->event.data.mapping_start.anchor, r->event.data.mapping_start.tag, e) && read_map(r, out, e);
                break;
        default:
                return err_both(e, ERR_INVALID, NULL, "%d: aliases are not taken", "%d：不接受别名", out->line);
        }
        r->level--;
        return ok;
}

static bool next_two(struct reading *r, struct err *e)
{
        if (!next(r, e))
                return false;
        return next(r, e);
}

static bool read_document(struct reading *r, struct yaml *root, struct err *e)
{
        if (!next_two(r, e))
                return false;
        if (r->event.type == YAML_STREAM_END_EVENT)
                return err_both(e, ERR_INVALID, NULL, "1: the file is empty", "1：文件为空");
        if (!next(r, e) || !read_node(r, root, e) || !next_two(r, e))
                return false;
        return r->event.type == YAML_STREAM_END_EVENT
               || err_both(e, ERR_INVALID, NULL, "%d: a second document begins here; one is wanted", "%d：只接受一个文档",
                           line_of(r));
}

struct yaml *yaml_parse(struct arena *a, const char *text, size_t n, struct err *e)
{
        struct reading r = {.arena = a};
        struct yaml *root = NEW(a, struct yaml);
        if (n > BYTES_MOST) {
                (void)err_both(e, ERR_INVALID, NULL, "1: the file is larger than %d bytes", "1：文件超过%d字节", (int)BYTES_MOST);
                return NULL;
        }
        if (!yaml_parser_initialize(&r.parser)) {
                (void)err_set(e, ERR_FAULT, "libyaml does not start");
                return NULL;
        }
        yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, n);
        bool ok = read_document(&r, root, e);
        yaml_event_delete(&r.event);
        yaml_parser_delete(&r.parser);
        return ok ? root : NULL;
}

const struct yaml *yaml_get(const struct yaml *map, const char *key)
{
        for (const struct yaml *m = map && map->kind == YAML_MAP ? map->first : NULL; m; m = m->next)
                if (strcmp(m->key, key) == 0)
                        return m;
        return NULL;
}

const char *yaml_text(const struct yaml *map, const char *key, const char *otherwise)
{
        const struct yaml *v = yaml_get(map, key);
        return v && v->kind == YAML_TEXT ? v->text : otherwise;
}
