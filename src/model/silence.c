/* silence: questions about silent runs, and their answers. */
#include "model/silence.h"

#include "base/id.h"
#include "base/settings.h"
#include "base/text.h"
#include "model/activity.h"
#include "model/agent.h"
#include "model/escalate.h"
#include "model/issue.h"
#include "model/recovery_turn.h"
#include "model/run.h"
#include "model/run_control.h"
#include "rules/issue_status.h"

#define CONTINUE_MS (30 * MINUTE_MS)

/* ---- the read model (AR-68) ---- */

static instant_t silent_since(const struct run *run)
{
    if (run->last_output_at != INSTANT_NONE) return run->last_output_at;
    if (run->process_started_at != INSTANT_NONE) return run->process_started_at;
    return run->started_at != INSTANT_NONE ? run->started_at : run->created_at;
}

enum silence silence_of(const struct run *run)
{
    return silence_level(&(struct silence_facts){.running = text_is(run->status, "running"),
                                                 .since = silent_since(run),
                                                 .snoozed_until = run->silence_snoozed_until,
                                                 .suspicious_ms = settings.silence_suspicious_sec * SECOND_MS,
                                                 .critical_ms = settings.silence_critical_sec * SECOND_MS},
                         clock_now());
}

void silence_write(struct jw *w, const struct run *run)
{
    enum silence level = silence_of(run);
    bool running = text_is(run->status, "running");
    jw_kobj(w, "outputSilence");
    jw_ktime(w, "lastOutputAt", run->last_output_at);
    jw_kint(w, "lastOutputSeq", run->last_output_seq);
    jw_kstr(w, "lastOutputStream", run->last_output_stream);
    jw_ktime(w, "silenceStartedAt", running ? silent_since(run) : INSTANT_NONE);
    jw_key(w, "silenceAgeMs");
    if (running) jw_int(w, clock_now() - silent_since(run));
    else jw_null(w);
    jw_kstr(w, "level", silence_name(level));
    jw_kint(w, "suspicionThresholdMs", settings.silence_suspicious_sec * SECOND_MS);
    jw_kint(w, "criticalThresholdMs", settings.silence_critical_sec * SECOND_MS);
    jw_ktime(w, "snoozedUntil", running && level == SILENCE_SNOOZED ? run->silence_snoozed_until : INSTANT_NONE);
    jw_knull(w, "evaluationIssueId");
    jw_knull(w, "evaluationIssueIdentifier");
    jw_knull(w, "evaluationIssueAssigneeAgentId");
    jw_obj_end(w);
}

/* ---- the open question ---- */

static const char *print_of(struct arena *a, const struct run *run)
{
    return arena_printf(a, "run_output_silence:%s:%s", run->company_id, run->id);
}

static err_t open_question(struct db *db, const struct run *run, struct recovery_action *out, bool *found)
{
    *found = false;
    if (run->issue_id == NULL) return OK;
    return entity_one(db, &ENTITY_recovery_action, out, found,
                      "WHERE source_issue_id = $1 AND " RECOVERY_OPEN
                      " AND cause = 'run_output_silence' AND fingerprint = $2",
                      P(V_ID(run->issue_id), V_TEXT(print_of(db_arena(db), run))));
}

err_t silence_may_decide(struct db *db, const char *agent_id, const struct run *run, bool *yes)
{
    struct recovery_action x;
    TRY(open_question(db, run, &x, yes));
    *yes = *yes && text_is(x.owner_agent_id, agent_id);
    return OK;
}

#define SILENT_SINCE "coalesce(r.last_output_at, r.process_started_at, r.started_at, r.created_at)"

err_t silence_page(struct db *db, int limit, struct silent **out, int *count)
{
    struct rows r ROWS_AUTO = {0};
    *out = arena_array(db_arena(db), struct silent, 2 * limit);
    *count = 0;
    TRY(db_query(
        db, &r,
        "SELECT r.company_id, r.id, " SILENT_SINCE " AS since FROM heartbeat_runs r WHERE r.status = 'running'"
        " AND r.issue_id IS NOT NULL AND NOT r.silence_dismissed AND " SILENT_SINCE " < $1"
        " AND (r.silence_snoozed_until IS NULL OR r.silence_snoozed_until <= $2) ORDER BY since, r.id LIMIT $3",
        P(V_TIME(clock_now() - settings.silence_suspicious_sec * SECOND_MS), V_TIME(clock_now()), V_INT(limit))));
    while (rows_next(&r) && *count < limit) (*out)[(*count)++] = (struct silent){row_text(&r, 0), row_text(&r, 1)};
    TRY(rows_err(&r));
    struct rows open ROWS_AUTO = {0};
    TRY(db_query(
        db, &open,
        "SELECT a.company_id, a.evidence ->> 'runId' FROM issue_recovery_actions a WHERE a.status IN ('active','escalated')"
        " AND a.cause = 'run_output_silence' ORDER BY a.updated_at, a.id LIMIT $1",
        P(V_INT(limit))));
    while (rows_next(&open) && *count < 2 * limit)
        (*out)[(*count)++] = (struct silent){row_text(&open, 0), row_text(&open, 1)};
    return rows_err(&open);
}

/* ---- asking (EX-140) ---- */

static err_t manager_of(struct db *db, const char *agent_id, const char **out)
{
    *out = NULL;
    return db_text(db, out, "SELECT reports_to FROM agents WHERE id = $1", P(V_ID(agent_id)));
}

/* EX-141, without the log: that is a click away, and may hold secrets. */
static json_t *evidence_of(struct db *db, const struct run *run)
{
    struct arena *a = db_arena(db);
    json_t *e = json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:I, s:I, s:I, s:I}", "runId", run->id, "agentId",
                          run->agent_id, "invocationSource", run->invocation_source, "sourceIssueId", run->issue_id,
                          "startedAt", instant_text(a, run->started_at), "processStartedAt",
                          instant_text(a, run->process_started_at), "lastOutputAt",
                          instant_text(a, run->last_output_at), "lastOutputSeq", (json_int_t)run->last_output_seq,
                          "silentForMs", (json_int_t)(clock_now() - silent_since(run)), "suspicionThresholdMs",
                          (json_int_t)(settings.silence_suspicious_sec * SECOND_MS), "criticalThresholdMs",
                          (json_int_t)(settings.silence_critical_sec * SECOND_MS));
    json_object_set_new(e, "processPid",
                        run->process_pid == INT_NONE ? json_null() : json_integer((json_int_t)run->process_pid));
    return e;
}

static err_t ask(struct db *db, const struct run *run, const struct issue *issue)
{
    struct recovery_action x;
    enum recovery_upsert what;
    const char *manager;
    TRY(manager_of(db, run->agent_id, &manager));
    return escalate_with(db, issue,
                         &(struct escalation){.cause = "run_output_silence",
                                              .fingerprint = print_of(db_arena(db), run),
                                              .agent_id = run->agent_id,
                                              .run_id = run->id,
                                              .evidence = evidence_of(db, run),
                                              .preferred_owner = manager,
                                              .excluded_owner = run->agent_id,
                                              .board = issue->assignee_user_id || text_is(issue->status, "backlog") ||
                                                       status_terminal(issue->status),
                                              .no_block = true,
                                              .no_notice = true},
                         &x, &what);
}

/* ---- the source is done with it (EX-143) ---- */

static err_t finished_by(struct db *db, const struct run *run, const struct issue *issue, bool *yes)
{
    int64_t n;
    *yes = false;
    if (!status_terminal(issue->status)) return OK;
    TRY(db_int(db, &n, 0,
               "SELECT count(*) FROM activity_log WHERE entity_type = 'issue' AND entity_id = $1 AND run_id = $2"
               " AND action = 'issue.updated' AND details ->> 'status' = $3 AND created_at >= $4",
               P(V_TEXT(issue->id), V_ID(run->id), V_TEXT(issue->status), V_TIME(silent_since(run)))));
    *yes = n > 0;
    return OK;
}

static err_t fold(struct db *db, struct run *run, const struct issue *issue)
{
    struct watchdog_decision ignored;
    bool done = text_is(issue->status, "done");
    int64_t n, places;
    /* with a workspace nobody has finalized yet it has not succeeded, whatever its issue says (WINV-4) */
    TRY(db_int(
        db, &places, 0,
        "SELECT count(*) FROM workspace_operations WHERE heartbeat_run_id = $1 AND execution_workspace_id IS NOT NULL",
        P(V_ID(run->id))));
    bool well = done && places == 0;
    TRY(silence_decide(db, &recovery_actor, run,
                       &(struct silence_decision){.decision = "dismissed_false_positive",
                                                  .reason = "The run had finished its issue before it fell silent."},
                       &ignored));
    TRY(run_cancel_where(
        db,
        &(struct run_cancel){.run_id = run->id,
                             .statuses = "'running'",
                             .as = well ? "succeeded" : "cancelled",
                             .error = well   ? NULL
                                      : done ? "It had finished its issue and fell silent"
                                             : "Its issue was cancelled",
                             .error_code = well   ? NULL
                                           : done ? "issue_terminal_status"
                                                  : "issue_cancelled",
                             .stop_reason = well ? "completed" : "cancelled",
                             .result_key = "sourceResolvedWatchdogFold",
                             .result = json_pack("{s:s, s:s, s:s}", "sourceIssueId", issue->id, "status", issue->status,
                                                 "cleanup", "terminate_requested")},
        &n));
    return activity_log(
        db, &recovery_actor,
        &(struct activity_entry){.company_id = run->company_id,
                                 .action = "heartbeat.output_stale_source_resolved",
                                 .entity_type = "heartbeat_run",
                                 .entity_id = run->id,
                                 .details = json_pack("{s:s, s:s}", "issueId", issue->id, "status", issue->status)});
}

/* ---- the pass ---- */

static err_t answer(struct db *db, struct recovery_action *x, const char *outcome, const char *note)
{
    return recovery_action_end(
        db, &recovery_actor, x,
        &(struct recovery_end){.status = "resolved", .outcome = outcome, .note = note, .source = "run_output"});
}

/* A critical silence is the board's, and said aloud once (EX-140). */
static err_t raise(struct db *db, const struct run *run, const struct issue *issue, struct recovery_action *x,
                   json_t *evidence)
{
    const struct escalation e = {.cause = "run_output_silence", .run_id = run->id};
    const struct recovery_action before = *x;
    json_object_set_new(evidence, "critical", json_true());
    x->evidence = json_text(db_arena(db), evidence);
    TRY(entity_update(db, &ENTITY_recovery_action, &before, x));
    if (text_is(x->status, "active")) TRY(recovery_turn_escalate(db, x, "critical_silence"));
    return escalate_notice(db, issue, x, &e, x->next_action);
}

/* A question that is open: answered by itself, raised, or left. */
static err_t follow(struct db *db, const struct run *run, const struct issue *issue, struct recovery_action *x,
                    enum silence level, const char **did)
{
    if (level == SILENCE_NOT_APPLICABLE || level == SILENCE_OK) {
        *did = "answered";
        return answer(db, x, "restored", level == SILENCE_OK ? "The run speaks again." : "The run has ended.");
    }
    json_t *evidence = json_read(x->evidence);
    if (level != SILENCE_CRITICAL || json_bool(evidence, "critical", false)) return OK;
    *did = "raised";
    return raise(db, run, issue, x, evidence);
}

err_t silence_treat(struct db *db, const char *run_id, const char **did)
{
    struct run run;
    struct issue issue;
    struct recovery_action x;
    bool found, asked, finished;
    *did = NULL;
    TRY(run_get(db, run_id, &run, &found));
    if (!found || run.issue_id == NULL) return OK;
    TRY(issue_get(db, run.issue_id, &issue, &found));
    if (!found) return OK;
    enum silence level = silence_of(&run);
    bool silent = level == SILENCE_SUSPICIOUS || level == SILENCE_CRITICAL;
    TRY(open_question(db, &run, &x, &asked));
    if (silent) {
        TRY(finished_by(db, &run, &issue, &finished));
        if (finished) *did = "folded";
        if (finished) return fold(db, &run, &issue);
    }
    if (asked) return follow(db, &run, &issue, &x, level, did);
    /* a blocked source has somebody's attention; a recovery's own run is not asked about again (EX-128) */
    if (!silent || run.silence_dismissed || text_is(issue.status, "blocked") || status_terminal(issue.status))
        return OK;
    *did = "asked";
    return ask(db, &run, &issue); /* the next pass raises a critical one */
}

/* ---- decisions (EX-142) ---- */

err_t silence_decide(struct db *db, const struct actor *actor, const struct run *run, const struct silence_decision *d,
                     struct watchdog_decision *out)
{
    struct recovery_action x;
    bool found, dismissed = text_is(d->decision, "dismissed_false_positive"), snooze = text_is(d->decision, "snooze");
    entity_init(&ENTITY_watchdog_decision, out);
    out->id = id_new(db_arena(db));
    out->company_id = run->company_id;
    out->run_id = run->id;
    out->decision = d->decision;
    out->snoozed_until = dismissed ? INSTANT_NONE : d->snoozed_until;
    if (text_is(d->decision, "continue") && out->snoozed_until == INSTANT_NONE)
        out->snoozed_until = clock_now() + CONTINUE_MS;
    out->reason = d->reason;
    out->created_by_agent_id = actor->agent_id;
    out->created_by_user_id = actor->type == ACTOR_BOARD ? actor->user_id : NULL;
    out->created_by_run_id = actor->run_id;
    out->created_at = clock_now();
    TRY(entity_insert(db, &ENTITY_watchdog_decision, out));
    TRY(db_exec_one(
        db,
        "UPDATE heartbeat_runs SET silence_snoozed_until = $2, silence_dismissed = silence_dismissed OR $3 WHERE id = $1",
        P(V_ID(run->id), V_TIME(out->snoozed_until), V_BOOL(dismissed))));
    TRY(open_question(db, run, &x, &found));
    if (found) TRY(answer(db, &x, dismissed ? "false_positive" : "restored", d->reason ? d->reason : d->decision));
    return activity_log(db, actor,
                        &(struct activity_entry){
                            .company_id = run->company_id,
                            .action = snooze ? "heartbeat.watchdog_snoozed" : "heartbeat.watchdog_decision_recorded",
                            .entity_type = "heartbeat_run",
                            .entity_id = run->id,
                            .details = json_pack("{s:s, s:s?, s:s?, s:s?}", "decision", d->decision, "snoozedUntil",
                                                 instant_text(db_arena(db), out->snoozed_until), "reason", d->reason,
                                                 "issueId", run->issue_id)});
}
