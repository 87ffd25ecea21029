/*
 * issue: the task row (IS §2). Reading; the rooms issue_create, issue_update,
 * checkout, comment, relation hold its writes.
 */
#ifndef BULLDOG_MODEL_ISSUE_H
#define BULLDOG_MODEL_ISSUE_H

#include "base/json.h"
#include "model/actor.h"
#include "store/entity.h"

err_t issue_get(struct db *db, const char *id, struct issue *out, bool *found) MUST_CHECK;
/* A UUID or an identifier, any case, trimmed (IS-2). */
err_t issue_resolve(struct db *db, const char *ref, struct issue *out, bool *found) MUST_CHECK;

#endif
