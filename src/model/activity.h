/*
 * activity: the append-only record of every mutation (GV-90…97), and the live
 * events that tell clients of it. Both are written in the mutation's
 * transaction and published after its commit (GV-93).
 */
#ifndef BULLDOG_MODEL_ACTIVITY_H
#define BULLDOG_MODEL_ACTIVITY_H

#include "base/json.h"
#include "model/actor.h"
#include "store/entity.h"

struct activity_entry {
    const char *company_id;
    const char *action;      /* "issue.created" … */
    const char *entity_type; /* company, agent, issue, heartbeat_run, goal, project … */
    const char *entity_id;
    const char *agent_id; /* default: the acting agent */
    const char *run_id;   /* default: the actor's run */
    const char *responsible_user_id;
    json_t *details;          /* object or NULL; redacted here */
    const char *entity;       /* JSON text of the changed row for the live event (UI-104), or NULL */
    const char *comment;      /* JSON text of a new comment for the live event, or NULL */
    struct activity *written; /* receives the row, or NULL */
};

/* Writes the row and its live event "activity.logged". */
err_t activity_log(struct db *db, const struct actor *actor, const struct activity_entry *e) MUST_CHECK;

/* A kept live event of its own (run status, agent status …); payload is JSON text. */
err_t live_event(struct db *db, const char *company_id, const char *type, const char *payload) MUST_CHECK;
err_t live_event_last_id(struct db *db, const char *company_id, int64_t *id) MUST_CHECK;

struct activity_filter {
    const char *company_id, *agent_id, *entity_type, *entity_id, *run_id, *before_id;
    int limit;
};
/* Newest first; entries about hidden issues are left out (GV-95). */
err_t activity_list(struct db *db, const struct activity_filter *f, struct activity **rows, int *count) MUST_CHECK;

#endif
