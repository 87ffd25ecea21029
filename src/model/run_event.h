/*
 * run_event: the numbered events of a run (AR-72) and the live events about
 * runs and agents (AR-74). All are written in the transaction that moves the run.
 */
#ifndef BULLDOG_MODEL_RUN_EVENT_H
#define BULLDOG_MODEL_RUN_EVENT_H

#include "base/json.h"
#include "store/entity.h"

struct run_event_entry {
    const char *event_type; /* lifecycle, adapter.invoke, error … */
    const char *level;      /* info, warn, error */
    const char *message;
    json_t *payload; /* object or NULL; bounded and redacted here */
};
/* Appends with the next seq of the run, and publishes heartbeat.run.event. */
err_t run_event_add(struct db *db, const struct run *run, const struct run_event_entry *in) MUST_CHECK;
err_t run_event_list(struct db *db, const char *run_id, int64_t after_seq, int limit, struct run_event **rows,
                     int *n) MUST_CHECK;

/* heartbeat.run.queued / heartbeat.run.status; final_text only from the end of a run (AR-74). */
err_t run_publish_queued(struct db *db, const struct run *run) MUST_CHECK;
err_t run_publish_status(struct db *db, const struct run *run, const char *final_text, bool ended) MUST_CHECK;
/* agent.status with the agent's current row. outcome: running or the run's status. */
err_t agent_publish_status(struct db *db, const struct agent *agent, const char *outcome) MUST_CHECK;

#endif
