/* label: coloured names on issues (IS-139). */
#ifndef BULLDOG_MODEL_LABEL_H
#define BULLDOG_MODEL_LABEL_H

#include "base/json.h"
#include "model/actor.h"
#include "store/entity.h"

err_t label_get(struct db *db, const char *id, struct label *out, bool *found) MUST_CHECK;
err_t label_list(struct db *db, const char *company_id, struct label **rows, int *n) MUST_CHECK; /* by name */
/* Given: company_id, name, color. ERR_CONFLICT when the name is taken. */
err_t label_create(struct db *db, const struct actor *actor, struct label *label) MUST_CHECK;
err_t label_delete(struct db *db, const struct actor *actor, const struct label *label) MUST_CHECK;
void label_write(struct jw *w, const struct label *label); /* an object */

#endif
