/*
 * shim_link: the server's side of a run's supervisor (bulldog-shim).
 *
 * Start a run, attach to one that is already going, hear its progress, cancel
 * it, collect its end. Nothing here blocks: the owner polls `fd` for reading
 * and calls shim_link_read. A link may be dropped at any time; the run goes on
 * and can be attached again. What became of a run without a link is answered
 * by shim_tree.h.
 *
 * Every function that parses makes `a` this thread's JSON arena (base/json.h).
 */
#ifndef BULLDOG_ADAPTER_SHIM_LINK_H
#define BULLDOG_ADAPTER_SHIM_LINK_H

#include "base/clock.h"
#include "base/err.h"
#include "shim/shim_proto.h"

#include <sys/types.h>

/* What to run. Lists end with NULL; a NULL list is empty. */
struct shim_spec {
    const char *run_id;
    const char *const *argv; /* execvp, no shell */
    const char *cwd;
    const char *const *env; /* NAME=VALUE: the whole environment, PAPERCLIP_RUN_ID among it */
    const char *log_path;   /* the run's NDJSON log (AR-71); its directories are made */
    int64_t log_max_bytes;  /* 0: no limit */
    int64_t timeout_ms;     /* 0: none */
    int64_t grace_ms;       /* SIGTERM to SIGKILL; at least SHIM_GRACE_MIN_MS is given */
    const char *const *redact;  /* secret values that must reach no log */
    const char *const *notices; /* "[paperclip] ..." lines that open the log */
    const char *cgroup;         /* cgroup v2 directory or NULL */
    const char *stdin_data;     /* NULL: /dev/null */
    size_t stdin_len;
    bool keep_stragglers; /* killGroupOnExit=false (AR-55) */
    int nice;
};

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
    int64_t stdout_bytes, stderr_bytes; /* raw bytes read from the agent */
    bool stdout_detached, stderr_detached; /* a pipe was still held when it was closed */
    const char *log_error;                 /* errno name of the last failed log write */
    const struct shim_proc *orphans; /* stragglers that were killed, the first SHIM_ORPHANS_MAX */
    size_t n_orphans;
    int64_t orphans_total;
    bool orphans_left; /* they were left alive, as keep_stragglers asks */
    const char *stdout_excerpt, *stderr_excerpt;
};

enum shim_news {
    SHIM_STATE,    /* answer to attach: `state` */
    SHIM_PROGRESS, /* `progress`, at most every 50 ms */
    SHIM_ENDED,    /* the exit record is on disk: shim_exit_read, then shim_link_ack */
    SHIM_GONE,     /* the connection is over: close the link and ask shim_tree_probe */
};

struct shim_msg {
    enum shim_news news;
    struct shim_state state;
    struct shim_progress progress;
};
typedef void shim_msg_fn(void *ctx, const struct shim_msg *msg);

struct shim_link {
    int fd;        /* -1 when closed; poll it for reading */
    pid_t starter; /* our child that forked the shim, until it is reaped; 0 */
    size_t n_in;
    char in[SHIM_MESSAGE_MAX];
};

/* The bulldog-shim that belongs to this server: beside its own binary. */
const char *shim_path_find(struct arena *a);

/* Start a run. The run directory (made when missing) must not hold a living
 * shim: ERR_CONFLICT. On success `link` is attached and its first news is
 * SHIM_STATE, or SHIM_ENDED at once when the agent could not be started. */
err_t shim_spawn(struct arena *a, const char *shim_path, const char *run_dir, const struct shim_spec *spec,
                 struct shim_link *link) MUST_CHECK;

/* Attach to a living shim; any other link to it is cut. ERR_UNAVAILABLE: it
 * does not answer (it is just starting or just ended): probe and try again. */
err_t shim_attach(struct arena *a, const char *run_dir, struct shim_link *link) MUST_CHECK;

/* Take what the shim has said; fn is called once per message. */
err_t shim_link_read(struct arena *a, struct shim_link *link, shim_msg_fn *fn, void *ctx) MUST_CHECK;

/* Ask for the run's end: SIGTERM to the tree, SIGKILL after grace_ms. The news
 * comes as SHIM_ENDED. False: the link is dead. */
bool shim_link_cancel(struct shim_link *link, int64_t grace_ms) MUST_CHECK;
/* The exit record is collected; the shim ends. Best effort. */
void shim_link_ack(struct shim_link *link);
void shim_link_close(struct shim_link *link); /* the run goes on; idempotent */

/* The records in a run directory. found=false: there is none (yet). */
err_t shim_state_read(struct arena *a, const char *run_dir, struct shim_state *out, bool *found) MUST_CHECK;
err_t shim_exit_read(struct arena *a, const char *run_dir, struct shim_exit *out, bool *found) MUST_CHECK;
/* Remove the directory of a run that has ended and is collected. */
err_t shim_run_dir_remove(struct arena *a, const char *run_dir) MUST_CHECK;

#endif
