/* shim_link: start and attach to supervisors, and talk with them. */
#include "adapter/shim_link.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void fd_close(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}
#define FD_AUTO __attribute__((cleanup(fd_close)))

const char *shim_path_find(struct arena *a)
{
    static const char *const places[] = {"bulldog-shim", "../libexec/bulldog/bulldog-shim"};
    char exe[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    exe[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(exe, '/');
    if (slash) slash[1] = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const char *path = arena_printf(a, "%s%s", exe, places[i]);
        if (access(path, X_OK) == 0) return path;
    }
    return arena_printf(a, "%sbulldog-shim", exe);
}

/* mkdir -p; only the last folder gets `mode`, those above the usual one. */
static err_t folders_make(struct arena *a, const char *path, mode_t mode)
{
    char *p = arena_strdup(a, path);
    for (char *s = p + 1; *s; s++) {
        if (*s != '/') continue;
        *s = '\0';
        mkdir(p, 0755);
        *s = '/';
    }
    if (mkdir(p, mode) < 0 && errno != EEXIST)
        return err_new(a, ERR_INTERNAL, "Cannot make the directory %s: %s", path, strerror(errno));
    return OK;
}

static void spec_put(struct buf *b, const char *key, const char *value, size_t len)
{
    buf_puts(b, key);
    buf_putc(b, '=');
    buf_append(b, value, len);
    buf_putc(b, '\0');
}

static void spec_text(struct buf *b, const char *key, const char *value)
{
    if (value) spec_put(b, key, value, strlen(value));
}

static void spec_list(struct buf *b, const char *key, const char *const *values)
{
    for (; values && *values; values++) spec_text(b, key, *values);
}

static void spec_number(struct buf *b, const char *key, int64_t v)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)v);
    spec_text(b, key, text);
}

static void spec_write(struct buf *b, const struct shim_spec *s)
{
    spec_list(b, SHIM_KEY_ARG, s->argv);
    spec_text(b, SHIM_KEY_CWD, s->cwd);
    spec_list(b, SHIM_KEY_ENV, s->env);
    spec_text(b, SHIM_KEY_LOG, s->log_path);
    spec_number(b, SHIM_KEY_LOG_MAX, s->log_max_bytes);
    spec_number(b, SHIM_KEY_TIMEOUT, s->timeout_ms);
    spec_number(b, SHIM_KEY_GRACE, s->grace_ms);
    spec_list(b, SHIM_KEY_REDACT, s->redact);
    spec_list(b, SHIM_KEY_NOTICE, s->notices);
    spec_text(b, SHIM_KEY_CGROUP, s->cgroup);
    if (s->stdin_data) spec_put(b, SHIM_KEY_STDIN, s->stdin_data, strnlen(s->stdin_data, s->stdin_len));
    spec_number(b, SHIM_KEY_KILL, s->keep_stragglers ? 0 : 1);
    spec_number(b, SHIM_KEY_NICE, s->nice);
}

/* The spec as a memory file: secrets in it never touch the disk. */
static err_t spec_file(struct arena *a, const struct shim_spec *s, int *out)
{
    struct buf b BUF_AUTO = {0};
    spec_write(&b, s);
    int fd = memfd_create("shim-spec", MFD_CLOEXEC);
    for (size_t at = 0; fd >= 0 && at < b.len;) {
        ssize_t n = write(fd, b.data + at, b.len - at);
        if (n < 0 && errno != EINTR) fd_close(&fd);
        if (n > 0) at += (size_t)n;
    }
    explicit_bzero(b.data, b.len);
    if (fd < 0) return err_new(a, ERR_INTERNAL, "Cannot pass the run's spec: %s", strerror(errno));
    *out = fd;
    return OK;
}

/* The run directory, new to any run, and its lock, taken. */
static err_t dir_open(struct arena *a, const char *run_dir, int *dir, int *lock)
{
    TRY(folders_make(a, run_dir, 0700));
    *dir = open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *lock = *dir < 0 ? -1 : openat(*dir, SHIM_FILE_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*lock < 0) return err_new(a, ERR_INTERNAL, "Cannot use the run directory %s: %s", run_dir, strerror(errno));
    if (flock(*lock, LOCK_EX | LOCK_NB) < 0)
        return err_new(a, ERR_CONFLICT, "The run in %s already has a living supervisor", run_dir);
    if (faccessat(*dir, SHIM_FILE_STATE, F_OK, 0) == 0 || faccessat(*dir, SHIM_FILE_EXIT, F_OK, 0) == 0)
        return err_new(a, ERR_CONFLICT, "The run in %s was already started once", run_dir);
    return OK;
}

/* posix_spawn with fds[i] becoming SHIM_FD_SPEC + i; nothing else is passed. */
static int starter_spawn(const char *path, const char *run_id, const int *fds, size_t n, pid_t *pid)
{
    char *const argv[] = {"bulldog-shim", (char *)(uintptr_t)run_id, NULL};
    char *const env[] = {NULL};
    int high[8] = {0}, error = 0;
    for (size_t i = 0; i < n && error == 0; i++) { /* out of the way of their targets */
        high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, SHIM_FD_SPEC + (int)n);
        if (high[i] < 0) error = errno;
    }
    posix_spawn_file_actions_t fa;
    posix_spawnattr_t attr;
    posix_spawn_file_actions_init(&fa);
    posix_spawnattr_init(&attr);
    for (int fd = 0; fd <= 2; fd++) posix_spawn_file_actions_addopen(&fa, fd, "/dev/null", O_RDWR, 0);
    for (size_t i = 0; i < n; i++) posix_spawn_file_actions_adddup2(&fa, high[i], SHIM_FD_SPEC + (int)i);
    posix_spawn_file_actions_addclosefrom_np(&fa, SHIM_FD_SPEC + (int)n);
    sigset_t set;
    sigemptyset(&set);
    posix_spawnattr_setsigmask(&attr, &set);
    sigfillset(&set);
    posix_spawnattr_setsigdefault(&attr, &set);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (error == 0) error = posix_spawn(pid, path, &fa, &attr, argv, env);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&fa);
    for (size_t i = 0; i < n; i++) fd_close(&high[i]);
    return error;
}

static bool say(struct shim_link *link, const char *line)
{
    size_t len = strlen(line);
    return link->fd >= 0 && send(link->fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;
}

err_t shim_spawn(struct arena *a, const char *shim_path, const char *run_dir, const struct shim_spec *spec,
                 struct shim_link *link)
{
    assert(spec->run_id && spec->argv && spec->argv[0] && spec->log_path);
    *link = (struct shim_link){.fd = -1};
    int dir FD_AUTO = -1, lock FD_AUTO = -1, order FD_AUTO = -1, theirs FD_AUTO = -1;
    int pair[2];
    TRY(dir_open(a, run_dir, &dir, &lock));
    const char *slash = strrchr(spec->log_path, '/');
    if (slash && slash > spec->log_path)
        TRY(folders_make(a, arena_strndup(a, spec->log_path, (size_t)(slash - spec->log_path)), 0755));
    TRY(spec_file(a, spec, &order));
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
        return err_new(a, ERR_INTERNAL, "Cannot make a socket pair: %s", strerror(errno));
    link->fd = pair[0];
    theirs = pair[1];
    bool said = say(link, SHIM_SAY_HELLO "\n");
    assert(said); /* a fresh socket takes six bytes */
    int fds[] = {order, dir, theirs, lock};
    int error = starter_spawn(shim_path, spec->run_id, fds, sizeof fds / sizeof fds[0], &link->starter);
    if (error == 0) return OK;
    link->starter = 0;
    shim_link_close(link);
    return err_new(a, ERR_INTERNAL, "Cannot start %s: %s", shim_path, strerror(error));
}

err_t shim_attach(struct arena *a, const char *run_dir, struct shim_link *link)
{
    *link = (struct shim_link){.fd = -1};
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int dir FD_AUTO = open(run_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    link->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* by way of the directory's descriptor: its path may be longer than an address */
    snprintf(addr.sun_path, sizeof addr.sun_path, "/proc/self/fd/%d/%s", dir, SHIM_FILE_SOCK);
    if (dir >= 0 && link->fd >= 0 && connect(link->fd, (struct sockaddr *)&addr, sizeof addr) == 0 &&
        say(link, SHIM_SAY_HELLO "\n"))
        return OK;
    err_t e = err_new(a, ERR_UNAVAILABLE, "The supervisor in %s does not answer: %s", run_dir, strerror(errno));
    shim_link_close(link);
    return e;
}

static void starter_reap(struct shim_link *link, int flags)
{
    if (link->starter == 0) return;
    pid_t got;
    while ((got = waitpid(link->starter, NULL, flags)) < 0 && errno == EINTR) continue;
    if (got != 0) link->starter = 0; /* reaped, or somebody else did it */
}

bool shim_link_cancel(struct shim_link *link, int64_t grace_ms)
{
    char line[64];
    snprintf(line, sizeof line, SHIM_SAY_CANCEL " %lld\n", (long long)grace_ms);
    return say(link, line);
}

void shim_link_ack(struct shim_link *link)
{
    bool said = say(link, SHIM_SAY_ACK "\n");
    (void)said; /* without it the shim ends when the link closes */
}

void shim_link_close(struct shim_link *link)
{
    fd_close(&link->fd);
    starter_reap(link, 0); /* it ends right after its fork */
}

static bool message_parse(const json_t *j, struct shim_msg *m)
{
    const char *type = json_str(j, "type");
    *m = (struct shim_msg){0};
    if (type == NULL) return false;
    if (strcmp(type, SHIM_TELL_STATE) == 0) {
        m->news = SHIM_STATE;
        shim_state_parse(j, &m->state);
    } else if (strcmp(type, SHIM_TELL_PROGRESS) == 0) {
        m->news = SHIM_PROGRESS;
        shim_progress_parse(j, &m->progress);
    } else if (strcmp(type, SHIM_TELL_EXIT) == 0) {
        m->news = SHIM_ENDED;
    } else {
        return false; /* of a newer shim */
    }
    return true;
}

/* Hand out the complete lines of the buffer. */
static err_t lines_take(struct arena *a, struct shim_link *link, shim_msg_fn *fn, void *ctx)
{
    char *nl;
    while (link->fd >= 0 && (nl = memchr(link->in, '\n', link->n_in)) != NULL) {
        size_t len = (size_t)(nl - link->in) + 1;
        json_t *j = NULL;
        err_t e = json_parse(a, link->in, len, &j);
        link->n_in -= len;
        memmove(link->in, nl + 1, link->n_in);
        struct shim_msg m;
        if (e) return e;
        if (message_parse(j, &m)) fn(ctx, &m);
    }
    return OK;
}

err_t shim_link_read(struct arena *a, struct shim_link *link, shim_msg_fn *fn, void *ctx)
{
    json_arena(a);
    starter_reap(link, WNOHANG);
    while (link->fd >= 0) {
        if (link->n_in == sizeof link->in)
            return err_new(a, ERR_INTERNAL, "A supervisor's message is longer than %zu bytes", sizeof link->in);
        ssize_t n = recv(link->fd, link->in + link->n_in, sizeof link->in - link->n_in, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return OK;
        if (n <= 0) {
            shim_link_close(link);
            fn(ctx, &(struct shim_msg){.news = SHIM_GONE});
            return OK;
        }
        link->n_in += (size_t)n;
        TRY(lines_take(a, link, fn, ctx));
    }
    return OK;
}
