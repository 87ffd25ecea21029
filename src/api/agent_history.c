/* agent_history: earlier configurations of an agent, and the way back (AR-21). */
#include "api/agent_access.h"
#include "api/handlers.h"
#include "model/agent_edit.h"
#include "model/config_revision.h"

err_t agent_revisions_list(struct req *r)
{
    struct config_revision *rows;
    int n;
    TRY(require_config_reader(r));
    TRY(config_revision_list(r->db, r->agent.id, &rows, &n));
    jw_arr(&r->w);
    for (int i = 0; i < n; i++) config_revision_write(&r->w, r->arena, &rows[i]);
    jw_arr_end(&r->w);
    return OK;
}

err_t agent_revision_show(struct req *r)
{
    struct config_revision rev;
    TRY(require_config_reader(r));
    TRY(config_revision_get(r->db, r->agent.id, r->params[1], &rev));
    config_revision_write(&r->w, r->arena, &rev);
    return OK;
}

err_t agent_revision_rollback(struct req *r)
{
    struct config_revision rev;
    struct agent after;
    enum agent_configs configs;
    TRY(require_agent_configurer(r));
    TRY(config_revision_get(r->db, r->agent.id, r->params[1], &rev));
    TRY(agent_roll_back(r->db, &r->actor, &r->agent, &rev, &after));
    TRY(agent_configs_seen(r, &after, &configs));
    return agent_write_one(r->db, &r->w, &after, configs);
}
