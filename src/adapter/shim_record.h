/*
 * shim_record: what a supervisor records about its run, as structs: who the
 * agent is, how far its output is, how the run ended.
 */
#ifndef BULLDOG_ADAPTER_SHIM_RECORD_H
#define BULLDOG_ADAPTER_SHIM_RECORD_H

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "shim/shim_proto.h"

#include <sys/types.h>

/* A process that is what its pid says only while its start time agrees. */
struct shim_proc {
    pid_t pid;
    uint64_t start;
    const char *command;
};

/* The run as recorded before the agent's exec. */
struct shim_state {
    pid_t pid, pgid; /* the agent; it leads its own session and group */
    uint64_t start;
    pid_t shim_pid;
    uint64_t shim_start;
    const char *boot_id;
    const char *cgroup; /* NULL when none is in use */
    instant_t started_at;
};

struct shim_progress {
    const char *phase; /* "running", "ending", "draining", "reaping", "killing", "closing"; NULL in a record */
    int64_t log_bytes, last_seq, dropped_bytes;
    instant_t last_output_at;
    const char *last_stream; /* "stdout", "stderr" or NULL */
};

/* The run's end. Exactly one of exited, signal, spawn_error says how. */
struct shim_exit {
    bool exited;
    int exit_code;
    const char *signal;           /* "SIGKILL" or NULL */
    const char *spawn_error;      /* errno name ("ENOENT") or NULL */
    const char *spawn_stage;      /* "cwd", "exec", "log", ... */
    const char *spawn_error_text; /* for people (AR-55) */
    bool timed_out, cancelled;
    bool cancelled_by_signal; /* somebody sent the shim itself a SIGTERM */
    pid_t pid;
    instant_t started_at, leader_exited_at, finished_at;
    struct shim_progress output;
    int64_t stdout_bytes, stderr_bytes;    /* raw bytes read from the agent */
    bool stdout_detached, stderr_detached; /* a pipe was still held when it was closed */
    const char *log_error;                 /* errno name of the last failed log write */
    const struct shim_proc *orphans;       /* stragglers that were killed, the first SHIM_ORPHANS_MAX */
    size_t n_orphans;
    int64_t orphans_total;
    bool orphans_left; /* they were left alive, as keep_stragglers asks */
    const char *stdout_excerpt, *stderr_excerpt;
};

/* The records in a run directory. found=false: there is none (yet). */
err_t shim_state_read(struct arena *a, const char *run_dir, struct shim_state *out, bool *found) MUST_CHECK;
err_t shim_exit_read(struct arena *a, const char *run_dir, struct shim_exit *out, bool *found) MUST_CHECK;
/* Remove the directory of a run that has ended and is collected. */
err_t shim_run_dir_remove(struct arena *a, const char *run_dir) MUST_CHECK;

/* The same from parsed JSON. Absent fields read as zero, NULL or INSTANT_NONE;
 * texts live where j lives. */
void shim_state_parse(const json_t *j, struct shim_state *out);
void shim_progress_parse(const json_t *j, struct shim_progress *out);
void shim_exit_parse(struct arena *a, const json_t *j, struct shim_exit *out);

#endif
