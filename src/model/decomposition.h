/*
 * decomposition: an accepted plan becomes children exactly once per revision
 * (IS-123, EX-87). The claim and all its children are one transaction: after a
 * crash there is nothing half-made to resume.
 */
#ifndef BULLDOG_MODEL_DECOMPOSITION_H
#define BULLDOG_MODEL_DECOMPOSITION_H

#include "base/json.h"
#include "model/actor.h"
#include "store/entity.h"

/* request: {acceptedPlanRevisionId, children}. 422 unless the revision is of the
 * issue's plan and a confirmation of it was accepted; 409 when other children
 * were made of it. *known: the same request was carried out before; *out is it.
 * Else *out is the claim, in the database, and waits for its children. */
err_t decomposition_claim(struct db *db, const struct actor *actor, const struct issue *issue, const json_t *request,
                          struct decomposition *out, bool *known) MUST_CHECK;
/* children: ids in the order of the request. */
err_t decomposition_complete(struct db *db, const struct actor *actor, const struct issue *issue,
                             struct decomposition *d, json_t *children) MUST_CHECK;
/* The array of an issue's decompositions, newest first, each with its revision's number and its children. */
err_t decomposition_list_write(struct db *db, struct jw *w, const char *issue_id) MUST_CHECK;
void decomposition_write(struct jw *w, const struct decomposition *d); /* an object */

#endif
