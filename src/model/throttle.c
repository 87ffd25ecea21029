/* throttle: waits between wakes that lead nowhere. */
#include "model/throttle.h"

#include <string.h>

#define STREAK_MIN 2
#define COOLDOWN_BASE_MS (120 * SECOND_MS)
#define COOLDOWN_MAX_MS (30 * MINUTE_MS)
#define LOOKBACK_MS (6 * HOUR_MS)
#define SAMPLE 8

static bool candidate(const struct actor *requester, const char *reason, bool has_comment)
{
    static const char *const set[] = {"issue_assigned", "issue_continuation_needed", "issue_assignment_recovery",
                                      "issue_graph_liveness_backstop", NULL};
    if (requester->type == ACTOR_BOARD) return false;
    if (has_comment) return requester->type == ACTOR_AGENT;
    if (reason == NULL) return true;
    for (const char *const *s = set; *s; s++)
        if (strcmp(reason, *s) == 0) return true;
    return false;
}

/* Length of the leading streak of ended runs that left no trace on the issue. A
 * failed run counts too: an agent in trouble is not called again at once (AR-10 BETTER). */
static err_t streak_of(struct db *db, const struct agent *agent, const struct issue *issue, int *streak,
                       instant_t *last)
{
    struct rows r ROWS_AUTO = {0};
    bool counting = true;
    *streak = 0;
    *last = INSTANT_NONE;
    TRY(db_query(
        db, &r,
        "SELECT r.finished_at, (SELECT count(*) FROM activity_log a WHERE a.run_id = r.id AND a.action LIKE 'issue.%'"
        " AND a.action NOT IN ('issue.checked_out','issue.read_marked')) FROM heartbeat_runs r"
        " WHERE r.issue_id = $1 AND r.agent_id = $2 AND r.status IN ('succeeded','failed','timed_out')"
        " AND r.finished_at >= $3 ORDER BY r.finished_at DESC LIMIT $4",
        P(V_ID(issue->id), V_ID(agent->id), V_TIME(clock_now() - LOOKBACK_MS), V_INT(SAMPLE))));
    while (rows_next(&r)) {
        if (*last == INSTANT_NONE) *last = row_time(&r, 0);
        if (row_int(&r, 1) > 0) counting = false;
        *streak += counting;
    }
    return rows_err(&r);
}

err_t throttle_check(struct db *db, const struct agent *agent, const struct issue *issue, const struct actor *requester,
                     const char *reason, bool has_comment, json_t *payload, bool *throttled)
{
    struct arena *a = db_arena(db);
    int streak;
    instant_t last;
    int64_t input;
    *throttled = false;
    if (!candidate(requester, reason, has_comment)) return OK;
    TRY(streak_of(db, agent, issue, &streak, &last));
    if (streak < STREAK_MIN) return OK;
    /* anything somebody else did to the issue since then lifts it */
    TRY(db_int(db, &input, 0,
               "SELECT count(*) FROM activity_log WHERE entity_type = 'issue' AND entity_id = $1 AND created_at > $2"
               " AND (agent_id IS NULL OR agent_id <> $3) AND actor_type <> 'system'",
               P(V_TEXT(issue->id), V_TIME(last), V_ID(agent->id))));
    if (input > 0) return OK;
    instant_t cooldown = COOLDOWN_BASE_MS;
    for (int i = STREAK_MIN; i < streak && cooldown < COOLDOWN_MAX_MS; i++) cooldown *= 2;
    if (cooldown > COOLDOWN_MAX_MS) cooldown = COOLDOWN_MAX_MS;
    if (clock_now() >= last + cooldown) return OK;
    *throttled = true;
    json_object_set_new(payload, "heartbeatSkip",
                        json_pack("{s:s?, s:i, s:I, s:s, s:s}", "requestedReason", reason, "noProgressStreak", streak,
                                  "cooldownMs", (json_int_t)cooldown, "lastRunFinishedAt", instant_text(a, last),
                                  "nextAllowedAt", instant_text(a, last + cooldown)));
    return OK;
}
