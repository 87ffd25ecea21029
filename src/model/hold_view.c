/* hold_view: plans and holds as clients read them (IS-126…128). */
#include "base/text.h"
#include "model/activity.h"
#include "model/hold_tree.h"

#include <stdlib.h>

/* ---- counting ---- */

struct agent_count {
    const char *agent_id;
    int issues, runs;
};
struct totals {
    int affected, skipped, running, queued, conflicts;
    struct agent_count *agents;
    int agent_count;
};

static struct agent_count *agent_of(struct totals *t, const char *id)
{
    for (int i = 0; i < t->agent_count; i++)
        if (text_is(t->agents[i].agent_id, id)) return &t->agents[i];
    t->agents[t->agent_count] = (struct agent_count){.agent_id = id};
    return &t->agents[t->agent_count++];
}

static struct totals count(struct arena *a, const struct tree_plan *p)
{
    struct totals t = {.agents = arena_array(a, struct agent_count, p->count + 1)};
    for (int i = 0; i < p->count; i++) {
        const struct tree_member *m = &p->members[i];
        t.skipped += m->skip_reason != NULL;
        t.affected += m->skip_reason == NULL;
        t.conflicts += text_is(m->skip_reason, "changed_after_cancel");
        if (m->skip_reason == NULL && m->row.assignee_agent_id) agent_of(&t, m->row.assignee_agent_id)->issues++;
    }
    for (int i = 0; i < p->run_count; i++) {
        const struct tree_member *m = tree_plan_member(p, p->runs[i].issue_id);
        bool running = text_is(p->runs[i].status, "running");
        if (m == NULL || m->skip_reason) continue;
        t.running += running;
        t.queued += !running;
        for (int k = 0; running && k < t.agent_count; k++)
            t.agents[k].runs += text_is(t.agents[k].agent_id, p->runs[i].agent_id);
    }
    return t;
}

/* ---- warnings ---- */

static void warning(struct jw *w, const char *code, const char *message)
{
    jw_obj(w);
    jw_kstr(w, "code", code);
    jw_kstr(w, "message", message);
}

static void issue_ids(struct jw *w, const struct tree_plan *p, bool (*wanted)(const struct tree_member *m))
{
    jw_karr(w, "issueIds");
    for (int i = 0; i < p->count; i++)
        if (wanted(&p->members[i])) jw_str(w, p->members[i].row.id);
    jw_arr_end(w);
    jw_obj_end(w);
}

static bool is_running(const struct tree_member *m)
{
    return m->skip_reason == NULL && m->run && text_is(m->run->status, "running");
}
static bool is_queued(const struct tree_member *m)
{
    return m->skip_reason == NULL && m->run && !text_is(m->run->status, "running");
}
static bool is_conflict(const struct tree_member *m) { return text_is(m->skip_reason, "changed_after_cancel"); }

static void warnings_write(struct jw *w, const struct tree_plan *p, const struct totals *t)
{
    bool stops = tree_mode_stops(p->mode);
    jw_karr(w, "warnings");
    if (t->affected == 0) {
        warning(w, "no_affected_issues", "Nothing in this tree would change.");
        jw_obj_end(w);
    }
    if (stops && t->running > 0) {
        warning(w, "running_runs_present",
                tree_plan_lets_finish(p) ? "Runs are at work in this tree; they are let finish."
                                         : "Runs are at work in this tree; they are cancelled.");
        issue_ids(w, p, is_running);
    }
    if (stops && t->queued > 0) {
        warning(w, "queued_runs_present", "Runs wait to start in this tree; they are cancelled.");
        issue_ids(w, p, is_queued);
    }
    if (p->mode == TREE_RESUME && t->affected == 0) {
        warning(w, "no_active_pause_holds", "No active pause has its root in this tree.");
        jw_obj_end(w);
    }
    if (p->mode == TREE_RESTORE && t->conflicts > 0) {
        warning(w, "restore_conflicts_present", "Some issues changed after the cancel; they are left as they are.");
        issue_ids(w, p, is_conflict);
    }
    jw_arr_end(w);
}

/* ---- the plan ---- */

static void run_write(struct jw *w, const struct run *run)
{
    if (run == NULL) {
        jw_null(w);
        return;
    }
    jw_obj(w);
    jw_kstr(w, "id", run->id);
    jw_kstr(w, "issueId", run->issue_id);
    jw_kstr(w, "agentId", run->agent_id);
    jw_kstr(w, "status", run->status);
    jw_ktime(w, "startedAt", run->started_at);
    jw_ktime(w, "createdAt", run->created_at);
    jw_obj_end(w);
}

static void member_write(struct jw *w, const struct tree_plan *p, const struct tree_member *m)
{
    jw_obj(w);
    jw_kstr(w, "id", m->row.id);
    jw_kstr(w, "identifier", m->row.identifier);
    jw_kstr(w, "title", m->row.title);
    jw_kstr(w, "status", m->row.status);
    jw_kstr(w, "parentId", m->row.parent_id);
    jw_kint(w, "depth", m->depth);
    jw_kstr(w, "assigneeAgentId", m->row.assignee_agent_id);
    jw_kstr(w, "assigneeUserId", m->row.assignee_user_id);
    jw_key(w, "activeRun");
    run_write(w, m->run);
    jw_key(w, "activeHoldIds");
    jw_json(w, m->hold_ids);
    jw_kstr(w, "action", TREE_MODES[p->mode]);
    jw_kbool(w, "skipped", m->skip_reason != NULL);
    jw_kstr(w, "skipReason", m->skip_reason);
    jw_obj_end(w);
}

static void statuses_write(struct jw *w, const struct tree_plan *p)
{
    jw_kobj(w, "countsByStatus");
    for (int i = 0; i < p->count; i++) {
        const char *status = p->members[i].row.status;
        int n = 0, first = -1;
        for (int k = 0; k < p->count; k++) {
            if (!text_is(p->members[k].row.status, status)) continue;
            if (first < 0) first = k;
            n++;
        }
        if (first == i) jw_kint(w, status, n);
    }
    jw_obj_end(w);
}

static void totals_write(struct jw *w, const struct tree_plan *p, const struct totals *t)
{
    jw_kobj(w, "totals");
    jw_kint(w, "totalIssues", p->count);
    jw_kint(w, "affectedIssues", t->affected);
    jw_kint(w, "skippedIssues", t->skipped);
    jw_kint(w, "activeRuns", t->running);
    jw_kint(w, "queuedRuns", t->queued);
    jw_kint(w, "affectedAgents", t->agent_count);
    jw_obj_end(w);
}

static void agents_write(struct jw *w, const struct totals *t)
{
    jw_karr(w, "affectedAgents");
    for (int i = 0; i < t->agent_count; i++) {
        jw_obj(w);
        jw_kstr(w, "agentId", t->agents[i].agent_id);
        jw_kint(w, "issueCount", t->agents[i].issues);
        jw_kint(w, "activeRunCount", t->agents[i].runs);
        jw_obj_end(w);
    }
    jw_arr_end(w);
}

void tree_plan_write(struct db *db, struct jw *w, const struct issue *root, const struct tree_plan *p)
{
    struct totals t = count(db_arena(db), p);
    jw_obj(w);
    jw_kstr(w, "companyId", root->company_id);
    jw_kstr(w, "rootIssueId", root->id);
    jw_kstr(w, "mode", TREE_MODES[p->mode]);
    jw_ktime(w, "generatedAt", clock_now());
    jw_kraw(w, "releasePolicy", p->release_policy);
    totals_write(w, p, &t);
    statuses_write(w, p);
    jw_karr(w, "issues");
    for (int i = 0; i < p->count; i++) member_write(w, p, &p->members[i]);
    jw_arr_end(w);
    jw_karr(w, "skippedIssues");
    for (int i = 0; i < p->count; i++)
        if (p->members[i].skip_reason) member_write(w, p, &p->members[i]);
    jw_arr_end(w);
    jw_karr(w, "activeRuns");
    for (int i = 0; i < p->run_count; i++) {
        const struct tree_member *m = tree_plan_member(p, p->runs[i].issue_id);
        if (m && m->skip_reason == NULL) run_write(w, &p->runs[i]);
    }
    jw_arr_end(w);
    agents_write(w, &t);
    warnings_write(w, p, &t);
    jw_obj_end(w);
}

err_t tree_plan_record(struct db *db, const struct actor *actor, const struct issue *root, const struct tree_plan *p)
{
    struct totals t = count(db_arena(db), p);
    return activity_log(
        db, actor,
        &(struct activity_entry){.company_id = root->company_id,
                                 .action = "issue.tree_control_previewed",
                                 .entity_type = "issue",
                                 .entity_id = root->id,
                                 .details = json_pack("{s:s, s:s, s:i, s:i, s:i, s:i}", "mode", TREE_MODES[p->mode],
                                                      "identifier", root->identifier, "totalIssues", p->count,
                                                      "affectedIssues", t.affected, "activeRuns", t.running,
                                                      "queuedRuns", t.queued)});
}

/* ---- holds ---- */

err_t hold_get(struct db *db, const char *root_issue_id, const char *id, struct tree_hold *out, bool *found)
{
    return entity_one(db, &ENTITY_tree_hold, out, found, "WHERE id = $1 AND root_issue_id = $2",
                      P(V_ID(id), V_ID(root_issue_id)));
}

static void one_write(struct jw *w, const struct tree_hold *h, const struct tree_hold_member *members, int n)
{
    jw_obj(w);
    entity_write(w, &ENTITY_tree_hold, h, VIEW_FULL);
    if (members) {
        jw_karr(w, "members");
        for (int i = 0; i < n; i++) {
            if (!text_is(members[i].hold_id, h->id)) continue;
            jw_obj(w);
            entity_write(w, &ENTITY_tree_hold_member, &members[i], VIEW_FULL);
            jw_obj_end(w);
        }
        jw_arr_end(w);
    }
    jw_obj_end(w);
}

err_t hold_write(struct db *db, struct jw *w, const struct tree_hold *hold)
{
    struct tree_hold_member *members;
    int n;
    TRY(entity_many(db, &ENTITY_tree_hold_member, &members, &n, "WHERE hold_id = $1 ORDER BY depth, id",
                    P(V_ID(hold->id))));
    one_write(w, hold, members, n);
    return OK;
}

err_t holds_write(struct db *db, struct jw *w, const char *root_issue_id, const struct hold_filter *f)
{
    struct tree_hold *holds;
    struct tree_hold_member *members = NULL;
    int n, m = 0;
    TRY(entity_many(db, &ENTITY_tree_hold, &holds, &n,
                    "WHERE root_issue_id = $1 AND ($2 IS NULL OR status = $2) AND ($3 IS NULL OR mode = $3)"
                    " ORDER BY created_at DESC, id DESC",
                    P(V_ID(root_issue_id), V_TEXT(f->status), V_TEXT(f->mode))));
    if (f->members)
        TRY(entity_many(
            db, &ENTITY_tree_hold_member, &members, &m,
            "WHERE hold_id IN (SELECT id FROM issue_tree_holds WHERE root_issue_id = $1) ORDER BY depth, id",
            P(V_ID(root_issue_id))));
    jw_arr(w);
    for (int i = 0; i < n; i++) one_write(w, &holds[i], members, m);
    jw_arr_end(w);
    return OK;
}
