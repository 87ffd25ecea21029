/* utf8: exactly the well-formed sequences, against a decoder written another way. */
#include "unit.h"

#include "base/utf8.h"

#include <string.h>

/* The bytes of a code point, by the bit layout alone. */
static size_t encode(uint32_t c, char out[4])
{
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = len; i-- > 1; c >>= 6) out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(lead[len] | c);
    return len;
}

static void accepts_every_character_and_no_surrogate(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x110000; c++) {
        char s[4];
        size_t len = encode(c, s);
        bool character = c <= 0x10ffff && !(c >= 0xd800 && c <= 0xdfff);
        assert_int_equal(utf8_char(s, len), character ? len : 0);
        if (len > 1) assert_int_equal(utf8_char(s, len - 1), 0); /* cut short */
    }
}

/* Of all pairs of bytes, just as many are UTF-8 as there are texts of that length. */
static void accepts_no_other_pair(void **state)
{
    (void)state;
    int good = 0;
    for (int x = 0; x < 0x10000; x++) good += utf8_valid((char[]){(char)(x >> 8), (char)x}, 2);
    assert_int_equal(good, 128 * 128 + (0x800 - 0x80));
}

static void refuses_longer_forms_than_needed(void **state)
{
    (void)state;
    static const char *const bad[] = {"\xc0\x80",     "\xc1\xbf",         "\xe0\x80\x80",
                                      "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf8\x88\x80\x80\x80"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(utf8_valid(bad[i], strlen(bad[i])));
}

static void judges_whole_strings(void **state)
{
    (void)state;
    assert_true(utf8_valid("", 0));
    assert_true(utf8_valid("na\xc3\xafve \xf0\x9f\x90\xb6", 11));
    assert_false(utf8_valid("na\xefve", 5));
    assert_false(utf8_valid("cut \xf0\x9f\x90", 7));
}

UNIT_MAIN(NULL, cmocka_unit_test(accepts_every_character_and_no_surrogate), cmocka_unit_test(accepts_no_other_pair),
          cmocka_unit_test(refuses_longer_forms_than_needed), cmocka_unit_test(judges_whole_strings))
