/*
 * args: from argv to a struct cli. Options may stand anywhere and are the same
 * in every command; which ones a command takes says its row in the table. What
 * is not understood is an error that names the nearest thing that is.
 */
#include "cli/command.h"

#include <stdlib.h>
#include <string.h>

const struct option_info OPTIONS[OPT_COUNT] = {
#define OPTION(id, letter, arg, kind, wire, help) {#id, letter, arg, OPTION_##kind, wire, help},
#define OPTIONS_COMMON_END
#include "tables/options.def"
};

const struct command COMMANDS[] = {
#define COMMAND(noun, ...) {#noun, __VA_ARGS__},
#include "tables/commands.def"
};
const int COMMANDS_COUNT = (int)(sizeof COMMANDS / sizeof *COMMANDS);

/* Options are spelled with dashes, ids with underscores. */
static bool same_name(const char *id, const char *typed, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (id[i] != (typed[i] == '-' ? '_' : typed[i])) return false;
    return id[len] == 0;
}

const char *option_label(struct arena *a, enum option_id option)
{
    char *name = arena_strdup(a, OPTIONS[option].name);
    for (char *p = name; *p; p++)
        if (*p == '_') *p = '-';
    return name;
}

static int option_by_name(const char *typed, size_t len)
{
    for (int i = 0; i < OPT_COUNT; i++)
        if (same_name(OPTIONS[i].name, typed, len)) return i;
    return -1;
}

static int option_by_letter(char letter)
{
    for (int i = 0; i < OPT_COUNT; i++)
        if (letter && OPTIONS[i].letter == letter) return i;
    return -1;
}

bool command_takes(const struct command *cmd, enum option_id option)
{
    if (option < OPT_COMMON_COUNT) return true;
    const char *name = OPTIONS[option].name, *at = cmd->options;
    size_t len = strlen(name);
    while ((at = strstr(at, name)) != NULL) {
        bool starts = at == cmd->options || at[-1] == ' ';
        if (starts && (at[len] == 0 || at[len] == ' ')) return true;
        at += len;
    }
    return false;
}

bool noun_known(const char *noun)
{
    for (int i = 0; i < COMMANDS_COUNT; i++)
        if (strcmp(COMMANDS[i].noun, noun) == 0) return true;
    return false;
}

const struct command *command_find(const char *noun, const char *verb)
{
    for (int i = 0; i < COMMANDS_COUNT; i++)
        if (strcmp(COMMANDS[i].noun, noun) == 0 && strcmp(COMMANDS[i].verb, verb) == 0) return &COMMANDS[i];
    return NULL;
}

/* Edits that turn one word into the other (Levenshtein, one row). */
static int distance(const char *x, const char *y)
{
    enum { WORD_MAX = 40 };
    size_t nx = strlen(x), ny = strlen(y);
    if (nx >= WORD_MAX || ny >= WORD_MAX) return WORD_MAX;
    int row[WORD_MAX + 1];
    for (size_t j = 0; j <= ny; j++) row[j] = (int)j;
    for (size_t i = 1; i <= nx; i++) {
        int corner = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= ny; j++) {
            int edit = corner + (x[i - 1] != y[j - 1]);
            corner = row[j];
            if (row[j] + 1 < edit) edit = row[j] + 1;
            if (row[j - 1] + 1 < edit) edit = row[j - 1] + 1;
            row[j] = edit;
        }
    }
    return row[ny];
}

const char *nearest_word(const char *typed, const char *const *words, int n)
{
    const char *best = NULL;
    int best_distance = (int)strlen(typed) / 3 + 2; /* further away is another word, not a slip */
    for (int i = 0; i < n; i++) {
        int d = distance(typed, words[i]);
        if (d < best_distance) {
            best_distance = d;
            best = words[i];
        }
    }
    return best;
}

static err_t unknown_option(struct arena *a, const char *typed, size_t len)
{
    const char *names[OPT_COUNT];
    for (int i = 0; i < OPT_COUNT; i++) names[i] = option_label(a, (enum option_id)i);
    const char *word = arena_strndup(a, typed, len), *near = nearest_word(word, names, OPT_COUNT);
    return near ? err_new(a, ERR_BAD_REQUEST, "unknown option --%s: did you mean --%s?", word, near)
                : err_new(a, ERR_BAD_REQUEST, "unknown option --%s: see bulldog help", word);
}

/* One option at argv[*i]; moves *i past a separate value. */
static err_t take_option(struct cli *c, int argc, char **argv, int *i)
{
    struct arena *a = c->arena;
    const char *word = argv[*i], *joined = NULL;
    int option;
    if (word[1] == '-') {
        const char *name = word + 2, *equals = strchr(name, '=');
        size_t len = equals ? (size_t)(equals - name) : strlen(name);
        option = option_by_name(name, len);
        if (option < 0) return unknown_option(a, name, len);
        if (equals) joined = equals + 1;
    } else {
        option = option_by_letter(word[1]);
        if (option < 0) return err_new(a, ERR_BAD_REQUEST, "unknown option -%c: see bulldog help", word[1]);
        if (word[2]) joined = word + 2;
    }
    if (OPTIONS[option].arg == NULL) {
        if (joined) return err_new(a, ERR_BAD_REQUEST, "%s takes no value", word);
        c->value[option] = "true";
    } else if (joined) {
        c->value[option] = joined;
    } else if (*i + 1 < argc) {
        c->value[option] = argv[++*i];
    } else {
        return err_new(a, ERR_BAD_REQUEST, "%s needs a value: %s", word, OPTIONS[option].arg);
    }
    return OK;
}

static err_t find_command(struct cli *c)
{
    struct arena *a = c->arena;
    if (c->args_count == 0) return err_new(a, ERR_BAD_REQUEST, "which command? See bulldog help");
    const char *noun = c->args[0], *verb = c->args_count > 1 ? c->args[1] : "";
    const char *words[256];
    int n = 0, used = 2;
    c->command = command_find(noun, verb);
    if (c->command == NULL || *verb == 0) {
        c->command = command_find(noun, "");
        used = 1;
    }
    if (c->command == NULL) {
        bool known = noun_known(noun);
        for (int i = 0; i < COMMANDS_COUNT && n < 256; i++)
            if (!known) words[n++] = COMMANDS[i].noun;
            else if (strcmp(COMMANDS[i].noun, noun) == 0) words[n++] = COMMANDS[i].verb;
        const char *near = nearest_word(known ? verb : noun, words, n);
        if (!known && near) return err_new(a, ERR_BAD_REQUEST, "unknown command %s: did you mean %s?", noun, near);
        if (!known) return err_new(a, ERR_BAD_REQUEST, "unknown command %s: see bulldog help", noun);
        if (*verb == 0) return err_new(a, ERR_BAD_REQUEST, "%s what? See bulldog help %s", noun, noun);
        if (near)
            return err_new(a, ERR_BAD_REQUEST, "unknown command %s %s: did you mean %s %s?", noun, verb, noun, near);
        return err_new(a, ERR_BAD_REQUEST, "unknown command %s %s: see bulldog help %s", noun, verb, noun);
    }
    c->args_count -= used;
    memmove(c->args, c->args + used, (size_t)c->args_count * sizeof *c->args);
    return OK;
}

/* "<needed> [optional] [rest...]" against what was typed. */
static err_t check_args(struct cli *c)
{
    struct arena *a = c->arena;
    const struct command *cmd = c->command;
    int needed = 0, most = 0;
    const char *space = *cmd->verb ? " " : "";
    for (const char *p = cmd->args; *p; p++) {
        if (*p == '<') needed++;
        if (*p == '<' || *p == '[') most++;
        if (*p == '.') most = CLI_ARGS_MAX;
    }
    if (c->args_count < needed)
        return err_new(a, ERR_BAD_REQUEST, "%s%s%s needs %s", cmd->noun, space, cmd->verb, cmd->args);
    if (c->args_count > most)
        return err_new(a, ERR_BAD_REQUEST, "%s%s%s: what is \"%s\"? See bulldog help %s%s%s", cmd->noun, space,
                       cmd->verb, c->args[most], cmd->noun, space, cmd->verb);
    for (int i = 0; i < OPT_COUNT; i++) {
        if (c->value[i] == NULL || command_takes(cmd, (enum option_id)i)) continue;
        return err_new(a, ERR_BAD_REQUEST, "%s%s%s has no option --%s: see bulldog help %s%s%s", cmd->noun, space,
                       cmd->verb, option_label(a, (enum option_id)i), cmd->noun, space, cmd->verb);
    }
    return OK;
}

err_t cli_parse(struct cli *c, int argc, char **argv)
{
    bool options_over = false;
    for (int i = 1; i < argc; i++) {
        if (!options_over && strcmp(argv[i], "--") == 0) {
            options_over = true;
        } else if (!options_over && strcmp(argv[i], "--version") == 0 && c->args_count == 0) {
            c->args[c->args_count++] = "version";
        } else if (!options_over && argv[i][0] == '-' && argv[i][1]) {
            TRY(take_option(c, argc, argv, &i));
        } else if (c->args_count < CLI_ARGS_MAX) {
            c->args[c->args_count++] = argv[i];
        } else {
            return err_new(c->arena, ERR_BAD_REQUEST, "more than %d arguments", CLI_ARGS_MAX);
        }
    }
    if (c->args_count == 0) c->args[c->args_count++] = "help"; /* alone, the command explains itself */
    if (c->value[OPT_help] && strcmp(c->args[0], "help") != 0) {
        if (c->args_count < CLI_ARGS_MAX) c->args_count++;
        memmove(c->args + 1, c->args, (size_t)(c->args_count - 1) * sizeof *c->args);
        c->args[0] = "help";
    }
    TRY(find_command(c));
    return check_args(c);
}
