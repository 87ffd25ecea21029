/*
 * diagnostics: read-only answers to "who was woken for it" and "what goes on
 * below it" (IS-135). Bounded; the text of a wake's error, which
 * may hold anything, is never told.
 */
#ifndef BULLDOG_MODEL_DIAGNOSTICS_H
#define BULLDOG_MODEL_DIAGNOSTICS_H

#include "base/json.h"
#include "store/entity.h"

err_t diagnose_wakes(struct db *db, struct jw *w, const struct issue *issue) MUST_CHECK;
err_t diagnose_subtree(struct db *db, struct jw *w, const struct issue *issue) MUST_CHECK;

#endif
