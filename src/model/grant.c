/* grant: memberships and permissions of agents. */
#include "model/grant.h"

#include "base/id.h"

#include <string.h>

static err_t give(struct db *db, const struct actor *actor, const struct agent *agent, const char *key)
{
    int64_t n;
    return db_exec(
        db, &n,
        "INSERT INTO principal_permission_grants (id, company_id, principal_type, principal_id, permission_key,"
        " granted_by_user_id, created_at, updated_at) VALUES ($1, $2, 'agent', $3, $4, $5, $6, $6)"
        " ON CONFLICT (company_id, principal_type, principal_id, permission_key) DO NOTHING",
        P(V_ID(id_new(db_arena(db))), V_ID(agent->company_id), V_TEXT(agent->id), V_TEXT(key), V_TEXT(actor->user_id),
          V_TIME(clock_now())));
}

static err_t take(struct db *db, const struct agent *agent, const char *key)
{
    int64_t n;
    return db_exec(
        db, &n,
        "DELETE FROM principal_permission_grants WHERE company_id = $1 AND principal_type = 'agent' AND principal_id = $2"
        " AND permission_key = $3",
        P(V_ID(agent->company_id), V_TEXT(agent->id), V_TEXT(key)));
}

static err_t set(struct db *db, const struct actor *actor, const struct agent *agent, const char *key, bool on)
{
    return on ? give(db, actor, agent, key) : take(db, agent, key);
}

err_t grant_settle(struct db *db, const struct actor *actor, const struct agent *agent, bool can_assign)
{
    bool ceo = strcmp(agent->role, "ceo") == 0;
    int64_t n;
    TRY(db_exec(
        db, &n,
        "INSERT INTO company_memberships (id, company_id, principal_type, principal_id, status, membership_role, created_at, updated_at)"
        " VALUES ($1, $2, 'agent', $3, 'active', 'member', $4, $4) ON CONFLICT (company_id, principal_type, principal_id) DO NOTHING",
        P(V_ID(id_new(db_arena(db))), V_ID(agent->company_id), V_TEXT(agent->id), V_TIME(clock_now()))));
    TRY(set(db, actor, agent, "tasks:assign", can_assign));
    TRY(set(db, actor, agent, "agents:configure", ceo));
    return set(db, actor, agent, "skills:create", ceo);
}

err_t grant_forget(struct db *db, const struct agent *agent)
{
    int64_t n;
    TRY(db_exec(
        db, &n,
        "DELETE FROM principal_permission_grants WHERE company_id = $1 AND principal_type = 'agent' AND principal_id = $2",
        P(V_ID(agent->company_id), V_TEXT(agent->id))));
    return db_exec(
        db, &n,
        "DELETE FROM company_memberships WHERE company_id = $1 AND principal_type = 'agent' AND principal_id = $2",
        P(V_ID(agent->company_id), V_TEXT(agent->id)));
}

err_t grant_has(struct db *db, const struct agent *agent, const char *key, bool *yes)
{
    int64_t n;
    TRY(db_int(db, &n, 0,
               "SELECT count(*) FROM principal_permission_grants WHERE company_id = $1 AND principal_type = 'agent'"
               " AND principal_id = $2 AND permission_key = $3",
               P(V_ID(agent->company_id), V_TEXT(agent->id), V_TEXT(key))));
    *yes = n > 0;
    return OK;
}

err_t grant_list(struct db *db, const struct agent *agent, struct grant **rows, int *n)
{
    return entity_many(
        db, &ENTITY_grant, rows, n,
        "WHERE company_id = $1 AND principal_type = 'agent' AND principal_id = $2 ORDER BY permission_key",
        P(V_ID(agent->company_id), V_TEXT(agent->id)));
}

err_t membership_get(struct db *db, const struct agent *agent, struct membership *out, bool *found)
{
    return entity_one(db, &ENTITY_membership, out, found,
                      "WHERE company_id = $1 AND principal_type = 'agent' AND principal_id = $2",
                      P(V_ID(agent->company_id), V_TEXT(agent->id)));
}

err_t agent_may_create(struct db *db, const struct agent *agent, bool *yes)
{
    *yes = strcmp(agent->role, "ceo") == 0 || json_bool(json_read(agent->permissions), "canCreateAgents", false);
    return *yes ? OK : grant_has(db, agent, "agents:create", yes);
}

err_t agent_may_assign(struct db *db, const struct agent *agent, bool *yes)
{
    struct membership m;
    bool member;
    TRY(agent_may_create(db, agent, yes));
    if (!*yes) TRY(grant_has(db, agent, "tasks:assign", yes));
    if (*yes) return OK;
    TRY(membership_get(db, agent, &m, &member));
    *yes = member && strcmp(m.status, "active") == 0;
    return OK;
}

err_t agent_may_configure(struct db *db, const struct agent *agent, bool *yes)
{
    return grant_has(db, agent, "agents:configure", yes);
}

err_t agent_may_read_configs(struct db *db, const struct agent *agent, bool *yes)
{
    TRY(agent_may_configure(db, agent, yes));
    return *yes ? OK : grant_has(db, agent, "agents:suggest-changes", yes);
}
