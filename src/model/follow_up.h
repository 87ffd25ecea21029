/*
 * follow_up: what all rooms that follow the end of a run share (EX-65). Each of
 * them looks at the same facts about the ended run, and at most one lets an
 * automatic run go on from it; how many there may be in a row without a trace of
 * work is bounded, whatever each of them is for (EX-24, EX-64).
 */
#ifndef BULLDOG_MODEL_FOLLOW_UP_H
#define BULLDOG_MODEL_FOLLOW_UP_H

#include "model/actor.h"
#include "model/finalize.h"
#include "model/wake_internal.h"

struct ended {
    struct run *run; /* terminal already */
    const struct run_outcome *outcome;
    json_t *context; /* object; rooms copy before they change it */
    struct agent agent;
    bool has_agent;
    bool can_act;  /* false: a plain command that never wrote through the API (weak point 19) */
    bool followed; /* a run or wake goes on with it already */
};
extern const struct actor follow_up_actor; /* the system */

/* A successor of the run with its own wake row; the issue's lock moves to it. The
 * seed gives what is special: status, counters, retry times. *context is changed. */
err_t follow_up_run(struct db *db, const struct run *run, json_t *context, const char *reason, const char *retry_reason,
                    struct run_seed seed, struct run *out) MUST_CHECK;
/* EX-64: counts up the chain to the last run that left a trace on the issue. */
err_t follow_up_budget_spent(struct db *db, const struct run *run, bool *spent) MUST_CHECK;
/* The issue of the run as it is now; *found false: none, or gone. */
err_t follow_up_issue(struct db *db, const struct run *run, struct issue *out, bool *found) MUST_CHECK;
/* Has it any path of its own just now (EX-3): a run, a wake, blockers, a monitor … ? */
err_t follow_up_has_path(struct db *db, const struct issue *issue, bool *yes) MUST_CHECK;
/* A notice of the system on an issue, with its activity row. */
err_t follow_up_notice(struct db *db, const struct issue *issue, const char *title, const char *body) MUST_CHECK;

#endif
