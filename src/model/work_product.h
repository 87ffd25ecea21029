/* work_product: what an issue's work produced (IS-113): previews, branches, pull requests, artifacts. */
#ifndef BULLDOG_MODEL_WORK_PRODUCT_H
#define BULLDOG_MODEL_WORK_PRODUCT_H

#include "base/json.h"
#include "model/actor.h"
#include "store/entity.h"

err_t work_product_get(struct db *db, const char *id, struct work_product *out, bool *found) MUST_CHECK;
/* Primary ones first, then by their last change. */
err_t work_product_list(struct db *db, const char *issue_id, struct work_product **rows, int *count) MUST_CHECK;
void work_product_write(struct jw *w, const struct work_product *p); /* an object */

/* Given: what the caller chose. A primary one takes that from the other of its type. */
err_t work_product_create(struct db *db, const struct actor *actor, const struct issue *issue,
                          struct work_product *p) MUST_CHECK;
/* changed: the names of the sent keys, for the activity. */
err_t work_product_update(struct db *db, const struct actor *actor, const struct issue *issue,
                          const struct work_product *before, struct work_product *after, json_t *changed) MUST_CHECK;
err_t work_product_delete(struct db *db, const struct actor *actor, const struct issue *issue,
                          const struct work_product *p) MUST_CHECK;

#endif
