/* record: what is on disk about the run, `state` before and `exit` after. */
#include "shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Write text as file `name`: whole or not at all, durable when asked. */
static int file_begin(struct text *t, const char *temp)
{
    t->len = 0;
    t->error = 0;
    t->fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return t->fd < 0 ? errno : 0;
}

static int file_end(struct text *t, const char *temp, const char *name, bool durable)
{
    text_flush(t);
    int error = t->error;
    if (error == 0 && durable && fsync(t->fd) < 0) error = errno;
    close(t->fd);
    t->fd = -1;
    if (error == 0 && rename(temp, name) < 0) error = errno;
    if (error != 0) unlink(temp);
    if (error == 0 && durable && fsync(SHIM_FD_DIR) < 0 && errno != EINVAL) error = errno;
    return error;
}

void record_state_fields(struct text *t)
{
    text_kint(t, "version", SHIM_PROTO_VERSION);
    text_kstr(t, "runId", run.id);
    text_kint(t, "pid", run.pid);
    text_kint(t, "pgid", run.pid);
    text_kint(t, "start", (int64_t)run.leader.start);
    text_kint(t, "shimPid", run.self.pid);
    text_kint(t, "shimStart", (int64_t)run.self.start);
    text_kstr(t, "bootId", run.boot_id);
    text_ktime(t, "startedAt", run.started_at);
    text_kstr(t, "cgroup", run.cgroup);
}

/* Not yet durable: what it is for, finding processes, does not outlive a boot. */
int record_state(void)
{
    char bytes[2048];
    struct text t = {.p = bytes, .cap = sizeof bytes, .fd = -1};
    int error = file_begin(&t, SHIM_FILE_STATE_TEMP);
    if (error != 0) return error;
    text_puts(&t, "{");
    record_state_fields(&t);
    text_puts(&t, "}\n");
    return file_end(&t, SHIM_FILE_STATE_TEMP, SHIM_FILE_STATE, false);
}

void record_sync_state(void)
{
    int fd = open(SHIM_FILE_STATE, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    fsync(fd);
    fsync(SHIM_FD_DIR);
    close(fd);
}

static const char *path_of_agent(void)
{
    for (size_t i = 0; i < run.spec.n_env; i++)
        if (strncmp(run.spec.env[i], "PATH=", 5) == 0) return run.spec.env[i] + 5;
    return "";
}

static void fields_ending(struct text *t)
{
    char name[32] = "SIG";
    bool ran = run.exited && run.spawn_errno == 0;
    if (ran && WIFEXITED(run.status)) text_kint(t, "exitCode", WEXITSTATUS(run.status));
    if (ran && WIFSIGNALED(run.status)) {
        const char *abbrev = sigabbrev_np(WTERMSIG(run.status));
        if (abbrev) strncat(name, abbrev, sizeof name - 4);
        text_kstr(t, "signal", name);
    }
    if (run.spawn_errno != 0) {
        const char *error = strerrorname_np(run.spawn_errno);
        text_puts(t, ",\"spawnError\":{");
        text_kstr(t, "code", error ? error : "EUNKNOWN");
        text_kstr(t, "stage", run.spawn_stage);
        text_kstr(t, "command", run.spec.argv ? run.spec.argv[0] : "");
        text_kstr(t, "cwd", run.spec.cwd ? run.spec.cwd : "");
        text_kstr(t, "path", path_of_agent());
        text_puts(t, "}");
    }
    text_kbool(t, "timedOut", run.timed_out);
    text_kbool(t, "cancelled", run.cancelled);
    text_kbool(t, "cancelledBySignal", run.cancelled_by_signal);
}

static void fields_output(struct text *t)
{
    text_ktime(t, "lastOutputAt", run.last_output_at);
    text_kstr(t, "lastOutputStream", run.last_stream < 0 ? NULL : run.last_stream == STREAM_OUT ? "stdout" : "stderr");
    text_kint(t, "lastSeq", run_log.seq);
    text_kint(t, "logBytes", run_log.bytes);
    text_kint(t, "droppedBytes", run_log.dropped);
    text_kstr(t, "logError", run_log.error ? strerrorname_np(run_log.error) : NULL);
    text_kint(t, "stdoutBytes", streams[STREAM_OUT].bytes);
    text_kint(t, "stderrBytes", streams[STREAM_ERR].bytes);
    text_kbool(t, "stdoutDetached", streams[STREAM_OUT].detached);
    text_kbool(t, "stderrDetached", streams[STREAM_ERR].detached);
}

static void fields_orphans(struct text *t)
{
    text_kbool(t, "orphansLeft", run.stragglers_left);
    text_kint(t, "orphansTotal", orphans.total);
    text_puts(t, ",\"orphans\":[");
    for (size_t i = 0; i < orphans.n; i++) {
        text_puts(t, i ? ",{" : "{");
        text_kint(t, "pid", orphans.list[i].id.pid);
        text_kint(t, "start", (int64_t)orphans.list[i].id.start);
        text_kstr(t, "command", orphans.list[i].command);
        text_puts(t, "}");
    }
    text_puts(t, "]");
}

int record_exit(bool with_excerpts)
{
    struct text *t = log_scratch();
    int error = file_begin(t, SHIM_FILE_EXIT_TEMP);
    if (error != 0) return error;
    text_puts(t, "{");
    record_state_fields(t);
    fields_ending(t);
    text_ktime(t, "leaderExitedAt", run.leader_exited_at);
    text_ktime(t, "finishedAt", run.finished_at);
    fields_output(t);
    fields_orphans(t);
    text_puts(t, ",\"stdoutExcerpt\":\"");
    if (with_excerpts) excerpt_json(STREAM_OUT, t);
    text_puts(t, "\",\"stderrExcerpt\":\"");
    if (with_excerpts) excerpt_json(STREAM_ERR, t);
    text_puts(t, "\"}\n");
    return file_end(t, SHIM_FILE_EXIT_TEMP, SHIM_FILE_EXIT, true);
}
