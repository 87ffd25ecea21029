/* lock: giving up the execution lock, and promoting what waited on it. */
#include "model/lock.h"

#include "base/json.h"
#include "model/activity.h"
#include "model/agent.h"
#include "model/issue.h"
#include "model/run.h"
#include "model/wake.h"
#include "model/wake_internal.h"

#include <string.h>

#define CLEAR_EXECUTION "execution_run_id = NULL, execution_agent_name_key = NULL, execution_locked_at = NULL"

static err_t remember(struct db *db, const char ***ids, int *n, const char *sql, const char *run_id)
{
    struct rows r ROWS_AUTO = {0};
    TRY(db_query(db, &r, sql, P(V_ID(run_id))));
    while (rows_next(&r)) {
        const char *id = row_text(&r, 0);
        bool known = false;
        for (int i = 0; i < *n; i++) known |= strcmp((*ids)[i], id) == 0;
        if (known) continue;
        const char **more = arena_array(db_arena(db), const char *, *n + 1);
        if (*n) memcpy(more, *ids, sizeof *more * (size_t)*n);
        more[(*n)++] = id;
        *ids = more;
    }
    return rows_err(&r);
}

err_t lock_release(struct db *db, const struct run *run, const char ***issue_ids, int *count)
{
    int64_t n;
    *issue_ids = NULL;
    *count = 0;
    /* the context issue first: it is the primary one (EX-66) */
    TRY(remember(db, issue_ids, count, "SELECT issue_id FROM heartbeat_runs WHERE id = $1 AND issue_id IS NOT NULL",
                 run->id));
    TRY(remember(db, issue_ids, count, "SELECT id FROM issues WHERE execution_run_id = $1 ORDER BY id", run->id));
    TRY(remember(db, issue_ids, count, "SELECT id FROM issues WHERE checkout_run_id = $1 ORDER BY id", run->id));
    TRY(remember(db, issue_ids, count, "SELECT issue_id FROM issue_run_detachments WHERE run_id = $1 ORDER BY issue_id",
                 run->id));
    TRY(db_exec(db, &n, "UPDATE issues SET " CLEAR_EXECUTION " WHERE execution_run_id = $1", P(V_ID(run->id))));
    TRY(db_exec(db, &n, "UPDATE issues SET checkout_run_id = NULL WHERE checkout_run_id = $1", P(V_ID(run->id))));
    return db_exec(db, &n, "DELETE FROM issue_run_detachments WHERE run_id = $1", P(V_ID(run->id)));
}

err_t lock_detach(struct db *db, const struct issue *issue)
{
    const char *const runs[] = {issue->execution_run_id, issue->checkout_run_id};
    for (int i = 0; i < 2; i++) {
        int64_t n;
        if (runs[i] == NULL) continue;
        TRY(db_exec(
            db, &n,
            "INSERT INTO issue_run_detachments (company_id, run_id, issue_id, created_at)"
            " SELECT company_id, id, $2, $3 FROM heartbeat_runs WHERE id = $1 AND status IN ('queued','running','scheduled_retry')"
            " ON CONFLICT (run_id, issue_id) DO NOTHING",
            P(V_ID(runs[i]), V_ID(issue->id), V_TIME(clock_now()))));
    }
    return OK;
}

static err_t run_is_live(struct db *db, const char *run_id, bool *live)
{
    int64_t n = 0;
    if (run_id)
        TRY(db_int(
            db, &n, 0,
            "SELECT count(*) FROM heartbeat_runs WHERE id = $1 AND status IN ('queued','running','scheduled_retry')",
            P(V_ID(run_id))));
    *live = n > 0;
    return OK;
}

err_t lock_heal(struct db *db, struct issue *issue)
{
    bool execution, checkout;
    struct issue before = *issue;
    TRY(run_is_live(db, issue->execution_run_id, &execution));
    TRY(run_is_live(db, issue->checkout_run_id, &checkout));
    if (!execution) {
        issue->execution_run_id = issue->execution_agent_name_key = NULL;
        issue->execution_locked_at = INSTANT_NONE;
    }
    if (!checkout && !execution) issue->checkout_run_id = NULL;
    return entity_update(db, &ENTITY_issue, &before, issue);
}

/* ---- promotion ---- */

/* A human's comment on a closed issue, deferred behind a run, reopens it (AR-49)
 * unless every comment of the wake was written by the run that just ended. */
static err_t maybe_reopen(struct db *db, const struct run *ended, const struct wake *wake, struct issue *issue,
                          json_t *context)
{
    bool closed = strcmp(issue->status, "done") == 0 || strcmp(issue->status, "cancelled") == 0;
    const json_t *ids = json_object_get(context, "wakeCommentIds");
    if (!closed || !json_is_array(ids) || json_array_size(ids) == 0) return OK;
    if (wake->requested_by_actor_type == NULL || strcmp(wake->requested_by_actor_type, "user") != 0) return OK;
    int64_t foreign = 0;
    json_t *id;
    size_t i;
    json_array_foreach (ids, i, id) {
        int64_t n;
        if (!json_is_string(id)) continue;
        TRY(db_int(
            db, &n, 0,
            "SELECT count(*) FROM issue_comments WHERE id = $1 AND (created_by_run_id IS NULL OR $2 IS NULL OR created_by_run_id <> $2)",
            P(V_ID(json_string_value(id)), V_ID(ended ? ended->id : NULL))));
        foreign += n;
    }
    if (foreign == 0) return OK;
    struct issue before = *issue;
    const struct actor system = {.type = ACTOR_SYSTEM, .source = "wake"};
    issue->status = "todo";
    issue->completed_at = issue->cancelled_at = INSTANT_NONE;
    issue->execution_state = NULL;
    issue->updated_at = issue->last_activity_at = clock_now();
    TRY(entity_update(db, &ENTITY_issue, &before, issue));
    return activity_log(
        db, &system,
        &(struct activity_entry){.company_id = issue->company_id,
                                 .action = "issue.updated",
                                 .entity_type = "issue",
                                 .entity_id = issue->id,
                                 .details = json_pack("{s:s, s:b, s:s, s:s, s:s}", "status", "todo", "reopened", 1,
                                                      "reopenedFrom", before.status, "source", "deferred_comment_wake",
                                                      "identifier", issue->identifier)});
}

static err_t settle_wake(struct db *db, const struct wake *wake, const char *status, const char *error)
{
    return db_exec_one(db,
                       "UPDATE agent_wakeup_requests SET status = $2, error = $3, finished_at = $4, updated_at = $4"
                       " WHERE id = $1 AND status = 'deferred_issue_execution'",
                       P(V_ID(wake->id), V_TEXT(status), V_TEXT(error), V_TIME(clock_now())));
}

/* The next deferred wake: the assignee's first, then the oldest (EX-66 BETTER b). */
static err_t next_deferred(struct db *db, const struct issue *issue, struct wake *wake, bool *found)
{
    return entity_one(db, &ENTITY_wake, wake, found,
                      "WHERE issue_id = $1 AND status = 'deferred_issue_execution' AND agent_id IN"
                      " (SELECT id FROM agents WHERE status <> 'paused')"
                      " ORDER BY CASE WHEN agent_id = $2 THEN 0 ELSE 1 END, requested_at, id LIMIT 1",
                      P(V_ID(issue->id), V_ID(issue->assignee_agent_id)));
}

static err_t promote_one(struct db *db, const struct run *ended, const char *issue_id, bool *promoted)
{
    *promoted = false;
    for (int guard = 0; guard < 100; guard++) {
        struct issue issue;
        struct wake wake;
        struct agent agent;
        bool found, live;
        int64_t n;
        TRY(issue_get(db, issue_id, &issue, &found));
        if (!found) return OK;
        TRY(db_int(
            db, &n, 0,
            "SELECT count(*) FROM heartbeat_runs WHERE issue_id = $1 AND status IN ('queued','running','scheduled_retry')",
            P(V_ID(issue_id))));
        TRY(run_is_live(db, issue.execution_run_id, &live));
        if (n > 0 || live) return OK; /* its end promotes */
        TRY(next_deferred(db, &issue, &wake, &found));
        if (!found) return OK;
        TRY(agent_get(db, wake.agent_id, &agent, &found));
        json_t *payload = json_read(wake.payload), *context = json_object_get(payload, "_paperclipWakeContext");
        if (!json_is_object(context)) context = json_object();
        TRY(maybe_reopen(db, ended, &wake, &issue, context));
        const char *why = NULL;
        TRY(wake_promotable(db, &wake, &agent, &issue, context, &why));
        if (why) {
            TRY(settle_wake(db, &wake, strcmp(why, "agent.not_invokable") == 0 ? "failed" : "cancelled",
                            arena_printf(db_arena(db), "Deferred wake could not be promoted: %s", why)));
            continue;
        }
        TRY(wake_promote(db, &wake, &agent, &issue, context));
        *promoted = true;
        return OK;
    }
    return OK;
}

err_t lock_promote(struct db *db, const struct run *ended, const char *const *issue_ids, int count, int *promoted)
{
    *promoted = 0;
    for (int i = 0; i < count; i++) {
        bool one;
        TRY(promote_one(db, ended, issue_ids[i], &one));
        *promoted += one;
    }
    return OK;
}

err_t lock_promote_issue(struct db *db, const char *issue_id, int *promoted)
{
    return lock_promote(db, NULL, &issue_id, 1, promoted);
}
