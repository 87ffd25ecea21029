/* monitor: policy and state of later looks. */
#include "rules/monitor.h"

#include "base/text.h"

static instant_t time_of(const json_t *o, const char *key)
{
    instant_t t;
    const char *s = json_str(o, key);
    return s && instant_parse(s, &t) ? t : INSTANT_NONE;
}

struct monitor monitor_of(const char *policy_text)
{
    const json_t *m = json_object_get(json_read(policy_text), "monitor");
    int64_t max = json_int(m, "maxAttempts", 0);
    struct monitor out = {.json = m,
                          .next_check_at = time_of(m, "nextCheckAt"),
                          .timeout_at = time_of(m, "timeoutAt"),
                          .attempts_max = max > 0 ? max : 0,
                          .notes = json_str(m, "notes"),
                          .scheduled_by = json_str(m, "scheduledBy"),
                          .recovery_policy = json_str(m, "recoveryPolicy"),
                          .service_name = json_str(m, "serviceName")};
    out.there = out.next_check_at != INSTANT_NONE;
    return out;
}

static void keep_time(json_t *out, const json_t *given, const char *key)
{
    char text[INSTANT_TEXT_SIZE];
    instant_t t = time_of(given, key);
    if (t != INSTANT_NONE) instant_format(t, text);
    json_object_set_new(out, key, t == INSTANT_NONE ? json_null() : json_string(text));
}

static void keep(json_t *out, const json_t *given, const char *key)
{
    json_t *v = json_object_get(given, key);
    if (v) json_object_set(out, key, v);
    else json_object_set_new(out, key, json_null());
}

json_t *monitor_normalise(const json_t *given, const char *scheduled_by)
{
    json_t *out = json_object();
    keep_time(out, given, "nextCheckAt");
    keep(out, given, "notes");
    json_object_set_new(out, "scheduledBy", json_string(scheduled_by));
    keep(out, given, "kind");
    keep(out, given, "serviceName");
    bool ref = json_is_string(json_object_get(given, "externalRef")); /* may be a link with a secret in it */
    json_object_set_new(out, "externalRef", ref ? json_string("[redacted]") : json_null());
    keep_time(out, given, "timeoutAt");
    keep(out, given, "maxAttempts");
    keep(out, given, "recoveryPolicy");
    return out;
}

/* Nothing but what every policy has by default (IS-94: all empty is none). */
static bool says_nothing(const json_t *policy)
{
    const char *key;
    json_t *v;
    json_object_foreach ((json_t *)(uintptr_t)policy, key, v) {
        bool usual = json_is_null(v) || (text_is(key, "mode") && text_is(json_string_value(v), "normal")) ||
                     (text_is(key, "commentRequired") && json_is_true(v)) ||
                     (text_is(key, "stages") && json_array_size(v) == 0);
        if (!usual) return false;
    }
    return true;
}

const char *monitor_policy_text(struct arena *a, const char *policy_text, json_t *monitor)
{
    json_t *policy = json_read(policy_text);
    if (!json_is_object(policy)) policy = json_object();
    json_object_del(policy, "monitor");
    if (monitor) json_object_set(policy, "monitor", monitor);
    return says_nothing(policy) ? NULL : json_text(a, policy);
}

/* ---- judgements ---- */

const char *monitor_end_reason(const char *status, bool agent_assigned, bool user_assigned)
{
    if (text_is(status, "done") || text_is(status, "cancelled")) return status;
    if (!text_is(status, "in_progress") && !text_is(status, "in_review")) return "invalid_status";
    return agent_assigned && !user_assigned ? NULL : "invalid_assignee";
}

bool monitor_fits(const char *status, bool agent_assigned, bool user_assigned)
{
    return monitor_end_reason(status, agent_assigned, user_assigned) == NULL;
}

const char *monitor_exhausted(const struct monitor *m, int64_t attempt, instant_t now)
{
    if (m->timeout_at != INSTANT_NONE && now >= m->timeout_at) return "timeout_exceeded";
    return m->attempts_max > 0 && attempt > m->attempts_max ? "max_attempts_exhausted" : NULL;
}

instant_t monitor_rearm(const struct monitor *m, instant_t now)
{
    int64_t wait = m->there && now > m->next_check_at ? (now - m->next_check_at) / 2 : 0;
    return now + (wait < MINUTE_MS ? MINUTE_MS : wait > 30 * MINUTE_MS ? 30 * MINUTE_MS : wait);
}

/* ---- state ---- */

/* An issue without stages has an idle state (IS-95). */
static json_t *state_of(const char *text)
{
    json_t *s = json_read(text);
    if (json_is_object(s)) return s;
    return json_pack("{s:s, s:n, s:n, s:n, s:n, s:n, s:n, s:[], s:n, s:n, s:n, s:i}", "status", "idle",
                     "currentStageId", "currentStageIndex", "currentStageType", "currentParticipant", "returnAssignee",
                     "reviewRequest", "completedStageIds", "lastDecisionId", "lastDecisionOutcome", "monitor",
                     "changesRequestedCount", 0);
}

static json_t *time_json(instant_t t)
{
    char text[INSTANT_TEXT_SIZE];
    if (t == INSTANT_NONE) return json_null();
    instant_format(t, text);
    return json_string(text);
}

const char *monitor_state_text(struct arena *a, const char *state_text, const struct monitor_event *e)
{
    static const char *const names[] = {"scheduled", "triggered", "cleared"};
    static const char *const kept[] = {"notes",     "scheduledBy", "kind",           "serviceName", "externalRef",
                                       "timeoutAt", "maxAttempts", "recoveryPolicy", NULL};
    json_t *state = state_of(state_text), *m = json_object();
    bool scheduled = e->status == MONITOR_SCHEDULED;
    json_object_set_new(m, "status", json_string(names[e->status]));
    if (scheduled) keep(m, e->monitor, "nextCheckAt");
    else json_object_set_new(m, "nextCheckAt", json_null());
    json_object_set_new(m, "lastTriggeredAt", time_json(e->last_triggered_at));
    json_object_set_new(m, "attemptCount", json_integer((json_int_t)e->attempts));
    for (const char *const *k = kept; *k; k++) keep(m, e->monitor, *k);
    json_object_set_new(m, "clearedAt", scheduled ? json_null() : time_json(e->at));
    json_object_set_new(m, "clearReason", e->clear_reason ? json_string(e->clear_reason) : json_null());
    json_object_set_new(state, "monitor", m);
    return json_text(a, state);
}
