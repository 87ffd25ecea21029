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

#include "adapter/shim_record.h"

/* What to run. Lists end with NULL; a NULL list is empty. */
struct shim_spec {
    const char *run_id;
    const char *const *argv; /* execvp, no shell */
    const char *cwd;
    const char *const *env;     /* NAME=VALUE: the whole environment, PAPERCLIP_RUN_ID among it */
    const char *log_path;       /* the run's NDJSON log (AR-71); its directories are made */
    int64_t log_max_bytes;      /* 0: no limit */
    int64_t timeout_ms;         /* 0: none */
    int64_t grace_ms;           /* SIGTERM to SIGKILL; at least SHIM_GRACE_MIN_MS is given */
    const char *const *redact;  /* secret values that must reach no log */
    const char *const *notices; /* "[paperclip] ..." lines that open the log */
    const char *cgroup;         /* cgroup v2 directory or NULL */
    const char *stdin_data;     /* NULL: /dev/null */
    size_t stdin_len;
    bool keep_stragglers; /* killGroupOnExit=false (AR-55) */
    int nice;
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

#endif
