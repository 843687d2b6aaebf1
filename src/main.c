/* main.c -- see commands.c for what the program can do and capabilities.c for what it is made of. */
#include "command/command.h"

extern const struct command *const all_commands[];

int main(int argc, char **argv)
{
        return command_main(argc, argv, all_commands, &capabilities);
}
