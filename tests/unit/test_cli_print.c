/* What commands show: cells, lines for scripts, tables for people. */
#include "unit.h"

#include "base/json.h"
#include "cli/print.h"

#include <string.h>

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    json_setup();
    json_arena(&arena);
    return 0;
}

static json_t *read_json(const char *text)
{
    json_t *j = NULL;
    assert_null(json_parse(&arena, text, strlen(text), &j));
    return j;
}

static const char *cell(const char *json, size_t max) { return print_cell(&arena, read_json(json), max); }

static void test_cells(void **state)
{
    (void)state;
    assert_string_equal(cell("null", 90), "-");
    assert_string_equal(cell("\"\"", 90), "-");
    assert_string_equal(cell("12", 90), "12");
    assert_string_equal(cell("true", 90), "true");
    assert_string_equal(cell("\"  a \\n\\t b  \"", 90), "a b");
    assert_string_equal(cell("\"0123456789\"", 10), "0123456789");
    assert_string_equal(cell("\"0123456789x\"", 10), "0123456...");
    assert_string_equal(cell("\"ääääääääääää\"", 10), "äääääää..."); /* characters, not bytes */
    assert_string_equal(cell("\"a\\u001b[31mb\"", 90), "a [31mb");   /* no escape sequence gets through */
}

static void test_lines(void **state)
{
    (void)state;
    struct buf out BUF_AUTO = {0};
    print_lines(&out, &arena, read_json("[]"));
    assert_string_equal(out.data, "(empty)\n");
    buf_clear(&out);
    print_lines(
        &out, &arena,
        read_json(
            "[{\"zeta\":1,\"title\":\"T t\",\"nested\":{\"a\":1},\"id\":\"i\",\"identifier\":\"A-1\",\"none\":null},"
            "{\"id\":\"j\"}]"));
    assert_string_equal(out.data, "identifier=A-1 id=i title=T t zeta=1 none=-\nid=j\n");
}

static void test_table(void **state)
{
    (void)state;
    struct buf out BUF_AUTO = {0};
    json_t *names = read_json("{\"a1\":\"Ada\"}");
    json_t *list = read_json("[{\"id\":\"A-1\",\"status\":\"done\",\"who\":\"a1\",\"at\":\"2026-01-01T00:00:00.000Z\"},"
                             "{\"id\":\"A-22\",\"status\":\"todo\",\"who\":null,\"at\":null}]");
    instant_t now;
    assert_true(instant_parse("2026-01-01T00:03:10.000Z", &now));
    print_table(&out, &arena, list, "id *status @who=AGENT ~at=WHEN", names, now, 80, false);
    assert_string_equal(out.data, "ID    STATUS  AGENT  WHEN\n"
                                  "A-1   done    Ada    3m ago\n"
                                  "A-22  todo    -      -\n");
    buf_clear(&out);
    print_table(&out, &arena, list, "id *status", names, now, 80, true);
    assert_non_null(strstr(out.data, "\x1b[32mdone"));
}

static void test_table_fits(void **state)
{
    (void)state;
    struct buf out BUF_AUTO = {0};
    json_t *list =
        read_json("[{\"id\":\"A-1\",\"title\":\"a title that goes on and on and on for a long, long time\"}]");
    print_table(&out, &arena, list, "id title", NULL, 0, 30, false);
    for (char *save = NULL, *line = strtok_r(out.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        assert_true(print_width(line) <= 30);
}

static void test_times(void **state)
{
    (void)state;
    assert_string_equal(print_age(&arena, 1000, 1000), "now");
    assert_string_equal(print_age(&arena, 0, 59 * SECOND_MS), "59s ago");
    assert_string_equal(print_age(&arena, 0, 25 * HOUR_MS), "1d ago");
    assert_string_equal(print_age(&arena, 2 * HOUR_MS, 0), "in 2h");
    assert_string_equal(print_age(&arena, INSTANT_NONE, 0), "-");
    assert_string_equal(print_duration(&arena, 421), "0.42 s");
    assert_string_equal(print_duration(&arena, 12340), "12.3 s");
    assert_string_equal(print_duration(&arena, 185 * SECOND_MS), "3 min 05 s");
    assert_string_equal(print_duration(&arena, 90 * MINUTE_MS), "1 h 30 min");
    assert_string_equal(print_duration(&arena, -5), "0.00 s");
}

static void test_width(void **state)
{
    (void)state;
    assert_int_equal(print_width("\x1b[31mäb\x1b[0m"), 2);
    assert_int_equal(print_width(""), 0);
}

UNIT_MAIN(setup, cmocka_unit_test(test_cells), cmocka_unit_test(test_lines), cmocka_unit_test(test_table),
          cmocka_unit_test(test_table_fits), cmocka_unit_test(test_times), cmocka_unit_test(test_width))
