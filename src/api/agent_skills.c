/*
 * agent_skills: which skills an agent shall have (AR-33), and where its
 * instructions lie (AR-32). Both live in adapterConfig; what an adapter makes of
 * them is its own.
 */
#include "api/agent_access.h"
#include "api/handlers.h"
#include "api/schemas.h"
#include "base/text.h"
#include "model/agent_edit.h"
#include "rules/adapter_types.h"

static const struct prop sync_props[] = {
    {"mode", PROP_ANY}, /* its own refusal, 422 */
    {"desiredSkills", PROP_ARRAY, REQUIRED, .max = 500, .items = &(const struct prop){"", PROP_ANY}},
};
SCHEMA(AGENT_SKILLS_SYNC, sync_props);

static const struct prop path_props[] = {
    {"path", PROP_STRING, REQUIRED | NULLABLE, .min = 1},
    {"adapterConfigKey", PROP_STRING, .min = 1, .max = 100},
};
SCHEMA(AGENT_INSTRUCTIONS_PATH, path_props);

/* ---- skills ---- */

/* A wish in its stored form {key, versionId}; NULL: it is none. */
static json_t *wish_of(const json_t *v)
{
    const char *key = json_is_string(v) ? json_string_value(v) : json_str(v, "key");
    if (key == NULL || *key == 0) return NULL;
    return json_pack("{s:s, s:s?}", "key", key, "versionId", json_str(v, "versionId"));
}

/* The stored wishes: {key, versionId}, each key once. */
static json_t *stored_wishes(const struct agent *agent)
{
    const json_t *list =
        json_object_get(json_object_get(json_read(agent->adapter_config), "paperclipSkillSync"), "desiredSkills");
    json_t *out = json_array(), *v;
    size_t i;
    json_array_foreach (list, i, v) {
        json_t *wish = wish_of(v);
        if (wish) json_array_append_new(out, wish);
    }
    return out;
}

static json_t *keys_of(const json_t *wishes)
{
    json_t *out = json_array(), *v;
    size_t i;
    json_array_foreach (wishes, i, v) json_array_append(out, json_object_get(v, "key"));
    return out;
}

static size_t index_of(const json_t *wishes, const char *key)
{
    json_t *v;
    size_t i;
    json_array_foreach (wishes, i, v)
        if (text_is(json_str(v, "key"), key)) return i;
    return json_array_size(wishes);
}

/* add, remove and replace, by key. */
static json_t *merged(const json_t *stored, const json_t *given, const char *mode)
{
    json_t *out = text_is(mode, "replace") ? json_array() : json_copy((json_t *)(uintptr_t)stored), *v;
    size_t i;
    json_array_foreach (given, i, v) {
        size_t at = index_of(out, json_str(v, "key"));
        bool known = at < json_array_size(out);
        if (text_is(mode, "remove")) {
            if (known) json_array_remove(out, at);
        } else if (known) {
            json_array_set(out, at, v);
        } else {
            json_array_append(out, v);
        }
    }
    return out;
}

/* What the adapter makes of the wishes: those of this version run no skills of their own. */
static void write_snapshot(struct req *r, const struct agent *agent)
{
    const json_t *wishes = stored_wishes(agent);
    jw_obj(&r->w);
    jw_kstr(&r->w, "adapterType", agent->adapter_type);
    jw_kbool(&r->w, "supported", false);
    jw_kstr(&r->w, "mode", "unsupported");
    jw_key(&r->w, "desiredSkills");
    jw_json(&r->w, keys_of(wishes));
    jw_key(&r->w, "desiredSkillEntries");
    jw_json(&r->w, wishes);
    jw_kraw(&r->w, "entries", "[]");
    jw_kraw(&r->w, "warnings", "[\"This adapter does not implement skill sync yet.\"]");
    jw_obj_end(&r->w);
}

err_t agent_skills(struct req *r)
{
    TRY(require_config_reader(r));
    write_snapshot(r, &r->agent);
    return OK;
}

static err_t given_wishes(struct req *r, json_t **out)
{
    json_t *v;
    size_t i;
    *out = json_array();
    json_array_foreach (json_object_get(r->body, "desiredSkills"), i, v) {
        json_t *wish = wish_of(v);
        const char *path = arena_printf(r->arena, "desiredSkills.%zu", i);
        if (wish == NULL) return schema_problem(r->arena, path, "Expected a skill key or {key, versionId}");
        if (json_str(wish, "versionId")) return schema_problem(r->arena, path, "Skill versions cannot be pinned here");
        json_array_append_new(*out, wish);
    }
    return OK;
}

static void set_config(struct req *r, struct agent *agent, const char *key, json_t *value)
{
    json_t *config = json_read(agent->adapter_config);
    if (!json_is_object(config)) config = json_object();
    if (value) json_object_set_new(config, key, value);
    else json_object_del(config, key);
    agent->adapter_config = json_text(r->arena, config);
}

err_t agent_skills_sync(struct req *r)
{
    struct agent after = r->agent;
    const char *mode = json_str(r->body, "mode");
    json_t *given;
    TRY(require_agent_configurer(r));
    if (!text_is(mode, "add") && !text_is(mode, "remove") && !text_is(mode, "replace"))
        return unprocessable(r, "mode must be add, remove or replace");
    TRY(given_wishes(r, &given));
    json_t *wishes = merged(stored_wishes(&r->agent), given, mode);
    if (!json_equal(wishes, stored_wishes(&r->agent)))
        set_config(r, &after, "paperclipSkillSync", json_pack("{s:O}", "desiredSkills", wishes));
    TRY(agent_reconfigure(
        r->db, &r->actor, &r->agent, &after,
        &(struct reconfiguration){
            .origin = {.source = "skill-sync"},
            .action = "agent.skills_synced",
            .details = json_pack("{s:s, s:o, s:O, s:s, s:s, s:b, s:i, s:i}", "adapterType", after.adapter_type,
                                 "desiredSkills", keys_of(wishes), "desiredSkillEntries", wishes, "assignmentMode",
                                 mode, "mode", "unsupported", "supported", 0, "entryCount", 0, "warningCount", 1)}));
    write_snapshot(r, &after);
    return OK;
}

/* ---- instructions ---- */

err_t agent_instructions_path(struct req *r)
{
    struct agent after = r->agent;
    const char *path = json_str(r->body, "path"), *key = json_str(r->body, "adapterConfigKey");
    const struct adapter_type *type = adapter_type_find(after.adapter_type);
    if (key == NULL && type && type->instructions_bundle) key = "instructionsFilePath";
    if (key == NULL) return unprocessable(r, "adapterConfigKey is required for adapter type %s", after.adapter_type);
    if (path && *path != '/') {
        const char *cwd = json_str(json_read(after.adapter_config), "cwd");
        if (cwd == NULL || *cwd != '/')
            return unprocessable(r, "A relative instructions path needs an absolute adapterConfig.cwd");
        path = arena_printf(r->arena, "%s/%s", cwd, path);
    }
    set_config(r, &after, key, path ? json_string(path) : NULL);
    TRY(agent_reconfigure(r->db, &r->actor, &r->agent, &after,
                          &(struct reconfiguration){.origin = {.source = "instructions_path_patch"},
                                                    .action = "agent.instructions_path_updated",
                                                    .details = json_pack("{s:s, s:s?, s:b}", "adapterConfigKey", key,
                                                                         "path", path, "cleared", path == NULL)}));
    jw_obj(&r->w);
    jw_kstr(&r->w, "agentId", after.id);
    jw_kstr(&r->w, "adapterType", after.adapter_type);
    jw_kstr(&r->w, "adapterConfigKey", key);
    jw_kstr(&r->w, "path", path);
    jw_obj_end(&r->w);
    return OK;
}
