/*
 * dispatch: queued runs become running ones. Each agent's claim is one
 * transaction; what was claimed is started after its commit. A claim whose
 * start is lost to a crash is found at the next start, as never started.
 */
#include "engine/engine_internal.h"

#include "base/log.h"
#include "base/rare.h"
#include "base/settings.h"
#include "model/claim.h"
#include "model/suppression.h"

#include <unistd.h>

#define PAGE 128
#define PAGES_MAX 32

struct claim_job {
    const char *agent_id;
    struct claim_scope scope;
    struct run *started;
    int n;
};

static err_t claim(struct engine *e, void *arg)
{
    struct claim_job *j = arg;
    return claim_agent(e->db, j->agent_id, &j->scope, &j->started, &j->n);
}

static int64_t slots_left(const struct engine *e)
{
    static long cpus; /* asked once: the answer is read from a file */
    int64_t max = settings.runs_max;
    if (cpus == 0) cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (max == 0) max = cpus > 4 ? cpus : 4;
    return max - e->run_count;
}

/* The ids outlive the unit of work they were read in. */
static int read_page(struct engine *e, struct arena *keep, int size, int offset, const char ***agents,
                     const char ***companies)
{
    int n;
    engine_unit(e);
    err_t err = claim_candidates(e->db, size, offset, agents, companies, &n);
    if (err) {
        engine_failed(e, "dispatch", err);
        return 0;
    }
    const char **a = arena_array(keep, const char *, n + 1), **c = arena_array(keep, const char *, n + 1);
    for (int i = 0; i < n; i++) {
        a[i] = arena_strdup(keep, (*agents)[i]);
        c[i] = arena_strdup(keep, (*companies)[i]);
    }
    *agents = a;
    *companies = c;
    return n;
}

/* Returns how many runs of the agent were started. */
static int dispatch_agent(struct engine *e, const char *agent_id, const char *company_id)
{
    struct claim_job j = {.agent_id = agent_id, .scope = {.node = &e->node, .slots_left = slots_left(e)}};
    engine_unit(e);
    err_t err = engine_tx(e, company_id, claim, &j);
    if (err) {
        engine_failed(e, "dispatch", err);
        return 0;
    }
    for (int i = 0; i < j.n; i++) launch_run(e, &j.started[i]);
    return j.n;
}

void dispatch_pass(struct engine *e)
{
    struct arena keep ARENA_AUTO = {0};
    int size = (int)rare_value("dispatch.page", PAGE, 1);
    if (scheduling_suppressed()) return;
    for (int page = 0, offset = 0; page < PAGES_MAX && slots_left(e) > 0; page++) {
        const char **agents, **companies;
        int n = read_page(e, &keep, size, offset, &agents, &companies);
        for (int i = 0; i < n && slots_left(e) > 0; i++)
            if (dispatch_agent(e, agents[i], companies[i]) == 0) offset++; /* it waits for something: look past it */
        if (n < size) break;
        arena_reset(&keep);
    }
}
