/* document: keys and writes. */
#include "rules/document.h"

#include "base/text.h"

#include <ctype.h>

const char *document_key(struct arena *a, const char *text)
{
    static const char others[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    text += strspn(text, " \t\r\n");
    size_t n = strlen(text);
    while (n > 0 && strchr(" \t\r\n", text[n - 1])) n--;
    char *key = arena_strndup(a, text, n);
    for (char *p = key; *p; p++) *p = (char)tolower((unsigned char)*p);
    bool fits = n > 0 && n <= DOCUMENT_KEY_MAX && isalnum((unsigned char)*key) && strspn(key, others) == n;
    return fits ? key : NULL;
}

bool document_key_system(const char *key)
{
    return text_is(key, DOCUMENT_CONTINUATION) || text_is(key, "pipeline-case-body");
}

enum document_write document_judge(const struct document_facts *f)
{
    if (!f->exists) return f->base_revision_id ? DOCUMENT_MISSING : DOCUMENT_CREATE;
    if (f->locked) return f->by_agent ? DOCUMENT_REDIRECT : DOCUMENT_LOCKED;
    if (f->base_revision_id == NULL) return DOCUMENT_NEEDS_BASE;
    return text_is(f->base_revision_id, f->latest_revision_id) ? DOCUMENT_UPDATE : DOCUMENT_STALE;
}
