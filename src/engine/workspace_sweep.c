/*
 * workspace_sweep: the periodic duties about workspaces: what a crash left is
 * settled (WS-94, WS-95), finished ones are closed (WS-123…126), closed ones are
 * taken away (WS-120). Rows say what is due; git is asked on a job thread, and
 * the rows are asked again before anything is written.
 */
#include "engine/workspace.h"

#include "base/log.h"
#include "base/settings.h"
#include "model/run.h"
#include "model/workspace_close.h"
#include "model/workspace_life.h"
#include "workspace/driver.h"
#include "workspace/op_log.h"

#include <stdio.h>
#include <stdlib.h>

#define BATCH 50

/* ---- what a crash left (WS-94, WS-95) ---- */

static void settled(struct engine *e, const char *run_id, void *arg);

static err_t release(struct engine *e, void *arg) { return workspace_released(e->db, arg); }

/* A run that ended long ago and whose workspace nobody looked at. */
static void settle(struct engine *e, const char *run_id)
{
    struct run run;
    struct run_outcome o = {.log_bytes = -1, .last_output_at = INSTANT_NONE};
    bool found;
    err_t err = run_get(e->db, run_id, &run, &found);
    if (err) engine_failed(e, "workspaces", err);
    if (err || !found) return;
    o.error_code = run.error_code;
    if (!workspace_settled(e, &run, &o, true, &(struct settle_again){.fn = settled})) return;
    struct live_run *r = live_find(e, run_id);
    if (r) live_drop(r);
    err = engine_tx(e, run.company_id, release, &run);
    if (err) engine_failed(e, "workspaces", err);
}

static void settled(struct engine *e, const char *run_id, void *arg)
{
    (void)arg;
    settle(e, run_id);
}

static err_t close_stale(struct engine *e, void *arg)
{
    (void)arg;
    return workspace_operations_close_stale(e->db);
}

err_t workspace_settle_pass(struct engine *e)
{
    struct arena keep ARENA_AUTO = {0};
    const char **ids;
    int n;
    if (e->workspace_jobs == NULL) return OK; /* an engine without threads has its own way */
    TRY(engine_tx(e, NULL, close_stale, NULL));
    TRY(workspace_unsettled_runs(e->db, BATCH, &ids, &n));
    const char **kept = arena_array(&keep, const char *, n + 1);
    for (int i = 0; i < n; i++) kept[i] = arena_strdup(&keep, ids[i]);
    for (int i = 0; i < n; i++) {
        if (live_find(e, kept[i])) continue; /* being settled */
        engine_unit(e);
        log_warn("workspace.unsettled", "run=%s", kept[i]);
        settle(e, kept[i]);
    }
    return OK;
}

/* ---- finished ones ---- */

struct retirement {
    struct engine *engine;
    struct engine_mail *mail;
    struct retiree *rows;
    struct tree_facts *trees;
    bool *readable;
    int n;
};

static void retire_job(void *arg)
{
    struct retirement *t = arg;
    json_arena(&t->mail->arena);
    for (int i = 0; i < t->n; i++) {
        const struct retiree *row = &t->rows[i];
        t->readable[i] = true;
        if (!row->worktree) continue;
        err_t err = LOCAL_DRIVER.inspect(&(struct workspace_job){.arena = &t->mail->arena}, row->cwd, row->base_ref,
                                         &t->trees[i]);
        t->readable[i] = err == OK;
    }
    json_arena(NULL);
    engine_mail_send(t->engine, t->mail);
}

struct retire_one {
    const struct retiree *row;
    const struct tree_facts *tree;
    bool closed;
};

static err_t retire_one(struct engine *e, void *arg)
{
    struct retire_one *o = arg;
    return workspace_retire(e->db, o->row->id, o->tree, &o->closed);
}

static void on_inspected(struct engine *e, struct engine_mail *m)
{
    struct retirement *t = m->data;
    e->sweeping[0] = false;
    for (int i = 0; i < t->n; i++) {
        struct retire_one o = {.row = &t->rows[i], .tree = &t->trees[i]};
        if (!t->readable[i]) continue;
        engine_unit(e);
        err_t err = engine_tx(e, t->rows[i].company_id, retire_one, &o);
        if (err) engine_failed(e, "workspaces", err); /* one row's trouble is not the others' */
        if (err == OK && o.closed) log_info("workspace.archived", "workspace=%s", t->rows[i].id);
    }
}

err_t workspace_retire_pass(struct engine *e)
{
    if (e->workspace_jobs == NULL || e->sweeping[0]) return OK;
    struct engine_mail *m = engine_mail_new(on_inspected);
    struct retirement *t = arena_new(&m->arena, struct retirement);
    instant_t last = INSTANT_NONE;
    const char *last_id = NULL;
    json_arena(&m->arena);
    db_use(e->db, &m->arena);
    err_t err = workspace_retirees(e->db, e->retired_at, *e->retired_id ? e->retired_id : NULL, BATCH, &t->rows, &t->n,
                                   &last, &last_id);
    db_use(e->db, &e->arena);
    json_arena(&e->arena);
    if (err) err = err_new(&e->arena, err->kind, "%s", err->message);
    if (err == OK) {
        e->retired_at = last_id ? last : INSTANT_NONE;
        snprintf(e->retired_id, sizeof e->retired_id, "%s", last_id ? last_id : "");
    }
    if (err == OK && t->n > 0) {
        t->engine = e;
        t->mail = m;
        t->trees = arena_array(&m->arena, struct tree_facts, t->n);
        t->readable = arena_array(&m->arena, bool, t->n);
        m->data = t;
        e->sweeping[0] = true;
        if (jobs_submit(e->workspace_jobs, retire_job, t)) return OK;
        e->sweeping[0] = false;
    }
    arena_free(&m->arena);
    free(m);
    return err;
}

/* ---- closed ones ---- */

struct removal {
    struct engine *engine;
    struct engine_mail *mail;
    const char *log_root, *log_ref;
    int64_t log_bytes;
    struct cleaning what;
    bool found;
    struct cleanup_result result;
    err_t err;
};

static void cleanup_job(void *arg)
{
    struct removal *x = arg;
    struct arena *a = &x->mail->arena;
    struct op_log log;
    json_arena(a);
    op_log_open(&log, a, x->log_root, x->what.workspace.company_id, x->what.op.id);
    x->err = LOCAL_DRIVER.cleanup(&(struct workspace_job){.arena = a, .log = &log}, &x->what.request, &x->result);
    if (x->err) op_log_write(&log, "system", x->err->message);
    x->log_ref = log.ref;
    x->log_bytes = log.bytes;
    op_log_close(&log);
    json_arena(NULL);
    engine_mail_send(x->engine, x->mail);
}

static err_t next(struct engine *e, void *arg)
{
    struct removal *x = arg;
    return workspace_cleanup_next(e->db, &x->what, &x->found);
}

static err_t write_end(struct engine *e, void *arg)
{
    struct removal *x = arg;
    return workspace_cleanup_end(e->db, &x->what, &x->result, x->log_ref, x->log_bytes,
                                 x->err ? x->err->message : NULL);
}

static void on_cleaned(struct engine *e, struct engine_mail *m)
{
    struct removal *x = m->data;
    e->sweeping[1] = false;
    err_t err = engine_tx(e, x->what.workspace.company_id, write_end, x);
    if (err) engine_failed(e, "workspaces", err); /* done again, which finds nothing left to do */
    else
        log_info("workspace.cleaned", "workspace=%s cleaned=%d", x->what.workspace.id,
                 x->err == OK && x->result.cleaned);
    err = err ? OK : workspace_cleanup_pass(e);
    if (err) engine_failed(e, "workspaces", err);
}

static const char *const *command_env(struct arena *a, const struct cleaning *c)
{
    const char **more = arena_array(a, const char *, 8);
    int n = 0;
    more[n++] = arena_printf(a, "PAPERCLIP_WORKSPACE_CWD=%s", c->request.cwd ? c->request.cwd : "");
    more[n++] = arena_printf(a, "PAPERCLIP_WORKSPACE_BRANCH=%s", c->request.branch ? c->request.branch : "");
    more[n++] = arena_printf(a, "PAPERCLIP_WORKSPACE_REPO_ROOT=%s", c->request.repo_root ? c->request.repo_root : "");
    more[n++] = arena_printf(a, "PAPERCLIP_COMPANY_ID=%s", c->workspace.company_id);
    more[n++] = arena_printf(a, "PAPERCLIP_PROJECT_ID=%s", c->project_id);
    return workspace_command_env(a, more);
}

/* One after the other: a crowd of closed workspaces does not keep runs waiting for threads. */
err_t workspace_cleanup_pass(struct engine *e)
{
    bool waits;
    if (e->workspace_jobs == NULL || e->sweeping[1]) return OK;
    TRY(workspace_cleanup_waits(e->db, &waits)); /* at every step: a write that does nothing would cost an fsync */
    if (!waits) return OK;
    struct engine_mail *m = engine_mail_new(on_cleaned);
    struct arena *a = &m->arena;
    struct removal *x = arena_new(a, struct removal);
    x->engine = e;
    x->mail = m;
    json_arena(a);
    db_use(e->db, a);
    err_t err = engine_tx(e, NULL, next, x);
    if (err == OK && x->found) {
        x->log_root = workspace_log_root(e, a);
        x->what.request.env = command_env(a, &x->what);
    }
    db_use(e->db, &e->arena);
    json_arena(&e->arena);
    if (err) err = err_new(&e->arena, err->kind, "%s", err->message);
    if (err == OK && x->found) {
        m->data = x;
        e->sweeping[1] = true;
        if (jobs_submit(e->workspace_jobs, cleanup_job, x)) return OK;
        e->sweeping[1] = false;
    }
    arena_free(a);
    free(m);
    return err;
}
