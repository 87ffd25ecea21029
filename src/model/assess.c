/* assess: traces first, then words. */
#include "model/assess.h"

#include "base/text.h"
#include "model/agent.h"
#include "model/issue.h"
#include "rules/liveness.h"

#define WORDS_COMMENTS_MAX 5

/* What can be seen of the run's work: never what the server itself wrote about it. */
static err_t count_traces(struct db *db, const struct run *run, int64_t *n)
{
    return db_int(db, n, 0,
                  "SELECT (SELECT count(*) FROM issue_comments WHERE created_by_run_id = $1)"
                  " + (SELECT count(*) FROM activity_log WHERE run_id = $1 AND action NOT LIKE 'environment.%'"
                  " AND action NOT LIKE 'heartbeat.%' AND action NOT LIKE 'workspace.%' AND action NOT IN"
                  " ('issue.checked_out','issue.read_marked','issue.comment_added'))"
                  " + (SELECT count(*) FROM heartbeat_run_events WHERE run_id = $1"
                  " AND event_type NOT IN ('lifecycle','adapter.invoke','error'))",
                  P(V_ID(run->id)));
}

static err_t comment_words(struct db *db, const struct run *run, struct buf *words)
{
    struct rows r ROWS_AUTO = {0};
    TRY(db_query(db, &r,
                 "SELECT body FROM issue_comments WHERE created_by_run_id = $1 AND deleted_at IS NULL"
                 " ORDER BY created_at DESC, id DESC LIMIT $2",
                 P(V_ID(run->id), V_INT(WORDS_COMMENTS_MAX))));
    while (rows_next(&r)) buf_printf(words, "%s\n", row_text(&r, 0));
    return rows_err(&r);
}

/* Its comments, else its adapter's report, else its streams (EX-69). */
static err_t words_of(struct db *db, const struct run *run, const struct run_outcome *o, const char **out)
{
    static const char *const members[] = {"nextAction", "summary", "result", "message", "error", NULL};
    struct buf words BUF_AUTO = {0};
    *out = NULL;
    TRY(comment_words(db, run, &words));
    for (const char *const *m = members; words.len == 0 && *m; m++)
        if (json_str(o->result, *m)) buf_printf(&words, "%s\n", json_str(o->result, *m));
    if (words.len == 0 && o->summary) buf_puts(&words, o->summary);
    if (words.len == 0 && o->stdout_excerpt) buf_puts(&words, o->stdout_excerpt);
    if (words.len == 0 && o->stderr_excerpt) buf_puts(&words, o->stderr_excerpt);
    if (words.len > 0) *out = arena_strndup(db_arena(db), words.data, words.len);
    return OK;
}

static err_t may_act(struct db *db, const struct run *run, bool traces, bool *can_act)
{
    struct agent agent;
    bool found;
    int64_t n;
    *can_act = traces;
    if (traces) return OK;
    TRY(agent_get(db, run->agent_id, &agent, &found));
    *can_act = found && !text_is(agent.adapter_type, "process");
    if (*can_act || !found) return OK;
    TRY(db_int(
        db, &n, 0,
        "SELECT count(*) FROM (SELECT 1 FROM heartbeat_runs WHERE agent_id = $1 AND last_useful_action_at IS NOT NULL LIMIT 1) x",
        P(V_ID(run->agent_id))));
    *can_act = n > 0;
    return OK;
}

err_t run_assess(struct db *db, struct run *run, const struct run_outcome *o, bool *can_act)
{
    struct issue issue = {0};
    bool found = false;
    const char *words;
    int64_t traces, n;
    if (run->issue_id) TRY(issue_get(db, run->issue_id, &issue, &found));
    TRY(count_traces(db, run, &traces));
    TRY(words_of(db, run, o, &words));
    bool output = (o->stdout_excerpt && *o->stdout_excerpt) || (o->stderr_excerpt && *o->stderr_excerpt) || o->summary;
    struct liveness_verdict v = liveness_classify(
        db_arena(db),
        &(struct liveness_facts){.interrupted = o->interrupted,
                                 .succeeded = text_is(run->status, "succeeded"),
                                 .status = run->status,
                                 .error_code = run->error_code,
                                 .issue_status = found ? issue.status : NULL,
                                 .evidence = (int)traces,
                                 .output = output,
                                 .text = words,
                                 .next_action = json_str(o->result, "nextAction"),
                                 .planning_task = found && liveness_planning_task(issue.title, issue.description)});
    run->liveness_state = v.state;
    run->liveness_reason = v.reason;
    run->next_action = v.next_action;
    TRY(db_exec(
        db, &n,
        "UPDATE heartbeat_runs SET liveness_state = $2, liveness_reason = $3, last_useful_action_at = $4, next_action = $5 WHERE id = $1",
        P(V_ID(run->id), V_TEXT(v.state), V_TEXT(v.reason), V_TIME(traces > 0 ? clock_now() : INSTANT_NONE),
          V_TEXT(v.next_action))));
    return may_act(db, run, traces > 0, can_act);
}
