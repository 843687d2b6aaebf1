/* measure/commands.h -- the commands of this folder. */
#ifndef MEASURE_COMMANDS_H
#define MEASURE_COMMANDS_H
struct command;

extern const struct command eval_same_command, eval_topics_command;
#endif
