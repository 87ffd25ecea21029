/* The embedded board: every file is found and its packed form is the same file. */
#include "http/assets.h"
#include "unit.h"

#include <string.h>
#include <zlib.h>

static void every_file_is_found_by_its_path(void **state)
{
    (void)state;
    assert_true(ASSETS_COUNT >= 4); /* page, script, theme script, style */
    for (size_t i = 0; i < ASSETS_COUNT; i++) assert_ptr_equal(asset_find(ASSETS[i].path), &ASSETS[i]);
    assert_null(asset_find("/"));
    assert_null(asset_find("/assets/"));
    assert_null(asset_find("/zzz"));
}

static void only_hashed_names_are_immutable(void **state)
{
    (void)state;
    const struct asset *page = asset_find("/index.html");
    assert_non_null(page);
    assert_false(page->immutable);
    assert_string_equal(page->content_type, "text/html; charset=utf-8");
    for (size_t i = 0; i < ASSETS_COUNT; i++) {
        assert_int_equal(ASSETS[i].immutable, strncmp(ASSETS[i].path, "/assets/", 8) == 0);
        assert_int_equal(ASSETS[i].etag[0], '"');
    }
}

/* The page asks for nothing that is not there. */
static void the_page_names_files_that_exist(void **state)
{
    (void)state;
    const struct asset *page = asset_find("/index.html");
    char html[8192];
    assert_true(page->raw_len < sizeof html);
    memcpy(html, page->raw, page->raw_len);
    html[page->raw_len] = '\0';
    size_t named = 0;
    for (char *at = html; (at = strstr(at, "\"/assets/")) != NULL; named++) {
        char path[256];
        size_t len = strcspn(++at, "\"");
        assert_true(len < sizeof path);
        memcpy(path, at, len);
        path[len] = '\0';
        assert_non_null(asset_find(path));
    }
    assert_true(named >= 4);
}

static void the_packed_form_is_the_same_file(void **state)
{
    (void)state;
    static unsigned char unpacked[1 << 20];
    for (size_t i = 0; i < ASSETS_COUNT; i++) {
        const struct asset *a = &ASSETS[i];
        z_stream z = {.next_in = (unsigned char *)(size_t)a->gz,
                      .avail_in = (unsigned)a->gz_len,
                      .next_out = unpacked,
                      .avail_out = sizeof unpacked};
        assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
        assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
        assert_int_equal(z.total_out, a->raw_len);
        assert_memory_equal(unpacked, a->raw, a->raw_len);
        inflateEnd(&z);
    }
}

UNIT_MAIN(NULL, cmocka_unit_test(every_file_is_found_by_its_path), cmocka_unit_test(only_hashed_names_are_immutable),
          cmocka_unit_test(the_page_names_files_that_exist), cmocka_unit_test(the_packed_form_is_the_same_file))
