/*
 * traces: the worked traces of the specification (execution-2.md §25) as
 * scripts. Nothing is random here but ids: each script says what people and
 * agents do, lets time pass, and says what the rows must hold. The rules of
 * every committed state are checked all along.
 */
#include "sim.h"

#include "base/settings.h"
#include "base/text.h"
#include "model/agent.h"
#include "model/checkout.h"
#include "model/comment.h"
#include "model/issue.h"
#include "model/issue_create.h"
#include "model/issue_update.h"

#include <stdio.h>
#include <string.h>

static const char *title;

/* ---- what people do ---- */

struct given {
    const char *agent_id, *status, *parent_id, *blocker_id;
    char id[ID_SIZE];
};

static err_t create(struct db *db, void *arg)
{
    struct given *g = arg;
    struct issue_new in = {.allow_duplicate = true};
    struct issue_created done;
    entity_init(&ENTITY_issue, &in.row);
    in.row.company_id = sim.company;
    in.row.title = title;
    in.row.status = g->status;
    in.row.assignee_agent_id = g->agent_id;
    in.row.parent_id = g->parent_id;
    if (g->blocker_id) in.blockers = (struct id_list){.ids = &g->blocker_id, .count = 1};
    TRY(issue_create(db, &board_actor, &in, &done));
    snprintf(g->id, sizeof g->id, "%s", done.row.id);
    return OK;
}

static void given(struct given *g)
{
    if (!request("create", create, g)) broken(title, "the issue was refused");
    memcpy(sim.issues[sim.issue_count++], g->id, ID_SIZE);
}

static err_t comment(struct db *db, void *arg)
{
    struct issue issue;
    struct issue_changed done;
    bool found;
    const struct comment_new text = {.body = "A word"};
    TRY(issue_get(db, arg, &issue, &found));
    struct issue_change c = {.after = issue, .requested = json_object(), .comment = &text};
    return issue_update(db, &board_actor, &issue, &c, &done);
}

static void comment_on(struct given *g)
{
    if (!request("comment", comment, g->id)) broken(title, "the comment was refused");
}

static err_t take(struct db *db, void *arg)
{
    static const char *const expected[] = {"todo", "blocked"};
    struct given *g = arg;
    struct issue issue;
    struct agent agent;
    bool found;
    TRY(issue_get(db, g->id, &issue, &found));
    TRY(agent_get(db, g->agent_id, &agent, &found));
    return checkout_take(db, &board_actor, &(struct checkout_request){&agent, expected, 2}, &issue);
}

/* ---- what must be so ---- */

static bool holds;

static err_t ask(struct db *db, const char *sql)
{
    int64_t n;
    TRY(db_int(db, &n, 0, sql, P()));
    holds = n != 0;
    return OK;
}

/* condition: SQL about the issue, `i`, and what belongs to it. */
static bool is_so(const struct given *g, const char *condition)
{
    char sql[1500];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM issues i WHERE i.id = '%s' AND (%s)", g->id, condition);
    check_sql(ask, sql);
    return holds;
}

static void expect(const struct given *g, const char *condition)
{
    if (!is_so(g, condition)) broken(title, "not so: %s", condition);
}

#define RUNS(which) "(SELECT count(*) FROM heartbeat_runs r WHERE r.issue_id = i.id AND " which ")"
#define WAKES(which) "(SELECT count(*) FROM agent_wakeup_requests w WHERE w.issue_id = i.id AND " which ")"
#define WORK "r.wake_reason <> 'source_scoped_recovery_action'"

static void until(const struct given *g, int64_t ms, const char *condition)
{
    instant_t end = sim.now + ms;
    while (!is_so(g, condition)) {
        if (sim.now >= end) broken(title, "not so in time: %s", condition);
        world_calm_until(sim.now + SECOND_MS);
    }
}

/* ---- the traces ---- */

/* 1. Assigned, claimed, checked out, done by its run; dependent and parent are told. */
static void happy_path(void)
{
    struct given parent = {.agent_id = sim.agents[1], .status = "backlog"};
    given(&parent);
    struct given i = {.agent_id = sim.agents[0], .parent_id = parent.id};
    given(&i);
    sim.script.closes = i.id;
    struct given dependent = {.agent_id = sim.agents[2], .blocker_id = i.id, .status = "todo"};
    given(&dependent);
    if (!set_status(&board_actor, parent.id, "in_review")) broken(title, "the parent does not move");
    expect(&i, "i.status = 'todo' AND 1 = " WAKES("w.status = 'queued' AND w.reason = 'issue_assigned'"));
    world_step();
    expect(&i, "i.status = 'in_progress' AND i.execution_run_id IS NOT NULL AND i.checkout_run_id = i.execution_run_id"
               " AND i.started_at IS NOT NULL AND 1 = " WAKES("w.status = 'claimed'"));
    until(&i, 5 * MINUTE_MS, "i.status = 'done'");
    expect(&i, "i.execution_run_id IS NULL AND i.checkout_run_id IS NULL AND i.completed_at IS NOT NULL");
    until(&i, 10 * MINUTE_MS,
          "1 = " RUNS("r.status = 'succeeded' AND r.liveness_state = 'completed'") " AND 1 = " WAKES(
              "w.status = 'completed'"));
    until(&dependent, MINUTE_MS, "1 = " RUNS("r.wake_reason = 'issue_blockers_resolved'"));
    until(&parent, MINUTE_MS, "1 = " RUNS("r.wake_reason = 'issue_children_completed'"));
}

/* 3. An agent that always fails: a bounded number of runs, then somebody is named, then silence. */
static void always_failing(void)
{
    sim.script.outcome = "fails";
    struct given i = {.agent_id = sim.agents[0]};
    given(&i);
    until(&i, 6 * HOUR_MS, "i.status = 'blocked' AND i.unblock_descriptor IS NOT NULL");
    expect(&i, "1 = " RUNS("r.wake_reason = 'issue_assigned'") " AND 1 < " RUNS(WORK) " AND " RUNS(WORK) " <= 6");
    world_calm_until(sim.now + 3 * HOUR_MS);
    int64_t volume = check_volume();
    world_calm_until(sim.now + 12 * HOUR_MS);
    if (check_volume() != volume) broken(title, "it does not rest");
}

/* 4. A dependent waits, starts when its blocker is done; two comments become one deferred wake. */
static void blocker(void)
{
    sim.script.closes = "nothing";
    struct given first = {.agent_id = NULL, .status = "todo"};
    given(&first);
    struct given i = {.agent_id = sim.agents[0], .blocker_id = first.id, .status = "blocked"};
    given(&i);
    expect(&i, "1 = " WAKES("w.status = 'skipped' AND w.reason = 'issue_dependencies_blocked'"));
    if (request("checkout", take, &i)) broken(title, "a blocked issue was checked out");
    if (!set_status(&board_actor, first.id, "done")) broken(title, "the blocker does not close");
    world_step();
    expect(&i, "i.status = 'in_progress' AND 1 = " RUNS(
                   "r.status = 'running' AND r.wake_reason = 'issue_blockers_resolved'"));
    comment_on(&i);
    comment_on(&i);
    expect(&i, "1 = " WAKES("w.status = 'deferred_issue_execution' AND w.coalesced_count = 1"));
    until(&i, 10 * MINUTE_MS, "1 <= " WAKES("w.reason = 'issue_execution_promoted'"));
    expect(&i, "1 = " RUNS("r.wake_reason = 'issue_commented'"));
}

/* 7. Never dispatched: no wake, no run. One recovery wake when D is over, not before. */
static err_t forget_wakes(struct db *db, void *arg)
{
    int64_t n;
    TRY(db_exec(db, &n, "DELETE FROM heartbeat_runs WHERE issue_id = $1", P(V_ID(arg))));
    return db_exec(db, &n, "DELETE FROM agent_wakeup_requests WHERE issue_id = $1", P(V_ID(arg)));
}

static void never_dispatched(void)
{
    int64_t d = settings.dispatch_timeout_sec * SECOND_MS;
    struct given i = {.agent_id = sim.agents[0]};
    given(&i);
    if (!request("forget", forget_wakes, i.id)) broken(title, "the wake stays");
    world_calm_until(sim.now + d - SECOND_MS);
    expect(&i, "0 = " WAKES("1 = 1"));
    until(&i, 2 * settings.tick_ms + 2 * SECOND_MS, "1 = " WAKES("w.reason = 'issue_assignment_recovery'"));
    until(&i, 10 * MINUTE_MS, "1 = " RUNS("r.wake_reason = 'issue_assignment_recovery'") " AND 1 = " RUNS("1 = 1"));
}

/* 8. Killed in the middle of a run, twice: one retry for the loss, one continuation, then the board. */
static void crash_mid_run(void)
{
    sim.script.outcome = "vanishes";
    struct given i = {.agent_id = sim.agents[0]};
    given(&i);
    world_step();
    for (int k = 0; k < 2; k++) {
        expect(&i, "i.execution_run_id IN (SELECT r.id FROM heartbeat_runs r WHERE r.status = 'running')");
        runner_vanish();
        if (k == 1) sim.script.outcome = "fails";
        sim.dead = true;
        world_reboot();
        world_step();
        expect(&i, "1 = " RUNS("r.wake_reason = 'process_lost_retry'"));
    }
    until(&i, HOUR_MS, "i.status = 'blocked'");
    expect(&i, "2 = " RUNS("r.error_code = 'process_lost'") " AND 3 = " RUNS(WORK));
}

static const struct {
    const char *name;
    void (*play)(void);
} traces[] = {
    {"trace 1, happy path", happy_path},
    {"trace 3, always failing", always_failing},
    {"trace 4, blocker", blocker},
    {"trace 7, never dispatched", never_dispatched},
    {"trace 8, crash mid-run", crash_mid_run},
};

int trace_count(void) { return (int)(sizeof traces / sizeof *traces); }

void trace_play(int n)
{
    title = traces[n].name;
    sim.script.on = sim.calm = true;
    world_open();
    traces[n].play();
    printf("%s\n", title);
    fflush(stdout);
    sim.totals.seeds = 1;
    sim.totals.virtual_ms = sim.now - sim.began;
    world_close();
}
