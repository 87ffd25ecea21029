/*
 * board: what people do, and what agents do to issues, through the model entry
 * points that the routes call. One call is one request: one transaction.
 */
#include "sim.h"

#include "base/text.h"
#include "model/activity.h"
#include "model/agent_control.h"
#include "model/agent_edit.h"
#include "model/assignee.h"
#include "model/checkout.h"
#include "model/company.h"
#include "model/instance.h"
#include "model/issue.h"
#include "model/issue_create.h"
#include "model/issue_update.h"
#include "model/project.h"
#include "model/project_workspace.h"
#include "model/run.h"
#include "model/run_control.h"
#include "model/wake.h"
#include "rules/issue_access.h"
#include "rules/issue_status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const statuses[] = {"backlog", "todo", "in_progress", "in_review", "done", "blocked", "cancelled"};

static const char *some_issue(void) { return sim.issues[below(sim.issue_count)]; }
static const char *some_agent(void) { return sim.agents[below(sim.agent_count)]; }
/* The last digits: enough to follow one in the list of decisions. */
static const char *tag(const char *id) { return id ? id + 30 : "-"; }

struct op {
    const struct actor *actor;
    const char *issue_id, *agent_id, *status, *text, *key;
    bool child;
    char made[ID_SIZE];
};

/* A request's row, with the access check of the routes (rules/issue_access): own
 * work in progress must be checked out by the acting run. */
static err_t load(struct db *db, const struct op *o, struct issue *issue)
{
    bool found;
    TRY(issue_get(db, o->issue_id, issue, &found));
    if (!found) return err_new(db_arena(db), ERR_NOT_FOUND, "no such issue");
    const struct actor *a = o->actor;
    enum access v =
        access_decide(ACCESS_OPEN, &(struct access_facts){.board = a->type == ACTOR_BOARD,
                                                          .agent_owned = issue->assignee_agent_id != NULL,
                                                          .own = text_is(issue->assignee_agent_id, a->agent_id),
                                                          .in_progress = text_is(issue->status, "in_progress"),
                                                          .has_run = a->run_id != NULL});
    if (v == ACCESS_CHECKOUT) return checkout_assert_owner(db, a, issue);
    return v == ACCESS_ALLOWED ? OK : err_new(db_arena(db), ERR_FORBIDDEN, "not yours");
}

/* ---- issues ---- */

static err_t create(struct db *db, void *arg)
{
    struct op *o = arg;
    struct issue_new in = {.allow_duplicate = true, .child = o->child};
    struct issue_created done;
    struct issue parent;
    bool found;
    entity_init(&ENTITY_issue, &in.row);
    in.row.company_id = sim.company;
    in.row.title = arena_printf(db_arena(db), "Task %d", (int)below(1000000));
    in.row.status = o->status;
    in.row.assignee_agent_id = o->agent_id;
    if (chance(40)) in.row.project_id = sim.project;
    if (in.row.status && chance(60) && text_is(o->status, "blocked"))
        in.row.unblock_descriptor = "{\"owner\":\"board\",\"action\":\"decide\"}";
    if (o->issue_id) {
        TRY(issue_get(db, o->issue_id, &parent, &found));
        in.parent = in.source = &parent;
        in.row.parent_id = parent.id;
        in.block_parent = o->child && chance(30);
    }
    const char *blockers[3];
    int n = chance(40) ? (int)below(3) + 1 : 0;
    for (int i = 0; i < n && sim.issue_count > 0; i++) {
        const char *id = some_issue();
        if (!id_list_has(&in.blockers, id)) blockers[in.blockers.count++] = id;
        in.blockers.ids = blockers;
    }
    struct agent agent;
    if (o->agent_id) TRY(assignee_check_agent(db, o->actor, sim.company, o->agent_id, &agent));
    TRY(issue_create(db, o->actor, &in, &done));
    snprintf(o->made, sizeof o->made, "%s", done.row.id);
    return OK;
}

bool create_issue(const struct actor *actor, const char *parent_id)
{
    struct op o = {.actor = actor,
                   .issue_id = parent_id,
                   .agent_id = chance(75) ? some_agent() : NULL,
                   .child = parent_id != NULL};
    if (chance(30)) o.status = statuses[below(7)];
    if (sim.issue_count == ISSUES_MAX) return true;
    decide("%s creates an issue%s for %s, %s", actor_kind(actor), parent_id ? " below another" : "", tag(o.agent_id),
           o.status ? o.status : "default");
    if (!request("create", create, &o)) return false;
    memcpy(sim.issues[sim.issue_count++], o.made, ID_SIZE);
    return true;
}

static err_t patch(struct db *db, void *arg)
{
    struct op *o = arg;
    struct issue issue;
    struct issue_changed done;
    struct agent agent;
    const char *ids[3];
    struct id_list blockers = {.ids = ids};
    TRY(load(db, o, &issue));
    struct issue_change c = {.after = issue, .requested = json_object()};
    const struct comment_new comment = {.body = o->text};
    if (o->text) c.comment = &comment;
    if (o->status) {
        c.after.status = o->status;
        c.status_sent = true;
        json_object_set_new(c.requested, "status", json_string(o->status));
    }
    if (o->status == NULL && o->text == NULL) { /* something else: the assignee or the blockers */
        int64_t what = below(5);
        if (what == 4) {
            static const char *const ends[] = {"wake_owner", "create_recovery_issue", "escalate_to_board"};
            json_t *m = json_pack("{s:s, s:I, s:s}", "nextCheckAt", instant_text(db_arena(db), sim.now + below(20 * MINUTE_MS)),
                                  "maxAttempts", (json_int_t)below(3) + 1, "recoveryPolicy", ends[below(3)]);
            c.after.execution_policy = json_text(db_arena(db), json_pack("{s:o}", "monitor", m));
            c.policy_sent = true;
        } else if (what == 0) {
            c.after.assignee_agent_id = NULL;
            c.after.assignee_user_id = chance(50) ? LOCAL_BOARD_USER : NULL;
        } else if (what < 3) {
            c.after.assignee_agent_id = o->agent_id;
            c.after.assignee_user_id = NULL;
            TRY(assignee_check_agent(db, o->actor, sim.company, o->agent_id, &agent));
        } else {
            for (int64_t n = below(4); n > 0; n--) {
                const char *id = some_issue();
                if (!id_list_has(&blockers, id)) ids[blockers.count++] = id;
            }
            c.blockers = &blockers;
        }
    }
    if (text_is(o->status, "blocked") && chance(60)) {
        c.after.unblock_descriptor = o->actor->type == ACTOR_AGENT
                                         ? json_text(db_arena(db), json_pack("{s:{s:s}, s:s}", "owner", "agentId",
                                                                             o->actor->agent_id, "action", "look"))
                                         : "{\"owner\":\"board\",\"action\":\"decide\"}";
        c.descriptor_sent = true;
    }
    c.interrupt = o->text && o->actor->type == ACTOR_BOARD && chance(15);
    c.reopen = o->text && chance(15);
    c.resume = o->text && chance(10);
    TRY(issue_update(db, o->actor, &issue, &c, &done));
    bool told = done.commented && !done.replayed && done.row.assignee_agent_id &&
                !text_is(done.row.assignee_agent_id, o->actor->agent_id) && !status_terminal(done.row.status);
    if (told && o->actor->type == ACTOR_BOARD) snprintf(o->made, sizeof o->made, "%s", done.comment.id);
    return OK;
}

bool patch_issue(const struct actor *actor, const char *issue_id)
{
    struct op o = {.actor = actor, .issue_id = issue_id, .agent_id = some_agent()};
    if (chance(60)) o.status = statuses[below(7)];
    decide("%s changes %s: %s", actor_kind(actor), tag(issue_id), o.status ? o.status : "assignee or blockers");
    return request("change", patch, &o);
}

bool set_status(const struct actor *actor, const char *issue_id, const char *status)
{
    struct op o = {.actor = actor, .issue_id = issue_id, .agent_id = some_agent(), .status = status};
    decide("%s changes %s: %s", actor_kind(actor), tag(issue_id), status);
    return request("change", patch, &o);
}

bool comment_issue(const struct actor *actor, const char *issue_id)
{
    char text[160];
    struct op o = {.actor = actor, .issue_id = issue_id, .text = text};
    const char *mention = chance(25) ? some_agent() : NULL;
    snprintf(text, sizeof text, "Word %" PRId64 "%s%s%s", below(1000000), mention ? " [x](agent://" : "",
             mention ? mention : "", mention ? ")" : "");
    decide("%s comments on %s%s%s", actor_kind(actor), tag(issue_id), mention ? " to " : "",
           mention ? tag(mention) : "");
    if (!request("comment", patch, &o)) return false;
    if (*o.made && sim.comment_count < COMMENTS_MAX) memcpy(sim.comments[sim.comment_count++], o.made, ID_SIZE);
    return true;
}

static err_t take(struct db *db, void *arg)
{
    static const char *const expected[] = {"backlog", "todo", "blocked", "in_progress"};
    struct op *o = arg;
    struct issue issue;
    struct agent agent;
    bool found;
    TRY(issue_get(db, o->issue_id, &issue, &found));
    TRY(agent_get(db, o->agent_id, &agent, &found));
    if (!text_is(agent.id, issue.assignee_agent_id))
        TRY(assignee_check_agent(db, o->actor, sim.company, agent.id, &agent));
    return checkout_take(db, o->actor, &(struct checkout_request){&agent, expected, (int)below(4) + 1}, &issue);
}

bool checkout_issue(const struct actor *actor, const char *agent_id, const char *issue_id)
{
    struct op o = {.actor = actor, .issue_id = issue_id, .agent_id = agent_id};
    decide("%s checks out %s for %s", actor_kind(actor), tag(issue_id), tag(agent_id));
    return request("checkout", take, &o);
}

static err_t give_up(struct db *db, void *arg)
{
    struct op *o = arg;
    struct issue issue;
    bool found;
    TRY(issue_get(db, o->issue_id, &issue, &found));
    if (o->key) return checkout_force_release(db, o->actor, chance(50), &issue);
    return checkout_release(db, o->actor, &issue);
}

bool release_issue(const struct actor *actor, const char *issue_id)
{
    struct op o = {
        .actor = actor, .issue_id = issue_id, .key = actor->type == ACTOR_BOARD && chance(60) ? "force" : NULL};
    decide("%s releases %s%s", actor_kind(actor), tag(issue_id), o.key ? " by force" : "");
    return request("release", give_up, &o);
}

/* ---- runs and agents ---- */

static err_t cancel_run(struct db *db, void *arg)
{
    struct op *o = arg;
    const char *id;
    int64_t n;
    TRY(db_text(
        db, &id,
        "SELECT id FROM heartbeat_runs WHERE status IN ('queued','running','scheduled_retry') ORDER BY id LIMIT 1 OFFSET $1",
        P(V_INT(below(4)))));
    if (id == NULL) return OK;
    return run_cancel_where(db,
                            &(struct run_cancel){.run_id = id,
                                                 .error = "Cancelled by a board operator",
                                                 .error_code = "cancelled",
                                                 .stop_reason = "cancelled",
                                                 .cancelled_by_user_id = o->actor->user_id},
                            &n);
}

static err_t move(struct db *db, void *arg)
{
    struct op *o = arg;
    struct agent agent;
    bool found;
    TRY(agent_get(db, o->agent_id, &agent, &found));
    enum agent_event event = text_is(o->status, "pause")    ? AGENT_PAUSE
                             : text_is(o->status, "resume") ? AGENT_RESUME
                             : text_is(o->status, "clear")  ? AGENT_CLEAR_ERROR
                                                            : AGENT_TERMINATE;
    return agent_move(db, o->actor, &agent, event);
}

static void move_agent(void)
{
    static const char *const how[] = {"pause", "resume", "resume", "resume", "clear"};
    struct op o = {.actor = &board_actor, .agent_id = some_agent(), .status = how[below(5)]};
    if (below(200) == 0) o.status = "terminate";
    decide("board: %s agent %s", o.status, tag(o.agent_id));
    request("agent", move, &o);
}

struct counted {
    int64_t rows, merges;
};

static err_t count_wakes(struct db *db, struct counted *c)
{
    struct rows r ROWS_AUTO = {0};
    TRY(db_query(db, &r,
                 "SELECT count(*), coalesce(sum(coalesced_count - CASE WHEN status = 'coalesced' THEN 1 ELSE 0 END), 0)"
                 " FROM agent_wakeup_requests",
                 P()));
    if (rows_next(&r)) *c = (struct counted){row_int(&r, 0), row_int(&r, 1)};
    while (rows_next(&r)) {}
    return rows_err(&r);
}

/* INV-12, EX-28: one call, one durable change, whatever it decides. */
static err_t invoke(struct db *db, void *arg)
{
    struct op *o = arg;
    struct wake_result out;
    struct counted before, after;
    TRY(count_wakes(db, &before));
    TRY(wake_enqueue(db, o->actor,
                     &(struct wake_request){.agent_id = o->agent_id,
                                            .source = "on_demand",
                                            .trigger_detail = "manual",
                                            .idempotency_key = o->key,
                                            .payload = o->issue_id ? json_pack("{s:s}", "issueId", o->issue_id) : NULL},
                     &out));
    TRY(count_wakes(db, &after));
    int64_t changes = after.rows - before.rows + after.merges - before.merges;
    if (changes != 1) broken("INV-12", "a wake left %d changes", (int)changes);
    return OK;
}

static void invoke_agent(void)
{
    char key[32];
    struct op o = {.actor = &board_actor,
                   .agent_id = some_agent(),
                   .issue_id = chance(50) && sim.issue_count ? some_issue() : NULL};
    snprintf(key, sizeof key, "key-%d", (int)below(20));
    if (chance(50)) o.key = key;
    decide("board: wakes %s for %s", tag(o.agent_id), tag(o.issue_id));
    request("invoke", invoke, &o);
}

/* ---- the beginning and the end ---- */

/* A project whose issues are worked on in worktrees of their own, or in one place for all. */
static err_t setup_project(struct db *db)
{
    struct project p;
    struct project_workspace w;
    entity_init(&ENTITY_project, &p);
    p.company_id = sim.company;
    p.name = "Project";
    p.status = "in_progress";
    p.url_key = "project";
    p.execution_workspace_policy =
        chance(70)
            ? "{\"enabled\":true,\"defaultMode\":\"isolated_workspace\",\"workspaceStrategy\":{\"type\":\"git_worktree\"}}"
            : NULL;
    TRY(project_create(db, &p, NULL));
    snprintf(sim.project, sizeof sim.project, "%s", p.id);
    entity_init(&ENTITY_project_workspace, &w);
    w.company_id = sim.company;
    w.project_id = p.id;
    w.name = "Main";
    w.source_type = "local_path";
    w.visibility = "default";
    w.cwd = "/sim/repo";
    w.repo_ref = "main";
    w.is_primary = true;
    return project_workspace_create(db, &p, &w);
}

static err_t setup(struct db *db, void *arg)
{
    struct company c;
    (void)arg;
    entity_init(&ENTITY_company, &c);
    c.name = "Simulation";
    TRY(company_create(db, &board_actor, &c));
    snprintf(sim.company, sizeof sim.company, "%s", c.id);
    for (int i = 0; i < AGENTS; i++) {
        struct agent agent;
        bool timer = chance(30) && !sim.script.on;
        entity_init(&ENTITY_agent, &agent);
        agent.company_id = c.id;
        agent.name = arena_printf(db_arena(db), "Agent %c", 'A' + i);
        agent.role = i == 0 ? "ceo" : "general";
        agent.reports_to = i > 0 && chance(60) ? sim.agents[below(i)] : NULL;
        agent.adapter_type = chance(15) && !sim.script.on ? "http" : "process";
        agent.adapter_config = "{\"command\":\"/bin/true\"}";
        agent.permissions = "{}";
        agent.runtime_config = arena_printf(
            db_arena(db),
            "{\"heartbeat\":{\"enabled\":%s,\"intervalSec\":%d,\"wakeOnDemand\":%s,\"maxConcurrentRuns\":%d%s}}",
            timer ? "true" : "false", timer ? 300 + (int)below(3000) : 0,
            sim.script.on || chance(95) ? "true" : "false", 1 + (int)below(3),
            !sim.script.on && chance(10) ? ",\"maxDailyRuns\":20" : "");
        TRY(agent_create(db, &board_actor, &agent, NULL));
        snprintf(sim.agents[sim.agent_count++], ID_SIZE, "%s", agent.id);
    }
    return sim.script.on ? OK : setup_project(db);
}

void board_setup(void)
{
    if (!request("setup", setup, NULL)) broken("the simulator itself", "no company");
}

void board_act(void)
{
    int64_t what = below(100);
    if (sim.issue_count < 3 || what < 16)
        create_issue(&board_actor, chance(30) && sim.issue_count ? some_issue() : NULL);
    else if (what < 42) patch_issue(&board_actor, some_issue());
    else if (what < 66) comment_issue(&board_actor, some_issue());
    else if (what < 71) checkout_issue(&board_actor, some_agent(), some_issue());
    else if (what < 78) release_issue(&board_actor, some_issue());
    else if (what < 83) {
        decide("board: cancels a run");
        request("cancel", cancel_run, &(struct op){.actor = &board_actor});
    } else if (what < 90) move_agent();
    else invoke_agent();
}

static err_t no_timers(struct db *db, void *arg)
{
    struct agent *rows;
    int n;
    (void)arg;
    TRY(entity_many(db, &ENTITY_agent, &rows, &n, "ORDER BY id", P()));
    for (int i = 0; i < n; i++) {
        struct agent after = rows[i];
        json_t *config = json_read(after.runtime_config);
        json_object_set_new(json_object_get(config, "heartbeat"), "enabled", json_false());
        after.runtime_config = json_text(db_arena(db), config);
        TRY(agent_update(db, &board_actor, &rows[i], &after));
    }
    return OK;
}

void board_quiet(void)
{
    decide("board: no more timers, everybody back to work");
    if (!request("quiet", no_timers, NULL)) broken("the simulator itself", "no quiet");
    for (int i = 0; i < sim.agent_count; i++)
        request("resume", move, &(struct op){.actor = &board_actor, .agent_id = sim.agents[i], .status = "resume"});
}
