/*
 * watchdog_tree: the look of a watchdog at its tree. The stop of a tree is one
 * line for each open leaf (status, owner, what it waits for); the fingerprint is
 * the hash of the lines, so that the same stop is recognised.
 */
#include "base/id.h"
#include "base/text.h"
#include "model/activity.h"
#include "model/agent.h"
#include "model/escalate.h"
#include "model/issue.h"
#include "model/issue_create.h"
#include "model/issue_update.h"
#include "model/task_watchdog.h"
#include "model/wake.h"
#include "rules/heartbeat.h"

#define TREE_MAX 500

static const struct actor system_actor = {.type = ACTOR_SYSTEM, .source = "recovery"};

struct look {
    struct db *db;
    struct arena *a;
    struct watchdog dog;
    struct issue root;
    struct watchdog_facts facts;
    json_t *lines; /* of the open leaves, by id */
    const char *fingerprint;
};

/* The issue and all below it, except what watchdogs asked for. */
#define TREE                                                                              \
    "WITH RECURSIVE tree(id, depth) AS (SELECT id, 0 FROM issues WHERE id = $1"           \
    " UNION SELECT i.id, tree.depth + 1 FROM issues i JOIN tree ON i.parent_id = tree.id" \
    " WHERE i.origin_kind <> '" WATCHDOG_ORIGIN "' AND i.hidden_at IS NULL AND tree.depth < 50)"

static err_t count_live(struct look *l)
{
    int64_t n;
    TRY(db_int(
        l->db, &n, 0,
        TREE
        " SELECT (SELECT count(*) FROM heartbeat_runs WHERE issue_id IN (SELECT id FROM tree)"
        " AND status IN ('queued','running','scheduled_retry'))"
        " + (SELECT count(*) FROM agent_wakeup_requests WHERE issue_id IN (SELECT id FROM tree) AND status = 'queued')",
        P(V_ID(l->root.id))));
    l->facts.live = (int)n;
    return OK;
}

static err_t read_tree(struct look *l)
{
    struct rows r ROWS_AUTO = {0};
    instant_t young = clock_now() - WATCHDOG_YOUNG_MS;
    l->lines = json_array();
    TRY(db_query(
        l->db, &r,
        TREE
        " SELECT i.id, i.status, i.assignee_agent_id, i.assignee_user_id, i.created_at, i.monitor_next_check_at,"
        " i.unblock_descriptor, (SELECT count(*) FROM heartbeat_runs h WHERE h.issue_id = i.id AND h.finished_at IS NOT NULL),"
        " (SELECT count(*) FROM issues c WHERE c.parent_id = i.id AND c.hidden_at IS NULL AND c.origin_kind <> '" WATCHDOG_ORIGIN
        "'"
        " AND c.status NOT IN ('done','cancelled'))"
        " FROM issues i JOIN (SELECT DISTINCT id FROM tree) t ON t.id = i.id WHERE i.status NOT IN ('done','cancelled')"
        " ORDER BY i.id LIMIT $2",
        P(V_ID(l->root.id), V_INT(TREE_MAX))));
    while (rows_next(&r)) {
        l->facts.open++;
        if (row_int(&r, 7) == 0 && row_time(&r, 4) > young) l->facts.young_unrun++;
        if (row_int(&r, 8) > 0) continue; /* no leaf */
        json_array_append_new(
            l->lines,
            json_string(arena_printf(l->a, "%s|%s|%s|%s|%s|%s", row_text(&r, 0), row_text(&r, 1),
                                     row_text(&r, 2) ? row_text(&r, 2) : "", row_text(&r, 3) ? row_text(&r, 3) : "",
                                     row_null(&r, 5) ? "" : instant_text(l->a, row_time(&r, 5)),
                                     row_text(&r, 6) ? row_text(&r, 6) : "")));
    }
    return rows_err(&r);
}

/* What the open issues of the tree are blocked by. */
static err_t read_blockers(struct look *l)
{
    struct rows r ROWS_AUTO = {0};
    TRY(db_query(
        l->db, &r,
        TREE
        " SELECT x.related_issue_id, x.issue_id FROM issue_relations x JOIN issues i ON i.id = x.related_issue_id"
        " JOIN issues b ON b.id = x.issue_id WHERE x.type = 'blocks' AND x.related_issue_id IN (SELECT id FROM tree)"
        " AND i.status NOT IN ('done','cancelled') AND b.status <> 'done' ORDER BY 1, 2 LIMIT $2",
        P(V_ID(l->root.id), V_INT(TREE_MAX))));
    while (rows_next(&r))
        json_array_append_new(l->lines, json_string(arena_printf(l->a, "%s<-%s", row_text(&r, 0), row_text(&r, 1))));
    return rows_err(&r);
}

/* Does nothing stand still that was not reviewed? */
static bool shrunk(const json_t *now, const json_t *reviewed)
{
    size_t i, k;
    json_t *line, *old;
    if (json_array_size(reviewed) == 0 || json_array_size(now) == 0) return false;
    json_array_foreach (now, i, line) {
        bool known = false;
        json_array_foreach ((json_t *)(uintptr_t)reviewed, k, old) known |= json_equal(line, old);
        if (!known) return false;
    }
    return true;
}

static err_t agent_can(struct look *l, bool *can)
{
    struct agent agent;
    const char *why = NULL;
    bool found;
    TRY(agent_get(l->db, l->dog.watchdog_agent_id, &agent, &found));
    if (found) TRY(agent_invokable(l->db, &agent, &why));
    *can = found && why == NULL && heartbeat_policy(agent.runtime_config).wake_on_demand;
    return OK;
}

/* The issue that asks it to look; closed: what it was told of is reviewed. */
static err_t read_report(struct look *l, struct issue *report, bool *found)
{
    *found = false;
    if (l->dog.watchdog_issue_id == NULL) return OK;
    TRY(issue_get(l->db, l->dog.watchdog_issue_id, report, found));
    l->facts.report_open = *found && !text_is(report->status, "done") && !text_is(report->status, "cancelled");
    return OK;
}

static err_t save(struct look *l, const struct watchdog *after)
{
    struct watchdog next = *after;
    next.updated_at = l->dog.updated_at; /* a look is no change by anybody */
    TRY(entity_update(l->db, &ENTITY_watchdog, &l->dog, &next));
    l->dog = next;
    return OK;
}

/* Its review is over: kept once, when the report closes. */
static err_t note_reviewed(struct look *l, const struct issue *report, bool found)
{
    struct watchdog next = l->dog;
    bool told = l->dog.fired_fingerprint && !text_same(l->dog.fired_fingerprint, l->dog.last_reviewed_fingerprint);
    if (!found || l->facts.report_open || !told) return OK;
    next.last_reviewed_fingerprint = l->dog.fired_fingerprint;
    next.last_reviewed_stop_snapshot = l->dog.last_observed_stop_snapshot;
    next.last_completed_at = report->completed_at != INSTANT_NONE ? report->completed_at : report->updated_at;
    return save(l, &next);
}

/* ---- telling it ---- */

static const char *description(const struct look *l)
{
    const char *own = l->dog.instructions;
    return arena_printf(
        l->a,
        "The work below %s stands still: no run and no wake is on its way anywhere in it, and it is not done.\n\n"
        "Look at each open issue of the tree and find out what it waits for. Set going again what can go on "
        "(assign it, unblock it, comment on it), with at most three changes; say what a person has to decide. Then mark "
        "this issue done.\n\nOpen ends: %d. Fingerprint: `%s`.%s%s",
        l->root.identifier, (int)json_array_size(l->lines), l->fingerprint,
        own ? "\n\nInstructions of whoever set this watchdog:\n\n" : "", own ? own : "");
}

static err_t open_report(struct look *l, struct issue *report, bool found)
{
    struct issue_created made;
    struct issue_changed out;
    if (found && l->facts.report_open) return OK;
    if (found) { /* the same one again */
        struct issue_change change = {.after = *report, .status_sent = true};
        change.after.status = "todo";
        change.after.assignee_agent_id = l->dog.watchdog_agent_id;
        change.after.description = description(l);
        TRY(issue_update(l->db, &system_actor, report, &change, &out));
        *report = out.row;
        return OK;
    }
    struct issue_new in = {.allow_duplicate = true, .parent = &l->root};
    entity_init(&ENTITY_issue, &in.row);
    in.row.company_id = l->root.company_id;
    in.row.title = arena_printf(l->a, "Watchdog review for %s", l->root.identifier);
    in.row.description = description(l);
    in.row.status = "todo";
    in.row.priority = "high";
    in.row.parent_id = l->root.id;
    in.row.project_id = l->root.project_id;
    in.row.assignee_agent_id = l->dog.watchdog_agent_id;
    in.row.origin_kind = WATCHDOG_ORIGIN;
    in.row.origin_id = l->dog.id;
    TRY(issue_create(l->db, &system_actor, &in, &made));
    *report = made.row;
    return OK;
}

static err_t wake_agent(struct look *l, const struct issue *report, int attempt)
{
    struct wake_result ignored;
    const struct wake_request w = {
        .agent_id = l->dog.watchdog_agent_id,
        .source = "automation",
        .trigger_detail = "system",
        .reason = "task_watchdog_stopped_subtree",
        .payload = json_pack("{s:s, s:s, s:s, s:s, s:i}", "issueId", report->id, "watchdogId", l->dog.id,
                             "sourceIssueId", l->root.id, "fingerprint", l->fingerprint, "attempt", attempt),
        .context = json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "issueId", report->id, "source", "issue.task_watchdog",
                             "watchdogId", l->dog.id, "watchedIssueId", l->root.id, "watchdogFingerprint",
                             l->fingerprint, "watchdogAttempt", attempt),
        .idempotency_key = arena_printf(l->a, "task_watchdog:%s:%.24s:%lld", l->dog.id, l->fingerprint,
                                        (long long)l->dog.trigger_count + 1)};
    return wake_enqueue(l->db, &system_actor, &w, &ignored);
}

static err_t log_root(struct look *l, const char *action, int attempt)
{
    return activity_log(
        l->db, &system_actor,
        &(struct activity_entry){.company_id = l->root.company_id,
                                 .action = action,
                                 .entity_type = "issue",
                                 .entity_id = l->root.id,
                                 .details = json_pack("{s:s, s:s, s:s, s:s, s:i}", "source", "recovery.task_watchdog",
                                                      "watchdogId", l->dog.id, "identifier", l->root.identifier,
                                                      "fingerprint", l->fingerprint, "attempt", attempt)});
}

static err_t fire(struct look *l, struct issue *report, bool found, int attempt)
{
    struct watchdog next;
    TRY(open_report(l, report, found));
    TRY(wake_agent(l, report, attempt));
    next = l->dog;
    next.watchdog_issue_id = report->id;
    next.fired_fingerprint = next.last_observed_fingerprint = l->fingerprint;
    next.last_observed_stop_snapshot = json_text(l->a, l->lines);
    next.fired_attempt = attempt;
    next.moved_since_fired = false;
    next.last_triggered_at = clock_now();
    next.trigger_count++;
    TRY(save(l, &next));
    return log_root(l, "issue.watchdog_triggered", attempt);
}

/* It was told three times, the tree moved and came to the same stop each time. */
static err_t give_up(struct look *l, int attempt)
{
    struct watchdog next = l->dog;
    next.moved_since_fired = false;
    TRY(save(l, &next));
    TRY(log_root(l, "issue.watchdog_exhausted", attempt));
    if (text_is(l->root.status, "done") || text_is(l->root.status, "cancelled")) return OK;
    return escalate_issue(
        l->db, &l->root,
        &(struct escalation){.cause = "task_watchdog_exhausted",
                             .action = "The watchdog looked three times and the work came to the same stop each time. "
                                       "Read its comments, decide, and move the issue on.",
                             .agent_id = l->dog.watchdog_agent_id});
}

static err_t act(struct look *l, const struct watchdog_verdict *v, struct issue *report, bool found)
{
    struct watchdog next = l->dog;
    switch (v->act) {
    case WATCHDOG_REST: return OK;
    case WATCHDOG_NOTE_MOVED: next.moved_since_fired = true; return save(l, &next);
    case WATCHDOG_FIRE: return fire(l, report, found, v->attempt);
    case WATCHDOG_ESCALATE: return give_up(l, v->attempt);
    }
    return OK;
}

err_t watchdog_evaluate(struct db *db, const char *watchdog_id, enum watchdog_state *state)
{
    struct look l = {.db = db, .a = db_arena(db)};
    struct issue report;
    bool found, has_report;
    *state = WATCHDOG_NOT_APPLICABLE;
    TRY(entity_one(db, &ENTITY_watchdog, &l.dog, &found, "WHERE id = $1 AND status = 'active'", P(V_ID(watchdog_id))));
    if (found) TRY(issue_get(db, l.dog.issue_id, &l.root, &found));
    if (!found || l.root.hidden_at != INSTANT_NONE) return OK;
    TRY(count_live(&l));
    TRY(read_tree(&l));
    TRY(read_blockers(&l));
    const char *text = json_text(l.a, l.lines);
    l.fingerprint = sha256_hex(l.a, text, strlen(text));
    TRY(read_report(&l, &report, &has_report));
    TRY(note_reviewed(&l, &report, has_report));
    TRY(agent_can(&l, &l.facts.agent_can));
    l.facts.same_as_fired = text_is(l.fingerprint, l.dog.fired_fingerprint);
    l.facts.shrunk = shrunk(l.lines, json_read(l.dog.last_reviewed_stop_snapshot));
    l.facts.moved_since_fired = l.dog.moved_since_fired;
    l.facts.fired_attempt = (int)l.dog.fired_attempt;
    struct watchdog_verdict v = watchdog_judge(&l.facts);
    *state = v.state;
    return act(&l, &v, &report, has_report);
}
