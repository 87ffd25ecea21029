/* json: what the reader refuses, and that the writer says what jansson reads. */
#include "unit.h"

#include "base/json.h"

#include <float.h>
#include <math.h>
#include <string.h>

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    json_setup();
    json_arena(&arena);
    return 0;
}

static json_t *read_ok(const char *text)
{
    json_t *j = NULL;
    err_t e = json_parse(&arena, text, strlen(text), &j);
    if (e) print_error("%s: %s\n", text, e->message);
    assert_null(e);
    return j;
}

static void refuse(const char *text, size_t len)
{
    json_t *j = (json_t *)&arena;
    err_t e = json_parse(&arena, text, len, &j);
    if (e == OK) {
        fail_msg("accepted: %.60s", text);
        return;
    }
    assert_null(j);
    assert_int_equal(err_status(e), 400);
    assert_non_null(strstr(e->message, "Invalid JSON"));
}

static void refuse_text(const char *text) { refuse(text, strlen(text)); }

static void reads_values_of_every_kind(void **state)
{
    (void)state;
    json_t *j = read_ok("{\"s\":\"x\",\"i\":-7,\"r\":2.75,\"t\":true,\"f\":false,\"n\":null,\"a\":[1,[2]]}");
    assert_string_equal(json_str(j, "s"), "x");
    assert_int_equal(json_int(j, "i", 0), -7);
    assert_int_equal(json_int(j, "r", 0), 2);
    assert_true(json_bool(j, "t", false));
    assert_false(json_bool(j, "f", true));
    assert_true(json_is_null(json_object_get(j, "n")));
    assert_int_equal(json_array_size(json_object_get(j, "a")), 2);
    assert_true(json_is_string(read_ok("\"alone\"")));
}

static void accessors_forgive_wrong_types(void **state)
{
    (void)state;
    json_t *j = read_ok("{\"s\":1,\"i\":\"1\",\"b\":0}");
    assert_null(json_str(j, "s"));
    assert_null(json_str(j, "absent"));
    assert_null(json_str(NULL, "s"));
    assert_int_equal(json_int(j, "i", 42), 42);
    assert_true(json_bool(j, "b", true));
    assert_false(json_bool(read_ok("[]"), "b", false));
}

static void refuses_broken_text(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "}",
        "[1,]",
        "{\"a\":}",
        "{\"a\" 1}",
        "{a:1}",
        "'a'",
        "nul",
        "01",
        "1.",
        ".5",
        "+1",
        "NaN",
        "\"open",
        "\"\\x\"",
        "\"\\u12\"",
        "[1] 2",
        "\"tab\there\"",
        "// c\n1",
        "1e999",
        "99999999999999999999",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) refuse_text(bad[i]);
}

static void refuses_bytes_that_are_no_utf8(void **state)
{
    (void)state;
    static const char *const bad[] = {"\"\xff\"", "\"\xc3\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"",
                                      "\"\xf5\x80\x80\x80\""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) refuse_text(bad[i]);
    refuse_text("\"\\ud800\""); /* half of a pair */
    assert_string_equal(json_string_value(read_ok("\"\\ud83d\\udc36 \\u00e9\"")), "\xf0\x9f\x90\xb6 \xc3\xa9");
}

static void refuses_nul_everywhere(void **state)
{
    (void)state;
    refuse("\"a\0b\"", 5);
    refuse("{}\0", 3);
    refuse_text("\"a\\u0000b\""); /* our strings end at NUL: nothing may hide behind one */
    refuse_text("{\"a\\u0000b\":1}");
}

static void refuses_a_key_given_twice(void **state)
{
    (void)state;
    refuse_text("{\"a\":1,\"a\":2}");
    refuse_text("{\"x\":{\"b\":1,\"c\":2,\"b\":3}}");
}

static void bounds_the_depth(void **state)
{
    (void)state;
    char text[4 * JSON_DEPTH_MAX + 8]; /* '[' for every level, then ']' */
    char *middle = text + JSON_DEPTH_MAX;
    memset(text, '[', JSON_DEPTH_MAX);
    memset(middle, ']', JSON_DEPTH_MAX);
    middle[JSON_DEPTH_MAX] = 0;
    json_t *j = read_ok(text);
    assert_string_equal(json_text(&arena, j), text); /* the writer goes as deep */
    memset(text, '[', JSON_DEPTH_MAX + 1);
    memset(middle + 1, ']', JSON_DEPTH_MAX + 1);
    refuse(text, (size_t)2 * (JSON_DEPTH_MAX + 1));
    size_t many = 1000000; /* no stack is harmed */
    char *deep = arena_alloc(&arena, many);
    memset(deep, '[', many);
    refuse(deep, many);
    read_ok("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[ \\\" [\"");
}

static void our_own_columns_never_fail(void **state)
{
    (void)state;
    assert_true(json_is_null(json_read(NULL)));
    assert_true(json_is_null(json_read("{broken")));
    assert_int_equal(json_int(json_read("{\"a\":5}"), "a", 0), 5);
}

/* Given some JSON text, then reading, writing and reading again changes nothing. */
static void writer_and_jansson_agree(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}",
        "[]",
        "null",
        "true",
        "\"\"",
        "-0",
        "0.1",
        "1e-7",
        "1.7976931348623157e308",
        "5e-324",
        "-9223372036854775808",
        "9223372036854775807",
        "[[],{},[{}],[[1,2],[3]]]",
        "{\"a\":{\"b\":[1,null,{\"c\":\"d\"}]},\"e\":[]}",
        "\"quote \\\" back \\\\ slash \\/ nl \\n cr \\r tab \\t bell \\u0007 del \\u007f e\xcc\x81 \xf0\x9f\x90\xb6\"",
        "{\"key with \\\"quotes\\\" and \\n\":1,\"\":2}",
        "[3.141592653589793,0.30000000000000004,1e21]",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        json_t *j = read_ok(texts[i]);
        const char *written = json_text(&arena, j);
        json_t *again = read_ok(written);
        if (json_is_number(j)) assert_true(json_number_value(j) == json_number_value(again));
        else if (!json_equal(j, again)) fail_msg("%s became %s", texts[i], written);
        assert_string_equal(json_text(&arena, again), written);
    }
}

static void writes_every_control_character_escaped(void **state)
{
    (void)state;
    char all[128];
    for (int i = 1; i < 128; i++) all[i - 1] = (char)i;
    all[127] = 0;
    struct buf b BUF_AUTO = {0};
    struct jw w;
    jw_init(&w, &b);
    jw_str(&w, all);
    for (size_t i = 0; i < b.len; i++) assert_true((unsigned char)b.data[i] >= 0x20);
    assert_string_equal(json_string_value(read_ok(b.data)), all);
}

static void replaces_bytes_that_are_no_utf8(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"a\xff\"b", "a\xef\xbf\xbd\"b"},
        {"cut \xf0\x9f", "cut \xef\xbf\xbd\xef\xbf\xbd"},
        {"whole \xf0\x9f\x90\xb6", "whole \xf0\x9f\x90\xb6"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b BUF_AUTO = {0};
        struct jw w;
        jw_init(&w, &b);
        jw_str(&w, cases[i][0]);
        assert_string_equal(json_string_value(read_ok(b.data)), cases[i][1]);
    }
}

static void writes_commas_and_nesting(void **state)
{
    (void)state;
    struct buf b BUF_AUTO = {0};
    struct jw w;
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kstr(&w, "s", "x");
    jw_kstr(&w, "none", NULL);
    jw_kint(&w, "i", INT64_MIN);
    jw_kbool(&w, "b", true);
    jw_knull(&w, "n");
    jw_ktime(&w, "t", 0);
    jw_ktime(&w, "never", INSTANT_NONE);
    jw_kraw(&w, "raw", "[1]");
    jw_kraw(&w, "noraw", NULL);
    jw_kobj(&w, "o");
    jw_obj_end(&w);
    jw_karr(&w, "a");
    jw_arr(&w);
    jw_arr_end(&w);
    jw_int(&w, 1);
    jw_strn(&w, "abc", 2);
    jw_json(&w, NULL);
    jw_arr_end(&w);
    jw_obj_end(&w);
    assert_string_equal(b.data, "{\"s\":\"x\",\"none\":null,\"i\":-9223372036854775808,\"b\":true,\"n\":null,"
                                "\"t\":\"1970-01-01T00:00:00.000Z\",\"never\":null,\"raw\":[1],\"noraw\":null,\"o\":{},"
                                "\"a\":[[],1,\"ab\",null]}");
}

static void writes_numbers_that_read_back_equal(void **state)
{
    (void)state;
    static const double v[] = {0, 1, -1.5, 0.1, 1.0 / 3, 2.5e-308, DBL_MAX, DBL_MIN, 123456789.125, 100000.0, 1e22};
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        struct buf b BUF_AUTO = {0};
        struct jw w;
        jw_init(&w, &b);
        jw_real(&w, v[i]);
        assert_true(json_number_value(read_ok(b.data)) == v[i]);
    }
    static const double odd[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 3; i++) { /* JSON has no word for these */
        struct buf b BUF_AUTO = {0};
        struct jw w;
        jw_init(&w, &b);
        jw_real(&w, odd[i]);
        assert_string_equal(b.data, "null");
    }
}

UNIT_MAIN(setup, cmocka_unit_test(reads_values_of_every_kind), cmocka_unit_test(accessors_forgive_wrong_types),
          cmocka_unit_test(refuses_broken_text), cmocka_unit_test(refuses_bytes_that_are_no_utf8),
          cmocka_unit_test(refuses_nul_everywhere), cmocka_unit_test(refuses_a_key_given_twice),
          cmocka_unit_test(bounds_the_depth), cmocka_unit_test(our_own_columns_never_fail),
          cmocka_unit_test(writer_and_jansson_agree), cmocka_unit_test(writes_every_control_character_escaped),
          cmocka_unit_test(replaces_bytes_that_are_no_utf8), cmocka_unit_test(writes_commas_and_nesting),
          cmocka_unit_test(writes_numbers_that_read_back_equal))
