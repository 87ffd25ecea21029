/* project: containers of issues. */
#include "model/project.h"

#include "base/id.h"
#include "model/activity.h"
#include "model/environment.h"
#include "model/tenant.h"
#include "rules/project_key.h"
#include "rules/shortname.h"

#include <inttypes.h>
#include <string.h>

err_t project_get(struct db *db, const char *id, struct project *out, bool *found)
{
    *found = false;
    if (!id_valid(id)) return OK;
    return entity_one(db, &ENTITY_project, out, found, "WHERE id = $1", P(V_ID(id)));
}

err_t project_resolve(struct db *db, const char *ref, const char *company_id, struct project *out, bool *found)
{
    if (id_valid(ref)) return project_get(db, ref, out, found);
    *found = false;
    const char *key = shortname(db_arena(db), ref);
    if (!id_valid(company_id) || key == NULL) return OK;
    return entity_one(db, &ENTITY_project, out, found, "WHERE company_id = $1 AND url_key = $2",
                      P(V_ID(company_id), V_TEXT(key)));
}

err_t project_list(struct db *db, const char *company_id, bool archived_too, struct project **rows, int *n)
{
    return entity_many(db, &ENTITY_project, rows, n,
                       archived_too ? "WHERE company_id = $1 ORDER BY created_at, id"
                                    : "WHERE company_id = $1 AND archived_at IS NULL ORDER BY created_at, id",
                       P(V_ID(company_id)));
}

static err_t key_taken(struct db *db, const struct project *p, bool *taken)
{
    int64_t n;
    TRY(db_int(db, &n, 0, "SELECT count(*) FROM projects WHERE company_id = $1 AND url_key = $2 AND id <> $3",
               P(V_ID(p->company_id), V_TEXT(p->url_key), V_ID(p->id))));
    *taken = n > 0;
    return OK;
}

/* WS-11; race-free, since a company has one writer at a time. */
static err_t free_name(struct db *db, struct project *p)
{
    struct arena *a = db_arena(db);
    const char *name = p->name;
    bool taken = true;
    for (int i = 1; taken; i++) {
        if (i > 1) p->name = arena_printf(a, "%s %d", name, i);
        p->url_key = project_url_key(a, p->name, p->id);
        TRY(key_taken(db, p, &taken));
    }
    return OK;
}

static err_t check_references(struct db *db, const struct project *p, const json_t *goal_ids)
{
    const json_t *policy = json_read(p->execution_workspace_policy);
    const char *environment = json_str(policy, "environmentId");
    json_t *goal;
    size_t i;
    TRY(tenant_check(db, "agents", p->company_id, "leadAgentId", p->lead_agent_id));
    json_array_foreach (goal_ids, i, goal)
        TRY(tenant_check(db, "goals", p->company_id, "goalIds", json_string_value(goal)));
    TRY(tenant_check(db, "project_workspaces", p->company_id, "defaultProjectWorkspaceId",
                     json_str(policy, "defaultProjectWorkspaceId")));
    return environment_check(db, environment);
}

static err_t write_goals(struct db *db, const struct project *p, const json_t *goal_ids)
{
    json_t *goal;
    size_t i;
    int64_t n;
    TRY(db_exec(db, &n, "DELETE FROM project_goals WHERE project_id = $1", P(V_ID(p->id))));
    json_array_foreach (goal_ids, i, goal)
        TRY(db_exec(db, &n,
                    "INSERT INTO project_goals (project_id, goal_id, company_id, position) VALUES ($1, $2, $3, $4)"
                    " ON CONFLICT (project_id, goal_id) DO NOTHING",
                    P(V_ID(p->id), V_ID(json_string_value(goal)), V_ID(p->company_id), V_INT((int64_t)i))));
    return OK;
}

/* The older, single goal is the first of the goals. */
static void mirror_goal(struct arena *a, struct project *p, const json_t *goal_ids)
{
    const char *first = json_string_value(json_array_get(goal_ids, 0));
    p->goal_id = first ? arena_strdup(a, first) : NULL;
}

err_t project_create(struct db *db, struct project *p, const json_t *goal_ids)
{
    struct arena *a = db_arena(db);
    p->id = id_new(a);
    p->created_at = p->updated_at = clock_now();
    TRY(check_references(db, p, goal_ids));
    mirror_goal(a, p, goal_ids);
    TRY(free_name(db, p));
    TRY(entity_insert(db, &ENTITY_project, p));
    return goal_ids ? write_goals(db, p, goal_ids) : OK;
}

err_t project_update(struct db *db, const struct project *before, struct project *after, const json_t *goal_ids)
{
    TRY(check_references(db, after, goal_ids));
    if (goal_ids) mirror_goal(db_arena(db), after, goal_ids);
    if (strcmp(before->name, after->name) != 0) TRY(free_name(db, after));
    after->updated_at = clock_now();
    TRY(entity_update(db, &ENTITY_project, before, after));
    return goal_ids ? write_goals(db, after, goal_ids) : OK;
}

err_t project_delete(struct db *db, const struct actor *actor, const struct project *p)
{
    struct arena *a = db_arena(db);
    int64_t issues;
    TRY(db_int(db, &issues, 0, "SELECT count(*) FROM issues WHERE project_id = $1", P(V_ID(p->id))));
    if (issues > 0) {
        const char *details =
            json_text(a, json_pack("{s:s, s:I}", "code", "project_not_empty", "issueCount", (json_int_t)issues));
        return err_with(a, ERR_CONFLICT, "project_not_empty", details,
                        "The project still has %" PRId64 " issue(s). Archive it instead, or move them first.", issues);
    }
    TRY(db_exec_one(db, "DELETE FROM projects WHERE id = $1", P(V_ID(p->id))));
    return activity_log(db, actor,
                        &(struct activity_entry){.company_id = p->company_id,
                                                 .action = "project.deleted",
                                                 .entity_type = "project",
                                                 .entity_id = p->id,
                                                 .details = json_pack("{s:s}", "name", p->name)});
}
