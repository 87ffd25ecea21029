/* issue_changes: what differs between two states of an issue, for answers and the activity log (IS-61). */
#ifndef BULLDOG_MODEL_ISSUE_CHANGES_H
#define BULLDOG_MODEL_ISSUE_CHANGES_H

#include "base/json.h"
#include "model/relation.h"
#include "store/entity.h"

struct issue_state {
    const struct issue *row;
    const struct id_list *labels, *blockers; /* sorted; NULL: not compared */
};
/* {field:{from,to}} of every field but updatedAt; previous: {field: old}. */
void issue_changes(struct arena *a, const struct issue_state *before, const struct issue_state *after, json_t **changes,
                   json_t **previous);

#endif
