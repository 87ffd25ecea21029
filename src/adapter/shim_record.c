/* shim_record: state and exit records of a run, and its directory's end. */
#include "adapter/shim_record.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define RECORD_MAX (1 << 20) /* two excerpts, every byte escaped, fit in half of it */

static instant_t time_field(const json_t *j, const char *key)
{
    instant_t t;
    return instant_parse(json_str(j, key), &t) ? t : INSTANT_NONE;
}

void shim_state_parse(const json_t *j, struct shim_state *out)
{
    *out = (struct shim_state){
        .pid = (pid_t)json_int(j, "pid", 0),
        .pgid = (pid_t)json_int(j, "pgid", 0),
        .start = (uint64_t)json_int(j, "start", 0),
        .shim_pid = (pid_t)json_int(j, "shimPid", 0),
        .shim_start = (uint64_t)json_int(j, "shimStart", 0),
        .boot_id = json_str(j, "bootId"),
        .cgroup = json_str(j, "cgroup"),
        .started_at = time_field(j, "startedAt"),
    };
}

void shim_progress_parse(const json_t *j, struct shim_progress *out)
{
    *out = (struct shim_progress){
        .phase = json_str(j, "phase"),
        .log_bytes = json_int(j, "logBytes", 0),
        .last_seq = json_int(j, "lastSeq", 0),
        .dropped_bytes = json_int(j, "droppedBytes", 0),
        .last_output_at = time_field(j, "lastOutputAt"),
        .last_stream = json_str(j, "lastOutputStream"),
    };
}

static void spawn_error_parse(struct arena *a, const json_t *e, struct shim_exit *out)
{
    if (!json_is_object(e)) return;
    const char *command = json_str(e, "command"), *cwd = json_str(e, "cwd"), *path = json_str(e, "path");
    out->spawn_error = json_str(e, "code");
    out->spawn_stage = json_str(e, "stage");
    out->spawn_error_text = arena_printf(
        a, "Failed to start command \"%s\" in \"%s\". Verify adapter command, working directory, and PATH (%s).",
        command ? command : "", cwd ? cwd : "", path ? path : "");
}

static void orphans_parse(struct arena *a, const json_t *list, struct shim_exit *out)
{
    size_t n = json_array_size(list);
    struct shim_proc *p = arena_array(a, struct shim_proc, n + 1);
    for (size_t i = 0; i < n; i++) {
        const json_t *o = json_array_get(list, i);
        const char *command = json_str(o, "command");
        p[i] = (struct shim_proc){
            .pid = (pid_t)json_int(o, "pid", 0),
            .start = (uint64_t)json_int(o, "start", 0),
            .command = command ? command : "",
        };
    }
    out->orphans = p;
    out->n_orphans = n;
}

void shim_exit_parse(struct arena *a, const json_t *j, struct shim_exit *out)
{
    *out = (struct shim_exit){
        .exited = json_is_integer(json_object_get(j, "exitCode")),
        .exit_code = (int)json_int(j, "exitCode", 0),
        .signal = json_str(j, "signal"),
        .timed_out = json_bool(j, "timedOut", false),
        .cancelled = json_bool(j, "cancelled", false),
        .cancelled_by_signal = json_bool(j, "cancelledBySignal", false),
        .pid = (pid_t)json_int(j, "pid", 0),
        .started_at = time_field(j, "startedAt"),
        .leader_exited_at = time_field(j, "leaderExitedAt"),
        .finished_at = time_field(j, "finishedAt"),
        .stdout_bytes = json_int(j, "stdoutBytes", 0),
        .stderr_bytes = json_int(j, "stderrBytes", 0),
        .stdout_detached = json_bool(j, "stdoutDetached", false),
        .stderr_detached = json_bool(j, "stderrDetached", false),
        .log_error = json_str(j, "logError"),
        .orphans_total = json_int(j, "orphansTotal", 0),
        .orphans_left = json_bool(j, "orphansLeft", false),
        .stdout_excerpt = json_str(j, "stdoutExcerpt"),
        .stderr_excerpt = json_str(j, "stderrExcerpt"),
    };
    shim_progress_parse(j, &out->output);
    spawn_error_parse(a, json_object_get(j, "spawnError"), out);
    orphans_parse(a, json_object_get(j, "orphans"), out);
}

/* A record of the run directory; NULL in *out when there is none. */
static err_t record_read(struct arena *a, const char *run_dir, const char *name, json_t **out)
{
    *out = NULL;
    json_arena(a);
    const char *path = arena_printf(a, "%s/%s", run_dir, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) return OK;
    if (fd < 0) return err_new(a, ERR_INTERNAL, "Cannot open %s: %s", path, strerror(errno));
    struct buf b BUF_AUTO = {0};
    ssize_t n = 1;
    while (n > 0 && b.len < RECORD_MAX) {
        char part[16384];
        n = read(fd, part, sizeof part);
        if (n > 0) buf_append(&b, part, (size_t)n);
    }
    int error = n < 0 ? errno : 0;
    close(fd);
    if (error) return err_new(a, ERR_INTERNAL, "Cannot read %s: %s", path, strerror(error));
    return json_parse(a, b.data ? b.data : "", b.len, out);
}

err_t shim_state_read(struct arena *a, const char *run_dir, struct shim_state *out, bool *found)
{
    json_t *j;
    TRY(record_read(a, run_dir, SHIM_FILE_STATE, &j));
    *found = j != NULL;
    if (j) shim_state_parse(j, out);
    return OK;
}

err_t shim_exit_read(struct arena *a, const char *run_dir, struct shim_exit *out, bool *found)
{
    json_t *j;
    TRY(record_read(a, run_dir, SHIM_FILE_EXIT, &j));
    *found = j != NULL;
    if (j) shim_exit_parse(a, j, out);
    return OK;
}

err_t shim_run_dir_remove(struct arena *a, const char *run_dir)
{
    static const char *const names[] = {SHIM_FILE_SOCK,       SHIM_FILE_STATE,     SHIM_FILE_EXIT,
                                        SHIM_FILE_STATE_TEMP, SHIM_FILE_EXIT_TEMP, SHIM_FILE_LOCK};
    int dir = open(run_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; dir >= 0 && i < sizeof names / sizeof names[0]; i++) unlinkat(dir, names[i], 0);
    if (dir >= 0) close(dir);
    if (rmdir(run_dir) < 0 && errno != ENOENT)
        return err_new(a, ERR_INTERNAL, "Cannot remove the run directory %s: %s", run_dir, strerror(errno));
    return OK;
}
