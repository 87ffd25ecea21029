/* engine: the thread, its poke and its clock; the passes are in their own files. */
#include "engine/engine.h"

#include "engine/engine_internal.h"

#include "base/log.h"
#include "base/settings.h"

#include <stdlib.h>

static void on_tick(uv_timer_t *t) { engine_step(t->data); }
static void on_poke(uv_async_t *a) { engine_step(a->data); }

static void on_stop(uv_async_t *a)
{
    struct engine *e = a->data;
    uv_stop(&e->loop);
}

void engine_failed(struct engine *e, const char *pass, err_t err)
{
    (void)e;
    log_error("engine", "pass=%s error=\"%s\"", pass, err->message);
}

/* One unit of engine work: its own arena, released after it. */
void engine_unit(struct engine *e)
{
    arena_reset(&e->arena);
    json_arena(&e->arena);
    db_use(e->db, &e->arena);
}

void engine_step(struct engine *e)
{
    (void)e;
}

static void run_loop(void *arg)
{
    struct engine *e = arg;
    engine_unit(e);
    engine_step(e);
    uv_run(&e->loop, UV_RUN_DEFAULT);
}

err_t engine_start(struct arena *a, const struct engine_options *o, struct engine **out)
{
    struct engine *e = calloc(1, sizeof *e);
    if (e == NULL) abort();
    e->opt = *o;
    *out = e;
    TRY(db_open(a, o->store, &e->db));
    uv_loop_init(&e->loop);
    uv_async_init(&e->loop, &e->poke, on_poke);
    uv_async_init(&e->loop, &e->stop, on_stop);
    uv_timer_init(&e->loop, &e->tick);
    e->poke.data = e->stop.data = e->tick.data = e;
    uv_timer_start(&e->tick, on_tick, 1000, 1000);
    if (uv_thread_create(&e->thread, run_loop, e) != 0) return err_new(a, ERR_UNAVAILABLE, "cannot start the engine's thread");
    return OK;
}

void engine_poke(struct engine *e) { uv_async_send(&e->poke); }

void engine_stop(struct engine *e)
{
    uv_async_send(&e->stop);
    uv_thread_join(&e->thread);
    uv_close((uv_handle_t *)&e->poke, NULL);
    uv_close((uv_handle_t *)&e->stop, NULL);
    uv_close((uv_handle_t *)&e->tick, NULL);
    uv_run(&e->loop, UV_RUN_DEFAULT);
    uv_loop_close(&e->loop);
    db_close(e->db);
    arena_free(&e->arena);
    free(e);
}
