/*
 * workspace_life: a run's workspace from its preparation to its finalize (WS §9):
 * what the driver did becomes rows. Each function is one transaction's part and
 * may be repeated after a crash.
 */
#ifndef BULLDOG_MODEL_WORKSPACE_LIFE_H
#define BULLDOG_MODEL_WORKSPACE_LIFE_H

#include "model/actor.h"
#include "model/workspace_plan.h"

/* What the log of an operation came to. */
struct operation_log {
    const char *ref, *out, *err; /* excerpts */
    int64_t bytes;
};

/* The directory is there: the workspace's row, the binding, the operation's
 * end, the warnings as events of the run (WS-39…43). ERR_UNPROCESSABLE
 * workspace_validation_failed when the result is a failure; the rows are kept. */
err_t workspace_prepared(struct db *db, struct workspace_plan *p, const struct prepare_result *r,
                         const struct operation_log *log, struct execution_workspace *out) MUST_CHECK;
/* The driver could not do it: the operation failed. */
err_t workspace_prepare_failed(struct db *db, struct workspace_plan *p, const struct prepare_result *r,
                               const struct operation_log *log, const char *message) MUST_CHECK;

enum finalize_state {
    FINALIZE_NONE,   /* the run has no workspace */
    FINALIZE_NEEDED, /* *out is what the driver must look at; its row is `running` */
    FINALIZE_DONE,   /* the row is terminal: out->op */
};
struct workspace_ending {
    struct workspace_operation op;
    struct execution_workspace workspace;
    struct finalize_request request;
    const char *driver;
};
/* May write the row. */
err_t workspace_finalize_begin(struct db *db, const struct run *run, enum finalize_state *state,
                               struct workspace_ending *out) MUST_CHECK;
/* why: a failure found elsewhere, or NULL. synthetic: the run ended without the server seeing its end (WS-95). */
err_t workspace_finalize_end(struct db *db, const struct run *run, struct workspace_ending *e,
                             const struct finalize_result *r, const struct operation_log *log,
                             bool synthetic) MUST_CHECK;
/* What a failed finalize says about the run: code and message, or NULL when it succeeded. */
void workspace_finalize_blame(struct arena *a, const struct workspace_operation *op, const char **code,
                              const char **message);

/* WS-94: `running` rows whose run is over, of all phases but finalize and cleanup. */
err_t workspace_operations_close_stale(struct db *db) MUST_CHECK;
/* WS-95: runs that are over and whose workspace was never finalized. */
err_t workspace_unsettled_runs(struct db *db, int limit, const char ***ids, int *n) MUST_CHECK;

/* The run is over: who waited for its workspace to settle is told (WS-88, WS-89). */
err_t workspace_released(struct db *db, const struct run *run) MUST_CHECK;

/* A board user takes the workspace as it is (WS-96): a succeeded finalize by hand. */
err_t workspace_finalize_override(struct db *db, const struct actor *actor, const struct execution_workspace *ws,
                                  const char *reason, struct workspace_operation *out) MUST_CHECK;

#endif
