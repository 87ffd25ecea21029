/* watchdogs: an agent that looks when the work below an issue stands still (IS-124). */
#include "api/handlers.h"
#include "api/issue_guard.h"
#include "api/schemas.h"
#include "base/text.h"
#include "model/agent.h"
#include "model/task_watchdog.h"

static const struct prop watchdog_props[] = {
    {"agentId", PROP_UUID, REQUIRED},
    {"instructions", PROP_TEXT, NULLABLE, .max = 20000},
};
SCHEMA_WITH(ISSUE_WATCHDOG, watchdog_props, .strict = true);

/* A run that a watchdog started sets none (EX-17, IS-124). */
static err_t no_watchdog_run(struct req *r)
{
    bool watched;
    TRY(watchdog_started_run(r->db, is_agent(r) ? r->actor.run_id : NULL, &watched));
    return watched ? forbidden(r, "Watchdog runs may not change watchdogs") : OK;
}

/* Otherwise whoever may change the issue. */
static err_t may_set(struct req *r)
{
    const char *reason;
    TRY(no_watchdog_run(r));
    TRY(issue_may_write(r, ACCESS_MUTATE, &reason));
    return issue_influence(r);
}

err_t watchdog_set_by(struct req *r, const struct issue *issue, const json_t *body)
{
    struct agent agent;
    struct watchdog d;
    enum watchdog_state state;
    bool found;
    const char *id = json_str(body, "agentId");
    TRY(no_watchdog_run(r));
    TRY(agent_get(r->db, id, &agent, &found));
    if (!found || !text_is(agent.company_id, r->company_id)) return dangling(r, "agentId", id);
    TRY(watchdog_put(r->db, &r->actor, issue, agent.id, json_str(body, "instructions"), &d));
    return watchdog_evaluate(r->db, d.id, &state);
}

static err_t answer(struct req *r)
{
    struct watchdog d;
    bool found;
    TRY(watchdog_get(r->db, r->issue.id, &d, &found));
    if (found) watchdog_write(&r->w, &d);
    else jw_null(&r->w);
    return OK;
}

err_t watchdog_show(struct req *r) { return answer(r); }

err_t watchdog_set_route(struct req *r)
{
    TRY(may_set(r));
    TRY(watchdog_set_by(r, &r->issue, r->body));
    return answer(r);
}

err_t watchdog_unset(struct req *r)
{
    TRY(may_set(r));
    TRY(watchdog_remove(r->db, &r->actor, &r->issue));
    jw_obj(&r->w);
    jw_kbool(&r->w, "ok", true);
    jw_obj_end(&r->w);
    return OK;
}
