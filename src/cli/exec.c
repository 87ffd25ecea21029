/* exec: posix_spawn, a pipe and a time limit. */
#include "cli/exec.h"

#include "base/buf.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_BYTES_MAX = 65536 };

static bool start(const char *const argv[], int out, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    if (posix_spawn_file_actions_init(&files) != 0) return false;
    posix_spawnattr_init(&how);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP); /* so that a timeout ends its children too */
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, out, STDERR_FILENO);
    union {
        const char *const *ours;
        char *const *theirs;
    } args = {.ours = argv};
    int rc = posix_spawnp(pid, argv[0], &files, &how, args.theirs, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&how);
    return rc == 0;
}

/* Reads until the end of the output; false when time is up. */
static bool collect(int in, struct buf *out, instant_t until)
{
    char part[4096];
    for (;;) {
        int64_t left = until - clock_now();
        struct pollfd p = {.fd = in, .events = POLLIN};
        if (left <= 0 || poll(&p, 1, (int)left) == 0) return false;
        ssize_t n = read(in, part, sizeof part);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return true;
        size_t room = OUTPUT_BYTES_MAX - out->len;
        buf_append(out, part, (size_t)n < room ? (size_t)n : room);
    }
}

struct exec_result exec_wait(struct arena *a, const char *const argv[], int timeout_ms)
{
    struct buf out = {0};
    struct exec_result result = {.code = -1, .output = ""};
    int pipes[2], status = 0;
    pid_t pid;
    if (pipe2(pipes, O_CLOEXEC) != 0) return result;
    bool started = start(argv, pipes[1], &pid);
    close(pipes[1]);
    if (started) {
        bool in_time = collect(pipes[0], &out, clock_now() + timeout_ms);
        if (!in_time) kill(-pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
        if (in_time && WIFEXITED(status)) result.code = WEXITSTATUS(status);
    }
    close(pipes[0]);
    while (out.len && (out.data[out.len - 1] == '\n' || out.data[out.len - 1] == '\r')) out.data[--out.len] = 0;
    result.output = buf_finish(&out, a);
    return result;
}

bool exec_exists(const char *name)
{
    const char *path = getenv("PATH");
    char full[4096];
    for (const char *p = path ? path : "/usr/bin:/bin"; *p;) {
        size_t len = strcspn(p, ":"), need = len + 1 + strlen(name) + 1;
        if (len && need <= sizeof full) {
            memcpy(full, p, len);
            full[len] = '/';
            memcpy(full + len + 1, name, strlen(name) + 1);
            if (access(full, X_OK) == 0) return true;
        }
        p += len;
        if (*p) p++;
    }
    return false;
}
