/* commands.c -- the one visible list of commands, in the order of the help. */
#include "command/command.h"
#include "evaluate/commands.h"
#include "measure/commands.h"

extern const struct command *const all_commands[];
const struct command *const all_commands[] = {
        &init_command,          &serve_command,
        &pack_check_command,    &pack_load_command,
        &pack_export_command,   &pack_publish_command,
        &pack_draw_command,     &pack_words_command,
        &import_command,        &export_command,
        &demo_command,          &user_add_command,
        &user_password_command, &user_disable_command,
        &user_list_command,     &user_join_command,
        &user_unlock_command,   &key_add_command,
        &key_revoke_command,    &key_list_command,
        &keys_list_command,     &keys_rotate_command,
        &keys_reseal_command,   &keys_remove_command,
        &erase_command,         &cases_recompute_command,
        &rebuild_command,       &ledger_verify_command,
        &ledger_prove_command,  &ledger_checkpoint_command,
        &ledger_key_command,    &backup_command,
        &restore_command,       &train_command,
        &eval_classify_command, &eval_route_command,
        &eval_same_command,     &eval_topics_command,
        &eval_surge_command,    &exchange_reconcile_command,
        &version_command,       NULL,
};
