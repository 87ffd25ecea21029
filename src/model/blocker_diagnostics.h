/* blocker_diagnostics: why an issue's blockers hold it back, each with its flags (WS-87, IS-135). */
#ifndef BULLDOG_MODEL_BLOCKER_DIAGNOSTICS_H
#define BULLDOG_MODEL_BLOCKER_DIAGNOSTICS_H

#include "base/json.h"
#include "store/entity.h"

err_t blocker_diagnostics_write(struct db *db, struct jw *w, const struct issue *issue) MUST_CHECK;

#endif
