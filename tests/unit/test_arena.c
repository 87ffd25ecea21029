/* arena: zeroed, aligned, never moved, reusable. */
#include "unit.h"

#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static void gives_zeroed_aligned_memory(void **state)
{
    (void)state;
    struct arena a ARENA_AUTO = {0};
    for (size_t size = 0; size < 3000; size += 7) {
        unsigned char *p = arena_alloc(&a, size);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < size; i++) assert_int_equal(p[i], 0);
        memset(p, 0xff, size); /* the next one must not see this */
    }
}

static void keeps_what_it_handed_out(void **state)
{
    (void)state;
    struct arena a ARENA_AUTO = {0};
    enum { N = 5000 };
    char **s = arena_array(&a, char *, N);
    for (int i = 0; i < N; i++) s[i] = arena_printf(&a, "string %d of many", i);
    for (int i = 0; i < N; i++) {
        char want[40];
        snprintf(want, sizeof want, "string %d of many", i);
        assert_string_equal(s[i], want);
    }
}

static void serves_more_than_a_chunk_at_once(void **state)
{
    (void)state;
    struct arena a ARENA_AUTO = {0};
    char *small = arena_strdup(&a, "small");
    size_t big = (size_t)5 << 20;
    char *p = arena_alloc(&a, big);
    p[0] = p[big - 1] = 'x';
    assert_string_equal(small, "small");
    assert_true(a.total_bytes >= big);
}

static void forgets_on_reset_and_zeroes_again(void **state)
{
    (void)state;
    struct arena a ARENA_AUTO = {0};
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 100; i++) {
            char *p = arena_alloc(&a, 1000);
            for (int k = 0; k < 1000; k++) assert_int_equal(p[k], 0);
            memset(p, 'x', 1000);
        }
        arena_reset(&a);
        assert_int_equal(a.total_bytes, 0);
    }
    arena_free(&a);
    arena_free(&a); /* twice is once */
    arena_reset(&a);
}

static void copies_strings(void **state)
{
    (void)state;
    struct arena a ARENA_AUTO = {0};
    char src[] = "hello";
    char *copy = arena_strdup(&a, src);
    char *part = arena_strndup(&a, src, 2);
    char *bytes = arena_memdup(&a, "a\0b", 3);
    src[0] = 'j';
    assert_string_equal(copy, "hello");
    assert_string_equal(part, "he");
    assert_memory_equal(bytes, "a\0b", 3);
    assert_null(arena_strdup(&a, NULL));
    assert_null(arena_strndup(&a, NULL, 3));
}

static void prints_texts_of_any_length(void **state)
{
    (void)state;
    struct arena a ARENA_AUTO = {0};
    assert_string_equal(arena_printf(&a, "%s-%d", "x", 7), "x-7");
    assert_string_equal(arena_printf(&a, "%s", ""), "");
    char *wide = arena_printf(&a, "%0*d", 10000, 5);
    assert_int_equal(strlen(wide), 10000);
    assert_int_equal(wide[9999], '5');
}

UNIT_MAIN(NULL, cmocka_unit_test(gives_zeroed_aligned_memory), cmocka_unit_test(keeps_what_it_handed_out),
          cmocka_unit_test(serves_more_than_a_chunk_at_once), cmocka_unit_test(forgets_on_reset_and_zeroes_again),
          cmocka_unit_test(copies_strings), cmocka_unit_test(prints_texts_of_any_length))
