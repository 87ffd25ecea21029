/*
 * http_agent: the `http` adapter (AR-56): an agent behind a URL. One request per
 * run; 2xx is success. Blocks: job threads only.
 */
#ifndef BULLDOG_ADAPTER_HTTP_AGENT_H
#define BULLDOG_ADAPTER_HTTP_AGENT_H

#include "base/json.h"

#include <stdatomic.h>

struct http_agent_call {
    const char *adapter_config;
    json_t *context; /* the whole snapshot */
    const char *agent_id, *run_id, *company_id;
    const char *run_token; /* sent only with sendRunToken */
    const atomic_bool *abort;
};
struct http_agent_result {
    const char *error, *error_code; /* NULL when it went well */
    const char *error_family;       /* what the agent says of its failure: transient_upstream, provider_quota; or NULL */
    const char *retry_not_before;   /* a time it gives, or NULL */
    bool timed_out;
    int64_t timeout_ms;
    bool timeout_configured;
    json_t *result;      /* object of the answer, or NULL */
    const char *summary; /* the answer's own words, or NULL */
};
/* Never fails itself: what goes wrong is the run's outcome. */
void http_agent_invoke(struct arena *a, const struct http_agent_call *c, struct http_agent_result *out);

#endif
