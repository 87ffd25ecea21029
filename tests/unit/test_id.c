/* id: UUIDv7 that sort by birth, whatever the clock and the threads do. */
#include "unit.h"

#include "base/clock.h"
#include "base/id.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void is_a_version_7_uuid_of_now(void **state)
{
    (void)state;
    struct arena a ARENA_AUTO = {0};
    instant_t before = clock_now();
    const char *id = id_new(&a);
    instant_t after = clock_now();
    assert_true(id_valid(id));
    assert_int_equal(id[14], '7');
    assert_non_null(strchr("89ab", id[19]));
    instant_t stamp = (instant_t)(strtoull(id, NULL, 16) << 16 | strtoull(id + 9, NULL, 16));
    assert_in_range(stamp, before, after + 1);
}

static instant_t fake_now = 1000000;
static instant_t fake_clock(void) { return fake_now; }

static void keeps_rising_when_the_clock_stands_or_steps_back(void **state)
{
    (void)state;
    struct arena a ARENA_AUTO = {0};
    fake_now = clock_now() + 10000;
    clock_set_source(fake_clock);
    const char *last = id_new(&a);
    for (int i = 0; i < 20000; i++) { /* more than the 4096 that one millisecond holds */
        if (i == 10000) fake_now -= 60000;
        const char *next = id_new(&a);
        assert_true(strcmp(last, next) < 0);
        last = next;
    }
    clock_set_source(NULL);
}

enum { THREADS = 4, PER_THREAD = 20000 };

static void *make_ids(void *arg)
{
    char(*out)[37] = arg;
    struct arena a ARENA_AUTO = {0};
    for (int i = 0; i < PER_THREAD; i++) {
        memcpy(out[i], id_new(&a), 37);
        if (i % 1000 == 999) arena_reset(&a);
    }
    return NULL;
}

static int by_text(const void *x, const void *y) { return strcmp(x, y); }

static void is_unique_across_threads(void **state)
{
    (void)state;
    struct arena a ARENA_AUTO = {0};
    char(*ids)[37] = arena_alloc(&a, (size_t)37 * THREADS * PER_THREAD);
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, make_ids, ids + (ptrdiff_t)i * PER_THREAD), 0);
    for (int i = 0; i < THREADS; i++) pthread_join(t[i], NULL);
    for (int i = 0; i < THREADS * PER_THREAD; i++)
        if (i % PER_THREAD != 0) assert_true(strcmp(ids[i - 1], ids[i]) < 0);
    qsort(ids, (size_t)THREADS * PER_THREAD, 37, by_text);
    for (int i = 1; i < THREADS * PER_THREAD; i++) assert_string_not_equal(ids[i - 1], ids[i]);
}

static void tells_uuids_from_others(void **state)
{
    (void)state;
    assert_true(id_valid("0192f0c1-2345-7abc-8def-0123456789ab"));
    assert_true(id_valid("0192F0C1-2345-4ABC-8DEF-0123456789AB"));
    static const char *const bad[] = {
        "",
        "abc",
        "0192f0c1-2345-7abc-8def-0123456789a",
        "0192f0c1-2345-7abc-8def-0123456789abc",
        "0192f0c1x2345-7abc-8def-0123456789ab",
        "0192f0c1-2345-7abc-8def-0123456789ag",
        "0192f0c123457abc8def0123456789ab",
        "-192f0c1-2345-7abc-8def-0123456789ab",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(id_valid(bad[i]));
    assert_false(id_valid(NULL));
}

static void all_sevens(void *p, size_t n) { memset(p, 0x77, n); }

static void takes_another_random_source(void **state)
{
    (void)state;
    struct arena a ARENA_AUTO = {0};
    random_set_source(all_sevens);
    assert_string_equal(random_hex(&a, 4), "77777777");
    random_set_source(NULL);
    const char *x = random_hex(&a, 32);
    assert_int_equal(strlen(x), 64);
    assert_int_equal(strspn(x, "0123456789abcdef"), 64);
    assert_string_not_equal(x, random_hex(&a, 32));
}

static void hashes_with_sha_256(void **state)
{
    (void)state;
    struct arena a ARENA_AUTO = {0};
    assert_string_equal(sha256_hex(&a, "abc", 3), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_string_equal(sha256_hex(&a, "", 0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

UNIT_MAIN(NULL, cmocka_unit_test(is_a_version_7_uuid_of_now),
          cmocka_unit_test(keeps_rising_when_the_clock_stands_or_steps_back),
          cmocka_unit_test(is_unique_across_threads), cmocka_unit_test(tells_uuids_from_others),
          cmocka_unit_test(takes_another_random_source), cmocka_unit_test(hashes_with_sha_256))
