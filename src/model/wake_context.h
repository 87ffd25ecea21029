/* wake_context: the contextSnapshot of a run, from the wake that caused it (AR-43, EX-31). */
#ifndef BULLDOG_MODEL_WAKE_CONTEXT_H
#define BULLDOG_MODEL_WAKE_CONTEXT_H

#include "model/wake.h"

/* EX §5.2 step 1: fills what the seed lacks from reason and payload; orders comment ids. */
json_t *wake_context_make(const struct wake_request *w);
/* The issue was named by identifier: the UUID takes its place; projectId is filled. */
void wake_context_canonical(json_t *context, json_t *payload, const char *ref, const struct issue *issue);
/* Overlay: incoming wins, comment ids are united in order, forceFreshSession sticks. */
json_t *wake_context_merge(const json_t *into, const json_t *incoming);

#endif
