/* workspace_prepare: a run gets its directory: plan, job, rows (WS-76 steps 1 to 4). */
#include "engine/launch.h"
#include "engine/workspace.h"

#include "base/log.h"
#include "base/settings.h"
#include "model/agent.h"
#include "model/run.h"
#include "model/workspace_life.h"
#include "workspace/driver.h"
#include "workspace/op_log.h"

#include <stdlib.h>
#include <string.h>

struct preparation {
    struct engine *engine;
    struct engine_mail *mail;
    atomic_bool abort;
    const char *log_root;
    struct agent agent;
    struct workspace_plan plan;
    struct prepare_result result;
    struct operation_log log;
    const struct workspace_driver *driver;
    err_t err; /* of the driver */
};

static const char *const *provision_env(struct arena *a, const struct preparation *p)
{
    const struct workspace_plan *w = &p->plan;
    const struct {
        const char *name, *value;
    } all[] = {
        {"PAPERCLIP_WORKSPACE_SOURCE", w->source},
        {"PAPERCLIP_WORKSPACE_REPO_REF", w->request.repo_ref},
        {"PAPERCLIP_WORKSPACE_REPO_URL", w->has_place ? w->place.repo_url : NULL},
        {"PAPERCLIP_PROJECT_ID", w->project.id},
        {"PAPERCLIP_PROJECT_WORKSPACE_ID", w->has_place ? w->place.id : NULL},
        {"PAPERCLIP_AGENT_ID", p->agent.id},
        {"PAPERCLIP_AGENT_NAME", p->agent.name},
        {"PAPERCLIP_COMPANY_ID", w->run.company_id},
        {"PAPERCLIP_ISSUE_ID", w->issue.id},
        {"PAPERCLIP_ISSUE_IDENTIFIER", w->issue.identifier},
        {"PAPERCLIP_ISSUE_TITLE", w->issue.title},
        {"PAPERCLIP_ISSUE_WORK_MODE", w->issue.work_mode},
    };
    const char **more = arena_array(a, const char *, sizeof all / sizeof *all + 1);
    int n = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].value && *all[i].value) more[n++] = arena_printf(a, "%s=%s", all[i].name, all[i].value);
    return workspace_command_env(a, more);
}

/* ---- planning: in the mail's arena, which goes with the job ---- */

static err_t plan(struct engine *e, void *arg)
{
    struct preparation *p = arg;
    struct arena *a = db_arena(e->db);
    const char *run_id = p->plan.run.id, *agent_id = p->plan.run.agent_id;
    struct run run;
    bool found;
    TRY(run_get(e->db, run_id, &run, &found));
    if (!found) return err_new(a, ERR_NOT_FOUND, "the run is gone");
    TRY(agent_get(e->db, agent_id, &p->agent, &found));
    if (!found) return err_new(a, ERR_NOT_FOUND, "The agent is gone");
    const struct workspace_roots roots = {
        .data_dir = e->opt.data_dir, .agent_home = arena_printf(a, "%s/workspaces/%s", e->opt.data_dir, p->agent.id)};
    return workspace_plan(e->db, &run, &p->agent, &roots, &p->plan);
}

static err_t planned(struct engine *e, struct preparation *p, const struct run *run)
{
    struct arena *a = &p->mail->arena;
    json_arena(a);
    db_use(e->db, a);
    p->plan.run.id = arena_strdup(a, run->id);
    p->plan.run.agent_id = arena_strdup(a, run->agent_id);
    err_t err = engine_tx(e, run->company_id, plan, p);
    if (err == OK && p->plan.wanted) {
        p->driver = workspace_driver(p->plan.driver);
        p->plan.request.provision_env = provision_env(a, p);
        p->log_root = workspace_log_root(e, a);
        if (p->driver == NULL)
            err = workspace_invalid(
                e->db, &p->plan, "environment_not_supported_by_adapter",
                arena_printf(a, "This server cannot run agents on %s environments.", p->plan.driver), NULL);
    }
    db_use(e->db, &e->arena);
    json_arena(&e->arena);
    if (err == OK) return OK;
    return err_with(&e->arena, err->kind, arena_strdup(&e->arena, err->code), arena_strdup(&e->arena, err->details),
                    "%s", err->message);
}

/* ---- the job ---- */

static void prepare_job(void *arg)
{
    struct preparation *p = arg;
    struct arena *a = &p->mail->arena;
    struct op_log log;
    json_arena(a);
    op_log_open(&log, a, p->log_root, p->plan.run.company_id, p->plan.op.id);
    p->err = p->driver->prepare(&(struct workspace_job){.arena = a, .abort = &p->abort, .log = &log}, &p->plan.request,
                                &p->result);
    if (p->err) op_log_write(&log, "system", p->err->message);
    else if (p->result.reason) op_log_write(&log, "system", p->result.message);
    p->log = (struct operation_log){.ref = log.ref,
                                    .out = op_log_excerpt(&log, &log.out),
                                    .err = op_log_excerpt(&log, &log.err),
                                    .bytes = log.bytes};
    op_log_close(&log);
    json_arena(NULL);
    engine_mail_send(p->engine, p->mail);
}

/* ---- its result ---- */

struct write {
    struct preparation *p;
    struct execution_workspace workspace;
    const char *message;
};

static err_t write_prepared(struct engine *e, void *arg)
{
    struct write *w = arg;
    return workspace_prepared(e->db, &w->p->plan, &w->p->result, &w->p->log, &w->workspace);
}

static err_t write_failed(struct engine *e, void *arg)
{
    struct write *w = arg;
    return workspace_prepare_failed(e->db, &w->p->plan, &w->p->result, &w->p->log, w->message);
}

static err_t settle_rows(struct engine *e, struct write *w)
{
    struct preparation *p = w->p;
    err_t why = p->err;
    if (why == OK && p->result.reason)
        why = workspace_invalid(e->db, &p->plan, p->result.reason, p->result.message,
                                p->result.evidence ? json_deep_copy(p->result.evidence) : NULL);
    if (why == OK) return engine_tx(e, p->plan.run.company_id, write_prepared, w);
    w->message = why->message;
    err_t err = engine_tx(e, p->plan.run.company_id, write_failed, w);
    if (err) engine_failed(e, "workspace", err);
    return why;
}

static void on_prepared(struct engine *e, struct engine_mail *m)
{
    struct write w = {.p = m->data};
    struct live_run *r = live_find(e, m->run_id);
    struct run run;
    bool found;
    if (r == NULL) return;
    live_drop(r);
    err_t why = settle_rows(e, &w), err = run_get(e->db, m->run_id, &run, &found);
    if (err) engine_failed(e, "workspace", err); /* the sweep prepares it again */
    if (err || !found) return;
    if (strcmp(run.status, "running") != 0) {
        collect_lost(e, run.id, NULL); /* cancelled meanwhile: its agent never started */
    } else if (why) {
        log_warn("run.workspace", "run=%s error=\"%s\"", run.id, why->message);
        collect_setup_failure(e, &run, why->code ? why->code : "setup_failed", why->message, why->details);
    } else {
        launch_prepared(e, &run,
                        &(struct realized){.workspace = w.workspace,
                                           .place = w.p->plan.place,
                                           .has_place = w.p->plan.has_place,
                                           .source = w.p->plan.source,
                                           .repo_root = w.p->result.repo_root});
    }
}

err_t workspace_prepare_start(struct engine *e, const struct run *run, bool *taken)
{
    struct engine_mail *m = engine_mail_new(on_prepared);
    struct preparation *p = arena_new(&m->arena, struct preparation);
    p->engine = e;
    p->mail = m;
    err_t err = planned(e, p, run);
    *taken = err == OK && p->plan.wanted;
    if (*taken) {
        m->run_id = p->plan.run.id;
        m->data = p;
        struct live_run *r = live_add(e, run);
        r->resolving = true; /* the job answers for it */
        r->abort = &p->abort;
        if (jobs_submit(e->workspace_jobs, prepare_job, p)) return OK;
        r->resolving = false; /* the queue is full: the sweep finds the run never started; it keeps its slot (INV-7) */
        r->abort = NULL;
    }
    arena_free(&m->arena);
    free(m);
    return err;
}
