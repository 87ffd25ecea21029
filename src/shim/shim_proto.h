/*
 * shim_proto: what the server and bulldog-shim agree on. Both sides include
 * this file and it includes nothing of ours, so the same shim can sit on an
 * SSH host or in a container.
 *
 * Start. The server starts `bulldog-shim <runId>` with
 *   fd 3  the run spec, a memfd (secrets never touch the disk or argv)
 *   fd 4  the run directory, O_DIRECTORY
 *   fd 5  one end of a stream socketpair: the shim's first connection
 *   fd 6  `lock` in the run directory, already flock'ed. The lock belongs to
 *         the open file, so it is held without a gap from before the spawn
 *         until the shim ends: a free lock proves that no shim lives.
 *
 * Spec. Records `key=value`, each ended by a NUL byte. Unknown keys are
 * ignored, so either side may be the newer one.
 *
 * Run directory. `lock`, `sock` (mode 0600), `state` (JSON, written before the
 * agent's exec), `exit` (JSON, written once the agent's whole tree is gone).
 * Both files appear by rename, never half-written.
 *
 * Log. Only the shim writes it while it lives. A reader takes whole lines: the
 * last one may still be growing, or stay torn where the shim was killed.
 *
 * Messages. Lines. To the shim: a word and arguments (`cancel 5000`). From the
 * shim: one JSON object with "type", at most SHIM_MESSAGE_MAX bytes.
 */
#ifndef BULLDOG_SHIM_PROTO_H
#define BULLDOG_SHIM_PROTO_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SHIM_PROTO_VERSION 1

enum shim_fd { SHIM_FD_SPEC = 3, SHIM_FD_DIR = 4, SHIM_FD_CONN = 5, SHIM_FD_LOCK = 6 };

#define SHIM_FILE_LOCK "lock"
#define SHIM_FILE_SOCK "sock"
#define SHIM_FILE_STATE "state"
#define SHIM_FILE_EXIT "exit"
#define SHIM_FILE_STATE_TEMP "state.tmp"
#define SHIM_FILE_EXIT_TEMP "exit.tmp"

/* Spec keys. */
#define SHIM_KEY_ARG "arg" /* repeated: the agent's argv; execvp, no shell */
#define SHIM_KEY_CWD "cwd"
#define SHIM_KEY_ENV "env"                 /* repeated NAME=VALUE: the whole environment */
#define SHIM_KEY_TIMEOUT "timeout_ms"      /* 0: none */
#define SHIM_KEY_GRACE "grace_ms"          /* between SIGTERM and SIGKILL */
#define SHIM_KEY_LOG "log"                 /* path of the NDJSON log */
#define SHIM_KEY_LOG_MAX "log_max_bytes"   /* 0: no limit */
#define SHIM_KEY_REDACT "redact"           /* repeated: exact secret values */
#define SHIM_KEY_NOTICE "notice"           /* repeated: written first, as stdout records (AR-50) */
#define SHIM_KEY_CGROUP "cgroup"           /* cgroup v2 directory, made when missing; best effort */
#define SHIM_KEY_STDIN "stdin"             /* the agent's stdin; absent: /dev/null */
#define SHIM_KEY_KILL "kill_group_on_exit" /* 0: leave stragglers alone (AR-55) */
#define SHIM_KEY_NICE "nice"               /* added to the agent's niceness */

/* Server to shim. */
#define SHIM_SAY_HELLO "hello"   /* answered by a state message, and exit when it has ended */
#define SHIM_SAY_CANCEL "cancel" /* [grace_ms] */
#define SHIM_SAY_ACK "ack"       /* the exit record is collected; the shim may go */

/* Shim to server: values of "type". */
#define SHIM_TELL_STATE "state"
#define SHIM_TELL_PROGRESS "progress"
#define SHIM_TELL_EXIT "exit" /* the record itself is the file `exit` */

#define SHIM_MESSAGE_MAX 1024
#define SHIM_GRACE_MIN_MS 1000 /* AR-55, AR-63 */
#define SHIM_DRAIN_MS 2000     /* after the leader's exit, for the pipes (AR-55) */
#define SHIM_CHUNK_MAX 65536   /* bytes of one log record's chunk (AR-71) */
#define SHIM_EXCERPT_MAX 32768 /* per stream (AR-69) */
#define SHIM_ORPHANS_MAX 20    /* listed in the exit record; the count is exact */
#define SHIM_COMMAND_MAX 200   /* bytes of a listed command */
#define SHIM_REDACT_MIN 4      /* shorter values would blank ordinary text */
#define SHIM_REDACTED "***REDACTED***"
#define SHIM_RUN_ENV "PAPERCLIP_RUN_ID"
#define SHIM_OOM_AGENT "800" /* killed first when memory ends, */
#define SHIM_OOM_SHIM "400"  /* then the shim, the server last */

/* Every process of a run carries this number as its limit of file locks: a
 * limit Linux has not enforced since 2.4, but which is inherited by whoever
 * forks, whatever it does to its session or environment, and is written in
 * /proc/<pid>/limits. It finds those who lost everything else. */
#define SHIM_TAG_LIMITS_LINE "Max file locks"
static inline uint64_t shim_run_tag(const char *run_id)
{
    uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */
    for (; *run_id; run_id++) h = (h ^ (unsigned char)*run_id) * UINT64_C(1099511628211);
    return (h >> 2) | UINT64_C(1) << 61; /* large, and not "unlimited" */
}

/* What identifies a process for good: its pid together with its start time. */
struct proc_stat {
    int32_t pid, ppid, pgid, sid;
    uint64_t start; /* clock ticks since boot: field 22 */
    int32_t threads;
    char state;
};

/* Parse the text of /proc/<pid>/stat. The command name may hold anything, so
 * the fields are counted from its last parenthesis. */
static inline bool proc_stat_parse(const char *text, struct proc_stat *out)
{
    const char *p = strrchr(text, ')');
    if (p == NULL || p[1] != ' ' || p[2] == '\0') return false;
    *out = (struct proc_stat){.pid = (int32_t)strtol(text, NULL, 10), .state = p[2]};
    p += 3;
    for (int field = 4; field <= 22; field++) {
        while (*p == ' ') p++;
        if (field == 4) out->ppid = (int32_t)strtol(p, NULL, 10);
        if (field == 5) out->pgid = (int32_t)strtol(p, NULL, 10);
        if (field == 6) out->sid = (int32_t)strtol(p, NULL, 10);
        if (field == 20) out->threads = (int32_t)strtol(p, NULL, 10);
        if (field == 22) out->start = strtoull(p, NULL, 10);
        while (*p != '\0' && *p != ' ') p++;
    }
    return out->pid > 0 && out->start > 0;
}

/* A process whose main thread has ended lives on in its other threads. */
static inline bool proc_is_dead(const struct proc_stat *p)
{
    return (p->state == 'Z' && p->threads <= 1) || p->state == 'X';
}

#endif
