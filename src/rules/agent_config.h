/*
 * agent_config: what an agent's adapterConfig, runtimeConfig and permissions
 * become when they are written (AR-9, AR-14, AR-14d, AR-15). Pure: JSON in,
 * new JSON out; arguments are not changed.
 */
#ifndef BULLDOG_RULES_AGENT_CONFIG_H
#define BULLDOG_RULES_AGENT_CONFIG_H

#include "base/json.h"

/* An env map in its stored form: a bare string becomes {type:"plain",value}
 * (AR-9). NULL when it is malformed. */
json_t *env_normalize(const json_t *env);

/* adapterConfig as stored: env normalised. NULL when env is malformed. */
json_t *adapter_config_normalize(const json_t *config);

struct config_change {
    const json_t *stored, *given; /* objects; given NULL: none was sent */
    bool replace;                 /* replaceAdapterConfig */
    bool type_changed;            /* another adapterType: only what every adapter knows survives */
};
/* AR-14d: a shallow merge over what is stored, unless replaced. */
json_t *adapter_config_merge(const struct config_change *c);

/* runtimeConfig of a new agent: heartbeat.enabled false and maxConcurrentRuns 20 unless given. */
json_t *runtime_config_defaults(const json_t *given);

/* permissions of a new agent: canCreateAgents (true for a ceo) and canCreateSkills (true) unless given. */
json_t *permissions_defaults(const char *role, const json_t *given);

/* Keys of two objects whose values differ, sorted: an array of strings. */
json_t *changed_keys(const json_t *before, const json_t *after);

/* The first path of adapterConfig that names a command the host runs (AR-18,
 * WS-29), or NULL. These are for people, not for agents. */
const char *config_host_command(struct arena *a, const json_t *config);
/* The first key that says where the instructions bundle lies, or NULL (AR-18). */
const char *config_bundle_key(const json_t *config);
/* The first key that decides what program runs: command, args, cwd, env … or NULL (AR-18 BETTER). */
const char *config_program_key(const json_t *config);

#endif
