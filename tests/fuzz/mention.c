/* mention: blanking code keeps every byte's place; what is found stands in the text; keys are stable. */
#include "fuzz.h"

#include "rules/mention.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena arena;
    static const struct mention_agent agents[] = {{"00000000-0000-7000-8000-00000000000a", "Ada", "ada"},
                                                  {"00000000-0000-7000-8000-00000000000b", "Ada Lovelace", "ada-b"}};
    struct issue_mention found[ISSUE_MENTIONS_MAX];
    bool hit[2] = {false};
    arena_reset(&arena);
    const char *text = arena_strndup(&arena, (const char *)data, size);
    const char *plain = markdown_outside_code(&arena, text);
    MUST(strlen(plain) == strlen(text));
    for (size_t i = 0; text[i]; i++) MUST(plain[i] == text[i] || (plain[i] == ' ' && text[i] != '\n'));
    int n = mention_issues(&arena, text, found);
    MUST(n >= 0 && n <= ISSUE_MENTIONS_MAX);
    for (int i = 0; i < n; i++) MUST(found[i].count > 0 && strstr(text, found[i].matched_text) != NULL);
    mention_scan(&arena, text, agents, 2, hit);
    MUST(!(hit[0] || hit[1]) || strstr(text, "agent://") || strchr(text, '@'));
    const char *key = title_key(&arena, text);
    MUST(strcmp(title_key(&arena, key), key) == 0);
    return 0;
}
