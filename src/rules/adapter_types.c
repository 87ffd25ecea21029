/* adapter_types: the table of agent runtimes. */
#include "rules/adapter_types.h"

#include <stddef.h>
#include <string.h>

const struct adapter_type ADAPTER_TYPES[] = {
#define ADAPTER(type, available, bundle, skills, tokens) {#type, available, bundle, skills, tokens},
#include "tables/adapter_types.def"
#undef ADAPTER
    {NULL, false, false, false, false},
};

bool adapter_type_remote(const char *type)
{
    static const char *const types[] = {"claude_local", "codex_local",    "cursor",  "gemini_local",
                                        "grok_local",   "opencode_local", "pi_local"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i], type) == 0) return true;
    return false;
}

const struct adapter_type *adapter_type_find(const char *type)
{
    for (const struct adapter_type *t = ADAPTER_TYPES; t->type; t++)
        if (strcmp(t->type, type) == 0) return t;
    return NULL;
}
