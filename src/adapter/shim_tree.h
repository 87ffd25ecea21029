/*
 * shim_tree: what became of a run that no link tells about (after a restart of
 * the server, or when a link broke), and the end of trees without a supervisor.
 *
 * The double failure: the shim was killed while its agent lives on. The run
 * must not be started again until the old tree is proven empty. Survivors are
 * known by the recorded leader (pid + start time + boot id), its session and
 * process group, its cgroup, the run's tag among their limits (shim_proto.h),
 * PAPERCLIP_RUN_ID in their environment, and by descent from any of these. A
 * pid alone is never trusted (AR-65, EX-60).
 */
#ifndef BULLDOG_ADAPTER_SHIM_TREE_H
#define BULLDOG_ADAPTER_SHIM_TREE_H

#include "adapter/shim_link.h"

enum shim_fate {
    SHIM_FATE_NEVER_STARTED, /* no shim, no record: the agent never ran */
    SHIM_FATE_ALIVE,         /* the shim lives: shim_attach */
    SHIM_FATE_ENDED,         /* the exit record is in `exit` */
    SHIM_FATE_TREE_ALIVE,    /* no shim, survivors listed: shim_tree_kill */
    SHIM_FATE_TREE_EMPTY,    /* the shim died without a record and nothing of its tree is left */
};

struct shim_probe {
    enum shim_fate fate;
    bool has_state;
    struct shim_state state; /* when has_state */
    struct shim_exit exit;   /* when ENDED */
    const struct shim_proc *survivors;
    size_t n_survivors;
};

/* Decide what became of the run, from lock, exit record, state and /proc. */
err_t shim_tree_probe(struct arena *a, const char *run_dir, const char *run_id, struct shim_probe *out) MUST_CHECK;

/* Kill every survivor (SIGTERM, grace_ms, then freeze and SIGKILL) and prove
 * that none is left, or fail with ERR_UNAVAILABLE after limit_ms. Blocks: call
 * it on a job thread. `out` is the probe from before the kill: what was found. */
err_t shim_tree_kill(struct arena *a, const char *run_dir, const char *run_id, int64_t grace_ms, int64_t limit_ms,
                     struct shim_probe *out) MUST_CHECK;

#endif
