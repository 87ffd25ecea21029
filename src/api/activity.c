/* activity: the record, the counts, and the live socket (GV §7, §8, AR-73). */
#include "model/activity.h"
#include "api/app.h"
#include "api/handlers.h"
#include "api/schemas.h"
#include "base/id.h"
#include "base/settings.h"
#include "model/agent_view.h"
#include "model/bootstrap.h"
#include "model/company.h"
#include "model/dashboard.h"
#include "model/tenant.h"

#include <stdlib.h>
#include <string.h>

#define LIST_DEFAULT 100
#define LIST_MAX 500

static const char *const actor_types[] = {"agent", "user", "system", "plugin", NULL};
static const struct prop create_props[] = {
    {"actorType", PROP_ENUM, 0, .options = actor_types},
    {"actorId", PROP_STRING, REQUIRED, .min = 1},
    {"action", PROP_STRING, REQUIRED, .min = 1, .max = 200},
    {"entityType", PROP_STRING, REQUIRED, .min = 1, .max = 100},
    {"entityId", PROP_STRING, REQUIRED, .min = 1, .max = 200},
    {"agentId", PROP_UUID, NULLABLE},
    {"details", PROP_OBJECT, NULLABLE},
};
SCHEMA(ACTIVITY_CREATE, create_props);

static void row_write(struct jw *w, const struct activity *a)
{
    jw_obj(w);
    entity_write(w, &ENTITY_activity, a, VIEW_FULL);
    jw_obj_end(w);
}

static err_t list(struct req *r, const struct activity_filter *f)
{
    struct activity *rows;
    int n;
    TRY(activity_list(r->db, f, &rows, &n));
    jw_arr(&r->w);
    for (int i = 0; i < n; i++) row_write(&r->w, &rows[i]);
    jw_arr_end(&r->w);
    return OK;
}

err_t activity_list_route(struct req *r)
{
    struct activity_filter f = {.company_id = r->company_id,
                                .agent_id = query(r, "agentId"),
                                .entity_type = query(r, "entityType"),
                                .entity_id = query(r, "entityId"),
                                .run_id = query(r, "runId"),
                                .before_id = query(r, "before"),
                                .limit = query_limit(r, "limit", LIST_DEFAULT, LIST_MAX)};
    const char *const ids[] = {f.agent_id, f.run_id, f.before_id};
    for (size_t i = 0; i < 3; i++)
        if (ids[i] && !id_valid(ids[i]))
            return err_new(r->arena, ERR_BAD_REQUEST, "agentId, runId and before must be UUIDs");
    return list(r, &f);
}

err_t activity_create_route(struct req *r)
{
    const char *type = json_str(r->body, "actorType"), *agent = json_str(r->body, "agentId"),
               *id = json_str(r->body, "actorId");
    struct actor actor = {.type = ACTOR_SYSTEM, .source = id};
    struct activity row;
    TRY(tenant_check(r->db, "agents", r->company_id, "agentId", agent));
    if (type && strcmp(type, "user") == 0) actor = (struct actor){.type = ACTOR_BOARD, .user_id = id};
    if (type && strcmp(type, "agent") == 0) {
        TRY(tenant_check(r->db, "agents", r->company_id, "actorId", id));
        actor = (struct actor){.type = ACTOR_AGENT, .agent_id = id};
    }
    TRY(activity_log(r->db, &actor,
                     &(struct activity_entry){.company_id = r->company_id,
                                              .action = json_str(r->body, "action"),
                                              .entity_type = json_str(r->body, "entityType"),
                                              .entity_id = json_str(r->body, "entityId"),
                                              .agent_id = agent,
                                              .details = json_object_get(r->body, "details"),
                                              .written = &row}));
    row_write(&r->w, &row);
    return OK;
}

err_t dashboard(struct req *r)
{
    TRY(company_fill_spent(r->db, &r->company));
    return dashboard_write(r->db, &r->w, &r->company);
}

err_t sidebar_badges(struct req *r)
{
    TRY(company_fill_spent(r->db, &r->company));
    return badges_write(r->db, &r->w, &r->company, r->actor.user_id);
}

/* UI-144: everything the board's first page needs, in one snapshot with the event id it ends at. */
err_t bootstrap(struct req *r)
{
    TRY(company_fill_spent(r->db, &r->company));
    TRY(bootstrap_write(r->db, &r->w, &r->company, &r->actor,
                        is_agent(r) ? AGENT_CONFIGS_EMPTY : AGENT_CONFIGS_MASKED));
    return OK;
}

/* ---- the live socket ---- */

static err_t replay_since(struct req *r, struct ws_client *c, int64_t since)
{
    struct rows rows ROWS_AUTO = {0};
    int64_t oldest, count;
    TRY(db_int(r->db, &oldest, 0, "SELECT min(id) FROM live_events WHERE company_id = $1", P(V_ID(r->company_id))));
    TRY(db_int(r->db, &count, 0,
               "SELECT count(*) FROM (SELECT 1 FROM live_events WHERE company_id = $1 AND id > $2 LIMIT $3) n",
               P(V_ID(r->company_id), V_INT(since), V_INT(settings.event_replay_max + 1))));
    /* an id older than all we keep, or too far behind: the client must read anew */
    bool gone = (oldest > 0 && since > 0 && since < oldest - 1) || count > settings.event_replay_max;
    if (gone) {
        ws_client_reset(c);
        return OK;
    }
    TRY(db_query(r->db, &rows,
                 "SELECT id, type, created_at, payload FROM live_events WHERE company_id = $1 AND id > $2 ORDER BY id",
                 P(V_ID(r->company_id), V_INT(since))));
    while (rows_next(&rows))
        ws_client_replay(c, row_int(&rows, 0), row_text(&rows, 1), row_time(&rows, 2), row_text(&rows, 3));
    return rows_err(&rows);
}

err_t events_ws(struct req *r)
{
    const char *upgrade = http_header(r->http, "Upgrade"), *since_text = query(r, "since");
    struct hub *hub = app_get(r->app)->hub;
    int64_t newest, since;
    char *end = NULL;
    if (upgrade == NULL) return err_new(r->arena, ERR_UPGRADE_REQUIRED, "This is a WebSocket: send an upgrade request");
    since = since_text ? strtoll(since_text, &end, 10) : -1;
    if (since_text && (end == since_text || *end || since < 0))
        return err_new(r->arena, ERR_BAD_REQUEST, "since must be an event id");
    TRY(live_event_last_id(r->db, r->company_id, &newest));
    if (since_text == NULL || since > newest) since = newest;
    struct ws_client *c = ws_client_new(hub, r->company_id, since);
    if (c == NULL) return err_new(r->arena, ERR_UNAVAILABLE, "Too many live connections");
    /* a revoked credential takes its sockets with it (AO-49) */
    if (r->actor.key_id) ws_client_owner(c, arena_printf(r->arena, "key:%s", r->actor.key_id));
    err_t e = replay_since(r, c, since);
    if (e) {
        ws_client_drop(c);
        return e;
    }
    r->http->upgrade = c;
    return OK;
}
