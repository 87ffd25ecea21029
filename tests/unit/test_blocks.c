/* blocks: what a thread gives back the next one gets, and little is kept when nobody works. */
#include "base/arena.h"
#include "base/blocks.h"
#include "base/buf.h"
#include "unit.h"

#include <pthread.h>
#include <stdint.h>

static void test_a_block_is_handed_on(void **state)
{
    (void)state;
    size_t n = BLOCK_MIN, hold_size = BLOCK_MIN;
    char *hold = block_take(&hold_size); /* somebody is at work: nothing goes back */
    char *a = block_take(&n);
    assert_true(n >= BLOCK_MIN);
    memset(a, 1, n);
    size_t again = BLOCK_MIN;
    block_give(a);
    char *b = block_take(&again);
    assert_ptr_equal(a, b);
    assert_int_equal(again, n);
    block_give(b);
    block_give(hold);
    block_give(NULL);
}

static void test_sizes(void **state)
{
    (void)state;
    for (size_t want = BLOCK_MIN; want < (size_t)9 << 20; want = want * 3 / 2 + 1) {
        size_t n = want;
        char *p = block_take(&n);
        assert_true(n >= want);
        assert_int_equal((uintptr_t)p % 16, 0);
        p[0] = p[n - 1] = 7;
        block_give(p);
    }
}

static void *churn(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;
    for (int i = 0; i < 300; i++) {
        struct arena a = {0};
        struct buf b = {0};
        for (int k = 0; k < 40; k++) {
            seed = seed * 1664525u + 1013904223u;
            size_t n = seed % 30000;
            char *p = arena_alloc(&a, n + 1);
            memset(p, k, n);
            buf_append(&b, p, n);
        }
        for (size_t k = 0; k < b.len; k += 4097) assert_true(b.data[k] < 40);
        buf_free(&b);
        arena_free(&a);
    }
    return NULL;
}

static void test_many_threads(void **state)
{
    pthread_t t[6];
    (void)state;
    for (uintptr_t i = 0; i < 6; i++) assert_int_equal(pthread_create(&t[i], NULL, churn, (void *)i), 0);
    for (int i = 0; i < 6; i++) pthread_join(t[i], NULL);
}

static void test_a_buffer_keeps_its_bytes_as_it_grows(void **state)
{
    (void)state;
    struct buf b = {0};
    for (int i = 0; i < 300000; i++) buf_putc(&b, (char)('a' + i % 26));
    assert_int_equal(b.len, 300000);
    for (int i = 0; i < 300000; i += 777) assert_int_equal(b.data[i], 'a' + i % 26);
    assert_int_equal(b.data[b.len], 0);
    buf_free(&b);
    assert_null(b.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_block_is_handed_on),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_many_threads),
        cmocka_unit_test(test_a_buffer_keeps_its_bytes_as_it_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
