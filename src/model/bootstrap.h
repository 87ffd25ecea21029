/* bootstrap: the board's first page in one answer (UI-144). */
#ifndef BULLDOG_MODEL_BOOTSTRAP_H
#define BULLDOG_MODEL_BOOTSTRAP_H

#include "model/actor.h"
#include "model/agent_view.h"

/* An object; call it inside db_begin_read so that lastEventId fits the rest. */
err_t bootstrap_write(struct db *db, struct jw *w, const struct company *c, const struct actor *actor,
                      enum agent_configs configs) MUST_CHECK;

#endif
