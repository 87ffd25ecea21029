/* task_watchdog: the rows. The look at the tree is in watchdog_tree.c. */
#include "model/task_watchdog.h"

#include "base/id.h"
#include "base/text.h"
#include "model/activity.h"

err_t watchdog_get(struct db *db, const char *issue_id, struct watchdog *out, bool *found)
{
    return entity_one(db, &ENTITY_watchdog, out, found, "WHERE issue_id = $1", P(V_ID(issue_id)));
}

err_t watchdog_page(struct db *db, const char *after, int limit, struct watchdog **rows, int *count)
{
    return entity_many(
        db, &ENTITY_watchdog, rows, count,
        "WHERE id > $1 AND status = 'active' AND company_id IN (SELECT id FROM companies WHERE status = 'active')"
        " ORDER BY id LIMIT $2",
        P(V_ID(after ? after : "00000000-0000-0000-0000-000000000000"), V_INT(limit)));
}

err_t watchdog_started_run(struct db *db, const char *run_id, bool *yes)
{
    int64_t n = 0;
    if (run_id)
        TRY(db_int(db, &n, 0,
                   "SELECT count(*) FROM heartbeat_runs h JOIN issues i ON i.id = h.issue_id WHERE h.id = $1"
                   " AND i.origin_kind = '" WATCHDOG_ORIGIN "'",
                   P(V_ID(run_id))));
    *yes = n > 0;
    return OK;
}

void watchdog_write(struct jw *w, const struct watchdog *d)
{
    jw_obj(w);
    entity_write(w, &ENTITY_watchdog, d, VIEW_FULL);
    jw_obj_end(w);
}

static err_t record(struct db *db, const struct actor *actor, const struct issue *issue, const char *action,
                    const struct watchdog *d)
{
    return activity_log(
        db, actor,
        &(struct activity_entry){.company_id = issue->company_id,
                                 .action = action,
                                 .entity_type = "issue",
                                 .entity_id = issue->id,
                                 .details = json_pack("{s:s, s:s, s:s}", "watchdogId", d->id, "watchdogAgentId",
                                                      d->watchdog_agent_id, "identifier", issue->identifier)});
}

static void by(const struct actor *actor, const char **agent, const char **user, const char **run)
{
    *agent = actor->type == ACTOR_AGENT ? actor->agent_id : NULL;
    *user = actor->type == ACTOR_BOARD ? actor->user_id : NULL;
    *run = actor->run_id;
}

err_t watchdog_put(struct db *db, const struct actor *actor, const struct issue *issue, const char *agent_id,
                   const char *instructions, struct watchdog *out)
{
    struct watchdog before;
    bool found;
    TRY(watchdog_get(db, issue->id, &before, &found));
    if (found) *out = before;
    else entity_init(&ENTITY_watchdog, out);
    out->watchdog_agent_id = agent_id;
    out->instructions = instructions;
    out->status = "active";
    out->updated_at = clock_now();
    by(actor, &out->updated_by_agent_id, &out->updated_by_user_id, &out->updated_by_run_id);
    if (found) {
        out->last_reviewed_fingerprint = out->last_reviewed_stop_snapshot = out->fired_fingerprint = NULL;
        out->fired_attempt = 0;
        out->moved_since_fired = false;
        TRY(entity_update(db, &ENTITY_watchdog, &before, out));
        return record(db, actor, issue, "issue.watchdog_updated", out);
    }
    out->id = id_new(db_arena(db));
    out->company_id = issue->company_id;
    out->issue_id = issue->id;
    out->created_at = out->updated_at;
    by(actor, &out->created_by_agent_id, &out->created_by_user_id, &out->created_by_run_id);
    TRY(entity_insert(db, &ENTITY_watchdog, out));
    return record(db, actor, issue, "issue.watchdog_created", out);
}

err_t watchdog_remove(struct db *db, const struct actor *actor, const struct issue *issue)
{
    struct watchdog d;
    bool found;
    TRY(watchdog_get(db, issue->id, &d, &found));
    if (!found) return OK;
    TRY(db_exec_one(db, "DELETE FROM issue_watchdogs WHERE id = $1", P(V_ID(d.id))));
    return record(db, actor, issue, "issue.watchdog_removed", &d);
}
