/* run_event: numbered events of runs, and live events about them. */
#include "model/run_event.h"

#include "model/activity.h"
#include "rules/redact.h"

#include <string.h>

#define STRING_MAX 16384
#define ITEMS_MAX 50
#define KEYS_MAX 100
#define DEPTH_MAX 6

/* AR-72: strings, arrays, objects and depth have limits, and say when they were cut. */
static json_t *bounded(struct arena *a, const json_t *v, int depth)
{
    const char *key;
    json_t *m;
    size_t i;
    if (json_is_string(v)) {
        size_t n = json_string_length(v);
        if (n <= STRING_MAX) return (json_t *)(uintptr_t)v;
        size_t cut = STRING_MAX;
        const char *s = json_string_value(v);
        while (cut > 0 && ((unsigned char)s[cut] & 0xc0) == 0x80) cut--;
        return json_string(arena_printf(a, "%.*s\n[truncated %zu chars]", (int)cut, s, n - cut));
    }
    if (depth >= DEPTH_MAX && (json_is_object(v) || json_is_array(v))) return json_string("[truncated]");
    if (json_is_array(v)) {
        json_t *out = json_array();
        json_array_foreach (v, i, m) {
            if (i == ITEMS_MAX) {
                json_array_append_new(out, json_pack("{s:b, s:I}", "_truncated", 1, "omittedItems",
                                                     (json_int_t)(json_array_size(v) - ITEMS_MAX)));
                break;
            }
            json_array_append_new(out, bounded(a, m, depth + 1));
        }
        return out;
    }
    if (json_is_object(v)) {
        json_t *out = json_object();
        size_t n = 0;
        json_object_foreach ((json_t *)(uintptr_t)v, key, m) {
            if (n++ == KEYS_MAX) {
                json_object_set_new(out, "_truncated", json_true());
                json_object_set_new(out, "_omittedKeys", json_integer((json_int_t)(json_object_size(v) - KEYS_MAX)));
                break;
            }
            json_object_set_new(out, key, bounded(a, m, depth + 1));
        }
        return out;
    }
    return (json_t *)(uintptr_t)v;
}

static err_t publish_event(struct db *db, const struct run *run, const struct run_event *e)
{
    struct buf b = {0};
    struct jw w;
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kstr(&w, "runId", run->id);
    jw_kstr(&w, "agentId", run->agent_id);
    jw_kstr(&w, "issueId", run->issue_id);
    jw_kint(&w, "seq", e->seq);
    jw_kstr(&w, "eventType", e->event_type);
    jw_kstr(&w, "stream", e->stream);
    jw_kstr(&w, "level", e->level);
    jw_kstr(&w, "color", e->color);
    jw_kstr(&w, "message", e->message);
    jw_knull(&w, "currentToolName");
    jw_knull(&w, "lastAssistantSnippet");
    jw_ktime(&w, "lastEventAt", e->created_at);
    jw_kraw(&w, "payload", e->payload);
    jw_obj_end(&w);
    return live_event(db, run->company_id, "heartbeat.run.event", buf_finish(&b, db_arena(db)));
}

err_t run_event_add(struct db *db, const struct run *run, const struct run_event_entry *in)
{
    struct arena *a = db_arena(db);
    struct run_event e;
    entity_init(&ENTITY_run_event, &e);
    TRY(db_int(db, &e.seq, 0, "SELECT max(seq) FROM heartbeat_run_events WHERE run_id = $1", P(V_ID(run->id))));
    e.seq++;
    e.company_id = run->company_id;
    e.run_id = run->id;
    e.agent_id = run->agent_id;
    e.event_type = in->event_type;
    e.stream = "system";
    e.level = in->level;
    e.message = in->message;
    e.payload = in->payload ? json_text(a, redact_json(a, bounded(a, in->payload, 0))) : NULL;
    e.created_at = clock_now();
    TRY(entity_insert(db, &ENTITY_run_event, &e));
    return publish_event(db, run, &e);
}

err_t run_event_list(struct db *db, const char *run_id, int64_t after_seq, int limit, struct run_event **rows, int *n)
{
    return entity_many(db, &ENTITY_run_event, rows, n, "WHERE run_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
                       P(V_ID(run_id), V_INT(after_seq), V_INT(limit)));
}

static void open_payload(struct jw *w, struct buf *b, const struct run *run)
{
    jw_init(w, b);
    jw_obj(w);
    jw_kstr(w, "runId", run->id);
    jw_kstr(w, "agentId", run->agent_id);
    jw_kstr(w, "issueId", run->issue_id);
    jw_kstr(w, "wakeReason", run->wake_reason);
    jw_kstr(w, "status", run->status);
    jw_kstr(w, "invocationSource", run->invocation_source);
    jw_kstr(w, "triggerDetail", run->trigger_detail);
}

err_t run_publish_queued(struct db *db, const struct run *run)
{
    struct buf b = {0};
    struct jw w;
    open_payload(&w, &b, run);
    jw_kstr(&w, "wakeupRequestId", run->wakeup_request_id);
    jw_obj_end(&w);
    return live_event(db, run->company_id, "heartbeat.run.queued", buf_finish(&b, db_arena(db)));
}

err_t run_publish_status(struct db *db, const struct run *run, const char *final_text, bool ended)
{
    struct buf b = {0};
    struct jw w;
    open_payload(&w, &b, run);
    jw_kstr(&w, "error", run->error);
    jw_kstr(&w, "errorCode", run->error_code);
    jw_ktime(&w, "startedAt", run->started_at);
    jw_ktime(&w, "finishedAt", run->finished_at);
    if (ended) jw_kstr(&w, "finalText", final_text);
    jw_obj_end(&w);
    return live_event(db, run->company_id, "heartbeat.run.status", buf_finish(&b, db_arena(db)));
}

err_t agent_publish_status(struct db *db, const struct agent *agent, const char *outcome)
{
    struct buf b = {0};
    struct jw w;
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kstr(&w, "agentId", agent->id);
    jw_kstr(&w, "status", agent->status);
    if (outcome == NULL || strcmp(outcome, "running") != 0) jw_ktime(&w, "lastHeartbeatAt", agent->last_heartbeat_at);
    jw_kstr(&w, "outcome", outcome);
    jw_obj_end(&w);
    return live_event(db, agent->company_id, "agent.status", buf_finish(&b, db_arena(db)));
}
