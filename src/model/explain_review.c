/* explain_review: what leads nowhere is left out. */
#include "model/explain_review.h"

#include "base/text.h"
#include "model/in_list.h"
#include "rules/agent_status.h"
#include "rules/monitor.h"

static int node_of(const struct explained *x, int count, const char *id)
{
    for (int i = 0; i < count; i++)
        if (text_is(x->map.refs[i].id, id)) return i;
    return -1;
}

static void monitor_path(struct explained *x, int n, instant_t next, int64_t attempts, const char *policy)
{
    const struct monitor m = monitor_of(policy);
    /* one that has just come due is looked at this moment */
    bool ahead = next != INSTANT_NONE && next > clock_now() - MINUTE_MS;
    if (!ahead || monitor_exhausted(&m, attempts + 1, next)) return;
    x->nodes[n].named[NAMED_MONITOR] =
        (struct explain_path){.there = true, .mover = MOVER_TIME, .since = x->nodes[n].entered_at, .due = next};
    x->evidence[n].named[NAMED_MONITOR].text = m.notes;
}

static bool startable(const struct explained *x, const char *agent_id)
{
    for (int i = 0; i < x->agent_count; i++)
        if (text_is(x->agents[i].id, agent_id)) return agent_status_invokable(x->agents[i].status);
    return false;
}

static void participant_path(struct explained *x, int n, const char *status, const char *state_text)
{
    const json_t *state = json_read(state_text), *who = json_object_get(state, "currentParticipant");
    const char *agent = json_str(who, "agentId"), *user = json_str(who, "userId");
    if (!text_is(status, "in_review") || !text_is(json_str(state, "status"), "pending")) return;
    x->nodes[n].staged = user == NULL;
    if (user == NULL && !startable(x, agent)) return;
    x->nodes[n].named[NAMED_PARTICIPANT] = (struct explain_path){.there = true,
                                                                 .mover = user ? MOVER_USER : MOVER_AGENT,
                                                                 .since = x->nodes[n].entered_at,
                                                                 .due = INSTANT_NONE};
    x->evidence[n].named[NAMED_PARTICIPANT].id = json_str(state, "currentStageId");
    x->evidence[n].named[NAMED_PARTICIPANT].owner_id = user ? user : agent;
}

err_t explain_review_load(struct db *db, struct explained *x, int count)
{
    struct arena *a = db_arena(db);
    struct rows r ROWS_AUTO = {0};
    const char **ids = arena_array(a, const char *, count + 1);
    for (int i = 0; i < count; i++) ids[i] = x->map.refs[i].id;
    struct in_list in = in_list_make(a, NULL, 0, ids, count);
    TRY(db_query(db, &r,
                 arena_printf(a,
                              "SELECT id, status, monitor_next_check_at, monitor_attempt_count, execution_policy, execution_state"
                              " FROM issues WHERE id IN %s AND (monitor_next_check_at IS NOT NULL OR execution_state IS NOT NULL)",
                              in.sql),
                 in.v, in.n));
    while (rows_next(&r)) {
        int n = node_of(x, count, row_text(&r, 0));
        if (n < 0) continue;
        monitor_path(x, n, row_time(&r, 2), row_int(&r, 3), row_text(&r, 4));
        participant_path(x, n, row_text(&r, 1), row_text(&r, 5));
    }
    return rows_err(&r);
}
