/* work_product: rows and their record. */
#include "model/work_product.h"

#include "base/id.h"
#include "model/activity.h"
#include "model/issue_card.h"
#include "model/tenant.h"

err_t work_product_get(struct db *db, const char *id, struct work_product *out, bool *found)
{
    *found = false;
    if (!id_valid(id)) return OK;
    return entity_one(db, &ENTITY_work_product, out, found, "WHERE id = $1", P(V_ID(id)));
}

err_t work_product_list(struct db *db, const char *issue_id, struct work_product **rows, int *count)
{
    return entity_many(db, &ENTITY_work_product, rows, count,
                       "WHERE issue_id = $1 ORDER BY CASE WHEN is_primary THEN 0 ELSE 1 END, updated_at DESC, id DESC",
                       P(V_ID(issue_id)));
}

void work_product_write(struct jw *w, const struct work_product *p)
{
    jw_obj(w);
    entity_write(w, &ENTITY_work_product, p, VIEW_FULL);
    jw_obj_end(w);
}

static err_t record(struct db *db, const struct actor *actor, const struct issue *issue, const char *action,
                    json_t *details)
{
    const char *entity;
    TRY(db_exec_one(db, "UPDATE issues SET last_activity_at = $2 WHERE id = $1", P(V_ID(issue->id), V_TIME(clock_now()))));
    TRY(issue_event_text(db, issue, &entity));
    return activity_log(db, actor,
                        &(struct activity_entry){.company_id = issue->company_id,
                                                 .action = action,
                                                 .entity_type = "issue",
                                                 .entity_id = issue->id,
                                                 .details = details,
                                                 .entity = entity});
}

/* Places and runs are of the same company (IS-7). */
static err_t check(struct db *db, const struct work_product *p)
{
    TRY(tenant_check(db, "projects", p->company_id, "projectId", p->project_id));
    TRY(tenant_check(db, "execution_workspaces", p->company_id, "executionWorkspaceId", p->execution_workspace_id));
    return tenant_check(db, "heartbeat_runs", p->company_id, "createdByRunId", p->created_by_run_id);
}

static err_t step_down(struct db *db, const struct work_product *p)
{
    int64_t n;
    if (!p->is_primary) return OK;
    return db_exec(db, &n,
                   "UPDATE issue_work_products SET is_primary = $4 WHERE issue_id = $1 AND type = $2 AND id <> $3 AND is_primary",
                   P(V_ID(p->issue_id), V_TEXT(p->type), V_ID(p->id), V_BOOL(false)));
}

static json_t *details(const struct work_product *p)
{
    return json_pack("{s:s, s:s, s:s}", "workProductId", p->id, "type", p->type, "provider", p->provider);
}

err_t work_product_create(struct db *db, const struct actor *actor, const struct issue *issue, struct work_product *p)
{
    p->id = id_new(db_arena(db));
    p->company_id = issue->company_id;
    p->issue_id = issue->id;
    p->created_at = p->updated_at = clock_now();
    TRY(check(db, p));
    TRY(step_down(db, p));
    TRY(entity_insert(db, &ENTITY_work_product, p));
    return record(db, actor, issue, "issue.work_product_created", details(p));
}

err_t work_product_update(struct db *db, const struct actor *actor, const struct issue *issue,
                          const struct work_product *before, struct work_product *after, json_t *changed)
{
    after->updated_at = clock_now();
    TRY(check(db, after));
    TRY(step_down(db, after));
    TRY(entity_update(db, &ENTITY_work_product, before, after));
    return record(db, actor, issue, "issue.work_product_updated",
                  json_pack("{s:s, s:O}", "workProductId", after->id, "changedKeys", changed));
}

err_t work_product_delete(struct db *db, const struct actor *actor, const struct issue *issue,
                          const struct work_product *p)
{
    TRY(db_exec_one(db, "DELETE FROM issue_work_products WHERE id = $1", P(V_ID(p->id))));
    return record(db, actor, issue, "issue.work_product_deleted", details(p));
}
