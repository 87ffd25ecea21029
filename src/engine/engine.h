/*
 * engine: the reconciler. One thread; it asks again and again "what is due?" and
 * moves rows forward in small transactions (the database is the truth). A poke
 * after a commit makes it prompt, a timer makes it sure. It never blocks:
 * waiting work runs on the job pool, processes live under shims.
 */
#ifndef BULLDOG_ENGINE_ENGINE_H
#define BULLDOG_ENGINE_ENGINE_H

#include "base/err.h"
#include "base/jobs.h"
#include "store/db.h"

struct engine_options {
    struct store *store;
    /* The live hub, seen from here: an event that is not kept, and whether anybody listens. */
    void (*publish)(void *ctx, const char *company_id, const char *type, instant_t created_at, const char *payload);
    bool (*has_listeners)(void *ctx, const char *company_id);
    void *live_ctx;
    struct jobs *jobs;
    const char *data_dir;
    const char *api_url; /* given to agents */
    const char *jwt_secret;
    const char *shim_path;
    const char *cgroup_dir; /* where runs get a cgroup each; NULL: they get none */
    const char *listen_host;
    int listen_port;
};

struct engine;
/* Starts the thread, which first takes over the runs of dead servers of this data directory. */
err_t engine_start(struct arena *a, const struct engine_options *o, struct engine **out) MUST_CHECK;
void engine_poke(struct engine *e); /* any thread */
/* Runs whose supervisor this server listens to; any thread. */
int engine_attached(const struct engine *e);
/* Is it still finding out what became of the runs of its predecessors? Any thread. */
bool engine_recovering(const struct engine *e);
/* Ends the thread; runs go on under their shims and are found again at the next
 * start. Jobs of the engine may still be at work: stop the job pool, then free. */
void engine_stop(struct engine *e);
void engine_free(struct engine *e);

#endif
