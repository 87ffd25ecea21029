/*
 * blocked_inbox: a company's stuck work (IS-73): the verdicts of rules/explain on
 * many issues, those that need a person, worst and oldest first.
 */
#ifndef BULLDOG_MODEL_BLOCKED_INBOX_H
#define BULLDOG_MODEL_BLOCKED_INBOX_H

#include "model/explain.h"
#include "rules/blocked_inbox.h"

struct blocked_inbox {
    struct explained x; /* node i is row i */
};
err_t blocked_inbox_load(struct db *db, const char *company_id, const struct issue *rows, int count,
                         struct blocked_inbox *out) MUST_CHECK;
/* Keeps the stuck rows, in the order of the inbox: severity, since when, then as given. nodes: their
 * place in the graph. */
int blocked_inbox_sort(const struct blocked_inbox *b, struct issue *rows, int *nodes, int count);
/* "blockedInboxAttention" of node n; null when it is not stuck. */
void blocked_inbox_write(struct arena *a, struct jw *w, const struct blocked_inbox *b, int n);

#endif
