/* command: spawn in a group of its own, drain two pipes, end it in time. */
#include "workspace/command.h"

#include "base/buf.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MS 50
#define TERM_GRACE_MS 250

struct stream {
    int fd;
    struct buf kept;
    size_t max;
    bool tail, truncated;
};

static void keep(struct stream *s, const char *p, size_t n)
{
    if (!s->tail) {
        size_t room = s->max > s->kept.len ? s->max - s->kept.len : 0;
        s->truncated |= n > room;
        buf_append(&s->kept, p, n < room ? n : room);
        return;
    }
    buf_append(&s->kept, p, n);
    if (s->kept.len <= 2 * s->max) return;
    s->truncated = true;
    memmove(s->kept.data, s->kept.data + s->kept.len - s->max, s->max);
    s->kept.len = s->max;
    s->kept.data[s->max] = 0;
}

/* false: the stream is at its end. */
static bool drain(struct stream *s)
{
    char part[16384];
    ssize_t n = read(s->fd, part, sizeof part);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return true;
    if (n <= 0) return false;
    keep(s, part, (size_t)n);
    return true;
}

static const char *text_of(struct arena *a, struct stream *s)
{
    if (s->tail && s->kept.len > s->max) {
        s->truncated = true;
        memmove(s->kept.data, s->kept.data + s->kept.len - s->max, s->max + 1);
        s->kept.len = s->max;
    }
    if (s->kept.data == NULL) buf_puts(&s->kept, "");
    return buf_finish(&s->kept, a);
}

static int start(const struct command *c, int out, int err, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t none, all;
    int rc = posix_spawn_file_actions_init(&files);
    if (rc) return rc;
    posix_spawnattr_init(&how);
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setsigdefault(&how, &all); /* the server ignores SIGPIPE; its children must not */
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, err, STDERR_FILENO);
    if (c->cwd) posix_spawn_file_actions_addchdir_np(&files, c->cwd);
    union {
        const char *const *ours;
        char *const *theirs;
    } args = {.ours = c->argv}, env = {.ours = c->env};
    rc = posix_spawnp(pid, c->argv[0], &files, &how, args.theirs, env.theirs);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&how);
    return rc;
}

static int64_t mono_ms(void) { return (int64_t)(clock_mono_ns() / 1000000); }

/* Reads both streams to their end, or until the time is up. */
static void collect(const struct command *c, struct stream s[2], struct command_result *r)
{
    int64_t until = mono_ms() + c->timeout_ms;
    int open = 2;
    while (open > 0) {
        struct pollfd p[2] = {{.fd = s[0].fd, .events = POLLIN}, {.fd = s[1].fd, .events = POLLIN}};
        r->aborted = c->abort && atomic_load(c->abort);
        r->timed_out = !r->aborted && mono_ms() >= until;
        if (r->aborted || r->timed_out) return;
        if (poll(p, 2, LOOK_MS) <= 0) continue;
        for (int i = 0; i < 2; i++) {
            if (s[i].fd < 0 || p[i].revents == 0 || drain(&s[i])) continue;
            close(s[i].fd);
            s[i].fd = -1;
            open--;
        }
    }
}

/* git removes its lock files on SIGTERM; what does not listen is killed. */
static void end_group(pid_t pid)
{
    kill(-pid, SIGTERM);
    int64_t until = mono_ms() + TERM_GRACE_MS;
    siginfo_t info;
    do {
        info.si_pid = 0;
        if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid) break;
        poll(NULL, 0, 5);
    } while (mono_ms() < until);
    kill(-pid, SIGKILL);
}

err_t command_run(struct arena *a, const struct command *c, struct command_result *out)
{
    int o[2], e[2], status = 0;
    pid_t pid;
    *out = (struct command_result){.exit_code = -1, .out = "", .err = ""};
    if (pipe2(o, O_CLOEXEC) != 0) return err_new(a, ERR_UNAVAILABLE, "pipe: %s", strerror(errno));
    if (pipe2(e, O_CLOEXEC) != 0) {
        close(o[0]);
        close(o[1]);
        return err_new(a, ERR_UNAVAILABLE, "pipe: %s", strerror(errno));
    }
    int rc = start(c, o[1], e[1], &pid);
    close(o[1]);
    close(e[1]);
    struct stream s[2] = {{.fd = o[0], .max = c->output_max, .tail = c->keep_tail},
                          {.fd = e[0], .max = c->output_max, .tail = c->keep_tail}};
    if (rc == 0) {
        collect(c, s, out);
        if (out->aborted || out->timed_out) end_group(pid);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
        kill(-pid, SIGKILL); /* children it left in its group */
        if (WIFEXITED(status)) out->exit_code = WEXITSTATUS(status);
    }
    for (int i = 0; i < 2; i++)
        if (s[i].fd >= 0) close(s[i].fd);
    out->out_len = s[0].kept.len;
    out->out = text_of(a, &s[0]);
    out->err = text_of(a, &s[1]);
    out->truncated = s[0].truncated || s[1].truncated;
    return rc ? err_new(a, ERR_UNAVAILABLE, "cannot start %s: %s", c->argv[0], strerror(rc)) : OK;
}
