/* workspace_finalize: no process of the run is left; its workspace is looked at once, and the row written before the run's end (WS-81). */
#include "engine/workspace.h"

#include "base/log.h"
#include "model/workspace_life.h"
#include "workspace/driver.h"
#include "workspace/op_log.h"

#include <stdlib.h>
#include <string.h>

struct finalization {
    struct engine *engine;
    struct engine_mail *mail;
    const char *log_root;
    struct run run;
    enum finalize_state state;
    struct workspace_ending ending;
    struct finalize_result result;
    struct operation_log log;
    const struct workspace_driver *driver;
    bool synthetic;
    struct settle_again again;
    void *arg;
};

static err_t begin(struct engine *e, void *arg)
{
    struct finalization *f = arg;
    return workspace_finalize_begin(e->db, &f->run, &f->state, &f->ending);
}

static err_t write_end(struct engine *e, void *arg)
{
    struct finalization *f = arg;
    return workspace_finalize_end(e->db, &f->run, &f->ending, &f->result, &f->log, f->synthetic);
}

/* ---- the job ---- */

static void finalize_job(void *arg)
{
    struct finalization *f = arg;
    struct arena *a = &f->mail->arena;
    struct op_log log;
    json_arena(a);
    op_log_open(&log, a, f->log_root, f->run.company_id, f->ending.op.id);
    err_t err = f->driver->finalize(&(struct workspace_job){.arena = a, .log = &log}, &f->ending.request, &f->result);
    if (err)
        f->result = (struct finalize_result){.reason = "workspace_finalize_error",
                                             .message = err->message,
                                             .branch = f->ending.request.expected_branch,
                                             .facts = {.ahead = -1, .behind = -1}};
    if (f->result.message) op_log_write(&log, "system", f->result.message);
    f->log = (struct operation_log){.ref = log.ref,
                                    .out = op_log_excerpt(&log, &log.out),
                                    .err = op_log_excerpt(&log, &log.err),
                                    .bytes = log.bytes};
    op_log_close(&log);
    json_arena(NULL);
    engine_mail_send(f->engine, f->mail);
}

static void on_finalized(struct engine *e, struct engine_mail *m)
{
    struct finalization *f = m->data;
    struct live_run *r = live_find(e, m->run_id);
    if (r == NULL) return;
    r->resolving = false;
    err_t err = engine_tx(e, f->run.company_id, write_end, f);
    if (err) { /* WS-79: loud, and the run will not be called succeeded */
        log_error("workspace.finalize", "run=%s the end of its workspace could not be written: %s", f->run.id,
                  err->message);
        r->finalize_broken = true;
    }
    f->again.fn(e, m->run_id, f->arg);
}

/* ---- what the run's end makes of it ---- */

static void blame(struct engine *e, struct run_outcome *o, const char *code, const char *message)
{
    bool bad = o->error || o->timed_out || o->signal || (o->has_exit_code && o->exit_code != 0);
    if (code == NULL) return;
    if (!json_is_object(o->result)) o->result = json_object();
    json_object_set_new(o->result, "workspaceFinalize", json_pack("{s:s, s:s}", "errorCode", code, "error", message));
    if (bad) return; /* what went wrong first stays the reason */
    o->error = arena_strdup(&e->arena, message);
    o->error_code = arena_strdup(&e->arena, code);
}

/* The succeeded row could not be written: one more try to write that it failed, then the run fails either way. */
static void broken(struct engine *e, struct finalization *f, struct run_outcome *o)
{
    static const char message[] = "The end of the run's workspace could not be recorded.";
    f->result = (struct finalize_result){.reason = "workspace_finalize_unrecorded",
                                         .message = message,
                                         .branch = f->ending.request.expected_branch,
                                         .facts = {.ahead = -1, .behind = -1}};
    err_t err = engine_tx(e, f->run.company_id, write_end, f);
    if (err)
        log_error("workspace.finalize", "run=%s not even its failure could be written: %s", f->run.id, err->message);
    blame(e, o, "workspace_finalize_failed", message);
}

static bool start(struct engine *e, struct finalization *f, const struct run *run)
{
    struct arena *a = &f->mail->arena;
    struct live_run *r = live_find(e, run->id);
    if (r == NULL) r = live_add(e, run);
    f->mail->run_id = f->run.id;
    f->mail->data = f;
    f->log_root = workspace_log_root(e, a);
    r->resolving = true;
    if (jobs_submit(e->workspace_jobs, finalize_job, f)) return true;
    r->resolving = false; /* the queue is full: the sweep comes back; until then the run keeps its slot (INV-7) */
    return false;
}

bool workspace_settled(struct engine *e, const struct run *run, struct run_outcome *o, bool synthetic,
                       const struct settle_again *again)
{
    struct engine_mail *m = engine_mail_new(on_finalized);
    struct arena *a = &m->arena;
    struct finalization *f = arena_new(a, struct finalization);
    const struct live_run *live = live_find(e, run->id);
    bool now = true;
    f->engine = e;
    f->mail = m;
    f->synthetic = synthetic;
    f->again = *again;
    f->run = (struct run){.id = arena_strdup(a, run->id),
                          .company_id = arena_strdup(a, run->company_id),
                          .agent_id = arena_strdup(a, run->agent_id),
                          .issue_id = arena_strdup(a, run->issue_id),
                          .error_code = arena_strdup(a, o->error_code)};
    json_arena(a);
    db_use(e->db, a);
    err_t err = engine_tx(e, run->company_id, begin, f);
    if (again->keep) f->arg = again->keep(a, again->arg);
    db_use(e->db, &e->arena);
    json_arena(&e->arena);
    if (err) {
        engine_failed(e, "workspace", err);
        now = false;
    } else if (f->state == FINALIZE_DONE) {
        const char *code, *message;
        workspace_finalize_blame(&e->arena, &f->ending.op, &code, &message);
        blame(e, o, code, message);
    } else if (f->state == FINALIZE_NEEDED && live && live->finalize_broken) {
        broken(e, f, o);
    } else if (f->state == FINALIZE_NEEDED) {
        f->driver = workspace_driver(f->ending.driver);
        if (f->driver == NULL) f->driver = &LOCAL_DRIVER; /* what is here can still be looked at */
        if (start(e, f, run)) return false;
        now = false;
    }
    arena_free(a);
    free(m);
    return now;
}
