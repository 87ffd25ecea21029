/* goal: what a company is after. */
#include "model/goal.h"

#include "base/id.h"
#include "model/activity.h"
#include "model/tenant.h"

#include <string.h>

err_t goal_get(struct db *db, const char *id, struct goal *out, bool *found)
{
    *found = false;
    if (!id_valid(id)) return OK;
    return entity_one(db, &ENTITY_goal, out, found, "WHERE id = $1", P(V_ID(id)));
}

err_t goal_list(struct db *db, const char *company_id, struct goal **rows, int *n)
{
    return entity_many(db, &ENTITY_goal, rows, n, "WHERE company_id = $1 ORDER BY created_at, id", P(V_ID(company_id)));
}

err_t goal_default(struct db *db, const char *company_id, const char **id)
{
    return db_text(
        db, id,
        "SELECT id FROM goals WHERE company_id = $1 AND level = 'company'"
        " ORDER BY CASE WHEN parent_id IS NULL AND status = 'active' THEN 0 WHEN parent_id IS NULL THEN 1 ELSE 2 END,"
        " created_at, id",
        P(V_ID(company_id)));
}

void goal_write(struct jw *w, const struct goal *goal)
{
    jw_obj(w);
    entity_write(w, &ENTITY_goal, goal, VIEW_FULL);
    jw_obj_end(w);
}

static err_t log_goal(struct db *db, const struct actor *actor, const char *action, const struct goal *goal,
                      json_t *details, bool gone)
{
    struct buf b BUF_AUTO = {0};
    struct jw w;
    jw_init(&w, &b);
    goal_write(&w, goal);
    return activity_log(db, actor,
                        &(struct activity_entry){.company_id = goal->company_id,
                                                 .action = action,
                                                 .entity_type = "goal",
                                                 .entity_id = goal->id,
                                                 .details = details,
                                                 .entity = gone ? NULL : arena_strdup(db_arena(db), b.data)});
}

static err_t check_references(struct db *db, const struct goal *goal)
{
    int64_t above;
    TRY(tenant_check(db, "goals", goal->company_id, "parentId", goal->parent_id));
    TRY(tenant_check(db, "agents", goal->company_id, "ownerAgentId", goal->owner_agent_id));
    if (goal->parent_id == NULL) return OK;
    TRY(db_int(
        db, &above, 0,
        "WITH RECURSIVE up(id, parent_id) AS (SELECT id, parent_id FROM goals WHERE id = $1"
        " UNION SELECT g.id, g.parent_id FROM goals g JOIN up ON g.id = up.parent_id) SELECT count(*) FROM up WHERE id = $2",
        P(V_ID(goal->parent_id), V_ID(goal->id))));
    return above == 0 ? OK : err_new(db_arena(db), ERR_UNPROCESSABLE, "A goal cannot be its own ancestor");
}

err_t goal_create(struct db *db, const struct actor *actor, struct goal *goal)
{
    goal->id = id_new(db_arena(db));
    goal->created_at = goal->updated_at = clock_now();
    TRY(check_references(db, goal));
    TRY(entity_insert(db, &ENTITY_goal, goal));
    return log_goal(db, actor, "goal.created", goal, json_pack("{s:s}", "title", goal->title), false);
}

err_t goal_update(struct db *db, const struct actor *actor, const struct goal *before, struct goal *after,
                  json_t *details)
{
    TRY(check_references(db, after));
    after->updated_at = clock_now();
    TRY(entity_update(db, &ENTITY_goal, before, after));
    return log_goal(db, actor, "goal.updated", after, details, false);
}

err_t goal_delete(struct db *db, const struct actor *actor, const struct goal *goal)
{
    TRY(db_exec_one(db, "DELETE FROM goals WHERE id = $1", P(V_ID(goal->id)))); /* the schema nulls what refers to it */
    return log_goal(db, actor, "goal.deleted", goal, json_pack("{s:s}", "title", goal->title), true);
}
