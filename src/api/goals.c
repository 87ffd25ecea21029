/* goals: what a company is after (GV-25…27). */
#include "api/handlers.h"
#include "api/schemas.h"
#include "model/goal.h"

static const char *const levels[] = {"company", "team", "agent", "task", NULL};
static const char *const statuses[] = {"planned", "active", "achieved", "cancelled", NULL};

/* clang-format off */
#define GOAL_PROPS                                \
    {"description", PROP_TEXT, NULLABLE},         \
    {"level", PROP_ENUM, .options = levels},      \
    {"status", PROP_ENUM, .options = statuses},   \
    {"parentId", PROP_UUID, NULLABLE},            \
    {"ownerAgentId", PROP_UUID, NULLABLE}
/* clang-format on */

static const struct prop create_props[] = {{"title", PROP_STRING, REQUIRED, .min = 1}, GOAL_PROPS};
SCHEMA(GOAL_CREATE, create_props);
static const struct prop patch_props[] = {{"title", PROP_STRING, .min = 1}, GOAL_PROPS};
SCHEMA(GOAL_PATCH, patch_props);

static const char *const writable[] = {"title", "description", "level", "status", "parentId", "ownerAgentId", NULL};

err_t goals_list(struct req *r)
{
    struct goal *rows;
    int n;
    TRY(goal_list(r->db, r->company.id, &rows, &n));
    jw_arr(&r->w);
    for (int i = 0; i < n; i++) goal_write(&r->w, &rows[i]);
    jw_arr_end(&r->w);
    return OK;
}

err_t goal_create_route(struct req *r)
{
    struct goal goal;
    entity_init(&ENTITY_goal, &goal);
    goal.company_id = r->company.id;
    goal.level = "task";
    goal.status = "planned";
    body_apply(r, &ENTITY_goal, &goal, writable);
    TRY(goal_create(r->db, &r->actor, &goal));
    goal_write(&r->w, &goal);
    return OK;
}

err_t goal_show(struct req *r)
{
    goal_write(&r->w, &r->goal);
    return OK;
}

err_t goal_patch(struct req *r)
{
    struct goal after = r->goal;
    body_apply(r, &ENTITY_goal, &after, writable);
    TRY(goal_update(r->db, &r->actor, &r->goal, &after, r->body));
    goal_write(&r->w, &after);
    return OK;
}

err_t goal_remove(struct req *r)
{
    TRY(goal_delete(r->db, &r->actor, &r->goal));
    goal_write(&r->w, &r->goal);
    return OK;
}
