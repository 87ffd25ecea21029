/* project: projects and their workspaces. */
#include "model/project.h"

#include "base/id.h"

err_t project_get(struct db *db, const char *id, struct project *out, bool *found)
{
    *found = false;
    if (!id_valid(id)) return OK;
    return entity_one(db, &ENTITY_project, out, found, "WHERE id = $1", P(V_ID(id)));
}

err_t project_resolve(struct db *db, const char *ref, const char *company_id, struct project *out, bool *found)
{
    (void)company_id;
    return project_get(db, ref, out, found);
}
