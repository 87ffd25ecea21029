/*
 * assess: what a finished run amounted to (EX-69): collects its traces and its
 * words, asks rules/liveness, and writes the verdict to the run's row.
 */
#ifndef BULLDOG_MODEL_ASSESS_H
#define BULLDOG_MODEL_ASSESS_H

#include "model/finalize.h"

/* Fills liveness_state, liveness_reason, next_action of *run. *can_act: the run,
 * or an earlier one of its agent, wrote through the API, or its kind of agent is
 * made for that (weak point 19). */
err_t run_assess(struct db *db, struct run *run, const struct run_outcome *o, bool *can_act) MUST_CHECK;

#endif
