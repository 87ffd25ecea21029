/* Arguments of the command: what is understood, and what is said when not. */
#include "unit.h"

#include "base/json.h"
#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGV_MAX = 16 };
static struct arena arena;

/* Parses a line of words; the error's message or NULL. */
static const char *parse(struct cli *c, const char *line)
{
    char *argv[ARGV_MAX], *save = NULL;
    int argc = 0;
    *c = (struct cli){.arena = &arena};
    argv[argc++] = arena_strdup(c->arena, "bulldog");
    for (char *w = strtok_r(arena_strdup(c->arena, line), " ", &save); w; w = strtok_r(NULL, " ", &save)) {
        assert_true(argc < ARGV_MAX);
        argv[argc++] = w;
    }
    err_t e = cli_parse(c, argc, argv);
    return e ? e->message : NULL;
}

static void expect_error(const char *line, const char *part)
{
    struct cli c;
    const char *message = parse(&c, line);
    if (message == NULL || strstr(message, part) == NULL) fail_msg("%s: said \"%s\", not \"%s\"", line, message, part);
    arena_free(&arena);
}

static void test_options_anywhere(void **state)
{
    (void)state;
    struct cli c;
    assert_null(parse(&c, "--json issue -CACM list --status=todo,blocked --limit 5"));
    assert_string_equal(c.command->noun, "issue");
    assert_string_equal(c.command->verb, "list");
    assert_string_equal(c.value[OPT_json], "true");
    assert_string_equal(c.value[OPT_company_id], "ACM");
    assert_string_equal(c.value[OPT_status], "todo,blocked");
    assert_string_equal(c.value[OPT_limit], "5");
    assert_int_equal(c.args_count, 0);
    arena_free(&arena);
}

static void test_arguments(void **state)
{
    (void)state;
    struct cli c;
    assert_null(parse(&c, "issue comment ACM-1 -- --not-an-option"));
    assert_int_equal(c.args_count, 2);
    assert_string_equal(c.args[0], "ACM-1");
    assert_string_equal(c.args[1], "--not-an-option");
    arena_free(&arena);
    assert_null(parse(&c, "issue comment ACM-1 -"));
    assert_string_equal(c.args[1], "-");
    arena_free(&arena);
    /* a noun that has both a form of its own and verbs */
    assert_null(parse(&c, "dashboard"));
    assert_string_equal(c.command->verb, "");
    arena_free(&arena);
    assert_null(parse(&c, "dashboard get"));
    assert_string_equal(c.command->verb, "get");
    arena_free(&arena);
}

static void test_help_wins(void **state)
{
    (void)state;
    static const char *const lines[] = {"", "--help", "-h", "issue list --help", "run log -h", "issue --help"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct cli c;
        assert_null(parse(&c, lines[i]));
        assert_string_equal(c.command->noun, "help");
        arena_free(&arena);
    }
    struct cli c;
    assert_null(parse(&c, "--version"));
    assert_string_equal(c.command->noun, "version");
    arena_free(&arena);
}

static void test_errors_hint(void **state)
{
    (void)state;
    expect_error("isue list", "did you mean issue?");
    expect_error("issue lst", "did you mean issue list?");
    expect_error("issue", "issue what?");
    expect_error("xyzzyplugh", "see bulldog help");
    expect_error("issue list --sttus todo", "did you mean --status?");
    expect_error("issue list --follow", "issue list has no option --follow");
    expect_error("issue get", "needs <issue>");
    expect_error("issue get A-1 B-2", "what is \"B-2\"?");
    expect_error("issue list --status", "--status needs a value");
    expect_error("issue list --json=yes", "takes no value");
    expect_error("issue list -Z", "unknown option -Z");
    expect_error("company create --payload_json", "needs a value"); /* either spelling of a name */
}

static void test_tables_hold_together(void **state)
{
    (void)state;
    for (int i = 0; i < COMMANDS_COUNT; i++) {
        const struct command *cmd = &COMMANDS[i];
        assert_ptr_equal(command_find(cmd->noun, cmd->verb), cmd); /* no row twice */
        char word[64], text[512];
        assert_true(strlen(cmd->options) < sizeof text);
        strcpy(text, cmd->options);
        char *save = NULL;
        for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
            bool known = false;
            for (int o = OPT_COMMON_COUNT; o < OPT_COUNT; o++) known = known || strcmp(OPTIONS[o].name, w) == 0;
            if (!known) fail_msg("%s %s names an unknown option %s", cmd->noun, cmd->verb, w);
        }
        /* every place of the path has an argument */
        int places = 0, args = 0;
        for (const char *p = cmd->path ? cmd->path : ""; *p; p++)
            if (*p == '{' && sscanf(p, "{%63[^}]", word) == 1 && strcmp(word, "C") != 0) places++;
        for (const char *p = cmd->args; *p; p++) args += *p == '<' || *p == '[';
        assert_true(args >= places);
    }
}

/* Is "/api/x/{id}" the route "/api/x/:id"? */
static bool same_path(const char *place, const char *route)
{
    while (*place && *route) {
        if (*place == '{' && *route == ':') {
            place += strcspn(place, "/");
            route += strcspn(route, "/");
        } else if (*place++ != *route++) {
            return false;
        }
    }
    return *place == *route;
}

static void test_every_command_has_its_route(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path;
    } routes[] = {
#define ROUTE(method, path, ...) {#method, path},
#include "tables/routes.def"
#undef ROUTE
    };
    for (int i = 0; i < COMMANDS_COUNT; i++) {
        const struct command *cmd = &COMMANDS[i];
        bool found = cmd->path == NULL;
        for (size_t r = 0; r < sizeof routes / sizeof *routes; r++)
            found = found || (strcmp(routes[r].method, cmd->method) == 0 && same_path(cmd->path, routes[r].path));
        if (!found)
            fail_msg("%s %s calls %s %s, which the server does not have", cmd->noun, cmd->verb, cmd->method, cmd->path);
    }
}

static void test_nearest(void **state)
{
    (void)state;
    static const char *const words[] = {"list", "get", "create"};
    assert_string_equal(nearest_word("lst", words, 3), "list");
    assert_string_equal(nearest_word("craete", words, 3), "create");
    assert_null(nearest_word("terminate", words, 3));
}

static void test_exit_codes(void **state)
{
    (void)state;
    unsetenv("PAPERCLIP_CLI_EXIT_CODES");
    assert_int_equal(cli_exit_code(END_OK), 0);
    assert_int_equal(cli_exit_code(END_UNREACHABLE), 1);
    setenv("PAPERCLIP_CLI_EXIT_CODES", "v2", 1);
    assert_int_equal(cli_exit_code(END_OK), 0);
    assert_int_equal(cli_exit_code(END_USAGE), 2);
    assert_int_equal(cli_exit_code(END_DENIED), 3);
    assert_int_equal(cli_exit_code(END_NOT_FOUND), 4);
    assert_int_equal(cli_exit_code(END_CONFLICT), 5);
    assert_int_equal(cli_exit_code(END_UNREACHABLE), 6);
}

UNIT_MAIN(NULL, cmocka_unit_test(test_options_anywhere), cmocka_unit_test(test_arguments),
          cmocka_unit_test(test_help_wins), cmocka_unit_test(test_errors_hint),
          cmocka_unit_test(test_tables_hold_together), cmocka_unit_test(test_every_command_has_its_route),
          cmocka_unit_test(test_nearest), cmocka_unit_test(test_exit_codes))
