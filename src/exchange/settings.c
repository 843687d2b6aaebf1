/* exchange/settings.c -- the operator's description of the peers:
 *
 *   district-a:                                              # code of exchange/peers.csv
 *     url: https://district.example/api/v1/exchange/city     # "/cases" is added
 *     key_file: /etc/yiwang/district-a.key                   # the API key it gave us
 *     secret_file: /etc/yiwang/district-a.secret             # agreed on; signs both ways
 *
 * Secrets stand in files of their own, so that this one may be shown to anybody. */
#include "exchange/exchange.h"
#include "base/arena.h"
#include "base/text.h"
#include "pack/yaml.h"
#include <errno.h>
#include <stdio.h>

enum { PEERS_MOST = 256, SECRET_LEAST = 16 };
struct reading {
        struct arena *arena;
        const char *file;
        struct err *e;
};

static bool refuse(const struct reading *r, int line, const char *en, const char *zh)
{
        return err_both(r->e, ERR_INVALID, NULL, "%s:%d: %s%.0s", "%s:%d：%.0s%s", r->file, line, en, zh);
}

/* The first line of the file that `y` names. */
static bool read_secret(const struct reading *r, const struct yaml *y, const char **out)
{
        char line[512];
        FILE *f = fopen(y->text, "re");
        if (!f)
                return err_both(r->e, ERR_INVALID, NULL, "%s:%d: cannot read %s: %s", "%s:%d：无法读取 %s：%s", r->file, y->line,
                                y->text, strerror(errno));
        const bool ok = fgets(line, sizeof line, f) != NULL;
        (void)fclose(f);
        line[ok ? strcspn(line, "\r\n") : 0] = '\0';
        *out = arena_text(r->arena, line);
        return line[0] || refuse(r, y->line, "the file is empty", "文件为空");
}

static bool read_word(const struct reading *r, const struct yaml *y, struct peer_access *p)
{
        if (y->kind != YAML_TEXT)
                return refuse(r, y->key_line, "needs one value", "应为单个值");
        if (text_is(y->key, "url")) {
                p->url = y->text;
                return text_starts(y->text, "http://") || text_starts(y->text, "https://")
                       || refuse(r, y->line, "url must be an http:// or https:// address", "url 应为 http:// 或 https:// 网址");
        }
        if (text_is(y->key, "key_file"))
                return read_secret(r, y, &p->key);
        if (text_is(y->key, "secret_file"))
                return read_secret(r, y, &p->secret);
        return refuse(r, y->key_line, "unknown; there are url, key_file, secret_file",
                      "未知的名称；可用 url、key_file、secret_file");
}

static bool read_peer(const struct reading *r, const struct yaml *y, struct peer_access *p)
{
        *p = (struct peer_access){.code = y->key};
        if (y->kind != YAML_MAP)
                return refuse(r, y->key_line, "needs url and secret_file", "应有 url 和 secret_file");
        for (const struct yaml *v = y->first; v; v = v->next)
                if (!read_word(r, v, p))
                        return false;
        if (!p->url || !p->secret)
                return refuse(r, y->key_line, "needs url and secret_file", "应有 url 和 secret_file");
        return strlen(p->secret) >= SECRET_LEAST
               || refuse(r, y->key_line, "the secret has fewer than 16 characters", "密钥少于16个字符");
}

bool exchange_peers_parse(struct arena *a, const char *file, const char *bytes, size_t n, struct exchange_settings *out,
                          struct err *e)
{
        const struct reading r = {a, file, e};
        struct err why;
        const struct yaml *root = yaml_parse(a, bytes, n, &why);
        if (!root || root->kind != YAML_MAP)
                return err_both(e, ERR_INVALID, NULL, "%s: %s%.0s", "%s：%.0s%s", file, root ? "write CODE: {url: ...}" : why.text,
                                root ? "应写作 代码: {url: …}" : why.zh);
        struct peer_access *peers = NEW_ARRAY(a, struct peer_access, PEERS_MOST);
        out->n = 0;
        for (const struct yaml *y = root->first; y; y = y->next) {
                if (out->n == PEERS_MOST)
                        return refuse(&r, y->key_line, "too many peers", "平台过多");
                if (!read_peer(&r, y, &peers[out->n++]))
                        return false;
        }
        out->peers = peers;
        return true;
}
