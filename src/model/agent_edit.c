/* agent_edit: creating and changing agents. */
#include "model/agent_edit.h"

#include "base/id.h"
#include "base/text.h"
#include "model/agent_view.h"
#include "model/config_revision.h"
#include "model/environment.h"
#include "model/grant.h"
#include "model/tenant.h"
#include "rules/adapter_types.h"
#include "rules/agent_config.h"
#include "rules/shortname.h"

#include <inttypes.h>
#include <string.h>

#define SUFFIX_MAX 100

static bool same(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

/* AR-13 */
static err_t check_manager(struct db *db, const struct agent *agent)
{
    struct arena *a = db_arena(db);
    struct agent manager;
    struct org org;
    bool found;
    if (agent->reports_to == NULL) return OK;
    if (strcmp(agent->reports_to, agent->id) == 0)
        return err_new(a, ERR_UNPROCESSABLE, "Agent cannot report to itself");
    TRY(agent_get(db, agent->reports_to, &manager, &found));
    if (!found) return err_new(a, ERR_NOT_FOUND, "Manager not found");
    if (strcmp(manager.company_id, agent->company_id) != 0)
        return err_new(a, ERR_UNPROCESSABLE, "Manager must belong to same company");
    TRY(agent_chain(db, &manager, &org));
    int self = org_find(&org, agent->id);
    if (self >= 0 && org_would_cycle(&org, self, 0))
        return err_new(a, ERR_UNPROCESSABLE, "Reporting relationship would create cycle");
    return OK;
}

static err_t check_environment(struct db *db, const struct agent *agent)
{
    struct environment e;
    bool found;
    if (agent->default_environment_id == NULL) return OK;
    TRY(environment_get(db, agent->default_environment_id, &e, &found));
    if (!found) return tenant_dangling(db_arena(db), "defaultEnvironmentId", agent->default_environment_id);
    if (!text_is(e.driver, "local") && !adapter_type_remote(agent->adapter_type)) /* WS-55 */
        return err_new(db_arena(db), ERR_UNPROCESSABLE, "Environment driver \"%s\" is not allowed here", e.driver);
    return OK;
}

/* The taken keys that begin like this one. */
static err_t taken_keys(struct db *db, const struct agent *agent, const char *key, json_t **out)
{
    struct rows r ROWS_AUTO = {0};
    *out = json_object();
    TRY(db_query(
        db, &r,
        "SELECT url_key FROM agents WHERE company_id = $1 AND status <> 'terminated' AND id <> $2"
        " AND (url_key = $3 OR url_key LIKE $4)",
        P(V_ID(agent->company_id), V_ID(agent->id), V_TEXT(key), V_TEXT(arena_printf(db_arena(db), "%s-%%", key)))));
    while (rows_next(&r)) json_object_set_new(*out, row_text(&r, 0), json_true());
    return rows_err(&r);
}

/* AR-6: "<name> 2" … up to 100, then the time. Race-free: a company has one writer at a time. */
static err_t free_name(struct db *db, struct agent *agent)
{
    struct arena *a = db_arena(db);
    const char *name = agent->name;
    json_t *taken;
    agent->url_key = shortname(a, name);
    if (agent->url_key == NULL) agent->url_key = agent->id;
    TRY(taken_keys(db, agent, agent->url_key, &taken));
    for (int i = 2; json_object_get(taken, agent->url_key) && i <= SUFFIX_MAX + 1; i++) {
        agent->name =
            i <= SUFFIX_MAX ? arena_printf(a, "%s %d", name, i) : arena_printf(a, "%s %" PRId64, name, clock_now());
        agent->url_key = shortname(a, agent->name);
    }
    return OK;
}

err_t agent_insert(struct db *db, const struct actor *actor, struct agent *agent, bool pending)
{
    const json_t *permissions = json_read(agent->permissions);
    agent->id = id_new(db_arena(db));
    agent->status = pending ? "pending_approval" : "idle";
    agent->created_at = agent->updated_at = clock_now();
    TRY(check_manager(db, agent));
    TRY(check_environment(db, agent));
    TRY(free_name(db, agent));
    TRY(entity_insert(db, &ENTITY_agent, agent));
    return grant_settle(db, actor, agent, json_bool(permissions, "canAssignTasks", true));
}

err_t agent_create(struct db *db, const struct actor *actor, struct agent *agent, json_t *desired_skills)
{
    TRY(agent_insert(db, actor, agent, false));
    return agent_log(db, actor, "agent.created", agent,
                     json_pack("{s:s, s:s, s:O}", "name", agent->name, "role", agent->role, "desiredSkills",
                               desired_skills ? desired_skills : json_array()));
}

/* AR-6: a new shortname must be free. */
static err_t check_rename(struct db *db, const struct agent *before, struct agent *after)
{
    struct arena *a = db_arena(db);
    json_t *taken;
    const char *key = shortname(a, after->name);
    after->url_key = key ? key : after->id;
    if (strcmp(before->url_key, after->url_key) == 0 || strcmp(before->status, "terminated") == 0) return OK;
    TRY(taken_keys(db, after, after->url_key, &taken));
    if (json_object_get(taken, after->url_key) == NULL) return OK;
    return err_new(a, ERR_CONFLICT, "Agent shortname '%s' is already in use in this company", after->url_key);
}

/* What an approval freezes and a change names: the wire names that differ, sorted. */
static json_t *differing(const struct agent *before, const struct agent *after)
{
    static const char *const fields[] = {"adapterConfig",
                                         "adapterType",
                                         "budgetMonthlyCents",
                                         "capabilities",
                                         "defaultEnvironmentId",
                                         "icon",
                                         "metadata",
                                         "name",
                                         "reportsTo",
                                         "role",
                                         "runtimeConfig",
                                         "title",
                                         NULL};
    json_t *out = json_array();
    for (const char *const *f = fields; *f; f++)
        if (!entity_same(entity_field(&ENTITY_agent, *f), before, after)) json_array_append_new(out, json_string(*f));
    return out;
}

/* AR-12 */
static err_t frozen(struct db *db, const struct agent *agent, json_t *fields)
{
    static const char code[] = "pending_approval_agent_config_frozen";
    struct arena *a = db_arena(db);
    if (strcmp(agent->status, "pending_approval") != 0 || json_array_size(fields) == 0) return OK;
    return err_with(a, ERR_CONFLICT, code,
                    json_text(a, json_pack("{s:s, s:s, s:O}", "code", code, "agentId", agent->id, "fields", fields)),
                    "Pending approval agent configuration cannot be changed before board approval");
}

/* Only what provides for built-in agents may set their mark (AR-14d). */
static err_t check_marker(struct db *db, const struct agent *before, const struct agent *after)
{
    static const char key[] = "paperclipBuiltInAgent", code[] = "built_in_agent_marker_readonly";
    const json_t *x = json_object_get(json_read(before->metadata), key),
                 *y = json_object_get(json_read(after->metadata), key);
    if (x == y || (x && y && json_equal(x, y))) return OK;
    return err_with(db_arena(db), ERR_CONFLICT, code, "{\"code\":\"built_in_agent_marker_readonly\"}",
                    "metadata.%s cannot be changed", key);
}

static void name_keys(json_t *details, const char *key, const char *before, const char *after)
{
    json_t *keys = changed_keys(json_read(before), json_read(after));
    if (json_array_size(keys) > 0) json_object_set(details, key, keys);
}

/* Writes what differs, and its revision. */
static err_t write_change(struct db *db, const struct actor *actor, const struct agent *before, struct agent *after,
                          json_t *fields, const struct revision_origin *origin)
{
    TRY(frozen(db, before, fields));
    TRY(check_marker(db, before, after));
    if (!same(before->reports_to, after->reports_to)) TRY(check_manager(db, after));
    if (!same(before->default_environment_id, after->default_environment_id)) TRY(check_environment(db, after));
    TRY(check_rename(db, before, after));
    after->updated_at = clock_now();
    TRY(entity_update(db, &ENTITY_agent, before, after));
    if (!same(before->role, after->role)) {
        bool assign;
        TRY(grant_has(db, after, "tasks:assign", &assign));
        TRY(grant_settle(db, actor, after, assign || strcmp(after->role, "ceo") == 0));
    }
    return config_revision_add(db, actor, before, after, origin);
}

err_t agent_update(struct db *db, const struct actor *actor, const struct agent *before, struct agent *after)
{
    json_t *fields = differing(before, after);
    if (json_array_size(fields) == 0) return OK;
    TRY(write_change(db, actor, before, after, fields, &(struct revision_origin){.source = "patch"}));
    json_t *details = json_pack("{s:O}", "changedTopLevelKeys", fields);
    name_keys(details, "changedAdapterConfigKeys", before->adapter_config, after->adapter_config);
    name_keys(details, "changedRuntimeConfigKeys", before->runtime_config, after->runtime_config);
    return agent_log(db, actor, "agent.updated", after, details);
}

err_t agent_reconfigure(struct db *db, const struct actor *actor, const struct agent *before, struct agent *after,
                        const struct reconfiguration *what)
{
    json_t *fields = differing(before, after);
    if (json_array_size(fields) > 0) TRY(write_change(db, actor, before, after, fields, &what->origin));
    return agent_log(db, actor, what->action, after, what->details);
}

err_t agent_roll_back(struct db *db, const struct actor *actor, const struct agent *before,
                      const struct config_revision *to, struct agent *after)
{
    *after = *before;
    TRY(config_revision_apply(db, to, after));
    return agent_reconfigure(db, actor, before, after,
                             &(struct reconfiguration){.origin = {.source = "rollback", .rolled_back_from = to->id},
                                                       .action = "agent.config_rolled_back",
                                                       .details = json_pack("{s:s}", "revisionId", to->id)});
}

err_t agent_set_permissions(struct db *db, const struct actor *actor, struct agent *agent, json_t *given)
{
    struct agent before = *agent;
    json_t *now = json_read(agent->permissions);
    TRY(frozen(db, agent, json_pack("[s]", "permissions")));
    if (!json_is_object(now)) now = json_object();
    json_object_update(now, given);
    agent->permissions = json_text(db_arena(db), now);
    agent->updated_at = clock_now();
    TRY(entity_update(db, &ENTITY_agent, &before, agent));
    bool create = json_bool(now, "canCreateAgents", false), assign = json_bool(now, "canAssignTasks", false);
    TRY(grant_settle(db, actor, agent, create || assign || strcmp(agent->role, "ceo") == 0));
    return agent_log(db, actor, "agent.permissions_updated", agent,
                     json_pack("{s:b, s:b, s:b, s:s?}", "canCreateAgents", create, "canCreateSkills",
                               json_bool(now, "canCreateSkills", true), "canAssignTasks", assign, "trustPreset",
                               json_str(now, "trustPreset")));
}
