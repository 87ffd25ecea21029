/* redact: masking is done in one go, adds no control bytes, and keeps UTF-8 UTF-8. */
#include "fuzz.h"

#include "base/utf8.h"
#include "rules/redact.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena arena;
    arena_reset(&arena);
    const char *text = arena_strndup(&arena, (const char *)data, size);
    const char *once = redact_text(&arena, text);
    MUST(strcmp(redact_text(&arena, once), once) == 0);
    if (utf8_valid(text, strlen(text))) MUST(utf8_valid(once, strlen(once)));
    return 0;
}
