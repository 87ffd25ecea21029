/* document: keys of documents, and what a write to one may do (IS-102, IS-104). Pure. */
#ifndef BULLDOG_RULES_DOCUMENT_H
#define BULLDOG_RULES_DOCUMENT_H

#include "base/arena.h"

#include <stdbool.h>

#define DOCUMENT_KEY_MAX 64
#define DOCUMENT_PLAN "plan"
#define DOCUMENT_CONTINUATION "continuation-summary"

/* Trimmed and in lower case; NULL when it is no key. */
const char *document_key(struct arena *a, const char *text);
/* Of the server's own, left out of lists. */
bool document_key_system(const char *key);

enum document_write {
    DOCUMENT_CREATE,
    DOCUMENT_UPDATE,
    DOCUMENT_REDIRECT,   /* locked, and an agent writes: beside it, under another key */
    DOCUMENT_LOCKED,     /* 409 */
    DOCUMENT_NEEDS_BASE, /* 409: which revision was read? */
    DOCUMENT_STALE,      /* 409: it has another one by now */
    DOCUMENT_MISSING,    /* 409: a base, but no document */
};
struct document_facts {
    bool exists, locked, by_agent;
    const char *latest_revision_id, *base_revision_id;
};
enum document_write document_judge(const struct document_facts *f);

#endif
