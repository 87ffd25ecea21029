/* goal: what a company is after. */
#include "model/goal.h"

#include "base/id.h"

err_t goal_get(struct db *db, const char *id, struct goal *out, bool *found)
{
    *found = false;
    if (!id_valid(id)) return OK;
    return entity_one(db, &ENTITY_goal, out, found, "WHERE id = $1", P(V_ID(id)));
}
