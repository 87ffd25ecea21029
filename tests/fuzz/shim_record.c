/* shim_record: any JSON at all is read as a record without harm. */
#include "fuzz.h"

#include "adapter/shim_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena arena;
    static int ready;
    if (!ready) json_setup();
    ready = 1;
    arena_reset(&arena);
    json_arena(&arena);
    json_t *j;
    if (json_parse(&arena, (const char *)data, size, &j) != OK) return 0;
    struct shim_state state;
    struct shim_exit exit;
    shim_state_parse(j, &state);
    shim_exit_parse(&arena, j, &exit);
    MUST(exit.n_orphans == 0 || exit.orphans[exit.n_orphans - 1].command != NULL);
    MUST(exit.spawn_error == NULL || exit.spawn_error_text != NULL);
    return 0;
}
