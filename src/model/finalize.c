/* finalize: the end of a run, in the order of EX-65. */
#include "model/finalize.h"

#include "base/id.h"
#include "model/activity.h"
#include "model/agent.h"
#include "model/assess.h"
#include "model/continuation.h"
#include "model/handoff.h"
#include "model/lock.h"
#include "model/missing_comment.h"
#include "model/recover.h"
#include "model/retry.h"
#include "model/review.h"
#include "model/run.h"
#include "model/run_event.h"
#include "rules/phrases.h"
#include "rules/redact.h"
#include "rules/retry_policy.h"

#include <string.h>

#define ERROR_REASON_MAX 500
#define SUMMARY_MAX 1200

static bool is(const char *a, const char *b) { return a && b && strcmp(a, b) == 0; }

static const char *status_of(const struct run_outcome *o)
{
    if (o->interrupted) return "interrupted";
    if (o->timed_out) return "timed_out";
    return o->error == NULL && o->signal == NULL && (!o->has_exit_code || o->exit_code == 0) ? "succeeded" : "failed";
}

static const char *stop_reason(const char *status, const struct run_outcome *o)
{
    if (is(status, "succeeded")) return "completed";
    if (is(status, "timed_out")) return "timeout";
    if (is(status, "interrupted")) return "interrupted";
    return o->process_lost ? "process_lost" : "adapter_failed";
}

/* AR-59. */
static json_t *result_of(struct arena *a, const struct run_outcome *o, const char *status)
{
    json_t *r = json_is_object(o->result) ? o->result : json_object();
    json_object_set_new(r, "stopReason", json_string(stop_reason(status, o)));
    json_object_set_new(r, "effectiveTimeoutSec", json_integer((json_int_t)o->timeout_sec));
    json_object_set_new(r, "timeoutConfigured", json_boolean(o->timeout_configured));
    json_object_set_new(r, "timeoutSource", json_string(o->timeout_configured ? "config" : "default"));
    json_object_set_new(r, "timeoutFired", json_boolean(o->timed_out));
    if (o->summary) json_object_set_new(r, "summary", json_string(o->summary));
    if (o->error_family) json_object_set_new(r, "errorFamily", json_string(o->error_family));
    if (o->retry_not_before > 0)
        json_object_set_new(r, "retryNotBefore", json_string(instant_text(a, o->retry_not_before)));
    if (json_array_size(o->orphans_killed) > 0) json_object_set(r, "orphansKilled", o->orphans_killed);
    return r;
}

/* Log, excerpts and exit code: also of a run that was cancelled meanwhile (AR-63 BETTER). */
static err_t write_facts(struct db *db, const struct run *run, const struct run_outcome *o)
{
    struct dbv exit_code = V_INT(o->exit_code), log_bytes = V_INT(o->log_bytes);
    int64_t n;
    exit_code.null = !o->has_exit_code;
    log_bytes.null = o->log_bytes < 0;
    TRY(db_exec(db, &n,
                "UPDATE heartbeat_runs SET exit_code = coalesce(exit_code, $2), signal = coalesce(signal, $3), log_bytes = $4,"
                " log_sha256 = $5, last_output_at = coalesce($6, last_output_at), last_output_seq = $7, last_output_stream = $8,"
                " last_output_bytes = $4 WHERE id = $1",
                P(V_ID(run->id), exit_code, V_TEXT(o->signal), log_bytes, V_TEXT(o->log_sha256), V_TIME(o->last_output_at),
                  V_INT(o->last_output_seq), V_TEXT(o->last_output_stream))));
    return db_exec(db, &n, "UPDATE heartbeat_run_data SET stdout_excerpt = $2, stderr_excerpt = $3 WHERE run_id = $1",
                   P(V_ID(run->id), V_TEXT(o->stdout_excerpt), V_TEXT(o->stderr_excerpt)));
}

static err_t write_end(struct db *db, struct run *run, const struct run_outcome *o, bool *done)
{
    struct arena *a = db_arena(db);
    instant_t now = clock_now();
    int64_t n;
    const char *status = status_of(o);
    bool bad = !is(status, "succeeded");
    const char *error = bad ? (o->error ? o->error : o->timed_out ? "Timed out" : "Adapter failed") : NULL;
    const char *code = !bad ? NULL : o->error_code ? o->error_code : o->timed_out ? "timeout" : "adapter_failed";
    /* the fencing token: only the owner of this claim may end it (AO-223) */
    TRY(db_exec(db, &n,
                "UPDATE heartbeat_runs SET status = $2, error = $3, error_code = $4, finished_at = $5, updated_at = $5"
                " WHERE id = $1 AND status = 'running' AND owner_node_id = $6 AND owner_epoch = $7",
                P(V_ID(run->id), V_TEXT(status), V_TEXT(redact_text(a, error)), V_TEXT(code), V_TIME(now),
                  V_ID(run->owner_node_id), V_INT(run->owner_epoch))));
    *done = n == 1;
    if (!*done) return OK;
    run->status = status;
    run->error = redact_text(a, error);
    run->error_code = code;
    run->finished_at = run->updated_at = now;
    return db_exec_one(db, "UPDATE heartbeat_run_data SET result_json = $2 WHERE run_id = $1",
                       P(V_ID(run->id), V_JSON(json_text(a, redact_json(a, result_of(a, o, status))))));
}

static err_t settle_wake(struct db *db, const struct run *run)
{
    const char *status = is(run->status, "succeeded") ? "completed" : is(run->status, "interrupted") ? "cancelled" : "failed";
    int64_t n;
    return db_exec(db, &n,
                   "UPDATE agent_wakeup_requests SET status = $2, error = $3, finished_at = $4, updated_at = $4"
                   " WHERE id = $1 AND status IN ('claimed','queued')",
                   P(V_ID(run->wakeup_request_id), V_TEXT(status), V_TEXT(run->error), V_TIME(clock_now())));
}

/* AR-58: the adapter's summary becomes the run's comment when the run wrote none itself. */
static err_t fallback_comment(struct db *db, const struct run *run, const struct run_outcome *o, json_t *context, const char **text)
{
    struct arena *a = db_arena(db);
    struct comment c;
    int64_t own, n;
    *text = NULL;
    if (!is(run->status, "succeeded") || run->issue_id == NULL || o->summary == NULL || json_bool(context, "skipIssueComment", false)) return OK;
    TRY(db_int(db, &own, 0, "SELECT count(*) FROM issue_comments WHERE created_by_run_id = $1 AND issue_id = $2", P(V_ID(run->id), V_ID(run->issue_id))));
    if (own > 0) return OK;
    bool withheld = strlen(o->summary) > SUMMARY_MAX || phrase_begins(o->summary, PHRASE_NARRATION);
    *text = withheld ? "The run finished; its summary was no comment and stands in the run's result." : o->summary;
    entity_init(&ENTITY_comment, &c);
    c.id = id_new(a);
    c.company_id = run->company_id;
    c.issue_id = run->issue_id;
    c.author_agent_id = run->agent_id;
    c.author_type = "agent";
    c.created_by_run_id = run->id;
    c.on_behalf_of_user_id = run->responsible_user_id;
    c.body = *text;
    c.created_at = c.updated_at = clock_now();
    TRY(entity_insert(db, &ENTITY_comment, &c));
    TRY(db_exec(db, &n, "UPDATE issues SET updated_at = $2, last_activity_at = $2 WHERE id = $1", P(V_ID(run->issue_id), V_TIME(c.created_at))));
    const struct actor actor = {.type = ACTOR_AGENT, .agent_id = run->agent_id, .company_id = run->company_id, .run_id = run->id,
                                .responsible_user_id = run->responsible_user_id};
    return activity_log(db, &actor, &(struct activity_entry){
        .company_id = run->company_id, .action = "issue.comment_added", .entity_type = "issue", .entity_id = run->issue_id,
        .details = json_pack("{s:s, s:s, s:s}", "commentId", c.id, "bodySnippet", arena_strndup(a, *text, strnlen(*text, 120)), "source", "run_summary")});
}

static err_t lifecycle(struct db *db, const struct run *run, const struct run_outcome *o)
{
    json_t *payload = json_pack("{s:s}", "status", run->status);
    json_object_set_new(payload, "exitCode", o->has_exit_code ? json_integer((json_int_t)o->exit_code) : json_null());
    if (json_array_size(o->orphans_killed) > 0) json_object_set(payload, "orphansKilled", o->orphans_killed);
    bool bad = is(run->status, "failed") || is(run->status, "timed_out");
    return run_event_add(db, run, &(struct run_event_entry){.event_type = "lifecycle", .level = bad ? "error" : "info", .payload = payload,
                                                            .message = arena_printf(db_arena(db), "run %s", run->status)});
}

/* Steps 8 to 14 of EX-65. At most one of them goes on from this run. */
static err_t follow_up(struct db *db, struct ended *e)
{
    const char **issues;
    int count, promoted;
    TRY(retry_settle(db, e));
    TRY(missing_comment_settle(db, e));
    TRY(lock_release(db, e->run, &issues, &count));
    TRY(lock_promote(db, e->run, issues, count, &promoted));
    e->followed |= promoted > 0;
    if (!e->followed) TRY(recover_immediately(db, e->run, json_deep_copy(e->context), &e->followed));
    TRY(continuation_settle(db, e));
    TRY(review_settle(db, e));
    return handoff_settle(db, e);
}

static err_t runtime_state(struct db *db, const struct run *run, const char *adapter_type)
{
    int64_t n;
    return db_exec(db, &n,
                   "INSERT INTO agent_runtime_state (agent_id, company_id, adapter_type, last_run_id, last_run_status, last_error, created_at, updated_at)"
                   " VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (agent_id) DO UPDATE SET last_run_id = excluded.last_run_id,"
                   " last_run_status = excluded.last_run_status, last_error = excluded.last_error, updated_at = excluded.updated_at",
                   P(V_ID(run->agent_id), V_ID(run->company_id), V_TEXT(adapter_type), V_ID(run->id), V_TEXT(run->status),
                     V_TEXT(run->error), V_TIME(clock_now())));
}

/* EX-55: paused and terminated agents stay so; others rest when nothing of theirs runs. */
static err_t settle_agent(struct db *db, const struct run *run, const struct run_outcome *o)
{
    struct agent agent;
    bool found;
    int64_t running, n;
    instant_t now = clock_now();
    TRY(agent_get(db, run->agent_id, &agent, &found));
    if (!found) return OK;
    TRY(runtime_state(db, run, agent.adapter_type));
    TRY(db_int(db, &running, 0, "SELECT count(*) FROM heartbeat_runs WHERE agent_id = $1 AND status = 'running'", P(V_ID(run->agent_id))));
    bool bad = (is(run->status, "failed") || is(run->status, "timed_out")) && !is(o->error_family, "provider_quota");
    if (is(run->error_code, "workspace_validation_failed") || is(run->error_code, "workspace_finalize_failed")) bad = false; /* not its fault */
    const char *status = running > 0 ? "running" : bad ? "error" : "idle";
    const char *reason = bad && running == 0 ? run->error : NULL;
    if (reason && strlen(reason) > ERROR_REASON_MAX)
        reason = arena_printf(db_arena(db), "%.*s…", ERROR_REASON_MAX - 4, reason);
    TRY(db_exec(db, &n,
                "UPDATE agents SET status = $2, error_reason = $3, last_heartbeat_at = $4, updated_at = $4"
                " WHERE id = $1 AND status IN ('running','idle','active','error')",
                P(V_ID(run->agent_id), V_TEXT(status), V_TEXT(reason), V_TIME(now))));
    if (n == 0) TRY(db_exec(db, &n, "UPDATE agents SET last_heartbeat_at = $2 WHERE id = $1", P(V_ID(run->agent_id), V_TIME(now))));
    TRY(agent_get(db, run->agent_id, &agent, &found));
    return agent_publish_status(db, &agent, run->status);
}

/* EX-109: words that say more than the code. What is known of a quota's end is kept with it. */
static struct run_outcome enlighten(const struct run_outcome *reported)
{
    struct run_outcome o = *reported;
    bool bad = is(status_of(&o), "failed");
    const char *code = o.error_code ? o.error_code : "adapter_failed";
    enum failure_text said = !bad ? FAILURE_PLAIN : failure_text(code, o.error);
    if (bad && said == FAILURE_PLAIN) said = failure_text(code, o.stderr_excerpt);
    if (said == FAILURE_CONFIGURATION) o.error_code = "configuration_incomplete";
    if (said != FAILURE_QUOTA || o.error_family) return o;
    o.error_family = "provider_quota";
    if (o.retry_not_before > 0) return o;
    if (!retry_time_in(o.error, clock_now(), &o.retry_not_before) &&
        !retry_time_in(o.stderr_excerpt, clock_now(), &o.retry_not_before))
        o.retry_not_before = clock_now() + QUOTA_WAIT_MS;
    json_t *result = json_is_object(o.result) ? o.result : json_object();
    o.result = result;
    json_object_set_new(result, "recoveryClassification", json_string("provider_quota"));
    return o;
}

err_t run_finalize(struct db *db, struct run *run, const struct run_outcome *reported, bool *done)
{
    const struct run_outcome seen = enlighten(reported), *o = &seen;
    struct run_data data;
    const char *text;
    TRY(write_facts(db, run, o));
    TRY(write_end(db, run, o, done));
    if (!*done) return OK;
    TRY(run_data_get(db, run->id, &data));
    json_t *context = json_read(data.context_snapshot);
    if (!json_is_object(context)) context = json_object();
    struct ended e = {.run = run, .outcome = o, .context = context};
    TRY(agent_get(db, run->agent_id, &e.agent, &e.has_agent));
    TRY(run_assess(db, run, o, &e.can_act));
    TRY(settle_wake(db, run));
    TRY(fallback_comment(db, run, o, context, &text));
    TRY(run_publish_status(db, run, text, true));
    TRY(lifecycle(db, run, o));
    TRY(follow_up(db, &e));
    TRY(settle_agent(db, run, o));
    db_poke(db);
    return OK;
}

err_t run_close(struct db *db, const char *run_id)
{
    int64_t n;
    TRY(db_exec(db, &n, "UPDATE heartbeat_runs SET closed_at = $2 WHERE id = $1 AND closed_at IS NULL", P(V_ID(run_id), V_TIME(clock_now()))));
    db_poke(db);
    return OK;
}
