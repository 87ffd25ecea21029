/* agent_timers: the timers of all companies at a glance. */
#include "model/agent_timers.h"

#include "rules/heartbeat.h"

static void write_agent(struct jw *w, const struct rows *r, const struct agent *a, const struct heartbeat_policy *p)
{
    jw_obj(w);
    jw_kstr(w, "id", a->id);
    jw_kstr(w, "companyId", a->company_id);
    jw_kstr(w, "companyName", row_text(r, 0));
    jw_kstr(w, "companyIssuePrefix", row_text(r, 1));
    jw_kstr(w, "agentName", a->name);
    jw_kstr(w, "agentUrlKey", a->url_key);
    jw_kstr(w, "role", a->role);
    jw_kstr(w, "title", a->title);
    jw_kstr(w, "status", a->status);
    jw_kstr(w, "adapterType", a->adapter_type);
    jw_kint(w, "intervalSec", p->interval_sec);
    jw_kbool(w, "heartbeatEnabled", p->enabled);
    jw_kbool(w, "schedulerActive", p->enabled && p->interval_sec > 0);
    jw_ktime(w, "lastHeartbeatAt", a->last_heartbeat_at);
    jw_obj_end(w);
}

/* One pass over the agents for each half of the order: active timers first. */
static err_t write_half(struct db *db, struct jw *w, bool active)
{
    struct rows rows ROWS_AUTO = {0};
    TRY(db_query(
        db, &rows,
        arena_printf(
            db_arena(db),
            "SELECT c.name, c.issue_prefix, %s FROM agents a JOIN companies c ON c.id = a.company_id"
            " WHERE a.status NOT IN ('paused','terminated','pending_approval') ORDER BY c.name, c.id, a.name, a.id",
            entity_columns(db_arena(db), &ENTITY_agent, "a")),
        P()));
    while (rows_next(&rows)) {
        struct agent a;
        entity_decode(&ENTITY_agent, &rows, 2, &a);
        const struct heartbeat_policy p = heartbeat_policy(a.runtime_config);
        if ((p.enabled && p.interval_sec > 0) == active) write_agent(w, &rows, &a, &p);
    }
    return rows_err(&rows);
}

err_t agent_timers_write(struct db *db, struct jw *w)
{
    jw_arr(w);
    TRY(write_half(db, w, true));
    TRY(write_half(db, w, false));
    jw_arr_end(w);
    return OK;
}
