/* evaluate/commands.h -- the commands of this folder. */
#ifndef EVALUATE_COMMANDS_H
#define EVALUATE_COMMANDS_H
struct command;

extern const struct command train_command, eval_classify_command, eval_route_command, eval_surge_command;
#endif
