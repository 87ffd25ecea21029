/*
 * finalize: the end of a run (EX-50…55, EX-65…67, AR-58, AR-59). One transaction:
 * terminal status by compare-and-set, result, wake, event, retry, release of the
 * locks and promotion of what waited, recovery, agent status. A finalizer that
 * finds the run ended already changes nothing else.
 */
#ifndef BULLDOG_MODEL_FINALIZE_H
#define BULLDOG_MODEL_FINALIZE_H

#include "base/json.h"
#include "store/entity.h"

/* What the adapter reported (AR-57), or what was found after a crash. */
struct run_outcome {
    bool has_exit_code;
    int64_t exit_code;
    const char *signal;     /* SIGKILL … */
    bool timed_out;
    const char *error;      /* message for people, NULL when it went well */
    const char *error_code; /* timeout, adapter_failed, process_lost, setup_failed … */
    const char *error_family; /* transient_upstream, provider_quota or NULL */
    instant_t retry_not_before; /* what the provider said, or nothing (≤ 0) */
    bool process_lost;      /* the processes went without a record: one retry */
    bool interrupted;       /* the server shut it down */
    json_t *result;         /* resultJson, object or NULL */
    const char *summary;    /* text for people, NULL when there is none */
    const char *stdout_excerpt, *stderr_excerpt;
    int64_t timeout_sec;
    bool timeout_configured;
    const char *log_sha256;
    int64_t log_bytes; /* -1: no log */
    instant_t last_output_at, started_at, finished_at;
    int64_t last_output_seq;
    const char *last_output_stream;
    json_t *orphans_killed; /* array of commands or NULL (recorded as resultJson.orphansKilled) */
};

/* The run as it was when it was read; *done false: somebody else ended it first
 * (then only its log, excerpts and exit code are completed). */
err_t run_finalize(struct db *db, struct run *run, const struct run_outcome *o, bool *done) MUST_CHECK;
/* Its processes are proven gone: the next run may start. */
err_t run_close(struct db *db, const char *run_id) MUST_CHECK;

#endif
