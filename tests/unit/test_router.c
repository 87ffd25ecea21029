/* router: literals before parameters, with a way back. */
#include "unit.h"

#include "http/router.h"

#include <stdio.h>
#include <string.h>

static struct arena mem;
static struct router *r;

static const struct {
    const char *method, *pattern;
} routes[] = {
    {"GET", "/"},                            /* 0 */
    {"GET", "/api/companies"},               /* 1 */
    {"POST", "/api/companies"},              /* 2 */
    {"GET", "/api/companies/:id"},           /* 3 */
    {"PATCH", "/api/companies/:id"},         /* 4 */
    {"POST", "/api/companies/stats"},        /* 5 */
    {"GET", "/api/agents/me/inbox/mine"},    /* 6 */
    {"GET", "/api/agents/:id/inbox/:box"},   /* 7 */
    {"DELETE", "/api/agents/:id/keys/:key"}, /* 8 */
    {"GET", "/api/a/:1/b/:2/c/:3/d/:4"},     /* 9 */
    {"GET", "/api/agents/me/:what"},         /* 10 */
};

static int set_up(void **state)
{
    (void)state;
    r = router_new();
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        router_add(r, routes[i].method, routes[i].pattern, (int)i);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    router_free(r);
    arena_free(&mem);
    return 0;
}

static struct route_match match(const char *method, const char *path) { return router_match(r, &mem, method, path); }

static void finds_each_route(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        assert_int_equal(match(routes[i].method, routes[i].pattern).index, i);
}

static void gives_parameters_in_order(void **state)
{
    (void)state;
    struct route_match m = match("GET", "/api/a/one/b/two words/c/3/d/ü");
    assert_int_equal(m.index, 9);
    assert_int_equal(m.param_count, 4);
    assert_string_equal(m.params[0], "one");
    assert_string_equal(m.params[1], "two words");
    assert_string_equal(m.params[2], "3");
    assert_string_equal(m.params[3], "ü");
}

static void a_literal_wins_and_gives_way(void **state)
{
    (void)state;
    assert_int_equal(match("POST", "/api/companies/stats").index, 5);
    struct route_match m = match("GET", "/api/companies/stats"); /* only POST has the literal */
    assert_int_equal(m.index, 3);
    assert_string_equal(m.params[0], "stats");
    assert_int_equal(match("GET", "/api/agents/me/inbox/mine").index, 6);
    m = match("GET", "/api/agents/me/inbox/other"); /* "me" leads into a dead end */
    assert_int_equal(m.index, 7);
    assert_int_equal(m.param_count, 2);
    assert_string_equal(m.params[0], "me");
    assert_string_equal(m.params[1], "other");
    assert_int_equal(match("GET", "/api/agents/me/inbox").index, 10);
}

static void knows_paths_of_other_methods(void **state)
{
    (void)state;
    struct route_match m = match("DELETE", "/api/companies/x");
    assert_int_equal(m.index, -1);
    assert_true(m.path_known);
    assert_string_equal(router_allow(r, &mem, "/api/companies/x"), "GET, HEAD, PATCH, OPTIONS");
    assert_string_equal(router_allow(r, &mem, "/api/companies/stats"), "POST, GET, HEAD, PATCH, OPTIONS");
    assert_null(router_allow(r, &mem, "/api/nothing"));
}

static void refuses_what_is_not_there(void **state)
{
    (void)state;
    static const char *const paths[] = {"/api",
                                        "/api/companies/x/y",
                                        "/api//companies",
                                        "//api/companies",
                                        "/apiary",
                                        "/api/agents//inbox/mine",
                                        "/api/companies//",
                                        "",
                                        "/api/companiesx",
                                        "/api/agents/1/keys"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct route_match m = match("GET", paths[i]);
        if (i == 7) continue; /* the server never gives an empty path; it must only not crash */
        assert_int_equal(m.index, -1);
        assert_false(m.path_known);
    }
}

static void ignores_one_trailing_slash_and_serves_head(void **state)
{
    (void)state;
    assert_int_equal(match("GET", "/api/companies/").index, 1);
    assert_int_equal(match("GET", "/").index, 0);
    assert_int_equal(match("HEAD", "/api/companies").index, 1);
    assert_int_equal(match("HEAD", "/api/agents/x/keys/y").index, -1);
    assert_int_equal(match("get", "/api/companies").index, -1); /* methods are case-sensitive */
}

static void a_long_path_is_no_trouble(void **state)
{
    (void)state;
    static char path[100001];
    for (size_t i = 0; i + 1 < sizeof path; i++) path[i] = i % 2 ? 'a' : '/';
    assert_int_equal(match("GET", path).index, -1);
}

static void serves_a_thousand_routes(void **state)
{
    (void)state;
    static char patterns[1000][48];
    struct router *big = router_new();
    for (int i = 0; i < 1000; i++) {
        snprintf(patterns[i], sizeof patterns[i], "/api/%s/r%d/x", i % 2 ? ":id" : "fixed", i);
        router_add(big, "GET", patterns[i], i);
    }
    for (int i = 0; i < 1000; i++) {
        char path[48];
        snprintf(path, sizeof path, "/api/fixed/r%d/x", i); /* odd ones come back through the parameter */
        assert_int_equal(router_match(big, &mem, "GET", path).index, i);
    }
    router_free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_each_route),
        cmocka_unit_test(gives_parameters_in_order),
        cmocka_unit_test(a_literal_wins_and_gives_way),
        cmocka_unit_test(knows_paths_of_other_methods),
        cmocka_unit_test(refuses_what_is_not_there),
        cmocka_unit_test(ignores_one_trailing_slash_and_serves_head),
        cmocka_unit_test(a_long_path_is_no_trouble),
        cmocka_unit_test(serves_a_thousand_routes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
