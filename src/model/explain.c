/* explain: facts about a graph of issues, one statement per kind of fact. */
#include "model/explain.h"

#include "base/settings.h"
#include "base/text.h"
#include "model/agent.h"
#include "model/barrier.h"
#include "model/company.h"
#include "model/hold.h"
#include "model/explain_review.h"
#include "model/in_list.h"
#include "model/suppression.h"
#include "model/recovery_action.h"
#include "model/issue.h"
#include "model/run.h"
#include "model/workspace_busy.h"
#include "rules/heartbeat.h"

#include <stdlib.h>
#include <string.h>

#define HOLDERS_MAX 50

struct place;
struct load {
    struct db *db;
    struct arena *a;
    struct explained *x;
    const char **ids;
    int count;
    struct place *places; /* the nodes in the order of their ids */
};

/* ---- finding a node by its id ---- */

struct place {
    const char *id;
    int node;
};

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct place *)a)->id, ((const struct place *)b)->id);
}

static int find(const struct load *l, const char *id)
{
    const struct place key = {.id = id};
    const struct place *p = bsearch(&key, l->places, (size_t)l->count, sizeof key, by_id);
    return p ? p->node : -1;
}

static err_t query_all(struct load *l, struct rows *r, const char *format, const struct dbv *head, int heads)
{
    struct in_list in = in_list_make(l->a, head, heads, l->ids, l->count);
    const char *at = strstr(format, "%s");
    const char *sql = arena_printf(l->a, "%.*s%s%s", (int)(at - format), format, in.sql, at + 2);
    return db_query(l->db, r, sql, in.v, in.n);
}

/* ---- the issues themselves ---- */

static instant_t entered(const char *status, instant_t started, instant_t blocked, instant_t closed,
                         instant_t cancelled, instant_t updated)
{
    instant_t t = text_is(status, "in_progress") ? started
                  : text_is(status, "blocked")   ? blocked
                  : text_is(status, "done")      ? closed
                  : text_is(status, "cancelled") ? cancelled
                                                 : INSTANT_NONE;
    return t == INSTANT_NONE ? updated : t;
}

static err_t load_issues(struct load *l)
{
    struct rows r ROWS_AUTO = {0};
    TRY(query_all(
        l, &r,
        "SELECT id, status, hidden_at, started_at, blocked_transition_at, completed_at, cancelled_at, updated_at,"
        " dispatch_expected_since, unblock_descriptor, " PENDING_FINALIZE(
            "b") ","
                 " EXISTS (SELECT 1 FROM workspace_operations f WHERE f.execution_workspace_id = b.execution_workspace_id"
                 " AND f.issue_id = b.id AND f.phase = 'workspace_finalize' AND f.status = 'failed')"
                 " FROM issues b WHERE id IN %s",
        P()));
    while (rows_next(&r)) {
        int n = find(l, row_text(&r, 0));
        struct explain_node *node = &l->x->nodes[n];
        node->status = row_text(&r, 1);
        node->hidden = !row_null(&r, 2);
        node->entered_at =
            entered(node->status, row_time(&r, 3), row_time(&r, 4), row_time(&r, 5), row_time(&r, 6), row_time(&r, 7));
        node->expected_since = row_time(&r, 8);
        l->x->evidence[n].unblock_descriptor = row_text(&r, 9);
        node->unblock_named = json_is_object(json_read(row_text(&r, 9)));
        node->finalizing = row_bool(&r, 10);
        node->finalize_failed = node->finalizing && row_bool(&r, 11);
    }
    return rows_err(&r);
}

/* P1: by the run's own issue, or by a lock column that names it. The most telling one is kept. */
static int run_rank(const char *status)
{
    return text_is(status, "running") ? 3 : text_is(status, "queued") ? 2 : status ? 1 : 0;
}

static err_t load_live(struct load *l)
{
    struct rows r ROWS_AUTO = {0};
    struct explained *x = l->x;
    TRY(query_all(
        l, &r,
        "WITH x AS (SELECT id, execution_run_id, checkout_run_id FROM issues WHERE id IN %s)"
        " SELECT x.id, r.id, r.status, r.agent_id, r.started_at, r.created_at, r.scheduled_retry_at FROM x"
        " JOIN heartbeat_runs r ON r.issue_id = x.id WHERE r.status IN ('queued','running','scheduled_retry')"
        " UNION SELECT x.id, r.id, r.status, r.agent_id, r.started_at, r.created_at, r.scheduled_retry_at FROM x"
        " JOIN heartbeat_runs r ON r.id = x.execution_run_id WHERE r.status IN ('queued','running','scheduled_retry')"
        " UNION SELECT x.id, r.id, r.status, r.agent_id, r.started_at, r.created_at, r.scheduled_retry_at FROM x"
        " JOIN heartbeat_runs r ON r.id = x.checkout_run_id WHERE r.status IN ('queued','running','scheduled_retry')"
        " ORDER BY 6, 2",
        P()));
    while (rows_next(&r)) {
        int n = find(l, row_text(&r, 0));
        struct explain_node *node = &x->nodes[n];
        bool foreign = !text_is(row_text(&r, 3), x->map.refs[n].assignee_agent_id);
        int rank = run_rank(row_text(&r, 2)), have = run_rank(node->run_status);
        if (rank < have || (rank == have && (foreign || !node->run_foreign))) continue;
        node->run_status = row_text(&r, 2);
        node->run_foreign = foreign;
        node->run_since = row_null(&r, 4) ? row_time(&r, 5) : row_time(&r, 4);
        node->retry_at = row_time(&r, 6);
        x->evidence[n].run_id = row_text(&r, 1);
        x->evidence[n].run_agent_id = row_text(&r, 3);
    }
    return rows_err(&r);
}

/* Who is in the workspace a queued run waits for. Few runs are queued at a time. */
static err_t load_holders(struct load *l)
{
    for (int n = 0, asked = 0; n < l->count && asked < HOLDERS_MAX; n++) {
        struct workspace_holder holder;
        struct issue issue;
        struct run run;
        bool found;
        if (!text_is(l->x->nodes[n].run_status, "queued")) continue;
        asked++;
        TRY(issue_get(l->db, l->x->map.refs[n].id, &issue, &found));
        if (!found || issue.project_id == NULL) continue;
        TRY(run_get(l->db, l->x->evidence[n].run_id, &run, &found));
        if (!found) continue;
        TRY(workspace_busy(l->db, &run, &issue, &holder));
        l->x->nodes[n].workspace_busy = holder.run_id != NULL;
        l->x->evidence[n].holder = holder.identifier;
    }
    return OK;
}

/* P2, and the latest wake that was skipped, with what it said about when to come again. */
static err_t load_wakes(struct load *l)
{
    struct rows r ROWS_AUTO = {0};
    TRY(query_all(
        l, &r,
        "SELECT w.issue_id, w.id, w.status, w.reason, w.requested_at FROM agent_wakeup_requests w"
        " WHERE w.issue_id IN %s AND w.status IN ('queued','deferred_issue_execution') ORDER BY w.requested_at",
        P()));
    while (rows_next(&r)) {
        int n = find(l, row_text(&r, 0));
        struct explain_node *node = &l->x->nodes[n];
        bool queued = text_is(row_text(&r, 2), "queued");
        if (node->wake_queued && !queued) continue;
        node->wake_queued |= queued;
        node->wake_deferred |= !queued;
        node->wake_since = row_time(&r, 4);
        struct explain_evidence *e = &l->x->evidence[n];
        e->wake_id = row_text(&r, 1);
        e->wake_status = row_text(&r, 2);
        e->wake_reason = row_text(&r, 3);
    }
    return rows_err(&r);
}

static err_t load_skips(struct load *l)
{
    struct rows r ROWS_AUTO = {0};
    TRY(query_all(l, &r,
                  "SELECT w.issue_id, w.id, w.reason, w.updated_at, w.payload FROM (SELECT *, row_number() OVER"
                  " (PARTITION BY issue_id ORDER BY updated_at DESC, id DESC) AS nth FROM agent_wakeup_requests"
                  " WHERE status = 'skipped' AND issue_id IN %s) w WHERE w.nth = 1",
                  P()));
    while (rows_next(&r)) {
        int n = find(l, row_text(&r, 0));
        struct explain_evidence *e = &l->x->evidence[n];
        e->skip_id = row_text(&r, 1);
        e->skip_reason = row_text(&r, 2);
        e->skip_at = row_time(&r, 3);
        const char *again = json_str(json_object_get(json_read(row_text(&r, 4)), "heartbeatSkip"), "nextAllowedAt");
        if (!text_is(e->skip_reason, "issue_rewake_throttled") || again == NULL) continue;
        if (!instant_parse(again, &l->x->nodes[n].throttled_until)) l->x->nodes[n].throttled_until = INSTANT_NONE;
    }
    return rows_err(&r);
}

static err_t load_ended(struct load *l)
{
    struct rows r ROWS_AUTO = {0};
    TRY(query_all(
        l, &r,
        "SELECT r.issue_id, r.id, r.status, r.error_code, r.wake_reason, r.finished_at, r.total FROM (SELECT issue_id, id,"
        " status, error_code, wake_reason, finished_at, count(*) OVER (PARTITION BY issue_id) AS total, row_number() OVER"
        " (PARTITION BY issue_id ORDER BY finished_at DESC, id DESC) AS nth FROM heartbeat_runs WHERE issue_id IN %s"
        " AND status NOT IN ('queued','running','scheduled_retry')) r WHERE r.nth = 1",
        P()));
    while (rows_next(&r)) {
        int n = find(l, row_text(&r, 0));
        struct explain_evidence *e = &l->x->evidence[n];
        e->last_run_id = row_text(&r, 1);
        e->last_error_code = row_text(&r, 3);
        e->last_wake_reason = row_text(&r, 4);
        e->run_count = row_int(&r, 6);
        l->x->nodes[n].last_status = row_text(&r, 2);
        l->x->nodes[n].last_held = text_is(e->last_error_code, HOLD_GATE);
        l->x->nodes[n].last_finished = row_time(&r, 5);
    }
    return rows_err(&r);
}

/* P9. With a person it rests for as long as that takes; an agent's turn ends at its timeout. */
static err_t load_recovery(struct load *l)
{
    struct recovery_set set;
    TRY(recovery_set_load(l->db, l->ids, l->count, &set));
    for (int i = 0; i < set.count; i++) {
        const struct recovery_action *a = &set.items[i];
        int n = find(l, a->source_issue_id);
        bool active = text_is(a->status, "active");
        l->x->nodes[n].named[NAMED_ACTION] =
            (struct explain_path){.there = true,
                                  .mover = text_is(a->owner_type, "agent")    ? MOVER_AGENT
                                           : text_is(a->owner_type, "user")   ? MOVER_USER
                                           : text_is(a->owner_type, "system") ? MOVER_TIME
                                                                              : MOVER_BOARD,
                                  .since = a->created_at,
                                  .due = active ? a->timeout_at : INSTANT_NONE};
        l->x->evidence[n].named[NAMED_ACTION].id = a->id;
        l->x->evidence[n].named[NAMED_ACTION].owner_id = a->owner_agent_id ? a->owner_agent_id : a->owner_user_id;
        l->x->evidence[n].named[NAMED_ACTION].text = a->next_action;
    }
    return OK;
}

/* P11. */
static err_t load_holds(struct load *l, const char *company_id)
{
    struct active_hold *holds = arena_array(l->a, struct active_hold, l->count + 1);
    TRY(hold_on_many(l->db, company_id, l->ids, l->count, holds));
    for (int i = 0; i < l->count; i++) {
        if (holds[i].hold_id == NULL) continue;
        l->x->nodes[i].named[NAMED_HOLD] = (struct explain_path){true, MOVER_BOARD, holds[i].since, INSTANT_NONE};
        l->x->evidence[i].named[NAMED_HOLD].id = holds[i].hold_id;
        l->x->evidence[i].named[NAMED_HOLD].text = holds[i].reason;
    }
    return OK;
}

/* P4: the oldest of what waits for an answer. */
static err_t load_asked(struct load *l)
{
    struct rows r ROWS_AUTO = {0};
    TRY(query_all(l, &r,
                  "SELECT issue_id, id, addressee_agent_id, created_at, coalesce(title, payload ->> 'prompt', kind)"
                  " FROM issue_thread_interactions WHERE status = 'pending' AND issue_id IN %s ORDER BY created_at DESC, id DESC",
                  P()));
    while (rows_next(&r)) {
        int n = find(l, row_text(&r, 0));
        l->x->evidence[n].named[NAMED_INTERACTION].id = row_text(&r, 1);
        l->x->evidence[n].named[NAMED_INTERACTION].owner_id = row_text(&r, 2);
        l->x->evidence[n].named[NAMED_INTERACTION].text = row_text(&r, 4);
        l->x->nodes[n].named[NAMED_INTERACTION] =
            (struct explain_path){true, row_null(&r, 2) ? MOVER_BOARD : MOVER_AGENT, row_time(&r, 3), INSTANT_NONE};
    }
    return rows_err(&r);
}

/* P5: in revision it is the requester's move. */
static err_t load_approvals(struct load *l)
{
    struct rows r ROWS_AUTO = {0};
    TRY(query_all(l, &r,
                  "SELECT k.issue_id, a.id, a.status, a.requested_by_agent_id, a.updated_at, coalesce(a.payload ->> 'title', a.type)"
                  " FROM issue_approvals k JOIN approvals a ON a.id = k.approval_id"
                  " WHERE a.status IN ('pending','revision_requested') AND k.issue_id IN %s ORDER BY a.created_at DESC, a.id DESC",
                  P()));
    while (rows_next(&r)) {
        int n = find(l, row_text(&r, 0));
        bool revision = text_is(row_text(&r, 2), "revision_requested") && !row_null(&r, 3);
        l->x->evidence[n].named[NAMED_APPROVAL].id = row_text(&r, 1);
        l->x->evidence[n].named[NAMED_APPROVAL].owner_id = revision ? row_text(&r, 3) : NULL;
        l->x->evidence[n].named[NAMED_APPROVAL].text = row_text(&r, 5);
        l->x->nodes[n].named[NAMED_APPROVAL] =
            (struct explain_path){true, revision ? MOVER_AGENT : MOVER_BOARD, row_time(&r, 4), INSTANT_NONE};
    }
    return rows_err(&r);
}

/* ---- the agents' gates ---- */

static int agent_at(const struct explained *x, const char *id)
{
    for (int i = 0; id && i < x->agent_count; i++)
        if (text_is(x->agents[i].id, id)) return i;
    return -1;
}

/* Is an agent's cap of the day reached? Only agents that have one cost a statement. */
static err_t daily(struct load *l, const struct agent *agent, const struct heartbeat_policy *p, struct explain_agent *f)
{
    instant_t day = instant_day_start(clock_now());
    int64_t n;
    if (p->max_daily_runs >= 0) {
        TRY(db_int(l->db, &n, 0, "SELECT count(*) FROM heartbeat_runs WHERE agent_id = $1 AND started_at >= $2",
                   P(V_ID(agent->id), V_TIME(day))));
        f->daily_runs_reached = n >= p->max_daily_runs;
    }
    if (p->max_daily_cost_cents >= 0) {
        TRY(db_int(l->db, &n, 0, "SELECT sum(cost_cents) FROM cost_events WHERE agent_id = $1 AND occurred_at >= $2",
                   P(V_ID(agent->id), V_TIME(day))));
        f->daily_cost_reached = n >= p->max_daily_cost_cents;
    }
    return OK;
}

struct gates {
    struct company company;
    struct org org;
    const char **names; /* per agent of the company */
    bool *known;
};

static err_t gate_of(struct load *l, struct gates *g, int agent, const char **out)
{
    struct explain_agent f = {.suppressed = scheduling_suppressed(), .company_status = g->company.status};
    if (agent < 0) {
        *out = explain_gate(&f);
        return OK;
    }
    if (!g->known[agent]) {
        const struct agent *a = &l->x->agents[agent];
        struct heartbeat_policy p = heartbeat_policy(a->runtime_config);
        f.status = a->status;
        f.pause_reason = a->pause_reason;
        f.chain_healthy = org_health(l->a, &g->org, agent).verdict == ORG_HEALTHY;
        f.wake_on_demand = p.wake_on_demand;
        TRY(daily(l, a, &p, &f));
        g->names[agent] = explain_gate(&f);
        g->known[agent] = true;
    }
    *out = g->names[agent];
    return OK;
}

static instant_t gate_since(const struct gates *g, const struct agent *agent, const char *gate)
{
    if (text_is(gate, "company_paused") || text_is(gate, "company_archived")) return g->company.paused_at;
    return agent && text_is(agent->status, "paused") ? agent->paused_at : INSTANT_NONE;
}

static err_t load_gates(struct load *l, const char *company_id)
{
    struct explained *x = l->x;
    struct gates g = {0};
    bool found;
    TRY(company_get(l->db, company_id, &g.company, &found));
    TRY(agent_list(l->db, company_id, &x->agents, &x->agent_count));
    agent_org(l->a, x->agents, x->agent_count, &g.org);
    g.names = arena_array(l->a, const char *, x->agent_count + 1);
    g.known = arena_array(l->a, bool, x->agent_count + 1);
    for (int i = 0; i < l->count; i++) {
        if (x->map.refs[i].assignee_agent_id == NULL) continue;
        int agent = agent_at(x, x->map.refs[i].assignee_agent_id);
        TRY(gate_of(l, &g, agent, &x->nodes[i].gate));
        x->nodes[i].gate_since = gate_since(&g, agent < 0 ? NULL : &x->agents[agent], x->nodes[i].gate);
    }
    return OK;
}

/* ---- all of it ---- */

static void prepare(struct load *l)
{
    struct explained *x = l->x;
    bool full = l->count >= BLOCKER_NODES_MAX;
    x->nodes = arena_array(l->a, struct explain_node, l->count + 1);
    x->evidence = arena_array(l->a, struct explain_evidence, l->count + 1);
    l->ids = arena_array(l->a, const char *, l->count + 1);
    l->places = arena_array(l->a, struct place, l->count + 1);
    for (int i = 0; i < l->count; i++) {
        const struct issue_ref *ref = &x->map.refs[i];
        const struct blocker_node *b = &x->map.nodes[i];
        l->ids[i] = ref->id;
        l->places[i] = (struct place){ref->id, i};
        x->nodes[i] = (struct explain_node){.status = ref->status,
                                            .agent_owned = ref->assignee_agent_id != NULL,
                                            .user_owned = ref->assignee_user_id != NULL,
                                            .first = b->first,
                                            .count = b->count,
                                            .complete = b->expanded && !full,
                                            .entered_at = INSTANT_NONE,
                                            .gate_since = INSTANT_NONE,
                                            .run_since = INSTANT_NONE,
                                            .retry_at = INSTANT_NONE,
                                            .wake_since = INSTANT_NONE,
                                            .expected_since = INSTANT_NONE,
                                            .throttled_until = INSTANT_NONE,
                                            .last_finished = INSTANT_NONE};
        x->evidence[i].skip_at = INSTANT_NONE;
    }
    qsort(l->places, (size_t)l->count, sizeof *l->places, by_id);
}

err_t explain_load(struct db *db, const char *company_id, const struct issue *const *roots, int count,
                   struct explained *out)
{
    struct load l = {.db = db, .a = db_arena(db), .x = out};
    *out = (struct explained){.roots = count};
    if (count == 0) return OK;
    TRY(blocker_map_load(db, roots, count, &out->map));
    l.count = out->map.graph.node_count;
    prepare(&l);
    TRY(load_issues(&l));
    TRY(load_live(&l));
    TRY(load_holders(&l));
    TRY(load_wakes(&l));
    TRY(load_skips(&l));
    TRY(load_ended(&l));
    TRY(load_recovery(&l));
    TRY(load_holds(&l, company_id));
    TRY(load_asked(&l));
    TRY(load_approvals(&l));
    TRY(load_gates(&l, company_id));
    TRY(explain_review_load(db, out, l.count));
    const struct explain_graph g = {.nodes = out->nodes, .edges = out->map.edges, .count = l.count};
    out->verdicts = explain_judge(l.a, &g, clock_now());
    return OK;
}
