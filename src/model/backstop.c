/* backstop: the level behind the edge. */
#include "model/backstop.h"

#include "base/json.h"
#include "base/text.h"
#include "model/activity.h"
#include "model/explain.h"
#include "model/follow_up.h"
#include "model/issue.h"
#include "model/relation.h"
#include "model/wake.h"

#define LEAST_ID "00000000-0000-0000-0000-000000000000"

err_t backstop_page(struct db *db, const char *after_id, int limit, struct backstop_item **rows, int *count)
{
    struct rows r ROWS_AUTO = {0};
    *rows = arena_array(db_arena(db), struct backstop_item, limit + 1);
    *count = 0;
    TRY(db_query(
        db, &r,
        "SELECT i.company_id, i.id FROM issues i WHERE i.status = 'blocked' AND i.assignee_agent_id IS NOT NULL AND i.hidden_at IS NULL"
        " AND i.id > $1"
        " AND EXISTS (SELECT 1 FROM issue_relations x WHERE x.related_issue_id = i.id AND x.type = 'blocks')"
        " AND NOT EXISTS (SELECT 1 FROM issue_relations x JOIN issues b ON b.id = x.issue_id WHERE x.related_issue_id = i.id"
        " AND x.type = 'blocks' AND b.status <> 'done') ORDER BY i.id LIMIT $2",
        P(V_ID(after_id ? after_id : LEAST_ID), V_INT(limit))));
    while (rows_next(&r) && *count < limit)
        (*rows)[(*count)++] = (struct backstop_item){row_text(&r, 0), row_text(&r, 1)};
    return rows_err(&r);
}

/* The blocker that ended last: the wake of its end has this key, so that nobody is told twice. */
static err_t last_blocker(struct db *db, const char *issue_id, const char **id, instant_t *done_at)
{
    struct rows r ROWS_AUTO = {0};
    *id = NULL;
    TRY(db_query(db, &r,
                 "SELECT b.id, b.completed_at FROM issue_relations x JOIN issues b ON b.id = x.issue_id"
                 " WHERE x.related_issue_id = $1 AND x.type = 'blocks' ORDER BY b.completed_at DESC, b.id DESC LIMIT 1",
                 P(V_ID(issue_id))));
    if (rows_next(&r)) {
        *id = row_text(&r, 0);
        *done_at = row_time(&r, 1);
    }
    return rows_err(&r);
}

static err_t told_already(struct db *db, const struct issue *i, const char *blocker, bool *yes)
{
    int64_t n;
    instant_t since = i->blocked_transition_at == INSTANT_NONE ? i->created_at : i->blocked_transition_at;
    TRY(db_int(
        db, &n, 0,
        "SELECT count(*) FROM agent_wakeup_requests WHERE issue_id = $1 AND requested_at >= $3 AND status <> 'skipped'"
        " AND (idempotency_key LIKE $2 OR idempotency_key LIKE $4)",
        P(V_ID(i->id), V_TEXT(arena_printf(db_arena(db), "issue_blockers_resolved:%s:%s%%", i->id, blocker)),
          V_TIME(since), V_TEXT(arena_printf(db_arena(db), "issue_blockers_resolved:%s:restored:%%", i->id)))));
    *yes = n > 0;
    return OK;
}

err_t backstop_treat(struct db *db, const char *issue_id, bool *woken)
{
    struct arena *a = db_arena(db);
    struct issue i;
    const struct issue *root = &i;
    struct explained x;
    struct id_list all;
    struct wake_result result;
    const char *blocker;
    instant_t done_at = INSTANT_NONE;
    bool found, told;
    *woken = false;
    TRY(issue_get(db, issue_id, &i, &found));
    if (!found || !text_is(i.status, "blocked") || i.assignee_agent_id == NULL) return OK;
    TRY(explain_load(db, i.company_id, &root, 1, &x));
    if (x.verdicts[0].state != EXPLAIN_DEAD) return OK; /* something else keeps it, or moves it */
    TRY(last_blocker(db, issue_id, &blocker, &done_at));
    if (blocker == NULL) return OK;
    TRY(told_already(db, &i, blocker, &told));
    if (told) return OK;
    TRY(relation_blockers(db, issue_id, &all));
    TRY(wake_enqueue(
        db, &follow_up_actor,
        &(struct wake_request){
            .agent_id = i.assignee_agent_id,
            .source = "automation",
            .trigger_detail = "system",
            .reason = "issue_blockers_resolved",
            .payload = json_pack("{s:s, s:s, s:o, s:s, s:s}", "issueId", issue_id, "resolvedBlockerIssueId", blocker,
                                 "blockerIssueIds", id_list_json(&all), "mutation", "blocker_done", "backstop",
                                 "issue_graph_liveness_reconciliation"),
            .context = json_pack("{s:s, s:s}", "issueId", issue_id, "source", "issue_graph_liveness.backstop"),
            .idempotency_key = arena_printf(a, "issue_blockers_resolved:%s:%s:%s", issue_id, blocker,
                                            done_at == INSTANT_NONE ? "" : instant_text(a, done_at))},
        &result));
    *woken = result.outcome == WAKE_QUEUED || result.outcome == WAKE_DEFERRED;
    if (!*woken) return OK;
    return activity_log(db, &follow_up_actor,
                        &(struct activity_entry){.company_id = i.company_id,
                                                 .action = "issue.blockers_resolved_wake_emitted",
                                                 .entity_type = "issue",
                                                 .entity_id = issue_id,
                                                 .details = json_pack("{s:s, s:s}", "resolvedBlockerIssueId", blocker,
                                                                      "source", "issue_graph_liveness.backstop")});
}
