/* agent_config: the written form of an agent's configuration. */
#include "rules/agent_config.h"

#include "base/id.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool is_type(const json_t *binding, const char *type)
{
    const char *t = json_str(binding, "type");
    return t && strcmp(t, type) == 0;
}

/* A name that can stand in a process environment. */
static bool env_name(const char *s)
{
    if (*s == 0 || isdigit((unsigned char)*s)) return false;
    for (; *s; s++)
        if (!isalnum((unsigned char)*s) && *s != '_' && *s != '.' && *s != '-') return false;
    return true;
}

static bool version_ok(const json_t *v)
{
    return v == NULL || json_is_integer(v) || (json_is_string(v) && strcmp(json_string_value(v), "latest") == 0);
}

static bool binding_ok(const json_t *b)
{
    const json_t *version = json_object_get(b, "version");
    if (is_type(b, "plain")) return json_is_string(json_object_get(b, "value"));
    if (is_type(b, "secret_ref")) return id_valid(json_str(b, "secretId")) && version_ok(version);
    return is_type(b, "user_secret_ref") && json_str(b, "key") && version_ok(version);
}

json_t *env_normalize(const json_t *env)
{
    const char *name;
    json_t *v, *out = json_object();
    if (!json_is_object(env)) return NULL;
    json_object_foreach ((json_t *)(uintptr_t)env, name, v) {
        if (!env_name(name)) return NULL;
        if (json_is_string(v)) json_object_set_new(out, name, json_pack("{s:s, s:O}", "type", "plain", "value", v));
        else if (binding_ok(v)) json_object_set(out, name, v);
        else return NULL;
    }
    return out;
}

json_t *adapter_config_normalize(const json_t *config)
{
    json_t *out = json_copy((json_t *)(uintptr_t)config);
    const json_t *env = json_object_get(config, "env");
    if (env == NULL) return out;
    json_t *stored = json_is_null(env) ? json_object() : env_normalize(env);
    if (stored == NULL) return NULL;
    json_object_set(out, "env", stored);
    return out;
}

/* What a config keeps when its adapter changes (AR-14d). */
static const char *const surviving[] = {
    "env",
    "cwd",
    "timeoutSec",
    "graceSec",
    "promptTemplate",
    "bootstrapPromptTemplate",
    "paperclipSkillSync",
    "instructionsBundleMode",
    "instructionsRootPath",
    "instructionsEntryFile",
    "instructionsFilePath",
    "agentsMdPath",
    NULL,
};

json_t *adapter_config_merge(const struct config_change *c)
{
    json_t *out = json_object();
    if (c->replace && c->given) return json_copy((json_t *)(uintptr_t)c->given);
    if (!c->type_changed) {
        json_object_update(out, (json_t *)(uintptr_t)c->stored);
    } else {
        for (const char *const *k = surviving; *k; k++) {
            json_t *v = json_object_get(c->stored, *k);
            if (v) json_object_set(out, *k, v);
        }
    }
    if (c->given) json_object_update(out, (json_t *)(uintptr_t)c->given);
    return out;
}

json_t *runtime_config_defaults(const json_t *given)
{
    json_t *out = given ? json_copy((json_t *)(uintptr_t)given) : json_object();
    json_t *had = json_object_get(out, "heartbeat"), *heartbeat = json_object();
    json_object_set_new(heartbeat, "enabled", json_false());
    json_object_set_new(heartbeat, "maxConcurrentRuns", json_integer(20));
    if (json_is_object(had)) json_object_update(heartbeat, had);
    json_object_set(out, "heartbeat", heartbeat);
    return out;
}

json_t *permissions_defaults(const char *role, const json_t *given)
{
    json_t *out = json_pack("{s:b, s:b}", "canCreateAgents", strcmp(role, "ceo") == 0, "canCreateSkills", 1);
    if (given) json_object_update(out, (json_t *)(uintptr_t)given);
    return out;
}

static int by_name(const void *x, const void *y) { return strcmp(*(const char *const *)x, *(const char *const *)y); }

json_t *changed_keys(const json_t *before, const json_t *after)
{
    const char *names[256], *key;
    size_t n = 0;
    json_t *v, *out = json_array();
    json_object_foreach ((json_t *)(uintptr_t)after, key, v)
        if (n < 256 && !json_equal(v, json_object_get(before, key))) names[n++] = key;
    json_object_foreach ((json_t *)(uintptr_t)before, key, v)
        if (n < 256 && json_object_get(after, key) == NULL) names[n++] = key;
    qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; i < n; i++) json_array_append_new(out, json_string(names[i]));
    return out;
}

static const char *first_of(const json_t *obj, const char *const *keys)
{
    for (; *keys; keys++)
        if (json_object_get(obj, *keys)) return *keys;
    return NULL;
}

const char *config_host_command(struct arena *a, const json_t *config)
{
    static const char *const keys[] = {"provisionCommand", "runtimeProvisionCommand", "teardownCommand", NULL};
    const char *key = first_of(json_object_get(config, "workspaceStrategy"), keys);
    return key ? arena_printf(a, "adapterConfig.workspaceStrategy.%s", key) : NULL;
}

const char *config_bundle_key(const json_t *config)
{
    static const char *const keys[] = {"instructionsBundleMode", "instructionsRootPath", "instructionsEntryFile",
                                       "instructionsFilePath",   "agentsMdPath",         NULL};
    return first_of(config, keys);
}

const char *config_program_key(const json_t *config)
{
    static const char *const keys[] = {"command", "args", "cwd", "env", "url", "headers", NULL};
    return first_of(config, keys);
}
