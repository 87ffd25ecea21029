/* staleness: demand, report, and its end. */
#include "model/staleness.h"

#include "base/settings.h"
#include "base/text.h"
#include "model/agent.h"
#include "model/agent_view.h"
#include "model/escalate.h"
#include "model/explain.h"
#include "rules/staleness.h"

#define ISSUES_LOOKED_AT 100
#define IDS_SHOWN 20

err_t agent_beat(struct db *db, const char *agent_id)
{
    int64_t n;
    return db_exec(
        db, &n,
        "UPDATE agents SET last_heartbeat_at = $2 WHERE id = $1 AND (last_heartbeat_at IS NULL OR last_heartbeat_at < $2)",
        P(V_ID(agent_id), V_TIME(clock_now())));
}

#define OPEN_ISSUES "assignee_agent_id = %s AND status NOT IN ('done','cancelled') AND hidden_at IS NULL"

err_t staleness_page(struct db *db, const char *after_id, int limit, struct stale_candidate **out, int *count)
{
    struct rows r ROWS_AUTO = {0};
    *out = arena_array(db_arena(db), struct stale_candidate, limit);
    *count = 0;
    TRY(db_query(
        db, &r,
        "SELECT a.company_id, a.id FROM agents a JOIN companies c ON c.id = a.company_id"
        " WHERE ($1 IS NULL OR a.id > $1) AND (a.heartbeat_stale_since IS NOT NULL OR (c.status = 'active'"
        " AND a.status IN ('idle','active','running','error') AND coalesce(a.last_heartbeat_at, a.created_at) < $2"
        " AND EXISTS (SELECT 1 FROM issues i WHERE i.assignee_agent_id = a.id AND i.status NOT IN ('done','cancelled')"
        " AND i.hidden_at IS NULL))) ORDER BY a.id LIMIT $3",
        P(V_ID(after_id), V_TIME(clock_now() - settings.adapter_stale_sec * SECOND_MS), V_INT(limit))));
    while (rows_next(&r) && *count < limit)
        (*out)[(*count)++] = (struct stale_candidate){row_text(&r, 0), row_text(&r, 1)};
    return rows_err(&r);
}

/* ---- demand (EX-146) ---- */

struct demand {
    struct db *db;
    const struct agent *agent;
    struct issue *issues; /* its open ones, the most urgent first */
    int count;
    struct explained x;
    instant_t *since; /* per issue, INSTANT_NONE: it may rest */
    instant_t earliest;
    const char *run_id; /* a running run of it */
    json_t *queued_runs, *queued_wakes;
};

static void earlier(instant_t *t, instant_t than)
{
    if (than != INSTANT_NONE && (*t == INSTANT_NONE || than < *t)) *t = than;
}

/* Since when the issue waits for its agent to do something. */
static instant_t issue_waits(const struct demand *d, int n)
{
    const struct explain_verdict *v = &d->x.verdicts[n];
    const struct explain_node *node = &d->x.nodes[n];
    if (settings.adapter_stale_strict) return d->issues[n].updated_at;
    if (v->state == EXPLAIN_LIVE) return node->run_foreign ? INSTANT_NONE : v->since;
    if (v->state == EXPLAIN_DEAD) return v->recoverable ? v->since : INSTANT_NONE;
    bool recovering = v->state == EXPLAIN_RECOVERING && v->named == NAMED_ACTION;
    if (!recovering) return INSTANT_NONE;
    /* it is stuck for this very reason */
    const char *cause = d->x.evidence[n].recovery_cause;
    bool unheard = text_is(cause, "stalled_at_dispatch") || text_is(cause, "adapter_heartbeat_stale");
    return unheard ? v->since : INSTANT_NONE;
}

static err_t load_queue(struct demand *d)
{
    struct rows runs ROWS_AUTO = {0}, wakes ROWS_AUTO = {0};
    d->queued_runs = json_array();
    d->queued_wakes = json_array();
    TRY(db_query(
        d->db, &runs,
        "SELECT id, status, created_at, started_at FROM heartbeat_runs WHERE agent_id = $1 AND status IN ('queued','running')"
        " ORDER BY created_at, id",
        P(V_ID(d->agent->id))));
    while (rows_next(&runs)) {
        bool running = text_is(row_text(&runs, 1), "running");
        if (running && d->run_id == NULL) d->run_id = row_text(&runs, 0);
        if (!running && json_array_size(d->queued_runs) < IDS_SHOWN)
            json_array_append_new(d->queued_runs, json_string(row_text(&runs, 0)));
        earlier(&d->earliest, running ? row_time(&runs, 3) : row_time(&runs, 2));
    }
    TRY(rows_err(&runs));
    TRY(db_query(d->db, &wakes,
                 "SELECT id FROM agent_wakeup_requests WHERE company_id = $1 AND agent_id = $2 AND status = 'queued'"
                 " ORDER BY requested_at, id LIMIT $3",
                 P(V_ID(d->agent->company_id), V_ID(d->agent->id), V_INT(IDS_SHOWN))));
    while (rows_next(&wakes)) json_array_append_new(d->queued_wakes, json_string(row_text(&wakes, 0)));
    return rows_err(&wakes);
}

/* An agent that may not run is asked for nothing: its gate explains its rest (EX-107). */
static err_t load_demand(struct demand *d)
{
    struct arena *a = db_arena(d->db);
    const char *why;
    d->earliest = INSTANT_NONE;
    d->queued_runs = d->queued_wakes = json_array();
    TRY(entity_many(d->db, &ENTITY_issue, &d->issues, &d->count,
                    "WHERE assignee_agent_id = $1 AND status NOT IN ('done','cancelled') AND hidden_at IS NULL"
                    " ORDER BY priority_rank, coalesce(dispatch_expected_since, created_at), id LIMIT $2",
                    P(V_ID(d->agent->id), V_INT(ISSUES_LOOKED_AT))));
    TRY(agent_invokable(d->db, d->agent, &why));
    d->since = arena_array(a, instant_t, d->count + 1);
    if (d->count == 0 || why) return OK;
    const struct issue **roots = arena_array(a, const struct issue *, d->count);
    for (int i = 0; i < d->count; i++) roots[i] = &d->issues[i];
    TRY(explain_load(d->db, d->agent->company_id, roots, d->count, &d->x));
    if (explain_gate_holds_queued(d->x.nodes[0].gate)) return OK;
    for (int i = 0; i < d->count; i++) {
        d->since[i] = issue_waits(d, i);
        earlier(&d->earliest, d->since[i]);
    }
    return load_queue(d);
}

/* ---- the report (EX-147) ---- */

/* The most urgent issue that waits, better one without an action of its own. */
static int stalled_issue(const struct demand *d)
{
    int pick = -1, free_pick = -1;
    for (int i = 0; i < d->count; i++) {
        if (d->since[i] == INSTANT_NONE) continue;
        if (pick < 0) pick = i;
        if (free_pick < 0 && !d->x.nodes[i].named[NAMED_ACTION].there) free_pick = i;
    }
    if (free_pick >= 0) return free_pick;
    return pick >= 0 ? pick : 0;
}

static json_t *report_evidence(const struct demand *d, const struct staleness_facts *f, int pick)
{
    struct arena *a = db_arena(d->db);
    json_t *others = json_array();
    for (int i = 0; i < d->count && json_array_size(others) < IDS_SHOWN; i++)
        if (i != pick && d->since[i] != INSTANT_NONE) json_array_append_new(others, json_string(d->issues[i].id));
    json_t *e = json_pack("{s:s, s:s, s:s, s:s?, s:I, s:I, s:s, s:s?}", "agentId", d->agent->id, "adapterType",
                          d->agent->adapter_type, "agentStatus", d->agent->status, "lastHeartbeatAt",
                          instant_text(a, d->agent->last_heartbeat_at), "stalenessMs",
                          (json_int_t)(clock_now() - staleness_since(f)), "thresholdMs", (json_int_t)f->threshold_ms,
                          "demandSince", instant_text(a, f->demand_since), "linkedRunId", d->run_id);
    json_object_set(e, "queuedRunIds", d->queued_runs);
    json_object_set(e, "queuedWakeIds", d->queued_wakes);
    json_object_set_new(e, "affectedIssueIds", others);
    return e;
}

static const char *print_of(struct arena *a, const struct agent *agent, const char *beat)
{
    return arena_printf(a, "adapter_stale:%s:%s:%s", agent->company_id, agent->id, beat);
}

static err_t mark(struct db *db, const struct agent *agent, instant_t stale_since)
{
    return db_exec_one(db, "UPDATE agents SET heartbeat_stale_since = $2, updated_at = $3 WHERE id = $1",
                       P(V_ID(agent->id), V_TIME(stale_since), V_TIME(clock_now())));
}

static err_t report(struct demand *d, const struct staleness_facts *f)
{
    struct arena *a = db_arena(d->db);
    struct recovery_action action;
    enum recovery_upsert what;
    struct agent now = *d->agent;
    int pick = stalled_issue(d);
    const char *beat = now.last_heartbeat_at == INSTANT_NONE ? "never" : instant_text(a, now.last_heartbeat_at);
    json_t *evidence = report_evidence(d, f, pick);
    TRY(escalate_with(
        d->db, &d->issues[pick],
        &(struct escalation){
            .cause = "adapter_heartbeat_stale",
            .action = arena_printf(
                a, "Check or restart the adapter (%s) of %s: work waits for the agent and it gives no sign of life.",
                now.adapter_type, now.name),
            .fingerprint = print_of(a, &now, beat),
            .evidence = evidence,
            .excluded_owner = now.id,
            .no_block = true,
            .no_notice = true},
        &action, &what));
    now.heartbeat_stale_since = f->last_beat;
    TRY(mark(d->db, &now, f->last_beat));
    json_t *details = json_deep_copy(evidence);
    json_object_set_new(details, "issueId", json_string(d->issues[pick].id));
    json_object_set_new(details, "recoveryActionId", action.id ? json_string(action.id) : json_null());
    json_object_set_new(details, "severity", json_string("high"));
    return agent_log(d->db, &recovery_actor, "agent.heartbeat_stale", &now, details);
}

/* ---- its end (EX-148) ---- */

static err_t take_back(struct db *db, const struct agent *agent, const struct recovery_end *end, const char *activity)
{
    struct recovery_action *rows;
    struct agent now = *agent;
    int n;
    TRY(entity_many(
        db, &ENTITY_recovery_action, &rows, &n,
        "WHERE company_id = $1 AND " RECOVERY_OPEN " AND cause = 'adapter_heartbeat_stale' AND fingerprint LIKE $2",
        P(V_ID(agent->company_id), V_TEXT(arena_printf(db_arena(db), "%s%%", print_of(db_arena(db), agent, ""))))));
    for (int i = 0; i < n; i++) TRY(recovery_action_end(db, &recovery_actor, &rows[i], end));
    now.heartbeat_stale_since = INSTANT_NONE;
    TRY(mark(db, &now, INSTANT_NONE));
    return agent_log(db, &recovery_actor, activity, &now, json_pack("{s:s}", "reason", end->note));
}

err_t staleness_treat(struct db *db, const char *agent_id, const struct staleness_view *v, const char **did)
{
    static const struct recovery_end resumed = {.status = "resolved",
                                                .outcome = "restored",
                                                .note = "adapter heartbeat resumed",
                                                .source = "adapter_heartbeat"};
    static const struct recovery_end idle = {.status = "cancelled",
                                             .outcome = "cancelled",
                                             .note = "Nothing waits for the agent any more.",
                                             .fold_reason = "demand_gone",
                                             .source = "source_revalidation"};
    struct agent agent;
    bool found;
    *did = NULL;
    TRY(agent_get(db, agent_id, &agent, &found));
    if (!found) return OK;
    struct demand d = {.db = db, .agent = &agent};
    TRY(load_demand(&d));
    struct staleness_facts f = {.last_beat = agent.last_heartbeat_at == INSTANT_NONE ? agent.created_at
                                                                                     : agent.last_heartbeat_at,
                                .demand_since = d.earliest,
                                .watched_since = v->watched_since,
                                .reported_beat = agent.heartbeat_stale_since,
                                .slots_full = v->slots_full && d.run_id == NULL,
                                .threshold_ms = settings.adapter_stale_sec * SECOND_MS,
                                .strict = settings.adapter_stale_strict};
    switch (staleness_judge(&f, clock_now())) {
    case STALENESS_NONE: return OK;
    case STALENESS_REPORT: *did = "reported"; return report(&d, &f);
    case STALENESS_RESUMED: *did = "resumed"; return take_back(db, &agent, &resumed, "agent.heartbeat_resumed");
    case STALENESS_IDLE: break;
    }
    *did = "idle";
    return take_back(db, &agent, &idle, "agent.heartbeat_idle");
}
