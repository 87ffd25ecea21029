/* company: the tenant, its prefix, its life-cycle. */
#include "model/company.h"

#include "base/id.h"
#include "model/activity.h"
#include "model/run_control.h"

#include <ctype.h>
#include <string.h>

const char *company_prefix(struct arena *a, const char *name)
{
    char out[4] = "";
    size_t n = 0;
    for (const char *p = name; *p && n < 3; p++) {
        char c = (char)toupper((unsigned char)*p);
        if (c >= 'A' && c <= 'Z') out[n++] = c;
    }
    return n ? arena_strdup(a, out) : "CMP";
}

err_t company_fill_spent(struct db *db, struct company *c)
{
    return db_int(db, &c->spent_monthly_cents, 0,
                  "SELECT sum(cost_cents) FROM cost_events WHERE company_id = $1 AND occurred_at >= $2",
                  P(V_ID(c->id), V_TIME(instant_month_start(clock_now()))));
}

err_t company_get(struct db *db, const char *id, struct company *out, bool *found)
{
    *found = false;
    if (!id_valid(id)) return OK;
    return entity_one(db, &ENTITY_company, out, found, "WHERE id = $1", P(V_ID(id)));
}

err_t company_list(struct db *db, struct company **rows, int *count)
{
    TRY(entity_many(db, &ENTITY_company, rows, count, "ORDER BY created_at, id", P()));
    for (int i = 0; i < *count; i++) TRY(company_fill_spent(db, &(*rows)[i]));
    return OK;
}

/* The smallest free prefix: base, baseA, baseAA … in one query (GV-11). */
static err_t free_prefix(struct db *db, const char *base, const char **out)
{
    struct arena *a = db_arena(db);
    struct rows r ROWS_AUTO = {0};
    size_t want = strlen(base);
    TRY(db_query(db, &r, "SELECT issue_prefix FROM companies WHERE issue_prefix LIKE $1 ORDER BY length(issue_prefix)",
                 P(V_TEXT(arena_printf(a, "%s%%", base)))));
    while (rows_next(&r)) {
        const char *p = row_text(&r, 0);
        bool only_a = strspn(p + strlen(base), "A") == strlen(p) - strlen(base);
        if (only_a && strlen(p) == want) want++;
    }
    TRY(rows_err(&r));
    char *s = arena_alloc(a, want + 1);
    memset(s, 'A', want);
    memcpy(s, base, strlen(base));
    *out = s;
    return OK;
}

err_t company_ensure_owner(struct db *db, const char *company_id, const char *user_id)
{
    int64_t n;
    return db_exec(
        db, &n,
        "INSERT INTO company_memberships (id, company_id, principal_type, principal_id, status, membership_role, created_at, updated_at)"
        " VALUES ($1, $2, 'user', $3, 'active', 'owner', $4, $4) ON CONFLICT (company_id, principal_type, principal_id) DO NOTHING",
        P(V_ID(id_new(db_arena(db))), V_ID(company_id), V_TEXT(user_id), V_TIME(clock_now())));
}

err_t company_create(struct db *db, const struct actor *actor, struct company *c)
{
    struct arena *a = db_arena(db);
    c->id = id_new(a);
    c->status = "active";
    c->interaction_resolver_governance = "{}";
    c->created_at = c->updated_at = clock_now();
    if (c->attachment_max_bytes == 0) c->attachment_max_bytes = 10485760;
    if (c->default_responsible_user_id == NULL) c->default_responsible_user_id = actor->user_id;
    TRY(free_prefix(db, company_prefix(a, c->name), &c->issue_prefix));
    TRY(entity_insert(db, &ENTITY_company, c));
    if (actor->user_id) TRY(company_ensure_owner(db, c->id, actor->user_id));
    return activity_log(db, actor,
                        &(struct activity_entry){.company_id = c->id,
                                                 .action = "company.created",
                                                 .entity_type = "company",
                                                 .entity_id = c->id,
                                                 .details = json_pack("{s:s}", "name", c->name)});
}

/* Agents that the archive paused come back (GV-20). */
static err_t reactivate(struct db *db, const struct actor *actor, const struct company *before, bool *logged)
{
    int64_t restored;
    *logged = false;
    TRY(db_exec(db, &restored,
                "UPDATE agents SET status = 'idle', pause_reason = NULL, paused_at = NULL, updated_at = $2"
                " WHERE company_id = $1 AND status = 'paused' AND pause_reason = 'company_archived'",
                P(V_ID(before->id), V_TIME(clock_now()))));
    if (restored == 0 && strcmp(before->status, "archived") != 0) return OK;
    *logged = true;
    db_poke(db);
    return activity_log(
        db, actor,
        &(struct activity_entry){.company_id = before->id,
                                 .action = "company.reactivated",
                                 .entity_type = "company",
                                 .entity_id = before->id,
                                 .details = json_pack("{s:I}", "agentsRestored", (json_int_t)restored)});
}

err_t company_archive(struct db *db, const struct actor *actor, struct company *c)
{
    instant_t now = clock_now();
    int64_t paused, dropped, cancelled;
    if (strcmp(c->status, "archived") == 0) return OK;
    struct company before = *c;
    c->status = "archived";
    c->updated_at = now;
    TRY(entity_update(db, &ENTITY_company, &before, c));
    TRY(db_exec(
        db, &paused,
        "UPDATE agents SET status = 'paused', pause_reason = 'company_archived', paused_at = $2, updated_at = $2"
        " WHERE company_id = $1 AND status NOT IN ('paused','terminated','pending_approval')",
        P(V_ID(c->id), V_TIME(now))));
    TRY(db_exec(
        db, &dropped,
        "UPDATE agent_wakeup_requests SET status = 'cancelled', error = 'Cancelled because the company was archived',"
        " finished_at = $2, updated_at = $2 WHERE company_id = $1 AND run_id IS NULL"
        " AND status IN ('queued','deferred_issue_execution','claimed')",
        P(V_ID(c->id), V_TIME(now))));
    TRY(run_cancel_where(db,
                         &(struct run_cancel){.company_id = c->id,
                                              .error = "Cancelled because the company was archived",
                                              .error_code = "cancelled",
                                              .stop_reason = "cancelled"},
                         &cancelled));
    return activity_log(db, actor,
                        &(struct activity_entry){.company_id = c->id,
                                                 .action = "company.archived",
                                                 .entity_type = "company",
                                                 .entity_id = c->id,
                                                 .details = json_pack("{s:I, s:I}", "agentsPaused", (json_int_t)paused,
                                                                      "runsCancelled", (json_int_t)cancelled)});
}

err_t company_update(struct db *db, const struct actor *actor, const struct company *before, struct company *after,
                     json_t *details)
{
    bool logged = false, status_changed = strcmp(before->status, after->status) != 0;
    after->updated_at = clock_now();
    if (status_changed && strcmp(after->status, "archived") == 0) {
        struct company archived = *before;
        TRY(company_archive(db, actor, &archived));
        return entity_update(db, &ENTITY_company, &archived, after);
    }
    if (status_changed && strcmp(after->status, "paused") == 0) {
        after->pause_reason = "manual";
        after->paused_at = after->updated_at;
    }
    if (status_changed && strcmp(after->status, "active") == 0) {
        after->pause_reason = NULL;
        after->paused_at = INSTANT_NONE;
        TRY(reactivate(db, actor, before, &logged));
        db_poke(db);
    }
    TRY(entity_update(db, &ENTITY_company, before, after));
    if (logged) return OK;
    return activity_log(db, actor,
                        &(struct activity_entry){.company_id = after->id,
                                                 .action = "company.updated",
                                                 .entity_type = "company",
                                                 .entity_id = after->id,
                                                 .details = details});
}

err_t company_delete(struct db *db, const struct company *c)
{
    int64_t live;
    TRY(db_int(db, &live, 0, "SELECT count(*) FROM heartbeat_runs WHERE company_id = $1 AND status = 'running'",
               P(V_ID(c->id))));
    if (live > 0)
        return err_new(db_arena(db), ERR_CONFLICT, "The company still has %d running run(s); cancel them first",
                       (int)live);
    /* Issues first: projects, parents and runs are referenced without a cascade. */
    int64_t n;
    TRY(db_exec(db, &n, "UPDATE issues SET parent_id = NULL, project_id = NULL WHERE company_id = $1", P(V_ID(c->id))));
    TRY(db_exec(db, &n, "DELETE FROM issues WHERE company_id = $1", P(V_ID(c->id))));
    return db_exec_one(db, "DELETE FROM companies WHERE id = $1", P(V_ID(c->id)));
}

err_t company_stats(struct db *db, struct jw *w)
{
    struct rows r ROWS_AUTO = {0};
    TRY(db_query(db, &r,
                 "SELECT c.id, (SELECT count(*) FROM agents a WHERE a.company_id = c.id),"
                 " (SELECT count(*) FROM issues i WHERE i.company_id = c.id) FROM companies c ORDER BY c.created_at",
                 P()));
    while (rows_next(&r)) {
        if (row_int(&r, 1) == 0 && row_int(&r, 2) == 0) continue;
        jw_kobj(w, row_text(&r, 0));
        jw_kint(w, "agentCount", row_int(&r, 1));
        jw_kint(w, "issueCount", row_int(&r, 2));
        jw_obj_end(w);
    }
    return rows_err(&r);
}

void company_write(struct jw *w, const struct company *c)
{
    entity_write(w, &ENTITY_company, c, VIEW_FULL);
    jw_key(w, "logoUrl");
    jw_null(w); /* logos are assets; there are none yet */
}
