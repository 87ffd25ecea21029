/* buf: grows, stays NUL-terminated, hands itself over. */
#include "unit.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

static void builds_a_string_piece_by_piece(void **state)
{
    (void)state;
    struct buf b BUF_AUTO = {0};
    buf_puts(&b, "one");
    buf_putc(&b, ' ');
    buf_printf(&b, "%s=%d", "two", 2);
    buf_append(&b, " three!", 6);
    assert_string_equal(b.data, "one two=2 three");
    assert_int_equal(b.len, 15);
}

static void is_terminated_after_every_write(void **state)
{
    (void)state;
    struct buf b BUF_AUTO = {0};
    for (size_t i = 1; i <= 10000; i++) {
        buf_putc(&b, 'x');
        assert_int_equal(b.len, i);
        assert_int_equal(b.data[i], 0);
        assert_true(b.cap > b.len);
    }
    buf_append(&b, "", 0);
    assert_int_equal(b.len, 10000);
}

static void carries_nul_bytes(void **state)
{
    (void)state;
    struct buf b BUF_AUTO = {0};
    buf_append(&b, "a\0b", 3);
    assert_int_equal(b.len, 3);
    assert_memory_equal(b.data, "a\0b", 4);
}

static void keeps_its_memory_when_cleared(void **state)
{
    (void)state;
    struct buf b BUF_AUTO = {0};
    buf_clear(&b); /* an empty one may be cleared */
    buf_reserve(&b, 5000);
    size_t cap = b.cap;
    buf_printf(&b, "%0*d", 4000, 1);
    buf_clear(&b);
    assert_int_equal(b.len, 0);
    assert_int_equal(b.cap, cap);
    assert_string_equal(b.data, "");
}

static void becomes_an_arena_string(void **state)
{
    (void)state;
    struct arena a ARENA_AUTO = {0};
    struct buf b = {0};
    assert_string_equal(buf_finish(&b, &a), "");
    buf_puts(&b, "kept");
    char *s = buf_finish(&b, &a);
    assert_null(b.data);
    assert_int_equal(b.len, 0);
    assert_string_equal(s, "kept");
}

UNIT_MAIN(NULL, cmocka_unit_test(builds_a_string_piece_by_piece), cmocka_unit_test(is_terminated_after_every_write),
          cmocka_unit_test(carries_nul_bytes), cmocka_unit_test(keeps_its_memory_when_cleared),
          cmocka_unit_test(becomes_an_arena_string))
