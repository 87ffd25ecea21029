/*
 * command: one invocation of the command. The tables src/tables/commands.def and
 * options.def say what there is; parsing fills a struct cli, a handler does the
 * work with it and returns an exit code.
 */
#ifndef BULLDOG_CLI_COMMAND_H
#define BULLDOG_CLI_COMMAND_H

#include "base/err.h"

#include <jansson.h>

enum option_id {
#define OPTION(id, ...) OPT_##id,
#define OPTIONS_COMMON_END OPT_COMMON_COUNT, OPT_after_common = OPT_COMMON_COUNT - 1,
#include "tables/options.def"
    OPT_COUNT
};

enum option_kind {
    OPTION_LOCAL,
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_PROSE,
    OPTION_INT,
    OPTION_JSON,
    OPTION_WORDS,
    OPTION_AGENT,
    OPTION_ISSUE,
    OPTION_ISSUES,
    OPTION_PROJECT,
    OPTION_GOAL
};

struct option_info {
    const char *name; /* with _ for -; option_label gives it as typed */
    char letter;      /* 0: none */
    const char *arg;  /* NULL: a flag */
    enum option_kind kind;
    const char *wire, *help;
};
extern const struct option_info OPTIONS[OPT_COUNT];
const char *option_label(struct arena *a, enum option_id option); /* as it is typed, with dashes */

struct cli;
struct command {
    const char *noun, *verb; /* verb "" : the noun alone is the command */
    const char *args;        /* "<needed> [optional] [rest...]" */
    const char *options;     /* ids of its own options, with spaces */
    const char *method, *path;
    int (*run)(struct cli *c); /* NULL: not a client command */
    const char *columns, *summary;
};
extern const struct command COMMANDS[];
extern const int COMMANDS_COUNT;

enum { CLI_ARGS_MAX = 32 };

/* What an exit code means; cli_exit_code gives the number (AO-163). */
enum cli_end { END_OK, END_ERROR, END_USAGE, END_DENIED, END_NOT_FOUND, END_CONFLICT, END_UNREACHABLE };
int cli_exit_code(enum cli_end end);
/* Says on stderr what was wrong with the command; gives the exit code of that. */
int usage_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

struct cli {
    struct arena *arena; /* of the command; a watcher may put one per round here */
    const struct command *command;
    const char *value[OPT_COUNT]; /* as typed; a flag has "true"; NULL: not given */
    const char *args[CLI_ARGS_MAX];
    int args_count, args_used; /* args_used: taken by the path so far */
    const char *company_id;    /* resolved, or NULL */
    bool colour, wide;         /* the output is a terminal: colours; tables */
};

/* Fills c->command, value and args. An err_t is a usage error with its hint.
 * With --help a missing argument is no error. */
err_t cli_parse(struct cli *c, int argc, char **argv) MUST_CHECK;
/* Does the command take this option? */
bool command_takes(const struct command *cmd, enum option_id option);
const struct command *command_find(const char *noun, const char *verb);
bool noun_known(const char *noun);
/* The nearest of n words to what was typed, or NULL when none is near. */
const char *nearest_word(const char *typed, const char *const *words, int n);

/* Handlers. */
int cmd_call(struct cli *c);
int cmd_company_delete(struct cli *c);
int cmd_delete(struct cli *c);
int cmd_issue_create(struct cli *c);
int cmd_issue_comment(struct cli *c);
int cmd_issue_checkout(struct cli *c);
int cmd_issue_children(struct cli *c);
int cmd_force_release(struct cli *c);
int cmd_org(struct cli *c);
int cmd_why(struct cli *c);
int cmd_issue_history(struct cli *c);
int cmd_company_explain(struct cli *c);
int cmd_run_log(struct cli *c);
int cmd_workspace_close(struct cli *c);
int cmd_workspace_finalize(struct cli *c);
int cmd_workspace_gc(struct cli *c);
int cmd_demo(struct cli *c);
int cmd_doctor(struct cli *c);
int cmd_settings(struct cli *c);
int cmd_completion(struct cli *c);
int cmd_help(struct cli *c);
int cmd_version(struct cli *c);

#endif
