/* inbox: an agent's own work at a glance. */
#include "model/inbox.h"

#include "model/recovery_action.h"
#include "model/barrier.h"

#include <string.h>

#define MINE "assignee_agent_id = $1 AND status IN ('todo','in_progress','blocked') AND hidden_at IS NULL"

struct blocker {
    const char *issue_id, *blocker_id;
};

struct inbox {
    struct issue *issues;
    struct run *runs; /* live ones on these issues, running first */
    struct blocker *blockers;
    struct recovery_set recovery;
    int issue_count, run_count, blocker_count;
};

static err_t load_blockers(struct db *db, const struct agent *agent, struct inbox *in)
{
    struct rows r ROWS_AUTO = {0};
    int cap = 16;
    in->blockers = arena_array(db_arena(db), struct blocker, cap);
    TRY(db_query(
        db, &r,
        "SELECT x.related_issue_id, b.id FROM issue_relations x JOIN issues b ON b.id = x.issue_id"
        " WHERE x.type = 'blocks' AND " UNRESOLVED("b") " AND x.related_issue_id IN (SELECT id FROM issues WHERE " MINE
        ")"
        " ORDER BY x.related_issue_id, b.id",
        P(V_ID(agent->id))));
    while (rows_next(&r)) {
        if (in->blocker_count == cap) {
            struct blocker *bigger = arena_array(db_arena(db), struct blocker, cap * 2);
            memcpy(bigger, in->blockers, sizeof *bigger * (size_t)cap);
            in->blockers = bigger;
            cap *= 2;
        }
        in->blockers[in->blocker_count++] = (struct blocker){row_text(&r, 0), row_text(&r, 1)};
    }
    return rows_err(&r);
}

static err_t load(struct db *db, const struct agent *agent, struct inbox *in)
{
    TRY(entity_many(db, &ENTITY_issue, &in->issues, &in->issue_count,
                    "WHERE " MINE " ORDER BY priority_rank, last_activity_at DESC, id LIMIT $2",
                    P(V_ID(agent->id), V_INT(INBOX_ISSUES_MAX))));
    TRY(entity_many(db, &ENTITY_run, &in->runs, &in->run_count,
                    "WHERE status IN ('queued','running') AND issue_id IN (SELECT id FROM issues WHERE " MINE ")"
                    " ORDER BY CASE status WHEN 'running' THEN 0 ELSE 1 END, created_at, id",
                    P(V_ID(agent->id))));
    const char **ids = arena_array(db_arena(db), const char *, in->issue_count + 1);
    for (int i = 0; i < in->issue_count; i++) ids[i] = in->issues[i].id;
    TRY(recovery_set_load(db, ids, in->issue_count, &in->recovery));
    return load_blockers(db, agent, in);
}

static void write_run(struct jw *w, const struct inbox *in, const struct issue *issue)
{
    jw_key(w, "activeRun");
    for (int i = 0; i < in->run_count; i++) {
        const struct run *run = &in->runs[i];
        if (strcmp(run->issue_id, issue->id) != 0) continue;
        jw_obj(w);
        jw_kstr(w, "id", run->id);
        jw_kstr(w, "status", run->status);
        jw_kstr(w, "agentId", run->agent_id);
        jw_kstr(w, "invocationSource", run->invocation_source);
        jw_kstr(w, "triggerDetail", run->trigger_detail);
        jw_ktime(w, "startedAt", run->started_at);
        jw_ktime(w, "finishedAt", run->finished_at);
        jw_ktime(w, "createdAt", run->created_at);
        jw_obj_end(w);
        return;
    }
    jw_null(w);
}

static void write_blockers(struct jw *w, const struct inbox *in, const struct issue *issue)
{
    int n = 0;
    for (int i = 0; i < in->blocker_count; i++) n += strcmp(in->blockers[i].issue_id, issue->id) == 0;
    jw_kbool(w, "dependencyReady", n == 0);
    jw_kint(w, "unresolvedBlockerCount", n);
    jw_karr(w, "unresolvedBlockerIssueIds");
    for (int i = 0; i < in->blocker_count; i++)
        if (strcmp(in->blockers[i].issue_id, issue->id) == 0) jw_str(w, in->blockers[i].blocker_id);
    jw_arr_end(w);
}

err_t inbox_write_lite(struct db *db, struct jw *w, const struct agent *agent)
{
    struct inbox in = {0};
    TRY(load(db, agent, &in));
    jw_arr(w);
    for (int i = 0; i < in.issue_count; i++) {
        const struct issue *issue = &in.issues[i];
        jw_obj(w);
        jw_kstr(w, "id", issue->id);
        jw_kstr(w, "identifier", issue->identifier);
        jw_kstr(w, "title", issue->title);
        jw_kstr(w, "status", issue->status);
        jw_kstr(w, "priority", issue->priority);
        jw_kstr(w, "projectId", issue->project_id);
        jw_kstr(w, "goalId", issue->goal_id);
        jw_kstr(w, "parentId", issue->parent_id);
        jw_ktime(w, "updatedAt", issue->updated_at);
        write_run(w, &in, issue);
        recovery_set_write(w, &in.recovery, issue->id);
        write_blockers(w, &in, issue);
        jw_obj_end(w);
    }
    jw_arr_end(w);
    return OK;
}
