/* help: everything said about the commands comes from their tables. */
#include "base/buf.h"
#include "base/settings.h"
#include "cli/call.h"
#include "cli/command.h"
#include "cli/print.h"

#include <stdio.h>
#include <string.h>

/* "issue list", "health" */
static const char *full_name(struct arena *a, const struct command *cmd)
{
    return *cmd->verb ? arena_printf(a, "%s %s", cmd->noun, cmd->verb) : cmd->noun;
}

/* "-C, --company-id COMPANY" */
static const char *spelling(struct arena *a, enum option_id option)
{
    const struct option_info *o = &OPTIONS[option];
    const char *letter = o->letter ? arena_printf(a, "-%c, ", o->letter) : "    ";
    return arena_printf(a, "%s--%s%s%s", letter, option_label(a, option), o->arg ? " " : "", o->arg ? o->arg : "");
}

static void options(struct buf *out, struct arena *a, const struct command *cmd, int first, int last)
{
    for (int i = first; i < last; i++)
        if (command_takes(cmd, (enum option_id)i))
            buf_printf(out, "  %-34s %s\n", spelling(a, (enum option_id)i), OPTIONS[i].help);
}

static void serve_settings(struct buf *out)
{
    buf_puts(out, "\nFurther settings are variables; bulldog settings shows them with their values:\n");
    for (int i = 0; i < SETTINGS_COUNT; i++)
        buf_printf(out, "  %-34.*s %s\n", (int)strcspn(SETTINGS[i].env, " "), SETTINGS[i].env, SETTINGS[i].help);
}

static void command_page(struct buf *out, struct arena *a, const struct command *cmd)
{
    bool own = *cmd->options != 0, calls = cmd->path != NULL;
    buf_printf(out, "%s.\n\n  bulldog %s%s%s%s\n", cmd->summary, full_name(a, cmd), *cmd->args ? " " : "", cmd->args,
               own ? " [options]" : "");
    if (own) {
        buf_puts(out, "\nOptions:\n");
        options(out, a, cmd, OPT_COMMON_COUNT, OPT_COUNT);
    }
    if (cmd->run == NULL) serve_settings(out);
    else if (calls || strcmp(cmd->noun, "demo") == 0) {
        buf_puts(out, "\nOptions of every command:\n");
        options(out, a, cmd, 0, OPT_COMMON_COUNT);
    }
    if (calls) buf_printf(out, "\nCalls %s %s.\n", cmd->method, cmd->path);
}

/* Words at this column, broken before the terminal's usual 80. */
static void wrapped(struct buf *out, const char *words, int column)
{
    enum { LINE_MAX = 80 };
    int at = column;
    for (const char *p = words; *p;) {
        int len = (int)strcspn(p, " ");
        if (at > column && at + 1 + len > LINE_MAX) {
            buf_printf(out, "\n%*s", column, "");
            at = column;
        } else if (at > column) {
            buf_putc(out, ' ');
            at++;
        }
        buf_append(out, p, (size_t)len);
        at += len;
        p += len;
        p += strspn(p, " ");
    }
    buf_putc(out, '\n');
}

static bool first_of_noun(int i) { return i == 0 || strcmp(COMMANDS[i - 1].noun, COMMANDS[i].noun) != 0; }

static void verbs_of(struct buf *out, const char *noun)
{
    for (int i = 0; i < COMMANDS_COUNT; i++)
        if (strcmp(COMMANDS[i].noun, noun) == 0 && *COMMANDS[i].verb) buf_printf(out, "%s ", COMMANDS[i].verb);
}

/* A line for each noun: what it does, or its verbs. */
static void overview(struct buf *out, struct arena *a)
{
    buf_puts(
        out,
        "bulldog: a control plane for teams of AI agents.\n\n  bulldog COMMAND [arguments] [options]\n\nCommands:\n");
    for (int i = 0; i < COMMANDS_COUNT; i++) {
        const struct command *cmd = &COMMANDS[i];
        bool alone = *cmd->verb == 0;
        if (!first_of_noun(i)) continue;
        struct buf verbs = {0};
        if (!alone) verbs_of(&verbs, cmd->noun);
        buf_printf(out, "  %-12s ", cmd->noun);
        wrapped(out, alone ? cmd->summary : buf_finish(&verbs, a), 15);
    }
    buf_puts(out, "\nMore: bulldog help COMMAND\n");
}

static void noun_page(struct buf *out, struct arena *a, const char *noun)
{
    buf_printf(out, "Commands of bulldog %s:\n\n", noun);
    for (int i = 0; i < COMMANDS_COUNT; i++) {
        const struct command *cmd = &COMMANDS[i];
        if (strcmp(cmd->noun, noun) != 0) continue;
        buf_printf(out, "  %-36s %s\n", arena_printf(a, "%s %s", full_name(a, cmd), cmd->args), cmd->summary);
    }
    buf_printf(out, "\nMore: bulldog help %s VERB\n", noun);
}

/* docs/cli.md */
static void markdown(struct buf *out, struct arena *a)
{
    buf_puts(
        out,
        "# The `bulldog` command\n\n"
        "Made by `bulldog help --markdown` from the table of commands; do not edit.\n\n"
        "`bulldog serve` runs the server; every other command is a client of its HTTP API. The exit code is 0, or 1 "
        "for any error. With `PAPERCLIP_CLI_EXIT_CODES=v2` in the environment: 2 the command was not understood, "
        "3 not allowed, 4 not found, 5 conflict, 6 the server cannot be reached.\n\n"
        "`eval \"$(bulldog completion bash)\"` makes the shell complete commands and options (`zsh` likewise).\n\n"
        "## Options of every command\n\n| option | |\n|---|---|\n");
    for (int i = 0; i < OPT_COMMON_COUNT; i++) {
        const char *text = spelling(a, (enum option_id)i);
        buf_printf(out, "| `%s` | %s |\n", text + strspn(text, " "), OPTIONS[i].help);
    }
    const char *noun = "";
    for (int i = 0; i < COMMANDS_COUNT; i++) {
        const struct command *cmd = &COMMANDS[i];
        if (strcmp(noun, cmd->noun) != 0) buf_printf(out, "\n## %s\n", noun = cmd->noun);
        buf_printf(out, "\n`bulldog %s%s%s`: %s.", full_name(a, cmd), *cmd->args ? " " : "", cmd->args, cmd->summary);
        if (cmd->path) buf_printf(out, " Calls `%s %s`.", cmd->method, cmd->path);
        buf_puts(out, "\n");
        if (*cmd->options) buf_puts(out, "\n| option | |\n|---|---|\n");
        for (int o = OPT_COMMON_COUNT; o < OPT_COUNT; o++) {
            if (!command_takes(cmd, (enum option_id)o)) continue;
            const char *text = spelling(a, (enum option_id)o);
            buf_printf(out, "| `%s` | %s |\n", text + strspn(text, " "), OPTIONS[o].help);
        }
    }
}

int cmd_help(struct cli *c)
{
    struct buf out BUF_AUTO = {0};
    const char *noun = c->args_count > 0 ? c->args[0] : NULL, *verb = c->args_count > 1 ? c->args[1] : "";
    if (noun && strcmp(noun, "help") == 0 && !*verb) noun = NULL;
    const struct command *cmd = noun ? command_find(noun, verb) : NULL;
    if (noun && cmd == NULL && !noun_known(noun)) return usage_error("no command %s: see bulldog help", noun);
    if (cmd == NULL && noun) cmd = command_find(noun, ""); /* a verb that is really an argument */
    if (c->value[OPT_markdown]) markdown(&out, c->arena);
    else if (cmd) command_page(&out, c->arena, cmd);
    else if (noun) noun_page(&out, c->arena, noun);
    else overview(&out, c->arena);
    return print_out(&out) ? 0 : 1;
}

int cmd_version(struct cli *c)
{
    struct buf out BUF_AUTO = {0};
    buf_printf(&out, c->value[OPT_json] ? "{\n  \"version\": \"%s\"\n}\n" : "bulldog %s\n", BULLDOG_VERSION);
    return print_out(&out) ? 0 : 1;
}

/* ---- completion ---- */

static void option_words(struct buf *out, const struct command *cmd)
{
    for (int i = 0; i < OPT_COUNT; i++) {
        if (cmd ? i < OPT_COMMON_COUNT || !command_takes(cmd, (enum option_id)i) : i >= OPT_COMMON_COUNT) continue;
        buf_puts(out, "--");
        for (const char *p = OPTIONS[i].name; *p; p++) buf_putc(out, *p == '_' ? '-' : *p);
        buf_putc(out, ' ');
    }
}

int cmd_completion(struct cli *c)
{
    struct buf out BUF_AUTO = {0};
    bool zsh = strcmp(c->args[0], "zsh") == 0;
    if (!zsh && strcmp(c->args[0], "bash") != 0)
        return usage_error("completion is there for bash and zsh, not for %s", c->args[0]);
    if (zsh) buf_puts(&out, "autoload -Uz bashcompinit && bashcompinit\n");
    buf_puts(&out, "_bulldog() {\n"
                   "    local cur=\"${COMP_WORDS[COMP_CWORD]}\" line=\"${COMP_WORDS[1]}\" words=\n"
                   "    COMP_WORDBREAKS=${COMP_WORDBREAKS//:/}\n"
                   "    [ \"$COMP_CWORD\" -gt 2 ] && line=\"${COMP_WORDS[1]} ${COMP_WORDS[2]}\"\n"
                   "    if [ \"$COMP_CWORD\" -eq 1 ]; then words=\"");
    for (int i = 0; i < COMMANDS_COUNT; i++)
        if (first_of_noun(i)) buf_printf(&out, "%s ", COMMANDS[i].noun);
    buf_puts(&out, "\"\n    else case $line in\n");
    for (int i = 0; i < COMMANDS_COUNT; i++) {
        const struct command *cmd = &COMMANDS[i];
        if (first_of_noun(i) && *cmd->verb) {
            buf_printf(&out, "    '%s') words=\"", cmd->noun);
            verbs_of(&out, cmd->noun);
            buf_puts(&out, "\" ;;\n");
        }
        buf_printf(&out, "    '%s'%s) words=\"", full_name(c->arena, cmd),
                   *cmd->verb ? "" : arena_printf(c->arena, "*"));
        option_words(&out, cmd);
        if (*cmd->args == '<' && strcmp(cmd->noun, "completion") == 0) buf_puts(&out, "bash zsh ");
        buf_puts(&out, "\" ;;\n");
    }
    buf_puts(&out, "    esac; case $cur in -*) words=\"$words ");
    option_words(&out, NULL);
    buf_puts(&out, "\" ;; esac\n    fi\n    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
                   "complete -o default -F _bulldog bulldog\n");
    return print_out(&out) ? 0 : 1;
}
