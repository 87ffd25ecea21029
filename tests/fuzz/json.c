/* json: whatever the reader accepts, the writer says, and it reads back the same. */
#include "fuzz.h"

#include "base/json.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena arena; /* kept between calls: reset is cheaper than free */
    static int ready;
    if (!ready) json_setup();
    ready = 1;
    arena_reset(&arena);
    json_arena(&arena);
    json_t *j = NULL, *again = NULL;
    err_t e = json_parse(&arena, (const char *)data, size, &j);
    MUST((e == OK) == (j != NULL));
    if (e) {
        MUST(err_status(e) == 400 && e->message[0]);
        return 0;
    }
    const char *text = json_text(&arena, j);
    MUST(json_parse(&arena, text, strlen(text), &again) == OK);
    MUST(strcmp(json_text(&arena, again), text) == 0);
    return 0;
}
