/*
 * shim.h: the inside of bulldog-shim, the supervisor of one run.
 *
 * One process, one thread, one poll loop (main.c). Around it, in the order a
 * run meets them: spec.c reads what to do, spawn.c starts the agent, pump.c
 * moves its output through redact.c into log.c, link.c talks to the server,
 * reap.c ends the tree and proves it empty, record.c writes state and exit.
 * Memory is static, but for the spec's pointers and the secrets to redact.
 */
#ifndef BULLDOG_SHIM_SHIM_H
#define BULLDOG_SHIM_SHIM_H

#include "shim/shim_proto.h"

#include <stddef.h>
#include <sys/types.h>

enum stream_id { STREAM_OUT, STREAM_ERR, STREAM_SYSTEM };
#define STREAMS 2 /* those the agent writes */

/* text.c: a bounded text that is written to fd when full (fd < 0: cut). */
struct text {
    char *p;
    size_t len, cap;
    int fd;
    int error; /* errno of the first failed write */
};
void text_add(struct text *t, const char *p, size_t n);
void text_puts(struct text *t, const char *s);
void text_int(struct text *t, int64_t v);
void text_time(struct text *t, int64_t unix_ms); /* 2026-11-21T01:20:53.707Z */
/* The bytes as the inside of a JSON string; broken UTF-8 and NUL become U+FFFD. */
void text_json(struct text *t, const char *p, size_t n);
/* ,"key":value after the first; strings are quoted, NULL gives null. */
void text_kstr(struct text *t, const char *key, const char *s);
void text_kint(struct text *t, const char *key, int64_t v);
void text_kbool(struct text *t, const char *key, bool v);
void text_ktime(struct text *t, const char *key, int64_t unix_ms); /* 0 gives null */
void text_flush(struct text *t);
/* Length of text_json's result for one character, and how many bytes it takes. */
size_t text_json_width(const char *p, size_t n, size_t *taken);
/* How many of the n bytes end in whole characters. */
size_t utf8_whole(const char *p, size_t n);

int write_all(int fd, const char *p, size_t n);                       /* 0 or errno */
ssize_t read_small(int dir, const char *path, char *buf, size_t cap); /* NUL-terminated; -1 */
void memory_trim(char *p, size_t n);                                  /* an idle buffer's pages go back to the kernel */
int64_t wall_ms(void);
int64_t mono_ms(void);

/* spec.c: the order, pointing into the spec's bytes. */
struct spec {
    char **argv, **env;
    const char **redact, **notice;
    size_t n_argv, n_env, n_redact, n_notice;
    const char *cwd, *log, *cgroup, *stdin_data;
    int64_t timeout_ms, grace_ms, log_max;
    int nice;
    bool keep_stragglers;
    char *base; /* the mapping */
    size_t size;
    void *lists;
};
/* NULL, or what is wrong with it. */
const char *spec_parse(struct spec *s, char *base, size_t size);
const char *spec_load(struct spec *s, int fd);
void spec_release(struct spec *s);

/* redact.c: takes secrets out of a byte stream. */
struct redact {
    int swallowing;           /* inside a token already replaced */
    unsigned char before[16]; /* the bytes before the next one */
};
typedef void emit_fn(void *ctx, const char *p, size_t n);
void redact_setup(const char *const *values, size_t n);
/* Emits what is certain and returns how many bytes it took; the rest may be
 * the start of a secret: give it again with more behind it, or with final. */
size_t redact_scan(struct redact *r, const char *p, size_t n, bool final, emit_fn *emit, void *ctx);
/* A text of its own, cut to fit, NUL-terminated. */
void redact_text(const char *p, size_t n, char *out, size_t cap);
#define REDACT_HOLD_MAX 8192 /* never leaves more than this, nor all of a longer input */

/* log.c: the run's NDJSON log (AR-71) and the excerpts. */
struct log {
    int fd;
    int64_t bytes, max, seq, dropped;
    int error;  /* errno of the last failed write */
    bool full;  /* the limit is reached: everything more is dropped */
    int64_t ts; /* wall clock of the output being logged */
};
extern struct log run_log;
int log_open(const char *path, int64_t max); /* 0 or errno */
void log_chunk(enum stream_id stream, const char *p, size_t n);
void log_drop(size_t n); /* output that never became a chunk */
void log_flush(void);
void log_trim(void);
void log_close(void); /* says how much was dropped, and makes it durable */
void excerpt_add(enum stream_id stream, const char *p, size_t n);
void excerpt_json(enum stream_id stream, struct text *t);
struct text *log_scratch(void); /* the log's buffer, for record.c after log_close */

/* pump.c: from the agent's pipes to the log. */
struct stream {
    int fd; /* -1: at its end */
    int64_t bytes;
    bool detached; /* was still held by somebody when we closed it */
    struct redact redact;
    size_t n_hold, n_line;
    int64_t line_since; /* when the unfinished line began, mono ms */
};
extern struct stream streams[STREAMS];
void pump_setup(int out_fd, int err_fd);
/* Read once; false at the end of the stream. */
bool pump_read(enum stream_id id);
void pump_flush_due(int64_t now); /* unfinished lines older than 200 ms */
int64_t pump_next_flush(void);    /* when the next is due; INT64_MAX */
void pump_close(void);            /* take what is there, then close both */
void pump_trim(void);             /* idle: give the buffers back to the kernel */

/* reap.c: the agent's tree. */
bool proc_read(pid_t pid, struct proc_stat *out); /* /proc/<pid>/stat */
struct orphan {
    struct proc_stat id;
    char command[SHIM_COMMAND_MAX];
};
struct orphans {
    struct orphan list[SHIM_ORPHANS_MAX];
    size_t n;
    int64_t total;
};
extern struct orphans orphans;
void tree_note(pid_t skip_group);                      /* list everybody alive, but for that group */
void tree_signal(int sig);                             /* everybody, once */
void tree_kill(void);                                  /* freeze all of it, then SIGKILL */
bool tree_empty(void);                                 /* no child (we are the subreaper), cgroup not populated */
const char *cgroup_enter(const char *path, pid_t pid); /* NULL: not in use */
void cgroup_leave(void);

/* The run. */
struct run {
    const char *id;
    struct spec spec;
    pid_t pid;
    struct proc_stat leader; /* the agent as recorded */
    struct proc_stat self;
    char boot_id[40];
    const char *cgroup;
    int exec_fd;     /* tells of a failed exec; -1 when settled */
    int status;      /* of waitpid */
    bool exited;     /* the leader has */
    int spawn_errno; /* and why it never started */
    const char *spawn_stage;
    bool timed_out, cancelled, cancelled_by_signal;
    bool stragglers_left;
    int64_t started_at, leader_exited_at, finished_at; /* wall ms */
    int64_t last_output_at;
    int last_stream;   /* stream_id, -1 */
    const char *phase; /* the state's name, for the server */
    bool recorded;     /* the exit record is on disk */
};
extern struct run run;

/* spawn.c. False: run.spawn_errno and spawn_stage say why. */
bool agent_start(void);
/* Read the exec pipe: true when settled, either way. */
bool agent_exec_settled(void);

/* record.c */
int record_state(void); /* 0 or errno */
int record_exit(bool with_excerpts);
void record_state_fields(struct text *t);
void record_sync_state(void);

/* link.c: one server at a time, and it never makes us wait. */
enum said { SAID_NOTHING, SAID_CANCEL, SAID_ACK, SAID_GONE };
extern int link_listen_fd, link_fd;
int link_setup(void); /* 0 or errno */
void link_accept(void);
/* Take one message; SAID_NOTHING when there is no (more) complete one. */
enum said link_read(int64_t *grace_ms);
void link_tell_exit(void);
void link_progress_due(int64_t now);
int64_t link_next_progress(void);
bool link_wants_write(void);
void link_write(void);
void link_news(void); /* there is progress to tell */

#endif
