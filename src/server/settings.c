/* server/settings.c -- the one table of settings and the three places they come from. */
#include "server/settings.h"
#include "base/arena.h"
#include "base/text.h"
#include "letter/gateway.h"
#include "pack/yaml.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum kind { TEXT, NUMBER, SWITCH, SECRET }; /* SECRET: the name of a file whose first line is the value */
struct rule {
        struct setting setting;
        enum kind kind;
        size_t place; /* in struct settings */
        int least, most;
        const char *otherwise; /* NULL = unset */
};
#define AT(member) offsetof(struct settings, member)

static const struct rule rules[] = {
        {{"data", "folder of the district's files", "数据目录"}, TEXT, AT(data), 0, 0, "./data"},
        {{"store", "database: sqlite:PATH or postgres://USER@HOST:PORT/DB; the SQLite file DATA/yiwang.db when unsaid",
          "数据库：sqlite:路径 或 postgres://用户@主机:端口/库；默认为 DATA/yiwang.db"},
         TEXT,
         AT(store),
         0,
         0,
         NULL},
        {{"store_readers", "connections for reading", "读连接数"}, NUMBER, AT(store_readers), 1, 256, "4"},
        {{"store_writers", "connections for writing (PostgreSQL)", "写连接数（PostgreSQL）"},
         NUMBER,
         AT(store_writers),
         1,
         256,
         "4"},
        {{"archive", "folder that gets every commit and full copies of the SQLite database (on another disk), for yiwang restore",
          "归档目录（应在另一块磁盘）：保存 SQLite 数据库的每次提交和完整备份，供 yiwang restore 使用"},
         TEXT,
         AT(archive),
         0,
         0,
         NULL},
        {{"archive_days", "days back to which the archive can restore; 0 keeps all", "归档可恢复到多少天以前，0 表示全部保留"},
         NUMBER,
         AT(archive_days),
         0,
         36500,
         "14"},
        {{"seal_cipher", "cipher of the next sealing key: aes (AES-256-GCM) or sm4 (SM4-CTR with HMAC-SM3)",
          "新密钥采用的算法：aes（AES-256-GCM）或 sm4（SM4-CTR 与 HMAC-SM3）"},
         TEXT,
         AT(seal_cipher),
         0,
         0,
         "aes"},
        {{"ledger_origin", "name of this ledger in its checkpoints; one of its own for each district",
          "账本在检查点中的名称，各城区应不同"},
         TEXT,
         AT(ledger.origin),
         0,
         0,
         "yiwang"},
        {{"ledger_signature", "kind of the next key that signs checkpoints: ed25519 or sm2 (SM2 with SM3)",
          "新的检查点签名密钥的算法：ed25519 或 sm2（SM2 与 SM3）"},
         TEXT,
         AT(ledger_signature),
         0,
         0,
         "ed25519"},
        {{"ledger_minutes", "minutes between two checkpoints of the ledger", "账本检查点的间隔分钟数"},
         NUMBER,
         AT(ledger.minutes),
         1,
         10080,
         "10"},
        {{"personal_hourly", "reporters one person may look up in an hour; 0 = any number",
          "一人一小时可查询报告人的次数，0 表示不限"},
         NUMBER,
         AT(personal_hourly),
         0,
         1000000,
         "60"},
        {{"triage", "no: the machine reads no report, finds no same matter and no topic; what it has learned stays",
          "no 表示系统不研判诉求内容、不识别同一事项和热点；已学到的内容保留"},
         SWITCH,
         AT(triage),
         0,
         0,
         "yes"},
        {{"scan_command",
          "virus scanner for pictures, called as clamdscan is: its words, then a file; exits with 0 clean, 1 infected",
          "图片病毒扫描命令，调用方式同 clamdscan：命令后接文件名，退出码0为正常、1为感染"},
         TEXT,
         AT(scan_command),
         0,
         0,
         NULL},
        {{"scan_seconds", "seconds after which it is killed, and the picture put off", "病毒扫描超时秒数，超时则请稍后再试"},
         NUMBER,
         AT(scan_seconds),
         1,
         600,
         "30"},
        {{"address", "address to listen on", "监听地址"}, TEXT, AT(address), 0, 0, "127.0.0.1"},
        {{"port", "port to listen on; 0 takes a free one", "监听端口，0 表示任取空闲端口"}, NUMBER, AT(port), 0, 65535, "8080"},
        {{"workers", "threads that answer requests", "处理请求的线程数"}, NUMBER, AT(workers), 1, 1024, "64"},
        {{"queue", "waiting requests before others are told to come again", "等待请求的上限，超过则请稍后再试"},
         NUMBER,
         AT(queue),
         1,
         100000,
         "1024"},
        {{"connections", "open connections at most", "最大连接数"}, NUMBER, AT(connections), 10, 1000000, "12000"},
        {{"connections_per_address",
          "open connections of one address at most (of IPv6: of one /64); the trusted proxy is not counted",
          "单个地址的最大连接数（IPv6 按 /64 计）；可信反向代理不计"},
         NUMBER,
         AT(connections_per_address),
         1,
         1000000,
         "512"},
        {{"idle_seconds", "seconds after which a silent client is cut", "客户端空闲多少秒后断开"},
         NUMBER,
         AT(idle_seconds),
         1,
         3600,
         "30"},
        {{"streams", "live event streams at most", "实时事件流上限"}, NUMBER, AT(streams), 1, 100000, "1000"},
        {{"trusted_proxy", "address of the proxy whose X-Forwarded-For is believed", "可信反向代理的地址"},
         TEXT,
         AT(trusted_proxy),
         0,
         0,
         NULL},
        {{"tls_certificate", "file with the certificate and those behind it (PEM): HTTPS; read anew on SIGHUP",
          "证书链文件（PEM），设置后启用 HTTPS；SIGHUP 时重新读取"},
         TEXT,
         AT(tls_certificate),
         0,
         0,
         NULL},
        {{"tls_key", "file with its key (PEM), readable by its owner only", "证书私钥文件（PEM），仅所有者可读"},
         TEXT,
         AT(tls_key),
         0,
         0,
         NULL},
        {{"rate_reads", "requests a minute one address may read without a key; 0 = any number",
          "无密钥时单个地址每分钟读取请求上限，0 表示不限"},
         NUMBER,
         AT(rate_reads),
         0,
         10000000,
         "3000"},
        {{"rate_writes", "requests a minute one address may change something without a key; 0 = any number",
          "无密钥时单个地址每分钟写入请求上限，0 表示不限"},
         NUMBER,
         AT(rate_writes),
         0,
         10000000,
         "300"},
        {{"rate_key", "requests a minute of one key or account; 0 = any number", "单个密钥或账号每分钟请求上限，0 表示不限"},
         NUMBER,
         AT(rate_key),
         0,
         10000000,
         "600000"},
        {{"access_log", "yes: one log line for each request", "yes 表示记录每个请求"}, SWITCH, AT(access_log), 0, 0, "no"},
        {{"log_level", "debug, info, warn or error; info when serving, else warn",
          "日志级别：debug、info、warn、error；服务默认 info，其他命令默认 warn"},
         TEXT,
         AT(log_level),
         0,
         0,
         NULL},
        {{"log_format", "text (name=value) or json", "日志格式：text（名称=值）或 json"}, TEXT, AT(log_format), 0, 0, "text"},
        {{"language", "zh or en: of notices (zh when unsaid) and of these commands (as LANG when unsaid)",
          "zh 或 en：通知的语言（默认 zh）与命令行的语言（默认随 LANG）"},
         TEXT,
         AT(language),
         0,
         0,
         NULL},
        {{"smtp_url", "mail server, smtp://HOST:PORT; mail goes to the log when unsaid",
          "邮件服务器 smtp://主机:端口；未设置则只写日志"},
         TEXT,
         AT(notify.smtp_url),
         0,
         0,
         NULL},
        {{"smtp_user", "name at the mail server", "邮件服务器用户名"}, TEXT, AT(notify.smtp_user), 0, 0, NULL},
        {{"smtp_password_file", "file with the password at the mail server", "存放邮件服务器密码的文件"},
         SECRET,
         AT(notify.smtp_password),
         0,
         0,
         NULL},
        {{"smtp_from", "sender's address", "发件人地址"}, TEXT, AT(notify.from), 0, 0, "yiwang@localhost"},
        {{"smtp_tls", "encryption to the mail server: try, yes or no; yes when there is a smtp_user",
          "与邮件服务器的加密连接：try（尽量）、yes、no；设置 smtp_user 时按 yes"},
         TEXT,
         AT(notify.smtp_tls),
         0,
         0,
         "try"},
        {{"gateway_ca",
          "file with the certificates (PEM) that vouch for mail server, SMS gateway and webhooks; the system's when unsaid",
          "校验邮件服务器、短信网关和 webhook 证书的 CA 文件（PEM）；默认用系统证书"},
         TEXT,
         AT(notify.ca_file),
         0,
         0,
         NULL},
        {{"sms_gateway", "file that describes the SMS gateway (doc/notify.md); no SMS when unsaid",
          "描述短信网关的文件（见 doc/notify.md）；未设置则不发短信"},
         TEXT,
         AT(sms_gateway),
         0,
         0,
         NULL},
        {{"sms_secret_file", "file with the secret of the SMS gateway", "存放短信网关密钥的文件"},
         SECRET,
         AT(notify.sms_secret),
         0,
         0,
         NULL},
        {{"quiet_hours", "no SMS in these hours unless the case is urgent: HH:MM-HH:MM, or none",
          "此时段不发短信（紧急案件除外）：HH:MM-HH:MM 或 none"},
         TEXT,
         AT(quiet_hours),
         0,
         0,
         "22:00-08:00"},
        {{"message_hours", "hours after which a message that could not be sent is given up", "消息发送失败多少小时后放弃"},
         NUMBER,
         AT(notify.hours),
         1,
         8760,
         "48"},
        {{"callback_days", "days for which a call-back link works", "回访链接有效天数"},
         NUMBER,
         AT(notify.callback_days),
         1,
         3650,
         "30"},
        {{"private_addresses", "no: SMS gateway and webhooks must not have addresses of a private network",
          "no 表示短信网关和 webhook 不得位于内网地址"},
         SWITCH,
         AT(notify.private_addresses),
         0,
         0,
         "yes"},
        {{"public_url", "address under which clients reach this server, such as https://yiwang.example.org",
          "外部访问本服务的网址，如 https://yiwang.example.org"},
         TEXT,
         AT(open311.public_url),
         0,
         0,
         NULL},
        {{"open311_jurisdiction", "the one jurisdiction_id that Open311 calls may name; any when unsaid",
          "Open311 请求可用的 jurisdiction_id；未设置则不限"},
         TEXT,
         AT(open311.jurisdiction),
         0,
         0,
         NULL},
        {{"open311_channel", "channel of Open311 reports whose key has no channel of its own",
          "密钥未指定渠道时 Open311 来件所属渠道"},
         TEXT,
         AT(key_channel),
         0,
         0,
         "open311"},
        {{"open311_contact", "whom to ask for keys and help, in the discovery document", "discovery 文档中的联系方式"},
         TEXT,
         AT(open311.contact),
         0,
         0,
         NULL},
        {{"exchange_peers", "file that describes how other platforms are reached that cases are exchanged with (doc/exchange.md)",
          "说明如何访问交换案件的其他平台的文件（见 doc/exchange.md）"},
         TEXT,
         AT(exchange_peers),
         0,
         0,
         NULL},
        {{"webhook_url", "address that is told of every move", "接收流转通知的网址"}, TEXT, AT(webhook_url), 0, 0, NULL},
        {{"webhook_secret_file", "file with the secret that signs webhooks", "存放 webhook 签名密钥的文件"},
         SECRET,
         AT(webhook_secret),
         0,
         0,
         NULL},
};

/* They may change while the program serves. */
static const char *const live_names[] = {"connections_per_address",
                                         "tls_certificate",
                                         "tls_key",
                                         "rate_reads",
                                         "rate_writes",
                                         "rate_key",
                                         "access_log",
                                         "log_level"};

const struct setting *setting_at(size_t i)
{
        return i < COUNT_OF(rules) ? &rules[i].setting : NULL;
}

/* --- values --------------------------------------------------------------------------------------------------------------- */
static bool read_secret(struct arena *a, const char *file, const char *from, const char **out, struct err *e)
{
        char line[512];
        FILE *f = fopen(file, "re");
        if (!f)
                return err_both(e, ERR_INVALID, NULL, "%s: cannot read %s: %s", "%s：无法读取 %s：%s", from, file, strerror(errno));
        const bool ok = fgets(line, sizeof line, f) != NULL;
        (void)fclose(f);
        if (!ok)
                return err_both(e, ERR_INVALID, NULL, "%s: the file %s is empty", "%s：文件 %s 为空", from, file);
        line[strcspn(line, "\r\n")] = '\0';
        *out = arena_text(a, line);
        return true;
}

static bool set(struct arena *a, struct settings *raw, const struct rule *rule, const char *value, const char *from, struct err *e)
{
        void *place = (char *)raw + rule->place;
        int64_t n;
        switch (rule->kind) {
        case NUMBER:
                if (!text_to_int(value, &n) || n < rule->least || n > rule->most)
                        return err_both(e, ERR_INVALID, NULL, "%s: needs a whole number between %d and %d, not \"%.60s\"",
                                        "%s：应为 %d 至 %d 的整数，而不是“%.60s”", from, rule->least, rule->most, value);
                *(int *)place = (int)n;
                return true;
        case SWITCH:
                if (!text_is(value, "yes") && !text_is(value, "no") && !text_empty(value))
                        return err_both(e, ERR_INVALID, NULL, "%s: needs yes or no, not \"%.60s\"",
                                        "%s：应为 yes 或 no，而不是“%.60s”", from, value);
                *(bool *)place = !text_is(value, "no");
                return true;
        case SECRET:
                return read_secret(a, value, from, place, e);
        default:
                if (text_empty(value))
                        return err_both(e, ERR_INVALID, NULL, "%s: the value is missing", "%s：缺少取值", from);
                *(const char **)place = arena_text(a, value);
                return true;
        }
}

/* store_readers -> YIWANG_STORE_READERS, store-readers */
static const char *environment(struct arena *a, const char *name)
{
        char *upper = arena_format(a, "YIWANG_%s", name);
        for (char *c = upper; *c; c++)
                *c = (char)toupper((unsigned char)*c);
        return upper;
}

static const char *flag_name(struct arena *a, const char *name)
{
        char *dashed = arena_text(a, name);
        for (char *c = dashed; *c; c++)
                if (*c == '_')
                        *c = '-';
        return dashed;
}

/* --- the file --------------------------------------------------------------------------------------------------------------- */
static bool slurp(struct arena *a, const char *file, char **out, size_t *n, struct err *e)
{
        enum { MOST = 1 << 16 };
        FILE *f = fopen(file, "re");
        if (!f)
                return err_both(e, ERR_INVALID, NULL, "cannot read the settings %s: %s", "无法读取设置文件 %s：%s", file,
                                strerror(errno));
        *out = arena_alloc(a, MOST);
        *n = fread(*out, 1, MOST, f);
        const bool whole = feof(f) && !ferror(f);
        (void)fclose(f);
        return whole || err_both(e, ERR_INVALID, NULL, "the settings %s are over 64 KiB", "设置文件 %s 超过 64 KiB", file);
}

static const struct rule *rule_find(const char *name)
{
        for (size_t i = 0; i < COUNT_OF(rules); i++)
                if (text_is(rules[i].setting.name, name))
                        return &rules[i];
        return NULL;
}

static bool read_file(struct arena *a, const char *file, struct settings *raw, struct err *e)
{
        char *bytes = NULL;
        size_t n = 0;
        struct err why;
        if (!slurp(a, file, &bytes, &n, e))
                return false;
        const struct yaml *root = yaml_parse(a, bytes, n, &why);
        if (!root || root->kind != YAML_MAP)
                return err_both(e, ERR_INVALID, NULL, "%s: %s%.0s", "%s：%.0s%s", file, root ? "write NAME: VALUE lines" : why.text,
                                root        ? "每行应为 名称: 值"
                                : why.zh[0] ? why.zh
                                            : why.text);
        for (const struct yaml *y = root->first; y; y = y->next) {
                const struct rule *rule = rule_find(y->key);
                const char *from = arena_format(a, "%s:%d: %s", file, y->key_line, y->key);
                if (!rule || y->kind != YAML_TEXT)
                        return rule ? err_both(e, ERR_INVALID, NULL, "%s: needs one value", "%s：应为单个值", from)
                                    : err_both(e, ERR_INVALID, NULL, "%s: there is no such setting; see yiwang serve --help",
                                               "%s：没有此设置，请见 yiwang serve --help", from);
                if (!set(a, raw, rule, y->text, from, e))
                        return false;
        }
        return true;
}

static bool file_exists(const char *path)
{
        FILE *f = fopen(path, "re");
        if (f)
                (void)fclose(f);
        return f != NULL;
}

/* --- all together ------------------------------------------------------------------------------------------------------------ */
struct asking {
        struct arena *arena;
        const char *(*flag)(void *, const char *);
        void *ctx;
};

static const char *given(const struct asking *q, const struct rule *rule, const char **from)
{
        const char *flag = flag_name(q->arena, rule->setting.name), *variable = environment(q->arena, rule->setting.name);
        const char *value = q->flag ? q->flag(q->ctx, flag) : NULL;
        *from = value ? arena_format(q->arena, "--%s", flag) : variable;
        return value ? value : getenv(variable);
}

static bool check_words(struct settings *s, struct err *e)
{
        if (!seal_cipher_named(s->seal_cipher, &s->cipher))
                return err_both(e, ERR_INVALID, NULL, "seal_cipher must be aes or sm4, not \"%.40s\"",
                                "seal_cipher 应为 aes 或 sm4，而不是“%.40s”", s->seal_cipher);
        if (!sign_kind_named(s->ledger_signature, &s->ledger.kind))
                return err_both(e, ERR_INVALID, NULL, "ledger_signature must be ed25519 or sm2, not \"%.40s\"",
                                "ledger_signature 应为 ed25519 或 sm2，而不是“%.40s”", s->ledger_signature);
        if (!origin_allowed(s->ledger.origin))
                return err_both(e, ERR_INVALID, NULL,
                                "ledger_origin must be letters, digits and signs without space or \"+\", not \"%.40s\"",
                                "ledger_origin 只能含字母、数字和符号，不含空格和“+”，而不是“%.40s”", s->ledger.origin);
        if (s->log_level && !text_is(s->log_level, "debug") && !text_is(s->log_level, "info") && !text_is(s->log_level, "warn")
            && !text_is(s->log_level, "error"))
                return err_both(e, ERR_INVALID, NULL, "log_level must be debug, info, warn or error, not \"%.40s\"",
                                "log_level 应为 debug、info、warn 或 error，而不是“%.40s”", s->log_level);
        if (!text_is(s->log_format, "text") && !text_is(s->log_format, "json"))
                return err_both(e, ERR_INVALID, NULL, "log_format must be text or json, not \"%.40s\"",
                                "log_format 应为 text 或 json，而不是“%.40s”", s->log_format);
        return text_is(s->language, "zh") || text_is(s->language, "en")
               || err_both(e, ERR_INVALID, NULL, "language must be zh or en, not \"%.40s\"",
                           "language 应为 zh 或 en，而不是“%.40s”", s->language);
}

static bool put_webhook(struct arena *a, struct settings *raw, struct err *e)
{
        if (!raw->webhook_url)
                return true;
        if (!text_starts(raw->webhook_url, "http://") && !text_starts(raw->webhook_url, "https://"))
                return err_both(e, ERR_INVALID, NULL, "webhook_url must be an http:// or https:// address, not \"%.60s\"",
                                "webhook_url 应为 http:// 或 https:// 网址，而不是“%.60s”", raw->webhook_url);
        if (!raw->webhook_secret)
                return err_both(e, ERR_INVALID, NULL,
                                "webhook_url needs webhook_secret_file: without a signature nobody can trust the call",
                                "设置 webhook_url 时还需设置 webhook_secret_file，否则对方无法验证来源");
        struct webhook *w = NEW(a, struct webhook);
        *w = (struct webhook){raw->webhook_url, raw->webhook_secret};
        raw->notify.webhooks = w;
        raw->notify.n_webhooks = 1;
        return true;
}

static bool put_gateway(struct arena *a, struct settings *raw, struct err *e)
{
        char *bytes = NULL;
        size_t n = 0;
        struct gateway *g = NEW(a, struct gateway);
        const char *tls = raw->notify.smtp_tls;
        if (!text_is(tls, "try") && !text_is(tls, "yes") && !text_is(tls, "no"))
                return err_both(e, ERR_INVALID, NULL, "smtp_tls must be try, yes or no, not \"%.40s\"",
                                "smtp_tls 应为 try、yes 或 no，而不是“%.40s”", tls);
        raw->notify.public_url = raw->open311.public_url;
        if (!quiet_parse(raw->quiet_hours, &raw->notify.quiet, e))
                return false;
        if (!raw->sms_gateway)
                return true;
        raw->notify.sms = g;
        return slurp(a, raw->sms_gateway, &bytes, &n, e) && gateway_parse(a, raw->sms_gateway, bytes, n, g, e);
}

static bool put_exchange(struct arena *a, struct settings *raw, struct err *e)
{
        char *bytes = NULL;
        size_t n = 0;
        raw->exchange.ca_file = raw->notify.ca_file;
        raw->exchange.private_addresses = raw->notify.private_addresses;
        return !raw->exchange_peers
               || (slurp(a, raw->exchange_peers, &bytes, &n, e)
                   && exchange_peers_parse(a, raw->exchange_peers, bytes, n, &raw->exchange, e));
}

/* The language of the surroundings: LANG=zh_CN.UTF-8. */
static const char *language_around(void)
{
        const char *lang = getenv("LC_ALL");
        lang = text_empty(lang) ? getenv("LANG") : lang;
        return lang && text_starts(lang, "zh") ? "zh" : "en";
}

static bool put_defaults(struct arena *a, struct settings *raw, struct err *e)
{
        for (size_t i = 0; i < COUNT_OF(rules); i++)
                if (rules[i].otherwise && !set(a, raw, &rules[i], rules[i].otherwise, rules[i].setting.name, e))
                        return false;
        return true;
}

/* Flags win over the environment; both over the file. */
static bool put_given(const struct asking *q, struct settings *raw, struct err *e)
{
        for (size_t i = 0; i < COUNT_OF(rules); i++) {
                const char *from, *value = given(q, &rules[i], &from);
                if (value && !set(q->arena, raw, &rules[i], value, from, e))
                        return false;
        }
        return true;
}

bool settings_read(struct arena *a, const char *file, const char *(*flag)(void *ctx, const char *name), void *ctx,
                   struct settings *out, struct err *e)
{
        struct settings raw = {.data = NULL};
        const struct asking q = {a, flag, ctx};
        const char *from, *data = given(&q, &rules[0], &from);
        if (!put_defaults(a, &raw, e))
                return false;
        if (!file) {
                const char *usual = arena_format(a, "%s/yiwang.yaml", data ? data : raw.data);
                file = file_exists(usual) ? usual : NULL;
        }
        if ((file && !read_file(a, file, &raw, e)) || !put_given(&q, &raw, e))
                return false;
        raw.notify.language = raw.language ? raw.language : "zh"; /* citizens', not the operator's */
        if (!raw.language)
                raw.language = language_around();
        if (!check_words(&raw, e) || !put_webhook(a, &raw, e) || !put_gateway(a, &raw, e) || !put_exchange(a, &raw, e))
                return false;
        *out = raw;
        return true;
}

/* --- what changed ------------------------------------------------------------------------------------------------------------ */
static bool same(const struct rule *rule, const struct settings *a, const struct settings *b)
{
        const void *x = (const char *)a + rule->place, *y = (const char *)b + rule->place;
        if (rule->kind == NUMBER)
                return *(const int *)x == *(const int *)y;
        if (rule->kind == SWITCH)
                return *(const bool *)x == *(const bool *)y;
        return text_is(*(const char *const *)x, *(const char *const *)y);
}

const char *settings_changed(const struct settings *a, const struct settings *b, size_t *i, bool *live)
{
        while (*i < COUNT_OF(rules)) {
                const struct rule *rule = &rules[(*i)++];
                if (same(rule, a, b))
                        continue;
                *live = false;
                for (size_t k = 0; k < COUNT_OF(live_names); k++)
                        *live = *live || text_is(live_names[k], rule->setting.name);
                return rule->setting.name;
        }
        return NULL;
}

const char *settings_dsn(struct arena *a, const struct settings *s)
{
        return s->store ? s->store : arena_format(a, "sqlite:%s/yiwang.db", s->data);
}
