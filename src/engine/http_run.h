/* http_run: runs of the http adapter, on the job pool. */
#ifndef BULLDOG_ENGINE_HTTP_RUN_H
#define BULLDOG_ENGINE_HTTP_RUN_H

#include "engine/launch.h"

struct engine;
err_t http_run_start(struct engine *e, const struct launch *l) MUST_CHECK;

#endif
