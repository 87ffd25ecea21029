/* wake_payload: what an agent is told about why it runs (AR-52): the value of
 * PAPERCLIP_WAKE_PAYLOAD_JSON and of context.paperclipWake. */
#ifndef BULLDOG_MODEL_WAKE_PAYLOAD_H
#define BULLDOG_MODEL_WAKE_PAYLOAD_H

#include "base/json.h"
#include "store/entity.h"

/* issue: NULL when the run has none. *env: the normalised object, NULL when it would say nothing. */
err_t wake_payload_build(struct db *db, const struct run *run, const json_t *context, const struct issue *issue,
                         json_t **env) MUST_CHECK;
/* The same as kept in the run's context: comment counts as commentWindow. */
json_t *wake_payload_context_form(const json_t *env);

#endif
