/* pack/load.c -- loads a pack all or nothing, and reads what was loaded. */
#include "pack/inside.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "pack/yaml.h"
#include "store/store.h"
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char SQL_ACTIVE[] = "SELECT MAX(id) FROM pack_version WHERE active = 1";
static const char SQL_SAME[] = "SELECT id FROM pack_version WHERE active = 1 AND hash = $1";
static const char SQL_NEXT[] = "SELECT COALESCE(MAX(id), 0) + 1 FROM pack_version";
static const char SQL_ADD[] =
        "INSERT INTO pack_version(id, name, title, title_en, release_name, number_prefix, hash, loaded_at, active)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)";
static const char SQL_ADD_FILE[] = "INSERT INTO pack_file(version, path, content) VALUES ($1, $2, $3)";
static const char SQL_REST[] = "UPDATE pack_version SET active = 0 WHERE active = 1";
static const char SQL_SWITCH[] = "UPDATE pack_version SET active = 1 WHERE id = $1";
static const char SQL_ABOUT[] =
        "SELECT name, title, title_en, release_name, number_prefix, loaded_at FROM pack_version WHERE id = $1";
static const char SQL_FILE[] = "SELECT content FROM pack_file WHERE version = $1 AND path = $2";
static const char SQL_PATHS[] = "SELECT path, content FROM pack_file WHERE version = $1 ORDER BY path";

struct job {
        const struct pack_loading *loading;
        const char *dir;
        struct pack_folder folder;
        char hash[2 * SHA256_SIZE + 1];
        int64_t now;
        struct fault_list *faults;
        int64_t *version;
        bool good; /* only_check: faultless, and rolled back on purpose */
};

static void hash_folder(struct job *job)
{
        struct buf b = BUF_LIMIT((size_t)64 << 20);
        unsigned char digest[SHA256_SIZE];
        for (size_t i = 0; i < job->folder.n; i++) {
                sha256(job->folder.files[i].at, job->folder.files[i].n, digest);
                buf_text(&b, job->folder.files[i].path);
                buf_byte(&b, '\n');
                buf_add(&b, digest, sizeof digest);
        }
        sha256(b.at ? b.at : "", b.length, digest);
        hex_text(digest, sizeof digest, job->hash);
        buf_free(&b);
}

/* It begins every case number and goes into file names and URLs. */
static bool good_prefix(const char *prefix)
{
        const size_t n = strlen(prefix);
        return n <= 10 && strspn(prefix, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

static bool add_version(struct stage *s, const struct job *job, struct err *e)
{
        static const char *const keys[] = {"name", "title", "title_en", "release", "number_prefix", "note", NULL};
        struct pack_bytes *file = folder_file(&job->folder, "pack.yaml");
        if (!file) {
                stage_fault(s, "pack.yaml", 0, "the file is missing", "缺少此文件");
                return true;
        }
        file->used = true;
        const struct yaml *root = yaml_parse(s->arena, file->at, file->n, e);
        if (!root) {
                stage_yaml_fault(s, "pack.yaml", e);
                return true;
        }
        stage_keys(s, "pack.yaml", root, keys);
        const char *values[5];
        for (int i = 0; i < 5; i++) {
                values[i] = yaml_text(root, keys[i], "");
                if (!*values[i] && i != 2)
                        stage_fault(s, "pack.yaml", root->line, "the key \"%s\" is missing", "缺少“%s”", keys[i]);
        }
        if (!good_prefix(values[4]))
                stage_fault(s, "pack.yaml", yaml_get(root, keys[4])->line, "number_prefix is up to 10 letters, digits, _ or -",
                            "number_prefix 应为不超过10个字母、数字、_ 或 -");
        return tx_change(s->tx, e, SQL_ADD,
                         ARGS(V(s->version), V(values[0]), V(values[1]), V(*values[2] ? values[2] : values[1]), V(values[3]),
                              V(values[4]), V((const char *)job->hash), V(job->now)))
               == 1;
}

static bool add_files(struct stage *s, const struct job *job, struct err *e)
{
        for (size_t i = 0; i < job->folder.n; i++)
                if (tx_change(s->tx, e, SQL_ADD_FILE,
                              ARGS(V(s->version), V((const char *)job->folder.files[i].path),
                                   V_BLOB(job->folder.files[i].at, job->folder.files[i].n)))
                    != 1)
                        return false;
        return true;
}

static bool stage_parts(struct stage *s, const struct job *job, struct err *e)
{
        for (const struct pack_part *const *p = job->loading->parts; *p; p++) {
                for (const struct pack_table *t = (*p)->tables; t && t->file; t++)
                        if (!stage_table(s, t, &job->folder, e))
                                return false;
                for (const struct pack_document *d = (*p)->documents; d && d->file; d++)
                        if (!stage_document(s, d, &job->folder, e))
                                return false;
        }
        return true;
}

/* A misspelt file name must not pass in silence. */
static void check_unused(struct stage *s, const struct job *job)
{
        static const char *const free_ones[] = {"README*", "maps/*.yaml", "texts/*/*.txt", "examples.yaml"};
        for (size_t i = 0; i < job->folder.n; i++) {
                bool known = job->folder.files[i].used;
                for (size_t k = 0; k < COUNT_OF(free_ones); k++)
                        known = known || fnmatch(free_ones[k], job->folder.files[i].path, FNM_PATHNAME) == 0;
                if (!known)
                        stage_fault(s, job->folder.files[i].path, 0, "nobody reads this file; is its name right?",
                                    "没有模块读取此文件，文件名是否有误？");
        }
}

static bool run_check(struct stage *s, const char *sql, struct err *e)
{
        struct rows r;
        if (!tx_rows(s->tx, &r, e, sql, ARGS(V(s->version))))
                return false;
        while (rows_next(&r))
                fault_add(s->faults, rows_text(&r, s->arena, 0), rows_text(&r, s->arena, 1), rows_text(&r, s->arena, 2));
        return rows_done(&r, e);
}

static bool run_checks(struct stage *s, const struct job *job, struct err *e)
{
        for (const struct pack_part *const *p = job->loading->parts; *p; p++)
                for (const char *const *sql = (*p)->checks; sql && *sql; sql++)
                        if (!run_check(s, *sql, e))
                                return false;
        return true;
}

static bool stage_all(struct stage *s, struct job *job, struct err *e)
{
        if (!add_version(s, job, e) || !add_files(s, job, e) || !stage_parts(s, job, e))
                return false;
        check_unused(s, job);
        if (!run_checks(s, job, e))
                return false;
        if (fault_count(s->faults) == 0 && job->loading->examples && !job->loading->examples(s, job->loading->ctx, e))
                return false;
        return fault_count(s->faults) == 0
               || err_both(e, ERR_INVALID, NULL, "the pack is refused: %zu faults", "场景包被拒绝：共%zu处错误",
                           fault_count(s->faults));
}

static bool run_after(struct stage *s, const struct job *job, struct err *e)
{
        for (const struct pack_part *const *p = job->loading->parts; *p; p++)
                for (const char *const *sql = (*p)->after; sql && *sql; sql++)
                        if (tx_change(s->tx, e, *sql, ARGS(V(s->version))) < 0)
                                return false;
        return true;
}

static bool load_once(struct tx *tx, void *ctx, struct err *e)
{
        struct job *job = ctx;
        struct stage s = {.tx = tx, .arena = arena_new(), .dir = job->dir, .faults = job->faults};
        int64_t same = 0;
        fault_clear(job->faults);
        job->good = false;
        bool ok = tx_int(tx, &same, 0, e, SQL_SAME, ARGS(V((const char *)job->hash)));
        if (ok && same && !job->loading->only_check) {
                *job->version = same;
                arena_free(&s.arena);
                return true;
        }
        ok = ok && tx_int(tx, &s.version, 1, e, SQL_NEXT, NO_ARGS) && stage_all(&s, job, e);
        *job->version = s.version;
        if (ok && job->loading->only_check) {
                job->good = true;
                ok = err_set(e, ERR_CONFLICT, "only checked");
        }
        ok = ok && tx_change(tx, e, SQL_REST, NO_ARGS) >= 0 && tx_change(tx, e, SQL_SWITCH, ARGS(V(s.version))) == 1
             && run_after(&s, job, e);
        arena_free(&s.arena);
        return ok;
}

bool pack_load(struct store *store, const struct pack_loading *loading, const char *dir, int64_t now, struct fault_list *faults,
               int64_t *version, struct err *e)
{
        struct arena *a = arena_new();
        struct job job = {.loading = loading, .dir = dir, .now = now, .faults = faults, .version = version};
        fault_clear(faults);
        bool ok = folder_read(a, dir, &job.folder, e);
        if (ok) {
                hash_folder(&job);
                ok = store_write(store, load_once, &job, e) || job.good;
        }
        fault_sort(faults);
        arena_free(&a);
        return ok;
}

bool pack_active(struct tx *tx, int64_t *version, struct err *e)
{
        return tx_int(tx, version, 0, e, SQL_ACTIVE, NO_ARGS);
}

bool pack_describe(struct tx *tx, struct arena *a, int64_t version, struct pack_about *out, struct err *e)
{
        struct rows r;
        int found = tx_first(tx, &r, e, SQL_ABOUT, ARGS(V(version)));
        if (found <= 0)
                return found == 0 ? err_set(e, ERR_NOT_FOUND, "there is no pack version %lld", (long long)version) : false;
        *out = (struct pack_about){.name = rows_text(&r, a, 0),
                                   .title = rows_text(&r, a, 1),
                                   .title_en = rows_text(&r, a, 2),
                                   .release = rows_text(&r, a, 3),
                                   .number_prefix = rows_text(&r, a, 4),
                                   .version = version,
                                   .loaded_at = rows_int(&r, 5)};
        return rows_done(&r, e);
}

bool pack_file(struct tx *tx, struct arena *a, int64_t version, const char *path, char **bytes, size_t *n, struct err *e)
{
        struct rows r;
        int found = tx_first(tx, &r, e, SQL_FILE, ARGS(V(version), V(path)));
        *bytes = NULL;
        *n = 0;
        if (found <= 0)
                return found == 0;
        const void *content = rows_blob(&r, a, 0, n);
        *bytes = arena_copy(a, content, *n);
        return rows_done(&r, e);
}

struct written {
        struct written *before;
        char *path;
};

struct export
{
        int64_t version;
        const char *dir;
        struct arena *arena;
        struct written *last;
};

static bool write_file(struct export *x, const char *path, const void *bytes, size_t n, struct err *e)
{
        char *full = arena_format(x->arena, "%s/%s", x->dir, path);
        for (char *slash = full + strlen(x->dir); (slash = strchr(slash + 1, '/')) != NULL; *slash = '/') {
                *slash = '\0';
                if (mkdir(full, 0777) != 0 && errno != EEXIST)
                        return err_set(e, ERR_INVALID, "the folder %s cannot be made: %s", full, strerror(errno));
        }
        FILE *f = fopen(full, "wbxe");
        if (!f)
                return err_set(e, ERR_INVALID, "%s cannot be written: %s", full, strerror(errno));
        struct written *w = NEW(x->arena, struct written);
        *w = (struct written){x->last, full};
        x->last = w;
        bool ok = fwrite(bytes ? bytes : "", 1, n, f) == n;
        ok = fclose(f) == 0 && ok;
        return ok || err_set(e, ERR_INVALID, "%s cannot be written: %s", full, strerror(errno));
}

/* A part of a pack could be taken for the whole: the files go, newest first, and the folders that are empty then. */
static void take_back(const struct export *x)
{
        for (const struct written *w = x->last; w; w = w->before) {
                (void)unlink(w->path);
                for (char *slash; (slash = strrchr(w->path, '/')) > w->path + strlen(x->dir);) {
                        *slash = '\0';
                        (void)rmdir(w->path);
                }
        }
}

static bool export_once(struct tx *tx, void *ctx, struct err *e)
{
        struct export *x = ctx;
        struct rows r;
        bool any = false, ok = tx_rows(tx, &r, e, SQL_PATHS, ARGS(V(x->version)));
        if (ok) {
                while (ok && rows_next(&r)) {
                        size_t n;
                        any = true;
                        const void *bytes = rows_blob(&r, x->arena, 1, &n);
                        ok = write_file(x, rows_text(&r, x->arena, 0), bytes, n, e);
                }
                struct err second;
                ok = rows_done(&r, ok ? e : &second) && ok;
        }
        return ok && (any || err_set(e, ERR_NOT_FOUND, "there is no pack version %lld", (long long)x->version));
}

static bool is_empty(const char *dir)
{
        DIR *d = opendir(dir);
        int n = 0;
        while (d && n <= 2 && readdir(d)) /* "." and ".." are always there */
                n++;
        if (d)
                (void)closedir(d);
        return d && n <= 2;
}

bool pack_export(struct store *store, int64_t version, const char *dir, struct err *e)
{
        if (mkdir(dir, 0777) != 0 && errno != EEXIST)
                return err_set(e, ERR_INVALID, "the folder %s cannot be made: %s", dir, strerror(errno));
        if (!is_empty(dir))
                return err_set(e, ERR_INVALID, "the folder %s is not empty; name a new one", dir);
        struct export x = {.version = version, .dir = dir, .arena = arena_new()};
        const bool ok = store_read(store, export_once, &x, e);
        if (!ok)
                take_back(&x);
        arena_free(&x.arena);
        return ok;
}
