/* llms: plain-text pages that agents read before they hire or configure others (AR-36). */
#include "api/handlers.h"
#include "model/grant.h"
#include "rules/adapter_types.h"

#include <string.h>

static const struct {
    const char *adapter, *name, *type, *text;
} fields[] = {
#define FIELD(adapter, name, type, text) {#adapter, #name, type, text},
#include "tables/adapter_fields.def"
#undef FIELD
};

static err_t require_reader(struct req *r)
{
    bool yes = true;
    if (is_agent(r)) TRY(agent_may_create(r->db, &r->self, &yes));
    r->http->content_type = "text/plain; charset=utf-8";
    return yes ? OK : forbidden(r, "Missing permission to read agent configuration docs");
}

err_t llms_agent_configuration(struct req *r)
{
    struct buf *b = &r->http->out;
    TRY(require_reader(r));
    buf_puts(b, "# Agent configuration\n\nAdapters of this server:\n");
    for (const struct adapter_type *t = ADAPTER_TYPES; t->type; t++)
        if (t->available) buf_printf(b, "- %s: /llms/agent-configuration/%s.txt\n", t->type, t->type);
    buf_puts(b, "\nRelated endpoints:\n"
                "- GET /api/companies/:companyId/agent-configurations: how the others are configured, secrets masked\n"
                "- GET /api/agents/:id/configuration: the same of one agent\n"
                "- POST /api/companies/:companyId/agents: create an agent\n"
                "- PATCH /api/agents/:id: change one; adapterConfig is merged, runtimeConfig is replaced\n"
                "- POST /api/companies/:companyId/adapters/:type/test-environment: would a configuration run?\n"
                "- GET /llms/agent-icons.txt: names for the field icon\n"
                "\nruntimeConfig.heartbeat: enabled (timer wakes, false), intervalSec (0), wakeOnDemand (true),\n"
                "maxConcurrentRuns (20), skipTimerWhenNoActionableWork (false), maxDailyRuns, maxDailyCostCents.\n");
    return OK;
}

err_t llms_adapter(struct req *r)
{
    struct buf *b = &r->http->out;
    const char *page = r->params[0], *dot = strrchr(page, '.');
    const char *type = dot && strcmp(dot, ".txt") == 0 ? arena_strndup(r->arena, page, (size_t)(dot - page)) : NULL;
    TRY(require_reader(r));
    const struct adapter_type *t = type ? adapter_type_find(type) : NULL;
    if (t == NULL || !t->available) { /* text, as everything here (AO-123) */
        buf_puts(b, "Unknown adapter type\n");
        r->status = 404;
        return OK;
    }
    buf_printf(b, "# %s agent configuration\n\nadapterType: %s\n\nadapterConfig:\n", t->type, t->type);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (strcmp(fields[i].adapter, t->type) == 0)
            buf_printf(b, "- %s (%s): %s\n", fields[i].name, fields[i].type, fields[i].text);
    return OK;
}

err_t llms_icons(struct req *r)
{
    static const char *const icons[] = {
#define ICON(name) #name,
#include "tables/agent_icons.def"
#undef ICON
    };
    TRY(require_reader(r));
    buf_puts(&r->http->out, "# Agent icons\n\n");
    for (size_t i = 0; i < sizeof icons / sizeof *icons; i++) buf_printf(&r->http->out, "- %s\n", icons[i]);
    return OK;
}
