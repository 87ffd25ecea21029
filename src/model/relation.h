/* relation: what blocks what (IS §9, EX-76). */
#ifndef BULLDOG_MODEL_RELATION_H
#define BULLDOG_MODEL_RELATION_H

#include "base/json.h"
#include "store/entity.h"

/* Ids of the blockers that keep this issue from starting: every one not done;
 * a cancelled blocker stays unresolved (EX-76). ids: a JSON array of strings. */
err_t relation_unresolved(struct db *db, const char *issue_id, json_t **ids, int *count) MUST_CHECK;

#endif
