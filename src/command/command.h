/* command/command.h -- what the subcommands share: the command line taken apart, and an open district. */
#ifndef COMMAND_COMMAND_H
#define COMMAND_COMMAND_H
#include "capabilities.h"
#include "server/settings.h"
struct arena;

struct option { const char *name, *value, *about, *about_zh; };        /* value: "DIR" in the help; NULL = a switch without value */
struct command_line;
struct command {
        const char *name;               /* one or two words: "pack load" */
        const char *words;              /* of the positional arguments in the help: "FILE"; "" = none */
        int least, most;                /* how many positional arguments */
        const char *about, *about_zh;
        const struct option *options;   /* of this command only, ends with {0}; NULL = none.  Settings may always be given */
        bool serves;                    /* runs on: its log is wanted */
        bool (*run)(struct command_line *, struct err *);
};
struct command_line {
        const struct command *command;
        const struct capabilities *capabilities;
        struct arena *arena;            /* lives as long as the command */
        struct settings settings;
        const char *const *words; int n_words;          /* positional arguments */
        void *inside;
};
const char *option_value(const struct command_line *, const char *name);        /* NULL when not given; "" for a switch that was */
/* Reads the settings of the command line `ctx` again: its flags, the environment, and the file as it is now. */
bool settings_again(void *ctx, struct arena *, struct settings *, struct err *);
bool command_in_chinese(const struct command_line *);           /* --language, YIWANG_LANGUAGE, LANG */
/* The sentence in the caller's language. */
const char *say(const struct command_line *, const char *en, const char *zh);

/* Runs the command that argv names; 0 done, 1 failed, 2 wrong use.  Errors go to stderr as one sentence. */
int command_main(int argc, char **argv, const struct command *const *commands, const struct capabilities *);

/* Store and district of --data (or --store).  `must_exist`: a data folder that was never initialised is refused with what to do. */
struct opened { struct store *store; struct district district; bool has_district; };
bool command_open(struct command_line *, bool must_exist, struct opened *, struct err *) MUST_CHECK;
void command_close(struct opened *);

/* Loads a pack; faults go to stderr, one a line; see pack_load(). */
bool load_pack(struct command_line *, struct store *, const char *dir, bool only_check, int64_t *version, struct err *) MUST_CHECK;

/* A line on stderr that says how far long work is: on a terminal a bar that rewrites itself, otherwise a line every ten seconds;
 * nothing when quiet.  `from`: what was done before this run, so that the speed is that of this run. */
struct progress { const char *what; int64_t total, from, started, shown; bool terminal, quiet; };
struct progress progress_start(const char *what, int64_t total);        /* total 0 = unknown */
void progress_show(struct progress *, int64_t done);
void progress_end(struct progress *, int64_t done);

/* One per file of this folder. */
extern const struct command init_command, serve_command, version_command, backup_command, restore_command;
extern const struct command pack_check_command, pack_load_command, pack_export_command, pack_publish_command, pack_draw_command, pack_words_command;
extern const struct command user_add_command, user_password_command, user_disable_command, user_list_command;
extern const struct command user_join_command, user_unlock_command;
extern const struct command key_add_command, key_revoke_command, key_list_command;
extern const struct command keys_list_command, keys_rotate_command, keys_reseal_command, keys_remove_command, erase_command;
extern const struct command cases_recompute_command, rebuild_command;
extern const struct command ledger_verify_command, ledger_prove_command, ledger_checkpoint_command, ledger_key_command;
extern const struct command import_command, export_command, demo_command, exchange_reconcile_command;
#endif
