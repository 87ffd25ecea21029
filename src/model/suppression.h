/*
 * suppression: is nothing to be scheduled on this whole server (EX-36)? Asked at
 * every wake, so the answer is kept in memory; the row behind it is read at
 * start, at each change and at each pass of the engine.
 */
#ifndef BULLDOG_MODEL_SUPPRESSION_H
#define BULLDOG_MODEL_SUPPRESSION_H

#include "model/instance_settings.h"

/* NULL: no. Else database_restore_in_progress, worktree_instance or operator_paused. */
const char *scheduling_suppressed(void);
/* Takes over what the settings say. */
void suppression_take(const struct instance_settings *s);
/* Reads them anew. */
err_t suppression_refresh(struct db *db) MUST_CHECK;

#endif
