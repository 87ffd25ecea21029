/* redact: what must not be stored or shown is gone, and what looks like it stays. */
#include "unit.h"

#include "rules/redact.h"

#include <string.h>

#define JWT "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"

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
    assert_null(json_parse(&arena, text, strlen(text), &j));
    return j;
}

static void tells_sensitive_names(void **state)
{
    (void)state;
    static const char *const yes[] = {
        "apiKey",           "API_KEY",     "x-api-key",     "OPENAI_API_KEY", "token",
        "GITHUB_TOKEN",     "accessToken", "Authorization", "clientSecret",   "passwd",
        "DB_PASSWORD",      "credentials", "jwt",           "private-key",    "Set-Cookie",
        "connectionString", "auth",        "loginUrl",      "browser_code",
    };
    static const char *const no[] = {"author", "authorId", "name", "keyboard", "title", "authorizationReason",
                                     "path",   ""};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (!redact_is_sensitive(yes[i])) fail_msg("not seen as sensitive: %s", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (redact_is_sensitive(no[i])) fail_msg("seen as sensitive: %s", no[i]);
}

static void masks_text(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"plain words", "plain words"},
        {"", ""},
        {"curl -H 'Authorization: Bearer abc.def-123'", "curl -H 'Authorization: Bearer " REDACTED "'"},
        {"run with " JWT " now", "run with " REDACTED " now"},
        {"ghp_0123456789abcdefghij", REDACTED},
        {"sk-short", "sk-short"},
        {"API_KEY=hunter2 next", "API_KEY=" REDACTED " next"},
        {"PASSWORD=\"two words\" next", "PASSWORD=\"" REDACTED "\" next"},
        {"{\"token\":\"abc\",\"name\":\"Rex\"}", "{\"token\":\"" REDACTED "\",\"name\":\"Rex\"}"},
        {"{\"secret\": \"a\\\"b\"}", "{\"secret\": \"" REDACTED "\"}"},
        {"?token=abc&page=2", "?token=" REDACTED "&page=2"},
        {"author=Rex", "author=Rex"},
        {"TOKEN= empty", "TOKEN= empty"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(redact_text(&arena, cases[i][0]), cases[i][1]);
    assert_null(redact_text(&arena, NULL));
}

static void masks_json_and_keeps_the_rest(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{\"name\":\"Rex\",\"apiKey\":\"abc\"}", "{\"name\":\"Rex\",\"apiKey\":\"" REDACTED "\"}"},
        {"{\"env\":{\"TOKEN\":{\"type\":\"plain\",\"value\":\"abc\"}}}",
         "{\"env\":{\"TOKEN\":{\"type\":\"plain\",\"value\":\"" REDACTED "\"}}}"},
        {"{\"TOKEN\":{\"type\":\"secret_ref\",\"secretId\":\"s1\"}}",
         "{\"TOKEN\":{\"type\":\"secret_ref\",\"secretId\":\"s1\"}}"},
        {"{\"password\":null,\"password2\":{\"deep\":[1]}}", "{\"password\":null,\"password2\":\"" REDACTED "\"}"},
        {"[\"" JWT "\",\"plain\",7,true,null]", "[\"" REDACTED "\",\"plain\",7,true,null]"},
        {"{\"command\":\"run --x TOKEN=abc\"}", "{\"command\":\"run --x TOKEN=" REDACTED "\"}"},
        {"{\"commandArgs\":[\"--api-key\",\"abc\",\"--name\",\"Rex\",\"TOKEN=x\"]}",
         "{\"commandArgs\":[\"--api-key\",\"" REDACTED "\",\"--name\",\"Rex\",\"TOKEN=" REDACTED "\"]}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(json_text(&arena, redact_json(&arena, read_ok(cases[i][0]))), cases[i][1]);
}

static void finds_a_marker_sent_back(void **state)
{
    (void)state;
    assert_null(redact_find_marker(read_ok("{\"apiKey\":\"abc\",\"note\":\"" REDACTED "\"}")));
    assert_string_equal(redact_find_marker(read_ok("{\"a\":[{\"API_KEY\":\"" REDACTED "\"}]}")), "API_KEY");
    assert_string_equal(
        redact_find_marker(read_ok("{\"env\":{\"TOKEN\":{\"type\":\"plain\",\"value\":\"" REDACTED "\"}}}")), "TOKEN");
}

UNIT_MAIN(setup, cmocka_unit_test(tells_sensitive_names), cmocka_unit_test(masks_text),
          cmocka_unit_test(masks_json_and_keeps_the_rest), cmocka_unit_test(finds_a_marker_sent_back))
