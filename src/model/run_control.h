/*
 * run_control: writes that end or redirect runs, used by every room that must
 * stop work (cancel, pause, terminate, archive, reassign). Each is a
 * compare-and-set from a live status, so a run that just ended stays ended
 * (EX-50). Killing the process is the engine's part: it sees the row.
 */
#ifndef BULLDOG_MODEL_RUN_CONTROL_H
#define BULLDOG_MODEL_RUN_CONTROL_H

#include "base/json.h"
#include "model/actor.h"
#include "store/entity.h"

struct run_cancel {
    /* which live runs: any combination, at least one; statuses NULL means queued, running and scheduled_retry */
    const char *company_id, *agent_id, *issue_id, *run_id, *not_agent_id;
    const char *statuses; /* SQL list of ours, e.g. "'queued','scheduled_retry'" */
    const char *error, *error_code, *stop_reason;
    const char *cancelled_by_user_id; /* set: an operator did it (EX-56) */
    const char *wake_status;          /* default cancelled */
    const char *as;           /* the status to end with; default cancelled */
    const char *result_key;   /* a member more of resultJson … */
    json_t *result;           /* … and its value */
    bool no_promote;                  /* leave deferred wakes alone (company gone, agent terminated) */
};

/* Cancels them: run row, its wake, its run event and live event, locks on all
 * issues compare-and-cleared, deferred wakes of those issues promoted (EX-25,
 * EX-44 BETTER), the agent's status; the engine is poked to kill processes. */
err_t run_cancel_where(struct db *db, const struct run_cancel *c, int64_t *cancelled) MUST_CHECK;

#endif
