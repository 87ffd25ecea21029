/*
 * config_revision: what an agent's configuration was before and after each
 * change (AR-21), so that a change can be taken back. The snapshots are stored
 * whole, as the agent itself is, and masked when they are shown: else no agent
 * with a secret in its environment could ever be rolled back (BETTER).
 */
#ifndef BULLDOG_MODEL_CONFIG_REVISION_H
#define BULLDOG_MODEL_CONFIG_REVISION_H

#include "base/json.h"
#include "model/actor.h"
#include "store/entity.h"

/* Wire names of what a revision tracks, in its order; NULL-terminated. */
extern const char *const CONFIG_FIELDS[];

struct revision_origin {
    const char *source;           /* patch, rollback, skill-sync … */
    const char *rolled_back_from; /* the revision gone back to, or NULL */
};
/* Writes a revision when something tracked differs. */
err_t config_revision_add(struct db *db, const struct actor *actor, const struct agent *before,
                          const struct agent *after, const struct revision_origin *origin) MUST_CHECK;
/* Newest first. */
err_t config_revision_list(struct db *db, const char *agent_id, struct config_revision **rows, int *n) MUST_CHECK;
/* ERR_NOT_FOUND "Revision not found": also one of another agent. */
err_t config_revision_get(struct db *db, const char *agent_id, const char *id, struct config_revision *out) MUST_CHECK;
/* The agent as the revision left it. ERR_UNPROCESSABLE when the snapshot holds a mask instead of a value. */
err_t config_revision_apply(struct db *db, const struct config_revision *rev, struct agent *agent) MUST_CHECK;
/* An object; configurations and metadata are masked. */
void config_revision_write(struct jw *w, struct arena *a, const struct config_revision *rev);

#endif
