/* command/ledger.c -- yiwang ledger: the history checked, proved and signed. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "command/command.h"
#include "ledger/ledger.h"
#include "proof/proof.h"
#include "proof/sweep.h"
#include "store/store.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static bool open_signers(struct command_line *line, struct signers **out, bool make, struct err *e)
{
        const struct settings *s = &line->settings;
        return signers_open(out, proof_key_file(line->arena, s->data), make, s->ledger.kind, e);
}

/* --- verify ------------------------------------------------------------------------------------------------------------ */
static void show_rows(void *ctx, int64_t rows)
{
        progress_show(ctx, rows);
}

/* A checkpoint that was kept elsewhere. */
static bool read_seen(struct command_line *line, const char *path, const struct signers *signers, struct checkpoint *out,
                      struct err *e)
{
        char text[NOTE_MOST + 1];
        FILE *f = fopen(path, "re");
        if (!f)
                return err_both(e, ERR_INVALID, NULL, "cannot read %s: %s", "无法读取 %s：%s", path, strerror(errno));
        const size_t n = fread(text, 1, NOTE_MOST, f);
        (void)fclose(f);
        text[n] = '\0';
        if (strlen(text) != n || !note_read(line->arena, text, out, e) || (signers && !note_signed(text, signers)))
                return err_both(e, ERR_INVALID, NULL, "%s is no checkpoint signed by this ledger", "%s 不是本账本签名的检查点",
                                path);
        return true;
}

static bool run_verify(struct command_line *line, struct opened *o, struct ledger_verdict *v, struct err *e)
{
        struct progress p = progress_start(say(line, "rows", "记录"), 0);
        struct signers *signers = NULL;
        struct checkpoint seen = {.size = 0};
        const char *file = option_value(line, "against");
        /* Elsewhere, or before the first checkpoint, there may be no key; then signatures are not looked at. */
        bool ok = access(proof_key_file(line->arena, line->settings.data), F_OK) != 0 || open_signers(line, &signers, false, e);
        ok = ok && (!file || read_seen(line, file, signers, &seen, e));
        const struct ledger_proofs proofs = {signers, file ? &seen : NULL};
        ok = ok && store_whole(o->store, e) && ledger_verify(o->store, &proofs, show_rows, &p, v, e);
        signers_close(&signers);
        if (ok)
                progress_end(&p, v->rows);
        return ok;
}

static bool verify(struct command_line *line, struct err *e)
{
        struct opened o;
        struct ledger_verdict v;
        if (!command_open(line, true, &o, e))
                return false;
        const bool ran = run_verify(line, &o, &v, e);
        command_close(&o);
        if (!ran)
                return false;
        printf(say(line, "cases: %lld\nrows: %lld\nin the tree: %lld\nnot yet: %lld\ncheckpoints: %lld\nfaults: %lld\n",
                   "案件：%lld\n记录：%lld\n已入树：%lld\n未入树：%lld\n检查点：%lld\n错误：%lld\n"),
               (long long)v.cases, (long long)v.rows, (long long)v.leaves, (long long)v.waiting, (long long)v.checkpoints,
               (long long)v.faults);
        return v.faults == 0 || err_both(e, ERR_FAULT, NULL, "the history is not whole: %s", "流转记录不完整：%s", v.first);
}

/* --- prove -------------------------------------------------------------------------------------------------------------- */
static void print(void *ctx, const struct buf *b)
{
        bool *failed = ctx;
        if (b->length > 0 && fwrite(b->at, 1, b->length, stdout) != b->length)
                *failed = true;
}

static bool prove_case(struct command_line *line, struct store *store, int64_t since, struct err *e)
{
        struct buf b = BUF_LIMIT((size_t)1 << 30);
        struct json j = json_to(&b);
        const struct proof_wanted want = {.number = line->words[0], .since = since, .whole = true};
        bool failed = false;
        const bool ok = proof_json(store, line->arena, &want, &j, e);
        buf_byte(&b, '\n');
        if (ok)
                print(&failed, &b);
        buf_free(&b);
        return ok && (!failed || err_set(e, ERR_FAULT, "cannot write the proof: %s", strerror(errno)));
}

static bool prove_all(struct store *store, struct err *e)
{
        bool failed = false;
        const bool ok = proof_lines(store, print, &failed, e);
        return ok && (!failed || err_set(e, ERR_FAULT, "cannot write the proof: %s", strerror(errno)));
}

static bool prove(struct command_line *line, struct err *e)
{
        struct opened o;
        const char *since = option_value(line, "since");
        int64_t size = 0;
        if (since && (!text_to_int(since, &size) || size < 1 || line->n_words == 0))
                return err_both(e, ERR_INVALID, NULL, "--since needs the size of a checkpoint, and goes with the number of a case",
                                "--since 应为检查点大小，并与案件编号同时使用");
        if (!command_open(line, true, &o, e))
                return false;
        const bool ok = line->n_words == 1 ? prove_case(line, o.store, size, e) : prove_all(o.store, e);
        command_close(&o);
        return ok;
}

/* --- checkpoint and key ------------------------------------------------------------------------------------------------- */
static bool checkpoint(struct command_line *line, struct err *e)
{
        struct opened o;
        struct signers *signers = NULL;
        struct sweep w = {.walk = true};
        const char *note = NULL;
        const int64_t now = clock_now();
        if (!command_open(line, true, &o, e))
                return false;
        const bool ok = open_signers(line, &signers, true, e) && sweep_all(o.store, now, &w, e)
                        && checkpoint_make(o.store, line->arena, line->settings.ledger.origin, signers, now, &note, e);
        signers_close(&signers);
        command_close(&o);
        if (ok)
                printf("%s", note);
        return ok;
}

static bool key(struct command_line *line, struct err *e)
{
        const struct settings *s = &line->settings;
        const char *file = proof_key_file(line->arena, s->data);
        struct signers *signers;
        if (!open_signers(line, &signers, true, e))
                return false;
        if (option_value(line, "new")) {
                signers_close(&signers);
                if (!sign_file_add(file, s->ledger.kind, e) || !open_signers(line, &signers, false, e))
                        return false;
        }
        /* The one that signs first. */
        for (size_t i = signers_count(signers); i > 0; i--)
                printf("%s\n", note_key(line->arena, s->ledger.origin, signers_public(signers, i - 1)));
        signers_close(&signers);
        return true;
}

static const struct option verify_options[] = {
        {"against", "FILE", "a checkpoint that was kept elsewhere: the tree must still begin as it says",
         "另行保存的检查点文件：账本必须仍与其一致"},
        {0},
};
static const struct option prove_options[] = {
        {"since", "SIZE", "also proves that the tree of that size is a part of the present one",
         "同时证明该大小的旧树是现有树的一部分"},
        {0},
};
static const struct option key_options[] = {
        {"new", NULL, "makes another key, which signs from now on", "生成新的签名密钥并启用"},
        {0},
};
const struct command ledger_verify_command = {
        .name = "ledger verify",
        .words = "",
        .options = verify_options,
        .run = verify,
        .about = "Reads the history of every case and finds what was altered, dropped, put in or moved; on SQLite every page, too.",
        .about_zh = "检查全部案件的流转记录是否被改动、删除、插入或调换；使用 SQLite 时并检查数据库文件的每一页。",
};
const struct command ledger_prove_command = {
        .name = "ledger prove",
        .words = "[NUMBER]",
        .most = 1,
        .options = prove_options,
        .run = prove,
        .about = "Prints the proof of one case, or of the whole ledger, as JSON that anybody can verify (doc/ledger.md).",
        .about_zh = "输出单个案件或整个账本的证明（JSON），任何人均可独立验证（见 doc/ledger.md）。",
};
const struct command ledger_checkpoint_command = {
        .name = "ledger checkpoint",
        .words = "",
        .run = checkpoint,
        .about = "Brings all rows into the ledger's tree, signs a checkpoint of it and prints it.",
        .about_zh = "将全部记录收入账本的默克尔树，生成签名的检查点并输出。",
};
const struct command ledger_key_command = {
        .name = "ledger key",
        .words = "",
        .options = key_options,
        .run = key,
        .about = "Prints the public keys that verify checkpoints; the one that signs first.",
        .about_zh = "输出验证检查点所用的公钥，当前使用的在前。",
};
