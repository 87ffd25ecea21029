/* agent_control: the board's hand on an agent's life, and its keys (AR-16, AR-22). */
#include "model/agent_control.h"
#include "api/app.h"
#include "api/handlers.h"
#include "api/key_scope.h"
#include "api/schemas.h"
#include "base/text.h"
#include "model/agent_key.h"
#include "model/agent_view.h"
#include "model/approval.h"

#include <string.h>

static err_t move(struct req *r, enum agent_event event)
{
    TRY(agent_move(r->db, &r->actor, &r->agent, event));
    return agent_write_one(r->db, &r->w, &r->agent, AGENT_CONFIGS_FULL);
}

err_t agent_pause(struct req *r) { return move(r, AGENT_PAUSE); }
err_t agent_resume(struct req *r) { return move(r, AGENT_RESUME); }
err_t agent_clear_error(struct req *r) { return move(r, AGENT_CLEAR_ERROR); }

/* An open hire is approved with it, and its payload becomes the agent's (AR-14c). */
err_t agent_approve(struct req *r)
{
    struct approval x;
    bool found;
    TRY(approval_of_hire(r->db, &r->agent, &x, &found));
    if (!found || strcmp(r->agent.status, "pending_approval") != 0) return move(r, AGENT_APPROVE);
    TRY(approval_decide(r->db, &r->actor, &x, APPROVAL_APPROVE, NULL));
    TRY(agent_get(r->db, r->agent.id, &r->agent, &found));
    return agent_write_one(r->db, &r->w, &r->agent, AGENT_CONFIGS_FULL);
}

err_t agent_terminate(struct req *r) { return move(r, AGENT_TERMINATE); }

static err_t answer_ok(struct req *r)
{
    jw_obj(&r->w);
    jw_kbool(&r->w, "ok", true);
    jw_obj_end(&r->w);
    return OK;
}

err_t agent_remove(struct req *r)
{
    bool stopping;
    TRY(agent_delete(r->db, &r->actor, &r->agent, &stopping));
    if (stopping)
        return refuse(
            r, err_with(r->arena, ERR_CONFLICT, "agent_runs_stopping", NULL,
                        "The agent is terminated and its last run is being stopped; delete it again in a moment"));
    return answer_ok(r);
}

/* ---- keys ---- */

static const struct prop key_props[] = {
    {"name", PROP_STRING, .min = 1, .max = 200},
    {"scope", PROP_OBJECT, .object = &KEY_SCOPE},
};
SCHEMA(AGENT_KEY_CREATE, key_props);

err_t agent_keys_list(struct req *r)
{
    struct agent_key *rows;
    int n;
    TRY(agent_key_list(r->db, &r->agent, &rows, &n));
    jw_arr(&r->w);
    for (int i = 0; i < n; i++) agent_key_write(&r->w, &rows[i], NULL);
    jw_arr_end(&r->w);
    return OK;
}

err_t agent_key_create_route(struct req *r)
{
    struct agent_key key;
    const char *token, *name = json_str(r->body, "name");
    json_t *scope = json_object_get(r->body, "scope");
    if (text_is(json_str(scope, "kind"), "standard")) scope = NULL;
    TRY(agent_key_create(r->db, &r->actor, &r->agent, name ? name : "default", scope, &key, &token));
    agent_key_write(&r->w, &key, token);
    return OK;
}

err_t agent_key_remove(struct req *r)
{
    TRY(agent_key_revoke(r->db, &r->actor, &r->agent, r->params[1]));
    hub_revoke(app_get(r->app)->hub,
               arena_printf(r->arena, "key:%s", r->params[1])); /* its sockets go with it (AO-49) */
    return answer_ok(r);
}
