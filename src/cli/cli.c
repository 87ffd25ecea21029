/* cli: the entry of the client side, and the ends a command may come to. */
#include "cli/cli.h"

#include "base/json.h"
#include "cli/command.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Scripts written for the plain 0 and 1 go on working; the finer numbers are asked for. */
int cli_exit_code(enum cli_end end)
{
    const char *codes = getenv("PAPERCLIP_CLI_EXIT_CODES");
    if (end == END_OK) return 0;
    return codes && strcmp(codes, "v2") == 0 ? (int)end : 1;
}

int usage_error(const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    fprintf(stderr, "bulldog: %s\n", text);
    return cli_exit_code(END_USAGE);
}

int cli_main(int argc, char **argv)
{
    struct arena own = {0};
    struct cli c = {.arena = &own};
    json_arena(&own);
    signal(SIGPIPE, SIG_DFL); /* `bulldog issue list | head` ends quietly */
    err_t wrong = cli_parse(&c, argc, argv);
    c.wide = isatty(STDOUT_FILENO);
    c.colour = c.wide && getenv("NO_COLOR") == NULL && c.value[OPT_no_color] == NULL;
    int rc;
    if (wrong) {
        rc = usage_error("%s", wrong->message);
    } else if (c.command->run == NULL) {
        rc = usage_error("%s cannot stand after options: bulldog %s …", c.command->noun, c.command->noun);
    } else {
        rc = c.command->run(&c);
    }
    if (fflush(stdout) != 0 && rc == 0) rc = 1; /* what was asked for did not reach its reader */
    json_arena(NULL);
    arena_free(&own);
    return rc;
}
