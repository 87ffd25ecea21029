/* engine_internal: what the engine's files share. All of it belongs to the engine's thread. */
#ifndef BULLDOG_ENGINE_INTERNAL_H
#define BULLDOG_ENGINE_INTERNAL_H

#include "adapter/shim_link.h"
#include "base/json.h"
#include "engine/engine.h"
#include "model/instance.h"
#include "store/entity.h"

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

/* A claimed run whose end is not recorded yet: its link, and what its end needs. */
struct live_run {
    struct live_run *next, **link_to_me;
    struct engine *engine;
    struct arena arena; /* the strings below */
    const char *run_id, *company_id, *agent_id, *issue_id;
    const char *run_dir, *log_path;
    int64_t grace_ms;
    struct shim_link link;
    uv_poll_t poll;
    bool polled;          /* the poll handle is open */
    bool cancel_sent;
    bool resolving;       /* a job looks after its end */
    int resolve_tries;
    int64_t tail_offset;  /* log bytes already sent to listeners */
    instant_t progress_sent_at, progress_saved_at;
    atomic_bool *abort;   /* of the job that works for the run, which looks at it; else NULL */
    bool finalize_broken; /* the end of its workspace could not be written */
};

struct engine {
    struct engine_options opt;
    struct arena arena; /* of the current unit of work */
    struct db *db;
    struct node node;
    uv_loop_t loop;
    uv_thread_t thread;
    uv_async_t poke, stop, mail;
    uv_timer_t timer, lease;
    bool stepping;
    struct live_run *runs;
    int run_count;
    struct jobs *workspace_jobs; /* git: never the pool that answers requests */
    bool sweeping[2];            /* a job of these duties is under way: retire, cleanup */
    instant_t retired_at;        /* where the last retire pass ended */
    char retired_id[40];
    atomic_int attached; /* of these, with a link to their shim; read by other threads */
    instant_t next_tick, next_retry, next_timer, next_monitor, looked_at;
    char stalled_company[40], stalled_issue[40]; /* where the last stalled_pass ended */
    char action_seen[40];                        /* … and the last actions_pass */
    char backstop_issue[40]; /* where the last page of backstop.c ended */
    /* results of jobs, for the engine's thread */
    pthread_mutex_t mail_lock;
    struct engine_mail *mail_head, **mail_tail;
};

/* A job's result: fn runs on the engine's thread inside a unit of work, then the mail is freed. */
struct engine_mail {
    struct engine_mail *next;
    void (*fn)(struct engine *e, struct engine_mail *m);
    struct arena arena;
    const char *run_id;
    void *data;
};
struct engine_mail *engine_mail_new(void (*fn)(struct engine *e, struct engine_mail *m));
void engine_mail_send(struct engine *e, struct engine_mail *m); /* any thread */

void engine_step(struct engine *e);
/* step.c: every pass once; when the next look is due. */
void engine_passes(struct engine *e, instant_t now);
instant_t engine_due(const struct engine *e);
/* One unit of engine work: empty arena, current for JSON and the database. */
void engine_unit(struct engine *e);
void engine_failed(struct engine *e, const char *pass, err_t err);
/* Runs fn in a write transaction of the company, retried when the database asks. */
err_t engine_tx(struct engine *e, const char *company_id, err_t (*fn)(struct engine *e, void *arg), void *arg) MUST_CHECK;

/* Where a run's log is (AR-71). */
const char *engine_log_path(const struct engine *e, struct arena *a, const struct run *run);
struct live_run *live_find(struct engine *e, const char *run_id);
struct live_run *live_add(struct engine *e, const struct run *run);
void live_drop(struct live_run *r);

/* dispatch.c: claim what is queued, and start it. */
void dispatch_pass(struct engine *e);
/* launch.c: start a claimed run's agent; a failure ends the run. */
void launch_run(struct engine *e, const struct run *run);
/* … once its workspace is there. */
struct realized;
void launch_prepared(struct engine *e, const struct run *run, const struct realized *where);
/* cancels.c: tell the supervisors of runs that were cancelled. */
void cancels_pass(struct engine *e);
/* adopt.c: at start: this node is registered, runs of dead ones are its own; then each is taken up. */
err_t engine_enlist(struct engine *e, int64_t *adopted) MUST_CHECK;
void supervise_adopt(struct engine *e); /* every unclosed run of this node that nobody looks after */
void adopt_unstarted(struct live_run *r); /* claimed, but its agent was never started */
/* supervise.c */
err_t supervise_watch(struct live_run *r) MUST_CHECK;        /* poll its link */
void supervise_cancel(struct engine *e, const char *run_id); /* its agent is to stop */
void supervise_resolve(struct live_run *r);                  /* no link: find out what became of it */
/* collect.c: end a run from its exit record, or without one. */
void collect_exit(struct live_run *r);
void collect_lost(struct engine *e, const char *run_id, json_t *orphans);
/* details: JSON text of a workspace validation, or NULL. */
void collect_setup_failure(struct engine *e, const struct run *run, const char *code, const char *message, const char *details);
struct http_agent_result;
void collect_http(struct engine *e, const char *run_id, const struct http_agent_result *r);
/* timers.c: heartbeats that are due, retries that are due. */
void timers_pass(struct engine *e);
/* monitors.c: looks at issues that are due. */
void monitors_pass(struct engine *e);
/* sweep.c: the periodic pass over rows (EX-113): deferred wakes, stale locks, old events. */
void sweep_pass(struct engine *e);
/* backstop.c: a duty of the sweep, dependents that were never told (EX-79). */
err_t backstop_pass(struct engine *e) MUST_CHECK;
/* stalled.c: a duty of the sweep, work that nothing moves (EX-97…101). */
err_t stalled_pass(struct engine *e) MUST_CHECK;
/* actions.c: a duty of the sweep, open recovery actions (EX-125). */
err_t actions_pass(struct engine *e) MUST_CHECK;
/* graph_liveness.c, task_watchdogs.c, productivity.c: duties of the sweep (EX-112, EX-150, EX-152). */
err_t graph_liveness_pass(struct engine *e) MUST_CHECK;
err_t task_watchdogs_pass(struct engine *e) MUST_CHECK;
err_t productivity_pass(struct engine *e) MUST_CHECK;

#endif
