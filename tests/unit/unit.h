/*
 * unit: what every cmocka test file includes. cmocka.h wants four standard
 * headers before it; UNIT_MAIN gives the file its main().
 */
#ifndef BULLDOG_TESTS_UNIT_H
#define BULLDOG_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* UNIT_MAIN(setup, cmocka_unit_test(f), …): run these tests; setup may be NULL. */
#define UNIT_MAIN(setup, ...)                                \
    int main(void)                                           \
    {                                                        \
        const struct CMUnitTest tests[] = {__VA_ARGS__};     \
        return cmocka_run_group_tests(tests, (setup), NULL); \
    }

#endif
