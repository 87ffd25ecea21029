/* engine_internal: what the engine's files share. */
#ifndef BULLDOG_ENGINE_INTERNAL_H
#define BULLDOG_ENGINE_INTERNAL_H

#include "base/json.h"
#include "engine/engine.h"

#include <uv.h>

struct engine {
    struct engine_options opt;
    struct arena arena; /* of the current unit of work */
    struct db *db;
    uv_loop_t loop;
    uv_thread_t thread;
    uv_async_t poke, stop;
    uv_timer_t tick;
};

void engine_step(struct engine *e);
void engine_unit(struct engine *e);
void engine_failed(struct engine *e, const char *pass, err_t err);

#endif
