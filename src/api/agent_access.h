/* agent_access: who may do what to agents (AR-18). Shared by the agents' rooms. */
#ifndef BULLDOG_API_AGENT_ACCESS_H
#define BULLDOG_API_AGENT_ACCESS_H

#include "api/request.h"
#include "model/agent_view.h"

/* How much of this agent's configuration the caller sees. */
err_t agent_configs_seen(struct req *r, const struct agent *agent, enum agent_configs *out) MUST_CHECK;
/* 403 unless the caller may read configurations. */
err_t require_config_reader(struct req *r) MUST_CHECK;
/* 403 unless the caller may make agents. */
err_t require_agent_creator(struct req *r) MUST_CHECK;
/* 403 unless the caller is the board or a ceo. */
err_t require_permission_manager(struct req *r) MUST_CHECK;
/* What agents never write, and what they write only about themselves: checks a PATCH body. */
err_t require_agent_editor(struct req *r, const struct agent *agent) MUST_CHECK;
/* 403 unless the caller may change any part of an agent, its program too. */
err_t require_agent_configurer(struct req *r) MUST_CHECK;
/* Keys of adapterConfig that are for people only: 403 for agents. */
err_t refuse_host_commands(struct req *r, const json_t *adapter_config) MUST_CHECK;

#endif
