/* utf8: any bytes, written as a JSON string, read back: the same when they were UTF-8. */
#include "fuzz.h"

#include "base/json.h"
#include "base/utf8.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena arena;
    static int ready;
    if (!ready) json_setup();
    ready = 1;
    arena_reset(&arena);
    json_arena(&arena);
    struct buf b BUF_AUTO = {0};
    struct jw w;
    jw_init(&w, &b);
    jw_strn(&w, (const char *)data, size);
    json_t *j = json_loadb(b.data, b.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    MUST(j != NULL && utf8_valid(b.data, b.len));
    bool same = json_string_length(j) == size && memcmp(json_string_value(j), data, size) == 0;
    MUST(same == utf8_valid((const char *)data, size));
    return 0;
}
