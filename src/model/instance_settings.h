/*
 * instance_settings: what the board decides for the whole server (AO-100…102), one
 * row. Values that were never set have their defaults here, not in the row, so a
 * default may change with the server.
 */
#ifndef BULLDOG_MODEL_INSTANCE_SETTINGS_H
#define BULLDOG_MODEL_INSTANCE_SETTINGS_H

#include "base/json.h"
#include "model/actor.h"
#include "store/db.h"

#define LOOKBACK_HOURS_DEFAULT 24
#define LOOKBACK_HOURS_MAX 720

struct instance_settings {
    const char *id, *default_environment_id;
    bool execution_paused; /* execution.paused: nothing is started before the board says so (EX-36) */
    json_t *general, *experimental; /* complete: defaults filled in */
    instant_t created_at, updated_at;
};
/* The row must exist: instance_ensure made it. */
err_t instance_settings_ensure(struct db *db) MUST_CHECK;
err_t instance_settings_get(struct db *db, struct instance_settings *out) MUST_CHECK;
bool instance_experiment(const struct instance_settings *s, const char *key);
int64_t instance_lookback_hours(const struct instance_settings *s);

enum settings_part { SETTINGS_ROOT, SETTINGS_GENERAL, SETTINGS_EXPERIMENTAL };
/* Lays the members of `patch` (validated) over that part; an activity row in every
 * company when something changed. *out: the settings after it. */
err_t instance_settings_patch(struct db *db, const struct actor *actor, enum settings_part part, const json_t *patch,
                              struct instance_settings *out) MUST_CHECK;
void instance_settings_write(struct jw *w, const struct instance_settings *s); /* an object */

#endif
