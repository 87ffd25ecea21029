/* timers: heartbeats that are due (AR-80) and scheduled retries that are due (EX-62). */
#include "base/rare.h"
#include "base/settings.h"
#include "engine/engine_internal.h"
#include "model/agent.h"
#include "model/retry.h"
#include "model/suppression.h"
#include "model/wake.h"
#include "rules/heartbeat.h"

#include <string.h>

#define RETRY_BATCH 50
#define LOOK_EVERY_MS 1000

struct beat {
    const char *agent_id;
    instant_t last, now;
    int64_t interval_ms;
};

/* Claimed by compare-and-set, so that two servers wake it once. */
static err_t wake_timer(struct engine *e, void *arg)
{
    struct beat *b = arg;
    struct agent agent;
    struct wake_result result;
    bool found;
    int64_t n;
    TRY(db_exec(e->db, &n,
                "UPDATE agents SET last_heartbeat_at = $2 WHERE id = $1 AND (last_heartbeat_at IS NULL OR last_heartbeat_at <= $3)",
                P(V_ID(b->agent_id), V_TIME(b->now), V_TIME(b->now - b->interval_ms))));
    if (n == 0) return OK;
    TRY(agent_get(e->db, b->agent_id, &agent, &found));
    if (!found) return OK;
    const struct actor system = {.type = ACTOR_SYSTEM, .source = "heartbeat_scheduler"};
    json_t *context = json_pack("{s:s, s:s, s:s, s:b}", "source", "scheduler", "reason", "interval_elapsed", "now",
                                instant_text(&e->arena, b->now), "timerClaimWasFirstHeartbeat", b->last == INSTANT_NONE);
    return wake_enqueue(e->db, &system, &(struct wake_request){.agent_id = b->agent_id, .source = "timer", .trigger_detail = "system",
                                                               .reason = "heartbeat_timer", .context = context}, &result);
}

static err_t heartbeats(struct engine *e, instant_t now)
{
    struct arena keep ARENA_AUTO = {0};
    struct due {
        const char *id, *company_id;
        struct beat beat;
    } *due;
    struct agent *rows;
    int n, count = 0;
    TRY(entity_many(e->db, &ENTITY_agent, &rows, &n,
                    "WHERE status IN ('idle','active','running','error') AND company_id IN (SELECT id FROM companies WHERE status = 'active')"
                    " AND runtime_config ->> 'heartbeat' LIKE '%enabled%' ORDER BY id", P()));
    due = arena_array(&keep, struct due, n + 1);
    for (int i = 0; i < n; i++) {
        struct heartbeat_policy p = heartbeat_policy(rows[i].runtime_config);
        if (!p.enabled || p.interval_sec == 0) continue;
        instant_t last = rows[i].last_heartbeat_at, from = last == INSTANT_NONE ? rows[i].created_at : last;
        instant_t at = from + p.interval_sec * SECOND_MS;
        if (at > now) {
            if (e->next_timer == INSTANT_NONE || at < e->next_timer) e->next_timer = at;
            continue;
        }
        due[count++] = (struct due){.id = arena_strdup(&keep, rows[i].id), .company_id = arena_strdup(&keep, rows[i].company_id),
                                    .beat = {.last = last, .now = now, .interval_ms = p.interval_sec * SECOND_MS}};
        instant_t next = now + p.interval_sec * SECOND_MS;
        if (e->next_timer == INSTANT_NONE || next < e->next_timer) e->next_timer = next;
    }
    for (int i = 0; i < count; i++) {
        engine_unit(e);
        due[i].beat.agent_id = due[i].id;
        err_t err = engine_tx(e, due[i].company_id, wake_timer, &due[i].beat);
        if (err) engine_failed(e, "heartbeat", err); /* one agent's trouble is not the others' */
    }
    return OK;
}

/* An agent's configuration may have changed with any commit: every step looks,
 * but no more than once a second. */
void timers_pass(struct engine *e)
{
    instant_t now = clock_now();
    int promoted;
    bool due = e->next_timer != INSTANT_NONE && now >= e->next_timer;
    if (!settings.scheduler_enabled || scheduling_suppressed()) return;
    if (!due && now - e->looked_at < LOOK_EVERY_MS && now >= e->looked_at) {
        if (e->next_timer == INSTANT_NONE || e->next_timer > e->looked_at + LOOK_EVERY_MS) e->next_timer = e->looked_at + LOOK_EVERY_MS;
    } else {
        e->looked_at = now;
        e->next_timer = INSTANT_NONE;
        engine_unit(e);
        err_t err = heartbeats(e, now);
        if (err) engine_failed(e, "heartbeat", err);
    }
    engine_unit(e);
    int batch = (int)rare_value("retries.batch", RETRY_BATCH, 1);
    err_t err = retry_promote_due(e->db, batch, &promoted, &e->next_retry);
    if (err) engine_failed(e, "retries", err);
}
