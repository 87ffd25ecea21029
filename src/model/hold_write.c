/*
 * hold_write: carrying a plan out. The hold is written first, so that nothing
 * that is cancelled here is started again by the promotion it causes; statuses
 * change through issue_update, as everybody's do (IS §18 BETTER).
 */
#include "base/id.h"
#include "base/text.h"
#include "model/activity.h"
#include "model/explain.h"
#include "model/hold.h"
#include "model/hold_tree.h"
#include "model/issue.h"
#include "model/issue_update.h"
#include "model/relation.h"
#include "model/run_control.h"
#include "model/stages.h"
#include "model/wake.h"

struct act {
    struct db *db;
    struct arena *a;
    const struct actor *actor;
    const struct issue *root;
    const struct tree_plan *p;
    struct tree_hold *hold;
};

static err_t record(const struct act *x, const char *action, json_t *details)
{
    json_object_set_new(details, "holdId", json_string(x->hold->id));
    json_object_set_new(details, "mode", json_string(x->hold->mode));
    json_object_set_new(details, "identifier", json_string(x->root->identifier));
    if (x->hold->reason) json_object_set_new(details, "reason", json_string(x->hold->reason));
    return activity_log(x->db, x->actor,
                        &(struct activity_entry){.company_id = x->root->company_id,
                                                 .action = action,
                                                 .entity_type = "issue",
                                                 .entity_id = x->root->id,
                                                 .details = details});
}

/* ---- the hold and its snapshot ---- */

static void fill_hold(const struct act *x)
{
    struct tree_hold *h = x->hold;
    entity_init(&ENTITY_tree_hold, h);
    h->id = id_new(x->a);
    h->company_id = x->root->company_id;
    h->root_issue_id = x->root->id;
    h->mode = TREE_MODES[x->p->mode];
    h->status = "active";
    h->release_policy = x->p->release_policy;
    h->created_by_actor_type = actor_kind(x->actor);
    h->created_by_agent_id = x->actor->agent_id;
    h->created_by_user_id = x->actor->type == ACTOR_BOARD ? x->actor->user_id : NULL;
    h->created_by_run_id = id_valid(x->actor->run_id) ? x->actor->run_id : NULL;
    h->created_at = h->updated_at = clock_now();
}

static err_t insert_members(const struct act *x)
{
    for (int i = 0; i < x->p->count; i++) {
        const struct tree_member *m = &x->p->members[i];
        struct tree_hold_member row;
        entity_init(&ENTITY_tree_hold_member, &row);
        row.id = id_new(x->a);
        row.company_id = x->root->company_id;
        row.hold_id = x->hold->id;
        row.issue_id = m->row.id;
        row.parent_issue_id = m->row.parent_id;
        row.depth = m->depth;
        row.issue_identifier = m->row.identifier;
        row.issue_title = m->row.title;
        row.issue_status = m->row.status;
        row.assignee_agent_id = m->row.assignee_agent_id;
        row.assignee_user_id = m->row.assignee_user_id;
        row.active_run_id = m->run ? m->run->id : NULL;
        row.active_run_status = m->run ? m->run->status : NULL;
        row.skipped = m->skip_reason != NULL;
        row.skip_reason = m->skip_reason;
        row.created_at = x->hold->created_at;
        row.unblock_descriptor = m->row.unblock_descriptor;
        row.execution_state = m->row.execution_state;
        TRY(entity_insert(x->db, &ENTITY_tree_hold_member, &row));
    }
    return OK;
}

/* ---- stopping work (EX-131) ---- */

static err_t stop_run(const struct act *x, const struct run *run)
{
    const struct tree_member *m = tree_plan_member(x->p, run->issue_id);
    const struct active_hold h = {.hold_id = x->hold->id, .root_issue_id = x->root->id};
    int64_t n;
    if (m == NULL || m->skip_reason) return OK;
    if (text_is(run->status, "running") && tree_plan_lets_finish(x->p)) return OK;
    TRY(run_cancel_where(
        x->db,
        &(struct run_cancel){
            .run_id = run->id, .error = "Cancelled by control plane", .error_code = HOLD_GATE, .stop_reason = "paused"},
        &n));
    if (n == 0) return OK;
    return hold_record(x->db, x->actor, &m->row, &h, "issue.tree_hold_run_interrupted",
                       json_pack("{s:s, s:s, s:s, s:s}", "runId", run->id, "agentId", run->agent_id, "runStatus",
                                 run->status, "source", "tree_hold"));
}

static err_t stop_work(const struct act *x)
{
    int64_t n;
    TRY(db_exec(
        x->db, &n,
        "UPDATE agent_wakeup_requests SET status = 'cancelled', error = 'Cancelled by a hold on the issue tree',"
        " finished_at = $2, updated_at = $2 WHERE issue_id IN (SELECT issue_id FROM issue_tree_hold_members"
        " WHERE hold_id = $1 AND NOT skipped) AND (status = 'deferred_issue_execution'"
        " OR (status = 'queued' AND run_id IS NULL))",
        P(V_ID(x->hold->id), V_TIME(x->hold->created_at))));
    for (int i = 0; i < x->p->run_count; i++) TRY(stop_run(x, &x->p->runs[i]));
    return OK;
}

/* ---- statuses ---- */

static err_t set_status(const struct act *x, const struct tree_member *m, const char *status, const char *descriptor,
                        const char *execution_state)
{
    struct issue before;
    struct issue_change c = {.status_sent = true, .tree_control = true};
    struct issue_changed done;
    bool found;
    TRY(issue_get(x->db, m->row.id, &before, &found)); /* ended runs have given up its lock */
    if (!found || text_is(before.status, status)) return OK;
    c.after = before;
    c.after.status = status;
    if (descriptor) c.after.unblock_descriptor = descriptor;
    if (execution_state) c.after.execution_state = execution_state;
    c.requested = json_pack("{s:s, s:s, s:s}", "status", status, "source", "tree_control", "holdId", x->hold->id);
    return issue_update(x->db, x->actor, &before, &c, &done);
}

/* Parents before children: nobody is told that all children are closed who is about to be closed itself. */
static err_t cancel_members(const struct act *x)
{
    json_t *ids = json_array();
    for (int i = 0; i < x->p->count; i++) {
        if (x->p->members[i].skip_reason) continue;
        TRY(set_status(x, &x->p->members[i], "cancelled", NULL, NULL));
        json_array_append_new(ids, json_string(x->p->members[i].row.id));
    }
    x->hold->updated_at = clock_now(); /* what is cancelled later than this was touched by others */
    TRY(db_exec_one(x->db, "UPDATE issue_tree_holds SET updated_at = $2 WHERE id = $1",
                    P(V_ID(x->hold->id), V_TIME(x->hold->updated_at))));
    return record(x, "issue.tree_cancel_status_updated", json_pack("{s:o}", "issueIds", ids));
}

/* EX-9 holds here, too: what is blocked again says by whom it is freed. */
static err_t descriptor_of(const struct act *x, const struct tree_member *m, const char **out)
{
    struct open_blockers open;
    *out = NULL;
    if (!text_is(m->snapshot_status, "blocked")) return OK;
    *out = m->snapshot_descriptor;
    if (*out) return OK;
    TRY(relation_open(x->db, m->row.id, &open));
    if (open.open == 0)
        *out =
            "{\"owner\":\"board\",\"action\":\"It was blocked when its tree was cancelled, and what blocked it is gone. "
            "Say what it waits for, or move it to todo.\"}";
    return OK;
}

static err_t wake_restored(const struct act *x, const struct tree_member *m)
{
    struct wake_result ignored;
    const char *status = tree_restored_status(m->snapshot_status);
    if (m->row.assignee_agent_id == NULL || text_is(status, "backlog")) return OK;
    TRY(wake_enqueue(x->db, x->actor,
                     &(struct wake_request){.agent_id = m->row.assignee_agent_id,
                                            .source = "assignment",
                                            .trigger_detail = "system",
                                            .reason = "issue_tree_restored",
                                            .payload = json_pack("{s:s, s:s, s:s}", "issueId", m->row.id, "mutation",
                                                                 "tree_restore", "holdId", x->hold->id),
                                            .context = json_pack("{s:s, s:s, s:s}", "issueId", m->row.id, "source",
                                                                 "issue.tree_restore", "holdId", x->hold->id)},
                     &ignored));
    return activity_log(x->db, x->actor,
                        &(struct activity_entry){.company_id = x->root->company_id,
                                                 .action = "issue.tree_restore_wakeup_requested",
                                                 .entity_type = "issue",
                                                 .entity_id = m->row.id,
                                                 .details = json_pack("{s:s, s:s}", "holdId", x->hold->id, "agentId",
                                                                      m->row.assignee_agent_id)});
}

static err_t restore_members(const struct act *x, bool wake)
{
    json_t *ids = json_array();
    for (int i = 0; i < x->p->count; i++) {
        const struct tree_member *m = &x->p->members[i];
        const char *descriptor;
        if (m->skip_reason) continue;
        TRY(descriptor_of(x, m, &descriptor));
        TRY(set_status(x, m, tree_restored_status(m->snapshot_status), descriptor, m->snapshot_state));
        json_array_append_new(ids, json_string(m->row.id));
    }
    TRY(record(x, "issue.tree_restore_status_updated", json_pack("{s:o}", "issueIds", ids)));
    for (int i = 0; wake && i < x->p->count; i++)
        if (x->p->members[i].skip_reason == NULL) TRY(wake_restored(x, &x->p->members[i]));
    return OK;
}

/* ---- letting go ---- */

static err_t let_go(const struct act *x, struct tree_hold *h, const struct hold_release_request *q)
{
    const struct tree_hold before = *h;
    h->status = "released";
    h->released_at = h->updated_at = clock_now();
    h->released_by_actor_type = actor_kind(x->actor);
    h->released_by_agent_id = x->actor->agent_id;
    h->released_by_user_id = x->actor->type == ACTOR_BOARD ? x->actor->user_id : NULL;
    h->released_by_run_id = id_valid(x->actor->run_id) ? x->actor->run_id : NULL;
    h->release_reason = q->reason;
    h->release_metadata = q->metadata;
    if (q->release_policy) h->release_policy = q->release_policy;
    TRY(entity_update(x->db, &ENTITY_tree_hold, &before, h));
    return activity_log(
        x->db, x->actor,
        &(struct activity_entry){.company_id = h->company_id,
                                 .action = "issue.tree_hold_released",
                                 .entity_type = "issue",
                                 .entity_id = h->root_issue_id,
                                 .details = json_pack("{s:s, s:s, s:s?, s:s}", "holdId", h->id, "mode", h->mode,
                                                      "reason", q->reason, "identifier", x->root->identifier)});
}

/* What its wakes would have started while it was held, and nothing starts now. */
static err_t start_again(const struct act *x, const struct issue *i, const struct explain_verdict *v)
{
    static const struct actor engine = {.type = ACTOR_SYSTEM, .source = "tree_hold"};
    struct wake_result ignored;
    struct open_blockers open;
    struct id_list all;
    bool todo = text_is(i->status, "todo"), stuck = v->state == EXPLAIN_DEAD && v->recoverable;
    const char *reason = todo ? "issue_assignment_recovery" : "issue_continuation_needed";
    if (text_is(i->status, "blocked")) { /* its blockers closed meanwhile (EX-78) */
        TRY(relation_open(x->db, i->id, &open));
        TRY(relation_blockers(x->db, i->id, &all));
        stuck = v->state != EXPLAIN_LIVE && all.count > 0 && open.open == 0;
        reason = "issue_blockers_resolved";
    }
    if (text_is(i->status, "in_review")) return stages_wake_again(x->db, &engine, i);
    if (!stuck) return OK;
    return wake_enqueue(
        x->db, &engine,
        &(struct wake_request){.agent_id = i->assignee_agent_id,
                               .source = "automation",
                               .trigger_detail = "system",
                               .reason = reason,
                               .payload = json_pack("{s:s, s:s, s:s}", "issueId", i->id, "mutation",
                                                    "tree_hold_released", "holdId", x->hold->id),
                               .context = json_pack("{s:s, s:s, s:s, s:s}", "issueId", i->id, "taskId", i->id, "source",
                                                    "issue.tree_hold_released", "holdId", x->hold->id)},
        &ignored);
}

/* EX-132 BETTER: the stranded check, at once, for all that was held. */
static err_t look_again(const struct act *x)
{
    const struct issue **roots = arena_array(x->a, const struct issue *, x->p->count + 1);
    struct explained seen;
    int n = 0;
    for (int i = 0; i < x->p->count; i++) {
        const struct issue *row = &x->p->members[i].row;
        bool open = !text_is(row->status, "backlog") && !status_terminal(row->status);
        if (json_array_size(x->p->members[i].hold_ids) > 0 && open && row->assignee_agent_id) roots[n++] = row;
    }
    TRY(explain_load(x->db, x->root->company_id, roots, n, &seen));
    for (int i = 0; i < n; i++) TRY(start_again(x, roots[i], &seen.verdicts[i]));
    return OK;
}

static err_t resume(const struct act *x, json_t *resumed)
{
    const struct hold_release_request q = {
        .reason = x->hold->reason, .metadata = json_text(x->a, json_pack("{s:s}", "resumedByHoldId", x->hold->id))};
    for (int i = 0; i < x->p->inside_count; i++) {
        struct tree_hold *h = &x->p->inside[i];
        if (!text_is(h->mode, "pause")) continue;
        json_array_append_new(resumed, json_string(h->id));
        TRY(let_go(x, h, &q));
    }
    return look_again(x);
}

static err_t restore(const struct act *x, const json_t *metadata)
{
    const struct hold_release_request q = {
        .reason = x->hold->reason, .metadata = json_text(x->a, json_pack("{s:s}", "restoredByHoldId", x->hold->id))};
    TRY(restore_members(x, json_bool(metadata, "wakeAgents", false)));
    for (int i = 0; i < x->p->inside_count; i++) {
        struct tree_hold *h = &x->p->inside[i];
        if (text_is(h->mode, "cancel") && text_is(h->root_issue_id, x->root->id)) TRY(let_go(x, h, &q));
    }
    return OK;
}

/* ---- the whole ---- */

err_t hold_create(struct db *db, const struct actor *actor, const struct issue *root, const struct tree_plan *p,
                  const struct hold_request *q, struct hold_done *out)
{
    struct act x = {.db = db, .a = db_arena(db), .actor = actor, .root = root, .p = p, .hold = &out->hold};
    *out = (struct hold_done){.resumed = p->mode == TREE_RESUME ? json_array() : NULL};
    fill_hold(&x);
    out->hold.reason = q->reason;
    TRY(entity_insert(db, &ENTITY_tree_hold, &out->hold));
    TRY(insert_members(&x));
    json_t *details = json_pack("{s:O}", "releasePolicy", json_read(p->release_policy));
    if (q->metadata) json_object_set(details, "metadata", q->metadata);
    TRY(record(&x, "issue.tree_hold_created", details));
    if (tree_mode_stops(p->mode)) TRY(stop_work(&x));
    if (p->mode == TREE_CANCEL) TRY(cancel_members(&x));
    if (p->mode == TREE_RESUME) TRY(resume(&x, out->resumed));
    if (p->mode == TREE_RESTORE) TRY(restore(&x, q->metadata));
    db_poke(db);
    if (tree_mode_stays(p->mode)) return OK;
    return let_go(&x, &out->hold, &(struct hold_release_request){.reason = q->reason});
}

err_t hold_release(struct db *db, const struct actor *actor, const struct issue *root, struct tree_hold *hold,
                   const struct hold_release_request *q)
{
    struct tree_plan p;
    struct act x = {.db = db, .a = db_arena(db), .actor = actor, .root = root, .p = &p, .hold = hold};
    if (!text_is(hold->status, "active")) return err_new(x.a, ERR_CONFLICT, "Issue tree hold is already released");
    TRY(tree_plan(db, root, TREE_RESUME, NULL, &p));
    TRY(let_go(&x, hold, q));
    db_poke(db);
    return text_is(hold->mode, "pause") ? look_again(&x) : OK;
}
