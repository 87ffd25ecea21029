/*
 * runner: agents at work, and the supervisors that hold them. Stands in for
 * launch, supervise and collect: a table of processes that outlives the server.
 * They end well or badly, hang, vanish, report twice or not at all, or go on after a cancel.
 */
#include "sim.h"

#include "engine/ending.h"
#include "engine/workspace.h"
#include "model/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum outcome { SUCCEEDS, FAILS, TRANSIENT, TIMES_OUT, VANISHES, HANGS, OUTCOMES };
static const char *const names[] = {"succeeds", "fails", "fails for now", "times out", "vanishes", "hangs"};

static const char *tag(const char *id) { return *id ? id + 30 : "-"; }

static struct proc *proc_of(const char *run_id)
{
    for (int i = 0; i < PROCS_MAX; i++)
        if (sim.procs[i].used && strcmp(sim.procs[i].run_id, run_id) == 0) return &sim.procs[i];
    return NULL;
}

/* ---- starting ---- */

static enum outcome pick_outcome(void)
{
    for (int i = 0; sim.script.on && i < OUTCOMES; i++)
        if (strcmp(names[i], sim.script.outcome ? sim.script.outcome : names[SUCCEEDS]) == 0) return (enum outcome)i;
    if (sim.calm) return (enum outcome)sim.calm_outcome;
    int64_t p = below(100);
    return p < 60 ? SUCCEEDS : p < 76 ? FAILS : p < 82 ? TRANSIENT : p < 88 ? TIMES_OUT : p < 97 ? VANISHES : HANGS;
}

/* INV-2 on the real processes: nobody else works on the issue in this run's right. */
static void check_alone(const struct proc *p)
{
    for (int i = 0; i < PROCS_MAX; i++) {
        const struct proc *o = &sim.procs[i];
        if (o == p || !o->used || o->ended || o->gone || !o->takes_lock || !p->takes_lock || *p->issue_id == 0)
            continue;
        if (strcmp(o->issue_id, p->issue_id) == 0)
            broken("INV-2", "the agents of %s and %s work on one issue", o->run_id, p->run_id);
    }
}

static err_t record_invocation(struct engine *e, void *arg)
{
    const struct run *run = arg;
    int64_t n;
    return db_exec(e->db, &n,
                   "UPDATE heartbeat_runs SET log_store = 'local_file', log_ref = 'sim', updated_at = $2 WHERE id = $1",
                   P(V_ID(run->id), V_TIME(clock_now())));
}

void launch_run(struct engine *e, const struct run *run)
{
    bool taken;
    err_t err = workspace_prepare_start(e, run, &taken);
    if (sim.dead) return;
    if (err) collect_setup_failure(e, run, err->code ? err->code : "setup_failed", err->message, err->details);
    else if (!taken) launch_prepared(e, run, NULL);
}

void launch_prepared(struct engine *e, const struct run *run, const struct realized *where)
{
    struct run copy = *run;
    (void)where;
    if (!sim.calm && chance(3)) {
        decide("  setup of %s fails", tag(run->id));
        collect_setup_failure(e, &copy, "setup_failed", "no command", NULL);
        return;
    }
    if (engine_tx(e, run->company_id, record_invocation, &copy)) return; /* killed: found again as never started */
    struct proc *p = NULL;
    for (int i = 0; i < PROCS_MAX && p == NULL; i++)
        if (!sim.procs[i].used) p = &sim.procs[i];
    if (p == NULL) broken("the simulator itself", "too many processes");
    *p = (struct proc){
        .used = true, .takes_lock = run->takes_lock, .outcome = pick_outcome(), .acts_left = (int)below(5)};
    snprintf(p->run_id, sizeof p->run_id, "%s", run->id);
    snprintf(p->agent_id, sizeof p->agent_id, "%s", run->agent_id);
    snprintf(p->issue_id, sizeof p->issue_id, "%s", run->issue_id ? run->issue_id : "");
    if (sim.calm) p->acts_left = sim.calm_outcome == SUCCEEDS ? 1 : 0;
    p->acts_at = sim.now + 1 + below(20 * SECOND_MS);
    p->ends_at = sim.now + 1 + below(chance(10) ? HOUR_MS : 2 * MINUTE_MS);
    if (p->outcome == HANGS) p->ends_at = sim.now + 2 * DAY_MS; /* unless somebody cancels it */
    if (sim.script.on) {                                        /* a word after ten seconds, the end after twenty */
        p->acts_left = p->outcome == SUCCEEDS;
        p->acts_at = sim.now + 10 * SECOND_MS;
        p->ends_at = sim.now + 20 * SECOND_MS;
    }
    decide("  run %s of %s starts on %s, %s", tag(p->run_id), tag(p->agent_id), tag(p->issue_id), names[p->outcome]);
    check_alone(p);
    live_add(e, run)->resolving = true; /* it is looked after */
}

/* ---- ending ---- */

static void outcome_of(const struct proc *p, struct run_outcome *o)
{
    *o = (struct run_outcome){.has_exit_code = true,
                              .log_bytes = 10,
                              .last_output_at = chance(70) ? sim.now : INSTANT_NONE, /* some say nothing for long */
                              .last_output_seq = 1,
                              .stdout_excerpt = "worked"};
    switch ((enum outcome)p->outcome) {
    case SUCCEEDS: break;
    case TRANSIENT: o->error_family = "transient_upstream"; /* fall through */
    case FAILS:
        o->exit_code = 1;
        o->error = "Process exited with code 1";
        o->error_code = "adapter_failed";
        break;
    case TIMES_OUT:
        o->timed_out = true;
        o->has_exit_code = false;
        break;
    case HANGS: /* killed in the end */
        o->has_exit_code = false;
        o->signal = "SIGTERM";
        break;
    case VANISHES:
    case OUTCOMES: break;
    }
}

/* The workspace first, then the run's row (WS-81); false: not yet, or not any more. */
static bool finish(struct engine *e, struct ending *x, bool synthetic, const struct settle_again *again)
{
    struct proc *p = proc_of(x->run.id);
    if (p) p->unheard = true; /* until `again` is called, or the periodic pass comes */
    if (!workspace_settled(e, &x->run, &x->outcome, synthetic, again)) return false;
    bool written = ending_write(e, x);
    struct live_run *r = live_find(e, x->run.id);
    if (r && written) live_drop(r);
    else if (r) r->resolving = false; /* the periodic pass comes back */
    return written;
}

static void collect(struct engine *e, const char *run_id, void *arg)
{
    struct proc *p = proc_of(run_id);
    struct ending x = {.done = false}, again = {.done = false};
    bool found;
    (void)arg;
    if (p == NULL) return;
    err_t err = run_get(e->db, p->run_id, &x.run, &found);
    if (err || !found) {
        if (err) engine_failed(e, "collect", err);
        return;
    }
    outcome_of(p, &x.outcome);
    if (!finish(e, &x, false, &(struct settle_again){.fn = collect})) return;
    decide("  run %s ended: %s", tag(p->run_id), x.done ? x.run.status : "already");
    p->used = false;
    if (!chance(10)) return;
    int64_t volume = check_volume(); /* the record comes twice: there must be nothing to do (INV-10) */
    engine_unit(e);
    err = run_get(e->db, p->run_id, &again.run, &found);
    if (err == OK) outcome_of(p, &again.outcome);
    if (err || !ending_write(e, &again)) return;
    if (again.done) broken("INV-10", "run %s ended twice", p->run_id);
    if (check_volume() != volume) broken("INV-10", "the second end of run %s left a trace", p->run_id);
}

static void lost_again(struct engine *e, const char *run_id, void *arg)
{
    (void)arg;
    collect_lost(e, run_id, NULL);
}

void collect_lost(struct engine *e, const char *run_id, json_t *orphans)
{
    struct ending x = {.done = false};
    struct proc *p;
    bool found;
    err_t err = run_get(e->db, run_id, &x.run, &found);
    if (err) engine_failed(e, "collect", err);
    if (err || !found) return;
    x.outcome = (struct run_outcome){.process_lost = true,
                                     .error_code = "process_lost",
                                     .error = "Process lost",
                                     .log_bytes = -1,
                                     .last_output_at = INSTANT_NONE,
                                     .orphans_killed = orphans};
    if (!finish(e, &x, true, &(struct settle_again){.fn = lost_again})) return;
    decide("  run %s is lost", tag(x.run.id));
    if ((p = proc_of(x.run.id))) p->used = false;
}

struct setup_failure {
    const char *code, *message;
};

static void setup_again(struct engine *e, const char *run_id, void *arg)
{
    const struct setup_failure *f = arg;
    struct run run;
    bool found;
    err_t err = run_get(e->db, run_id, &run, &found);
    if (err == OK && found) collect_setup_failure(e, &run, f->code, f->message, NULL);
}

static void *keep_setup(struct arena *a, const void *arg)
{
    const struct setup_failure *f = arg;
    struct setup_failure *copy = arena_new(a, struct setup_failure);
    *copy = (struct setup_failure){arena_strdup(a, f->code), arena_strdup(a, f->message)};
    return copy;
}

void collect_setup_failure(struct engine *e, const struct run *run, const char *code, const char *message,
                           const char *details)
{
    struct ending x = {.run = *run};
    const struct setup_failure f = {code, message};
    (void)details;
    x.outcome = (struct run_outcome){.error_code = arena_strdup(&e->arena, code),
                                     .error = arena_strdup(&e->arena, message),
                                     .log_bytes = -1,
                                     .last_output_at = INSTANT_NONE};
    if (finish(e, &x, false, &(struct settle_again){.fn = setup_again, .keep = keep_setup, .arg = &f}))
        decide("  run %s was not set up: %.60s", tag(x.run.id), x.outcome.error);
}

void supervise_cancel(struct engine *e, const char *run_id)
{
    struct live_run *r = live_find(e, run_id);
    struct proc *p = proc_of(run_id);
    if (r == NULL || r->cancel_sent) return;
    r->cancel_sent = true;
    if (p == NULL || p->cancel_asked) return;
    p->cancel_asked = true;
    instant_t grace = sim.now + below(15 * SECOND_MS);
    if (grace < p->ends_at) p->ends_at = grace;
}

void supervise_resolve(struct live_run *r)
{
    struct engine *e = r->engine;
    struct proc *p = proc_of(r->run_id);
    if (p == NULL) {
        adopt_unstarted(r);
    } else if (p->gone) {
        const char *id = arena_strdup(&e->arena, r->run_id);
        live_drop(r);
        collect_lost(e, id, NULL);
    } else if (p->ended) {
        r->resolving = true;
        collect(e, p->run_id, NULL);
    } else {
        r->resolving = true; /* alive: attached again */
    }
}

void runner_drop_all(void)
{
    jobs_drop_all();
    while (sim.engine.runs) live_drop(sim.engine.runs);
}

/* ---- working ---- */

/* The issue, or now and then somebody else's. */
static void act(struct proc *p)
{
    const struct actor self = {.type = ACTOR_AGENT,
                               .source = "agent_jwt",
                               .agent_id = p->agent_id,
                               .company_id = sim.company,
                               .run_id = p->run_id,
                               .responsible_user_id = LOCAL_BOARD_USER};
    const char *issue = *p->issue_id && chance(85) ? p->issue_id
                        : sim.issue_count          ? sim.issues[below(sim.issue_count)]
                                                   : NULL;
    if (sim.calm) {
        if (*p->issue_id &&
            (sim.script.on ? !sim.script.closes || !strcmp(sim.script.closes, p->issue_id) : chance(70)))
            set_status(&self, p->issue_id, "done");
        return;
    }
    if (issue == NULL) return;
    int64_t what = below(100);
    if (what < 35) comment_issue(&self, issue);
    else if (what < 60) set_status(&self, issue, "done");
    else if (what < 78) patch_issue(&self, issue);
    else if (what < 86) create_issue(&self, chance(70) ? issue : NULL);
    else if (what < 95) checkout_issue(&self, p->agent_id, issue);
    else release_issue(&self, issue);
}

static instant_t next_of(const struct proc *p)
{
    if (p->unheard) return INSTANT_NONE;     /* until the periodic pass looks for it */
    if (p->ended || p->gone) return sim.now; /* the news is on its way */
    return p->acts_left > 0 && p->acts_at < p->ends_at ? p->acts_at : p->ends_at;
}

instant_t runner_due(void)
{
    instant_t due = INSTANT_NONE;
    for (int i = 0; i < PROCS_MAX; i++) {
        if (!sim.procs[i].used) continue;
        instant_t at = next_of(&sim.procs[i]);
        if (at == INSTANT_NONE) continue;
        if (due == INSTANT_NONE || at < due) due = at;
    }
    return due;
}

/* The supervisor's word reaches the server. */
static void news(struct proc *p)
{
    struct live_run *r = live_find(&sim.engine, p->run_id);
    if (r == NULL) {
        if (!sim.dead) broken("INV-8", "nobody looks after run %s", p->run_id);
        return;
    }
    engine_unit(&sim.engine);
    supervise_resolve(r);
    if (!sim.dead) check_always("a run's end");
}

/* The last report never arrives, and the server believes nobody looks after the run. */
static void lose_news(struct proc *p)
{
    struct live_run *r = live_find(&sim.engine, p->run_id);
    if (r == NULL) return;
    decide("  %s is not heard of", tag(p->run_id));
    p->unheard = true;
    r->resolving = false;
}

void runner_vanish(void)
{
    for (int i = 0; i < PROCS_MAX; i++)
        if (sim.procs[i].used) sim.procs[i].gone = true;
}

void runner_calm(void)
{
    for (int i = 0; i < PROCS_MAX; i++) {
        struct proc *p = &sim.procs[i];
        instant_t end = sim.now + below(10 * MINUTE_MS);
        if (p->used && p->ends_at > end) p->ends_at = end;
    }
}

bool runner_act(void)
{
    int first = (int)below(PROCS_MAX);
    for (int i = 0; i < PROCS_MAX; i++) {
        struct proc *p = &sim.procs[(first + i) % PROCS_MAX];
        if (!p->used || next_of(p) == INSTANT_NONE || next_of(p) > sim.now) continue;
        if (p->ended || p->gone) {
            news(p);
        } else if (p->acts_left > 0 && p->acts_at < p->ends_at) {
            p->acts_left--;
            p->acts_at = sim.now + 1 + below(30 * SECOND_MS);
            act(p);
        } else if (p->outcome == VANISHES) {
            p->gone = true;
            decide("  %s vanishes", tag(p->run_id));
        } else {
            p->ended = true;
            decide("  %s exits", tag(p->run_id));
        }
        if ((p->ended || p->gone) && !sim.script.on && chance(8)) lose_news(p);
        return true;
    }
    return false;
}
