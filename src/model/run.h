/*
 * run: one execution of an agent (AR §16, EX §8). Reading and wire forms; the
 * writes that move a run are in run_control (cancel), dispatch (claim) and
 * finalize.
 */
#ifndef BULLDOG_MODEL_RUN_H
#define BULLDOG_MODEL_RUN_H

#include "base/json.h"
#include "model/actor.h"
#include "store/entity.h"

err_t run_get(struct db *db, const char *id, struct run *out, bool *found) MUST_CHECK;
err_t run_data_get(struct db *db, const char *run_id, struct run_data *out) MUST_CHECK;

/* The whole row as a new run is answered (AR-42, AR-69), into an open object. */
void run_write_raw(struct jw *w, const struct run *run, const struct run_data *data);

static inline bool run_status_live(const char *s) { return *s == 'q' || *s == 'r' || (s[0] == 's' && s[1] == 'c'); }

#endif
