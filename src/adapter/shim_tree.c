/* shim_tree: find and end what is left of a run whose supervisor is gone. */
#include "adapter/shim_tree.h"

#include "base/buf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_MS 20
#define LOOKS 4 /* that find nobody, before nobody is left */
#define LOOK_PAUSE_MS 3
#define ENVIRON_MAX (4 << 20) /* of one process, read for PAPERCLIP_RUN_ID */

/* All processes as one look at /proc saw them. */
struct census {
    struct proc_stat *list;
    bool *ours;
    size_t n;
};

static void pause_ms(int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static bool text_read(const char *path, struct buf *b, size_t max)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n = 1;
    buf_clear(b);
    while (n > 0 && b->len < max) {
        char part[4096];
        n = read(fd, part, sizeof part);
        if (n > 0) buf_append(b, part, (size_t)n);
    }
    close(fd);
    buf_putc(b, '\0');
    b->len--;
    return true;
}

static bool proc_read(pid_t pid, struct proc_stat *out)
{
    struct buf b BUF_AUTO = {0};
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    return text_read(path, &b, 4096) && proc_stat_parse(b.data, out);
}

static err_t census_take(struct arena *a, struct census *out)
{
    struct buf list BUF_AUTO = {0};
    DIR *d = opendir("/proc");
    if (d == NULL) return err_new(a, ERR_INTERNAL, "Cannot read /proc: %s", strerror(errno));
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        struct proc_stat st;
        pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);
        if (pid > 0 && proc_read(pid, &st)) buf_append(&list, &st, sizeof st);
    }
    closedir(d);
    out->n = list.len / sizeof(struct proc_stat);
    out->list = arena_memdup(a, list.data, list.len);
    out->ours = arena_array(a, bool, out->n + 1);
    return OK;
}

/* Is this record of the boot we live in? After another nothing can be left. */
static bool same_boot(const struct shim_state *s)
{
    struct buf b BUF_AUTO = {0};
    if (s->boot_id == NULL || !text_read("/proc/sys/kernel/random/boot_id", &b, 64)) return true;
    return strncmp(b.data, s->boot_id, strlen(s->boot_id)) == 0;
}

/* Does the process carry PAPERCLIP_RUN_ID=<run_id>? */
static bool carries_run(pid_t pid, const char *needle, size_t len, struct buf *b)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/environ", pid);
    if (!text_read(path, b, ENVIRON_MAX)) return false;
    for (const char *p = b->data, *end = p + b->len; p < end; p += strlen(p) + 1)
        if ((size_t)(end - p) >= len && strcmp(p, needle) == 0) return true;
    return false;
}

/* Does the process carry the run's tag among its limits? */
static bool carries_tag(pid_t pid, uint64_t tag, struct buf *b)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/limits", pid);
    const char *at = text_read(path, b, 8192) ? strstr(b->data, SHIM_TAG_LIMITS_LINE) : NULL;
    return at && strtoull(at + strlen(SHIM_TAG_LIMITS_LINE), NULL, 10) == tag;
}

static void mark_pid(struct census *c, pid_t pid)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->list[i].pid == pid) c->ours[i] = true;
}

static void mark_cgroup(struct census *c, const char *cgroup)
{
    struct buf b BUF_AUTO = {0};
    char path[4200];
    if (cgroup == NULL) return;
    snprintf(path, sizeof path, "%s/cgroup.procs", cgroup);
    if (!text_read(path, &b, 1 << 20)) return;
    for (char *p = b.data, *end = NULL; *p; p = end) {
        pid_t pid = (pid_t)strtol(p, &end, 10);
        if (end == p) break;
        mark_pid(c, pid);
        while (*end == '\n') end++;
    }
}

/* The leader, its session and group. The leader's number vouches for them only
 * while no other process has it, and for none that is older than the leader. */
static void mark_session(struct census *c, const struct shim_state *s)
{
    if (s->pid <= 0) return;
    for (size_t i = 0; i < c->n; i++)
        if (c->list[i].pid == s->pid && c->list[i].start != s->start) return;
    for (size_t i = 0; i < c->n; i++) {
        const struct proc_stat *p = &c->list[i];
        bool member = p->pid == s->pid || p->sid == s->pid || p->pgid == s->pgid;
        if (member && p->start >= s->start) c->ours[i] = true;
    }
}

static void mark_carriers(struct census *c, const char *run_id)
{
    struct buf b BUF_AUTO = {0};
    char needle[256];
    int len = snprintf(needle, sizeof needle, SHIM_RUN_ENV "=%s", run_id);
    assert(len > 0 && (size_t)len < sizeof needle);
    for (size_t i = 0; i < c->n; i++)
        if (!c->ours[i])
            c->ours[i] = carries_tag(c->list[i].pid, shim_run_tag(run_id), &b) ||
                         carries_run(c->list[i].pid, needle, (size_t)len, &b);
}

/* Children of ours are ours. */
static void mark_descent(struct census *c)
{
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < c->n; i++) {
            for (size_t k = 0; k < c->n && !c->ours[i]; k++)
                if (c->ours[k] && c->list[i].ppid == c->list[k].pid) c->ours[i] = more = true;
        }
    }
}

/* Mark the survivors that one look finds; the dead and this server are none. */
static err_t look(struct arena *a, const struct shim_probe *p, const char *run_id, struct census *c)
{
    TRY(census_take(a, c));
    if (p->has_state) {
        mark_session(c, &p->state);
        mark_cgroup(c, p->state.cgroup);
    }
    mark_carriers(c, run_id);
    for (size_t i = 0; i < c->n; i++)
        if (c->list[i].pid == getpid()) c->ours[i] = false;
    mark_descent(c);
    for (size_t i = 0; i < c->n; i++)
        if (proc_is_dead(&c->list[i]) || c->list[i].pid == getpid()) c->ours[i] = false;
    return OK;
}

static size_t count(const struct census *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++) n += c->ours[i];
    return n;
}

/* Mark the survivors. Nobody counts as left only after several looks: while
 * /proc is read, one that forks and exits can be behind us and its child not
 * yet before us. */
static err_t survivors_find(struct arena *a, const struct shim_probe *p, const char *run_id, struct census *c)
{
    *c = (struct census){0};
    if (p->has_state && !same_boot(&p->state)) return OK;
    for (int i = 0; i < LOOKS && count(c) == 0; i++) {
        if (i > 0) pause_ms(LOOK_PAUSE_MS);
        TRY(look(a, p, run_id, c));
    }
    return OK;
}

static const char *command_of(struct arena *a, pid_t pid)
{
    struct buf b BUF_AUTO = {0};
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
    if (!text_read(path, &b, SHIM_COMMAND_MAX)) return "";
    while (b.len > 0 && b.data[b.len - 1] == '\0') b.len--;
    for (size_t i = 0; i < b.len; i++)
        if ((unsigned char)b.data[i] < ' ') b.data[i] = ' ';
    return arena_strndup(a, b.data, b.len);
}

static void survivors_list(struct arena *a, const struct census *c, struct shim_probe *out)
{
    struct shim_proc *list = arena_array(a, struct shim_proc, c->n + 1);
    for (size_t i = 0; i < c->n; i++) {
        if (!c->ours[i]) continue;
        list[out->n_survivors++] = (struct shim_proc){
            .pid = c->list[i].pid, .start = c->list[i].start, .command = command_of(a, c->list[i].pid)};
    }
    out->survivors = list;
}

/* Does a shim hold the lock? No lock file: none ever did. */
static err_t lock_held(struct arena *a, const char *run_dir, bool *held)
{
    const char *path = arena_printf(a, "%s/%s", run_dir, SHIM_FILE_LOCK);
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    *held = false;
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) return OK;
    if (fd < 0) return err_new(a, ERR_INTERNAL, "Cannot open %s: %s", path, strerror(errno));
    *held = flock(fd, LOCK_EX | LOCK_NB) < 0;
    close(fd); /* and with it the lock, had we got it */
    return OK;
}

err_t shim_tree_probe(struct arena *a, const char *run_dir, const char *run_id, struct shim_probe *out)
{
    bool held, ended;
    struct census c;
    *out = (struct shim_probe){0};
    TRY(lock_held(a, run_dir, &held));
    TRY(shim_state_read(a, run_dir, &out->state, &out->has_state));
    TRY(shim_exit_read(a, run_dir, &out->exit, &ended));
    if (held) {
        out->fate = SHIM_FATE_ALIVE;
        return OK;
    }
    if (ended) {
        out->fate = SHIM_FATE_ENDED;
        return OK;
    }
    if (!out->has_state) {
        out->fate = SHIM_FATE_NEVER_STARTED;
        return OK;
    }
    TRY(survivors_find(a, out, run_id, &c));
    survivors_list(a, &c, out);
    out->fate = out->n_survivors > 0 ? SHIM_FATE_TREE_ALIVE : SHIM_FATE_TREE_EMPTY;
    return OK;
}

/* Signal exactly that process, not one that got its number later. */
static void signal_exactly(const struct proc_stat *p, int sig)
{
    struct proc_stat now;
    int fd = (int)syscall(SYS_pidfd_open, p->pid, 0);
    bool old_kernel = fd < 0 && errno == ENOSYS;
    bool same = proc_read(p->pid, &now) && now.start == p->start;
    if (same && fd >= 0) syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
    if (same && old_kernel) kill(p->pid, sig);
    if (fd >= 0) close(fd);
}

static size_t signal_ours(const struct census *c, int sig)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++) {
        if (!c->ours[i]) continue;
        n++;
        bool stopped = c->list[i].state == 'T' || c->list[i].state == 't';
        if (sig == SIGSTOP && stopped) continue;
        signal_exactly(&c->list[i], sig);
        if (sig == SIGTERM && stopped) signal_exactly(&c->list[i], SIGCONT);
    }
    return n;
}

static int64_t mono_ms(void) { return (int64_t)(clock_mono_ns() / 1000000); }

/* Wait up to ms for the tree to be empty. */
static err_t empty_within(struct arena *a, const struct shim_probe *p, const char *run_id, int64_t ms, bool *empty)
{
    for (int64_t end = mono_ms() + ms;; pause_ms(PAUSE_MS)) {
        struct arena tmp ARENA_AUTO = {0};
        struct census c;
        err_t e = survivors_find(&tmp, p, run_id, &c);
        if (e) return err_new(a, ERR_INTERNAL, "%s", e->message);
        *empty = count(&c) == 0;
        if (*empty || mono_ms() >= end) return OK;
    }
}

/* Freeze all, so that nobody forks, then kill all. */
static err_t kill_round(struct arena *a, const struct shim_probe *p, const char *run_id)
{
    struct arena tmp ARENA_AUTO = {0};
    struct census c = {0};
    for (int round = 0; round < 2; round++) { /* the second look stops what was born during the first */
        err_t e = survivors_find(&tmp, p, run_id, &c);
        if (e) return err_new(a, ERR_INTERNAL, "%s", e->message);
        signal_ours(&c, SIGSTOP);
    }
    signal_ours(&c, SIGKILL);
    return OK;
}

err_t shim_tree_kill(struct arena *a, const char *run_dir, const char *run_id, int64_t grace_ms, int64_t limit_ms,
                     struct shim_probe *out)
{
    TRY(shim_tree_probe(a, run_dir, run_id, out));
    if (out->fate == SHIM_FATE_ALIVE)
        return err_new(a, ERR_CONFLICT, "The run in %s has a living supervisor: cancel it instead", run_dir);
    if (out->fate != SHIM_FATE_TREE_ALIVE) return OK;
    struct census c;
    bool empty;
    int64_t end = mono_ms() + limit_ms;
    TRY(survivors_find(a, out, run_id, &c));
    signal_ours(&c, SIGTERM);
    TRY(empty_within(a, out, run_id, grace_ms, &empty));
    while (!empty) {
        if (mono_ms() >= end)
            return err_new(a, ERR_UNAVAILABLE, "Processes of run %s are still there after %lld ms of SIGKILL", run_id,
                           (long long)limit_ms);
        TRY(kill_round(a, out, run_id));
        TRY(empty_within(a, out, run_id, PAUSE_MS, &empty));
    }
    return OK;
}
