/* company: the tenant (GV-10…22). */
#ifndef BULLDOG_MODEL_COMPANY_H
#define BULLDOG_MODEL_COMPANY_H

#include "base/json.h"
#include "model/actor.h"
#include "store/entity.h"

/* Without the computed spentMonthlyCents. */
err_t company_get(struct db *db, const char *id, struct company *out, bool *found) MUST_CHECK;
/* Oldest first, with spentMonthlyCents. */
err_t company_list(struct db *db, struct company **rows, int *count) MUST_CHECK;
/* Computes spentMonthlyCents (GV-10). */
err_t company_fill_spent(struct db *db, struct company *c) MUST_CHECK;

/* Inserts with a free issue prefix (GV-11), the creator's owner membership and
 * the activity company.created. name, description, budget … are taken from *c. */
err_t company_create(struct db *db, const struct actor *actor, struct company *c) MUST_CHECK;
/* Writes the changes, with the lifecycle effects of a status change (GV-18…20).
 * details: the request body, for the activity. */
err_t company_update(struct db *db, const struct actor *actor, const struct company *before, struct company *after,
                     json_t *details) MUST_CHECK;
/* GV-19; an archived company stays as it is. */
err_t company_archive(struct db *db, const struct actor *actor, struct company *c) MUST_CHECK;
/* GV-22: everything of the company goes. Live runs must have been cancelled (ERR_CONFLICT). */
err_t company_delete(struct db *db, const struct company *c) MUST_CHECK;
/* {"<id>":{"agentCount":n,"issueCount":n}} pairs (GV-14) into an open object. */
err_t company_stats(struct db *db, struct jw *w) MUST_CHECK;
/* GV-11: the first three letters A–Z of the upper-cased name, or CMP. */
const char *company_prefix(struct arena *a, const char *name);
/* AO-3: the local board user owns every company. */
err_t company_ensure_owner(struct db *db, const char *company_id, const char *user_id) MUST_CHECK;
/* With logoUrl appended; into an open object. spentMonthlyCents must be filled. */
void company_write(struct jw *w, const struct company *c);

#endif
