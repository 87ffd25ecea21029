/*
 * engine: the thread. A step asks every pass what is due; between steps the
 * thread sleeps until a poke, a shim's word, a job's result or the earliest
 * due time.
 */
#include "engine/engine_internal.h"

#include "base/log.h"
#include "base/settings.h"

#include <stdlib.h>
#include <string.h>

#define LEASE_RENEW_MS 5000
#define SLEEP_MAX_MS 30000
#define WORKSPACE_QUEUE_MAX 4096

void engine_failed(struct engine *e, const char *pass, err_t err)
{
    (void)e;
    log_error("engine", "pass=%s error=\"%s\"", pass, err->message);
}

/* ---- mail ---- */

struct engine_mail *engine_mail_new(void (*fn)(struct engine *e, struct engine_mail *m))
{
    struct engine_mail *m = calloc(1, sizeof *m);
    if (m == NULL) abort();
    m->fn = fn;
    return m;
}

void engine_mail_send(struct engine *e, struct engine_mail *m)
{
    pthread_mutex_lock(&e->mail_lock);
    *e->mail_tail = m;
    e->mail_tail = &m->next;
    pthread_mutex_unlock(&e->mail_lock);
    uv_async_send(&e->mail);
}

static void read_mail(struct engine *e)
{
    pthread_mutex_lock(&e->mail_lock);
    struct engine_mail *m = e->mail_head;
    e->mail_head = NULL;
    e->mail_tail = &e->mail_head;
    pthread_mutex_unlock(&e->mail_lock);
    while (m) {
        struct engine_mail *next = m->next;
        engine_unit(e);
        m->fn(e, m);
        arena_free(&m->arena);
        free(m);
        m = next;
    }
}

/* ---- the step ---- */

static void sleep_until_due(struct engine *e)
{
    int64_t ms = engine_due(e) - clock_now();
    if (ms < 1) ms = 1;
    if (ms > SLEEP_MAX_MS) ms = SLEEP_MAX_MS;
    uv_timer_start(&e->timer, e->timer.timer_cb, (uint64_t)ms, 0);
}

void engine_step(struct engine *e)
{
    if (e->stepping) return;
    e->stepping = true;
    engine_passes(e, clock_now());
    e->stepping = false;
    sleep_until_due(e);
}

static void on_timer(uv_timer_t *t) { engine_step(t->data); }
static void on_poke(uv_async_t *a) { engine_step(a->data); }
static void on_mail(uv_async_t *a) { read_mail(a->data); }

static void on_stop(uv_async_t *a)
{
    struct engine *e = a->data;
    uv_stop(&e->loop);
}

static err_t renew(struct engine *e, void *arg)
{
    (void)arg;
    TRY(db_relax(e->db));
    return node_renew(e->db, &e->node);
}

static void on_lease(uv_timer_t *t)
{
    struct engine *e = t->data;
    engine_unit(e);
    err_t err = engine_tx(e, NULL, renew, NULL);
    if (err) engine_failed(e, "lease", err);
}

static void run_loop(void *arg)
{
    struct engine *e = arg;
    supervise_adopt(e);
    engine_step(e);
    uv_run(&e->loop, UV_RUN_DEFAULT);
}

err_t engine_start(struct arena *a, const struct engine_options *o, struct engine **out)
{
    struct engine *e = calloc(1, sizeof *e);
    int64_t adopted = 0;
    if (e == NULL) abort();
    e->opt = *o;
    e->mail_tail = &e->mail_head;
    e->next_retry = e->next_timer = e->next_monitor = e->retired_at = INSTANT_NONE;
    e->next_tick = clock_now() + settings.tick_ms;
    pthread_mutex_init(&e->mail_lock, NULL);
    TRY(db_open(a, o->store, &e->db));
    TRY(engine_enlist(e, &adopted));
    e->node.id = strdup(e->node.id);
    if (e->node.id == NULL) abort();
    if (adopted) log_info("engine.adopted", "runs=%ld", (long)adopted);
    e->workspace_jobs = jobs_start((int)settings.workspace_threads, WORKSPACE_QUEUE_MAX);
    uv_loop_init(&e->loop);
    uv_async_init(&e->loop, &e->poke, on_poke);
    uv_async_init(&e->loop, &e->mail, on_mail);
    uv_async_init(&e->loop, &e->stop, on_stop);
    uv_timer_init(&e->loop, &e->timer);
    uv_timer_init(&e->loop, &e->lease);
    e->poke.data = e->mail.data = e->stop.data = e->timer.data = e->lease.data = e;
    uv_timer_start(&e->timer, on_timer, SLEEP_MAX_MS, 0);
    uv_timer_start(&e->lease, on_lease, LEASE_RENEW_MS, LEASE_RENEW_MS);
    *out = e;
    if (uv_thread_create(&e->thread, run_loop, e) != 0) return err_new(a, ERR_UNAVAILABLE, "cannot start the engine's thread");
    return OK;
}

void engine_poke(struct engine *e) { uv_async_send(&e->poke); }
int engine_attached(const struct engine *e) { return atomic_load(&e->attached); }

static err_t leave(struct engine *e, void *arg)
{
    (void)arg;
    return node_leave(e->db, &e->node);
}

void engine_stop(struct engine *e)
{
    uv_async_send(&e->stop);
    uv_thread_join(&e->thread);
    for (struct live_run *r = e->runs; r; r = r->next)
        if (r->abort) atomic_store(r->abort, true);
    engine_unit(e);
    err_t err = engine_tx(e, NULL, leave, NULL);
    if (err) engine_failed(e, "leave", err);
}

static void drop_mail(struct engine *e)
{
    for (struct engine_mail *m = e->mail_head, *next; m; m = next) {
        next = m->next; /* its run is found again at the next start */
        arena_free(&m->arena);
        free(m);
    }
}

void engine_free(struct engine *e)
{
    jobs_stop(e->workspace_jobs);
    while (e->runs) live_drop(e->runs);
    uv_handle_t *const handles[] = {(uv_handle_t *)&e->poke, (uv_handle_t *)&e->mail, (uv_handle_t *)&e->stop,
                                    (uv_handle_t *)&e->timer, (uv_handle_t *)&e->lease};
    for (size_t i = 0; i < sizeof handles / sizeof *handles; i++) uv_close(handles[i], NULL);
    uv_run(&e->loop, UV_RUN_DEFAULT);
    uv_loop_close(&e->loop);
    drop_mail(e);
    db_close(e->db);
    free((void *)(uintptr_t)e->node.id);
    arena_free(&e->arena);
    pthread_mutex_destroy(&e->mail_lock);
    free(e);
}
