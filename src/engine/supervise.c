/*
 * supervise: the links to the shims. Every claimed run has either a link, or a
 * job that finds out what became of it; none is forgotten, for at the start
 * all unclosed runs of this node are taken up again.
 */
#include "base/log.h"
#include "engine/engine_internal.h"
#include "adapter/shim_tree.h"
#include "model/run.h"
#include "model/staleness.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RETRY_MS 100
#define RETRIES_MAX 50
#define KILL_GRACE_MS 2000
#define KILL_LIMIT_MS 30000
#define TAIL_CHUNK 262144
#define CHUNK_SHOWN 8192
#define PROGRESS_EVERY_MS 5000
#define SAVE_EVERY_MS 60000

/* ---- live output: not kept, only shown (AR-74) ---- */

static void publish_line(struct live_run *r, const json_t *line)
{
    struct buf b BUF_AUTO = {0};
    struct jw w;
    const char *chunk = json_str(line, "chunk");
    size_t n = chunk ? strlen(chunk) : 0, skip = n > CHUNK_SHOWN ? n - CHUNK_SHOWN : 0;
    while (chunk && skip < n && ((unsigned char)chunk[skip] & 0xc0) == 0x80) skip++;
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kstr(&w, "runId", r->run_id);
    jw_kstr(&w, "agentId", r->agent_id);
    jw_kstr(&w, "issueId", r->issue_id);
    jw_kstr(&w, "ts", json_str(line, "ts"));
    jw_kint(&w, "seq", json_int(line, "seq", 0));
    jw_kstr(&w, "stream", json_str(line, "stream"));
    jw_kstr(&w, "chunk", chunk ? chunk + skip : "");
    jw_kbool(&w, "truncated", skip > 0);
    jw_obj_end(&w);
    const struct engine_options *o = &r->engine->opt;
    o->publish(o->live_ctx, r->company_id, "heartbeat.run.log", clock_now(), b.data);
}

/* What the log grew by since the last look; far behind, only the end is shown. */
static void tail(struct live_run *r, int64_t size)
{
    const struct engine_options *o = &r->engine->opt;
    if (size <= r->tail_offset) return;
    if (!o->has_listeners(o->live_ctx, r->company_id)) {
        r->tail_offset = size;
        return;
    }
    if (size - r->tail_offset > TAIL_CHUNK) r->tail_offset = size - TAIL_CHUNK;
    int fd = open(r->log_path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    char *text = arena_alloc(&r->engine->arena, TAIL_CHUNK + 1);
    ssize_t n = pread(fd, text, (size_t)(size - r->tail_offset), r->tail_offset);
    close(fd);
    for (char *line = text, *end; n > 0 && (end = memchr(line, '\n', (size_t)(text + n - line))); line = end + 1) {
        json_t *j;
        *end = 0;
        if (json_parse(&r->engine->arena, line, (size_t)(end - line), &j) == OK && json_is_object(j)) publish_line(r, j);
        r->tail_offset += end + 1 - line;
    }
}

static void publish_progress(struct live_run *r, const struct shim_progress *p)
{
    struct buf b BUF_AUTO = {0};
    struct jw w;
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kstr(&w, "runId", r->run_id);
    jw_kstr(&w, "agentId", r->agent_id);
    jw_kstr(&w, "issueId", r->issue_id);
    jw_kstr(&w, "phase", "run_activity");
    jw_kstr(&w, "message", "Receiving agent output");
    jw_knull(&w, "currentToolName");
    jw_knull(&w, "lastAssistantSnippet");
    jw_ktime(&w, "lastEventAt", p->last_output_at);
    jw_ktime(&w, "updatedAt", clock_now());
    jw_obj_end(&w);
    const struct engine_options *o = &r->engine->opt;
    o->publish(o->live_ctx, r->company_id, "heartbeat.run.progress", clock_now(), b.data);
}

struct save {
    struct live_run *r;
    const struct shim_progress *p;
};

static err_t save_progress(struct engine *e, void *arg)
{
    struct save *s = arg;
    int64_t n;
    TRY(agent_beat(e->db, s->r->agent_id));
    return db_exec(e->db, &n,
                   "UPDATE heartbeat_runs SET last_output_at = $2, last_output_seq = $3, last_output_stream = $4, last_output_bytes = $5,"
                   " log_bytes = $5, updated_at = $6 WHERE id = $1 AND status = 'running'",
                   P(V_ID(s->r->run_id), V_TIME(s->p->last_output_at), V_INT(s->p->last_seq), V_TEXT(s->p->last_stream),
                     V_INT(s->p->log_bytes), V_TIME(clock_now())));
}

static void on_progress(struct live_run *r, const struct shim_progress *p)
{
    instant_t now = clock_now();
    tail(r, p->log_bytes);
    if (now - r->progress_sent_at >= PROGRESS_EVERY_MS) {
        r->progress_sent_at = now;
        publish_progress(r, p);
    }
    if (now - r->progress_saved_at < SAVE_EVERY_MS) return;
    r->progress_saved_at = now;
    err_t err = engine_tx(r->engine, r->company_id, save_progress, &(struct save){r, p});
    if (err) engine_failed(r->engine, "progress", err);
}

static err_t save_state(struct engine *e, void *arg)
{
    const struct shim_msg *m = ((void **)arg)[1];
    const struct live_run *r = ((void **)arg)[0];
    int64_t n;
    TRY(agent_beat(e->db, r->agent_id));
    return db_exec(e->db, &n,
                   "UPDATE heartbeat_runs SET process_pid = $2, process_group_id = $3, process_started_at = $4 WHERE id = $1 AND process_pid IS NULL",
                   P(V_ID(r->run_id), V_INT(m->state.pid), V_INT(m->state.pgid), V_TIME(m->state.started_at)));
}

/* ---- news ---- */

struct news {
    bool ended, gone;
    struct live_run *r;
};

static void on_news(void *ctx, const struct shim_msg *m)
{
    struct news *n = ctx;
    switch (m->news) {
    case SHIM_STATE: {
        void *arg[] = {n->r, (void *)(uintptr_t)m};
        err_t err = engine_tx(n->r->engine, n->r->company_id, save_state, arg);
        if (err) engine_failed(n->r->engine, "state", err);
        break;
    }
    case SHIM_PROGRESS: on_progress(n->r, &m->progress); break;
    case SHIM_ENDED: n->ended = true; break;
    case SHIM_GONE: n->gone = true; break;
    }
}

static void on_readable(uv_poll_t *p, int status, int events)
{
    struct live_run *r = p->data;
    struct engine *e = r->engine;
    struct news n = {.r = r};
    (void)events;
    engine_unit(e);
    err_t err = status < 0 ? err_new(&e->arena, ERR_UNAVAILABLE, "poll: %s", uv_strerror(status)) : shim_link_read(&e->arena, &r->link, on_news, &n);
    if (err) log_warn("shim", "run=%s error=\"%s\"", r->run_id, err->message);
    if (n.ended) {
        uv_poll_stop(&r->poll);
        struct shim_exit x;
        bool found;
        if (shim_exit_read(&e->arena, r->run_dir, &x, &found) == OK && found) tail(r, x.output.log_bytes);
        collect_exit(r);
    } else if (n.gone || err) {
        uv_poll_stop(&r->poll);
        shim_link_close(&r->link);
        supervise_resolve(r);
    }
}

err_t supervise_watch(struct live_run *r)
{
    struct engine *e = r->engine;
    if (r->polled) { /* the handle belongs to the old descriptor */
        return err_new(&e->arena, ERR_INTERNAL, "run %s is watched already", r->run_id);
    }
    if (uv_poll_init(&e->loop, &r->poll, r->link.fd) != 0) return err_new(&e->arena, ERR_UNAVAILABLE, "cannot watch the shim of run %s", r->run_id);
    r->polled = true;
    atomic_fetch_add(&e->attached, 1);
    r->poll.data = r;
    uv_poll_start(&r->poll, UV_READABLE, on_readable);
    return OK;
}

/* ---- cancel ---- */

void supervise_cancel(struct engine *e, const char *run_id)
{
    struct live_run *r = live_find(e, run_id);
    if (r == NULL || r->cancel_sent) return;
    if (r->abort) atomic_store(r->abort, true);
    if (r->link.fd < 0) return; /* being resolved, or an HTTP run that looks at abort */
    r->cancel_sent = true;
    if (!shim_link_cancel(&r->link, r->grace_ms)) log_warn("shim", "run=%s cancel was not taken", run_id);
}

/* ---- runs without a link ---- */

struct resolution {
    struct engine_mail *mail;
    struct engine *engine;
    struct live_run *r; /* stays while resolving is set */
};

static void retry_attach(uv_timer_t *t);

static void on_killed(struct engine *e, struct engine_mail *m)
{
    struct live_run *r = live_find(e, m->run_id);
    json_t *orphans = m->data;
    if (r == NULL) return;
    live_drop(r);
    collect_lost(e, m->run_id, orphans ? json_deep_copy(orphans) : NULL);
}

static void kill_job(void *arg)
{
    struct resolution *x = arg;
    struct engine_mail *m = x->mail;
    struct shim_probe probe;
    json_arena(&m->arena);
    err_t err = shim_tree_kill(&m->arena, x->r->run_dir, x->r->run_id, KILL_GRACE_MS, KILL_LIMIT_MS, &probe);
    if (err) log_error("shim", "run=%s its processes could not be ended: %s", x->r->run_id, err->message);
    json_t *list = json_array();
    for (size_t i = 0; err == OK && i < probe.n_survivors; i++) json_array_append_new(list, json_string(probe.survivors[i].command));
    m->data = list;
    json_arena(NULL);
    engine_mail_send(x->engine, m);
    free(x);
}

/* The shim died, its agent did not: nothing may start in its place until the tree is proven empty. */
static void kill_tree(struct live_run *r)
{
    struct resolution *x = calloc(1, sizeof *x);
    if (x == NULL) abort();
    x->engine = r->engine;
    x->r = r;
    x->mail = engine_mail_new(on_killed);
    x->mail->run_id = arena_strdup(&x->mail->arena, r->run_id);
    r->resolving = true;
    if (jobs_submit(r->engine->opt.jobs, kill_job, x)) return;
    arena_free(&x->mail->arena);
    free(x->mail);
    free(x);
    r->resolving = false; /* the queue is full: the sweep asks again */
}

struct retry {
    uv_timer_t timer;
    struct engine *engine;
    char run_id[40];
};

static void retry_closed(uv_handle_t *h) { free(h->data); }

static void retry_attach(uv_timer_t *t)
{
    struct retry *x = t->data;
    struct live_run *r = live_find(x->engine, x->run_id);
    engine_unit(x->engine);
    if (r) supervise_resolve(r);
    uv_close((uv_handle_t *)t, retry_closed);
}

static void resolve_later(struct live_run *r)
{
    struct retry *x = calloc(1, sizeof *x);
    if (x == NULL) abort();
    x->engine = r->engine;
    memcpy(x->run_id, r->run_id, strlen(r->run_id) < sizeof x->run_id ? strlen(r->run_id) : sizeof x->run_id - 1);
    x->timer.data = x;
    uv_timer_init(&r->engine->loop, &x->timer);
    uv_timer_start(&x->timer, retry_attach, RETRY_MS, 0);
}

/* A fresh record under the same run: the old poll handle cannot be reused. */
static struct live_run *renewed(struct live_run *r)
{
    struct engine *e = r->engine;
    struct run run = {.id = arena_strdup(&e->arena, r->run_id), .company_id = arena_strdup(&e->arena, r->company_id),
                      .agent_id = arena_strdup(&e->arena, r->agent_id), .issue_id = arena_strdup(&e->arena, r->issue_id)};
    int64_t grace = r->grace_ms, offset = r->tail_offset;
    int tries = r->resolve_tries;
    live_drop(r);
    r = live_add(e, &run);
    r->grace_ms = grace;
    r->tail_offset = offset;
    r->resolve_tries = tries;
    return r;
}

void supervise_resolve(struct live_run *r)
{
    struct engine *e = r->engine;
    struct shim_probe probe;
    if (r->resolving) return;
    if (r->polled) r = renewed(r);
    err_t err = shim_tree_probe(&e->arena, r->run_dir, r->run_id, &probe);
    if (err) {
        log_error("shim", "run=%s cannot tell its fate: %s", r->run_id, err->message);
        resolve_later(r);
        return;
    }
    switch (probe.fate) {
    case SHIM_FATE_ALIVE:
        err = shim_attach(&e->arena, r->run_dir, &r->link);
        if (err == OK) err = supervise_watch(r);
        if (err && r->resolve_tries++ < RETRIES_MAX) resolve_later(r);
        else if (err) kill_tree(r);
        break;
    case SHIM_FATE_ENDED: collect_exit(r); break;
    case SHIM_FATE_NEVER_STARTED: adopt_unstarted(r); break;
    case SHIM_FATE_TREE_ALIVE: kill_tree(r); break;
    case SHIM_FATE_TREE_EMPTY: {
        const char *id = arena_strdup(&e->arena, r->run_id);
        live_drop(r);
        collect_lost(e, id, NULL);
        break;
    }
    }
}
