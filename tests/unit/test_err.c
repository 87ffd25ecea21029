/* err: kinds with their status, and TRY. */
#include "unit.h"

#include "base/err.h"

static struct arena arena;

static void every_kind_has_an_error_status(void **state)
{
    (void)state;
    int n = 0;
#define ERR(name, status)                                                   \
    assert_int_equal(err_status(err_new(&arena, ERR_##name, "x")), status); \
    assert_in_range(status, 400, 599);                                      \
    n++;
#include "tables/errors.def"
#undef ERR
    assert_true(n > 10);
}

static void carries_message_code_and_details(void **state)
{
    (void)state;
    err_t e = err_with(&arena, ERR_CONFLICT, "taken", "{\"by\":\"r1\"}", "held by %s since %d", "Rex", 7);
    assert_int_equal(e->kind, ERR_CONFLICT);
    assert_string_equal(e->message, "held by Rex since 7");
    assert_string_equal(e->code, "taken");
    assert_string_equal(e->details, "{\"by\":\"r1\"}");
    assert_false(e->retry);
    err_t plain = err_new(&arena, ERR_NOT_FOUND, "no %s", "dog");
    assert_null(plain->code);
    assert_null(plain->details);
}

static err_t step(err_t give, int *reached)
{
    TRY(give);
    ++*reached;
    return OK;
}

static void try_returns_the_first_error_and_goes_on_without(void **state)
{
    (void)state;
    int reached = 0;
    err_t e = err_new(&arena, ERR_FORBIDDEN, "first");
    assert_ptr_equal(step(e, &reached), e);
    assert_int_equal(reached, 0);
    assert_null(step(OK, &reached));
    assert_int_equal(reached, 1);
}

UNIT_MAIN(NULL, cmocka_unit_test(every_kind_has_an_error_status), cmocka_unit_test(carries_message_code_and_details),
          cmocka_unit_test(try_returns_the_first_error_and_goes_on_without))
