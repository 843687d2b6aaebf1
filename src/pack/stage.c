/* pack/stage.c -- from files to rows under the new version; every fault is noted with its place. */
#include "pack/inside.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "pack/csv.h"
#include "pack/yaml.h"
#include "store/store.h"
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

enum { COLUMNS_MOST = 24 };

struct table_reading {
        struct stage *stage;
        const struct pack_table *table;
        int columns;               /* of the table */
        int cell_of[COLUMNS_MOST]; /* -1: the file does not have it */
        size_t header_cells;       /* 0: the header is still to come */
        bool broken;               /* the header is wrong: rows are not looked at */
};

static int column_named(const struct pack_table *t, const char *name)
{
        for (int i = 0; t->columns[i].name; i++)
                if (text_is(t->columns[i].name, name))
                        return i;
        return -1;
}

static void read_header(struct table_reading *r, const struct csv_record *rec)
{
        const char *file = r->table->file;
        r->header_cells = rec->n;
        for (int i = 0; i < COLUMNS_MOST; i++)
                r->cell_of[i] = -1;
        for (size_t k = 0; k < rec->n; k++) {
                char *name = text_trim(r->stage->arena, rec->cells[k]);
                int column = column_named(r->table, name);
                if (column < 0)
                        stage_fault(r->stage, file, 1, "the column \"%s\" is not known", "未知的列“%s”", name);
                else if (r->cell_of[column] >= 0)
                        stage_fault(r->stage, file, 1, "the column \"%s\" stands twice", "列“%s”重复", name);
                else
                        r->cell_of[column] = (int)k;
        }
        for (int i = 0; i < r->columns; i++)
                if (r->table->columns[i].required && r->cell_of[i] < 0) {
                        stage_fault(r->stage, file, 1, "the column \"%s\" is missing", "缺少列“%s”", r->table->columns[i].name);
                        r->broken = true;
                }
}

static bool one_of(const char *const *choices, const char *text)
{
        for (; *choices; choices++)
                if (text_is(*choices, text))
                        return true;
        return false;
}

/* The value of a cell, or VALUE_END after a fault was noted. */
static struct value cell_value(struct table_reading *r, const struct pack_column *c, const char *text, int line)
{
        int64_t number;
        double real;
        char day[32];
        const char *file = r->table->file;
        const char *wanted = "", *wanted_zh = "";
        switch (c->type) {
        case PACK_TEXT:
                if (!c->choices || one_of(c->choices, text))
                        return V(text);
                wanted = "one of the words in doc/packs.md", wanted_zh = "doc/packs.md 中列出的词";
                break;
        case PACK_INT:
                if (text_to_int(text, &number))
                        return V(number);
                wanted = "a whole number", wanted_zh = "整数";
                break;
        case PACK_REAL:
                if (text_to_real(text, &real))
                        return V(real);
                wanted = "a number", wanted_zh = "数值";
                break;
        case PACK_BOOL:
                if (text_is(text, "yes") || text_is(text, "no"))
                        return V(text_is(text, "yes"));
                wanted = "yes or no", wanted_zh = "yes 或 no";
                break;
        case PACK_DATE:
                (void)snprintf(day, sizeof day, "%.20s 00:00", text);
                if (strlen(text) == 10 && time_parse(day, 0, &number))
                        return V(text);
                wanted = "a day such as 2026-11-23", wanted_zh = "日期，如 2026-11-23";
                break;
        }
        stage_fault(r->stage, file, line, "%s: \"%s\" is not %s%.0s", "%s：“%s”应为%.0s%s", c->name, text, wanted, wanted_zh);
        return (struct value){.kind = VALUE_END};
}

static bool read_row(struct table_reading *r, const struct csv_record *rec, struct err *e)
{
        struct value values[COLUMNS_MOST + 3];
        bool good = true;
        const int line = (int)rec->line;
        if (rec->n != r->header_cells) {
                stage_fault(r->stage, r->table->file, line, "the row has %zu cells; the header has %zu", "本行有%zu格，表头有%zu格",
                            rec->n, r->header_cells);
                return true;
        }
        values[0] = V(r->stage->version);
        char place[300];
        (void)snprintf(place, sizeof place, "%s:%d", r->table->file, line);
        values[1] = V((const char *)place);
        for (int i = 0; i < r->columns; i++) {
                const struct pack_column *c = &r->table->columns[i];
                const char *text = r->cell_of[i] < 0 ? "" : rec->cells[r->cell_of[i]];
                if (*text && (text[0] == ' ' || text[strlen(text) - 1] == ' '))
                        text = text_trim(r->stage->arena, text);
                values[i + 2] = *text ? cell_value(r, c, text, line) : V_NULL;
                if (!*text && c->required) {
                        stage_fault(r->stage, r->table->file, line, "%s is empty; it is needed", "%s不能为空", c->name);
                        good = false;
                }
                good = good && values[i + 2].kind != VALUE_END;
        }
        values[r->columns + 2] = (struct value){.kind = VALUE_END};
        return !good || tx_change(r->stage->tx, e, r->table->insert, values) >= 0;
}

static bool each_record(void *ctx, const struct csv_record *rec, struct err *e)
{
        struct table_reading *r = ctx;
        if (r->header_cells == 0) {
                read_header(r, rec);
                return true;
        }
        return r->broken || read_row(r, rec, e);
}

void stage_keys(struct stage *s, const char *file, const struct yaml *map, const char *const *known)
{
        for (const struct yaml *m = map->first; m; m = m->next)
                if (!one_of(known, m->key))
                        stage_fault(s, file, m->key_line, "the key \"%s\" is not known here", "此处没有“%s”这个键", m->key);
}

bool stage_table(struct stage *s, const struct pack_table *t, const struct pack_folder *folder, struct err *e)
{
        struct table_reading r = {.stage = s, .table = t};
        struct pack_bytes *file = folder_file(folder, t->file);
        while (t->columns[r.columns].name)
                r.columns++;
        assert(r.columns <= COLUMNS_MOST);
        if (!file) {
                if (t->required)
                        stage_fault(s, t->file, 0, "the file is missing", "缺少此文件");
                return true;
        }
        file->used = true;
        size_t fault = text_utf8_fault(file->at, file->n);
        if (fault < file->n) {
                stage_fault(s, t->file, 0, "not UTF-8 at byte %zu", "第%zu字节起不是 UTF-8", fault);
                return true;
        }
        if (csv_read(file->at, file->n, ',', each_record, &r, e)) {
                if (r.header_cells == 0)
                        stage_fault(s, t->file, 0, "the file is empty; its first line names the columns", "文件为空，首行应为列名");
                return true;
        }
        if (e->kind != ERR_INVALID)
                return false;
        stage_fault(s, t->file, 0, "%s%.0s", "%.0s%s", e->text, e->zh);
        return true;
}

void stage_yaml_fault(struct stage *s, const char *file, const struct err *e)
{
        char *rest;
        const long line = strtol(e->text, &rest, 10);
        const char *zh = strstr(e->zh, "：");
        const bool numbered = line > 0 && strncmp(rest, ": ", 2) == 0 && zh;
        stage_fault(s, file, numbered ? (int)line : 0, "%s%.0s", "%.0s%s", numbered ? rest + 2 : e->text,
                    numbered ? zh + strlen("：") : e->zh);
}

static bool read_one(struct stage *s, const struct pack_document *d, struct pack_bytes *file, struct err *e)
{
        const char *dot = strrchr(file->path, '.');
        file->used = true;
        if (!dot || strcmp(dot, ".yaml") != 0)
                return d->stage(s, file->path, NULL, file->at, file->n, e);
        const struct yaml *root = yaml_parse(s->arena, file->at, file->n, e);
        if (root)
                return d->stage(s, file->path, root, NULL, 0, e);
        if (e->kind != ERR_INVALID)
                return false;
        stage_yaml_fault(s, file->path, e);
        return true;
}

bool stage_document(struct stage *s, const struct pack_document *d, const struct pack_folder *folder, struct err *e)
{
        bool any = false;
        for (size_t i = 0; i < folder->n; i++) {
                if (fnmatch(d->file, folder->files[i].path, FNM_PATHNAME) != 0)
                        continue;
                any = true;
                if (!read_one(s, d, &folder->files[i], e))
                        return false;
        }
        if (!any && d->required)
                stage_fault(s, d->file, 0, "the file is missing", "缺少此文件");
        return true;
}
