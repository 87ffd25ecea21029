/*
 * reap: the agent's whole tree, and the proof that it is gone.
 *
 * The shim is a child subreaper: whoever forks, double-forks or makes its own
 * session stays below it, so "no child is left to wait for" proves the tree
 * empty without any list. Lists are only for signalling and for the record.
 * They are read from /proc and may be old the moment they are read; hence a
 * process is signalled through a pidfd whose start time was compared, and a
 * kill first freezes: a stopped process cannot fork, so after a pass that finds
 * nobody running there is nobody we do not know. The caller repeats until empty.
 */
#include "shim/shim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TREE_MAX 4096 /* known at a time; a larger tree is met in several rounds */
#define FREEZE_ROUNDS 32
#define SEEN_MAX 1024

struct orphans orphans;

static struct proc_stat tree[TREE_MAX];
static size_t n_tree;

/* Orphans already counted. */
static struct {
    int32_t pid;
    uint64_t start;
} seen[SEEN_MAX];

static char cgroup_dir[1024]; /* "" when not in use */

bool proc_read(pid_t pid, struct proc_stat *out)
{
    char path[64], text[1024];
    struct text t = {.p = path, .cap = sizeof path - 1, .fd = -1};
    text_puts(&t, "/proc/");
    text_int(&t, pid);
    text_puts(&t, "/stat");
    path[t.len] = '\0';
    return read_small(AT_FDCWD, path, text, sizeof text) > 0 && proc_stat_parse(text, out);
}

static bool in_tree(int32_t pid)
{
    for (size_t i = 0; i < n_tree; i++)
        if (tree[i].pid == pid) return true;
    return false;
}

/* Take pid into the tree if it is a child of `parent` (or fell to us since). */
static void tree_add(int32_t pid, int32_t parent)
{
    struct proc_stat st;
    if (n_tree == TREE_MAX || !proc_read(pid, &st)) return;
    if (st.ppid != parent && st.ppid != run.self.pid) return;
    tree[n_tree++] = st;
}

/* Call fn for each numeric name in a directory of /proc. */
static void each_number(const char *path, void (*fn)(int32_t number, int32_t arg), int32_t arg)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    char block[2048];
    for (;;) {
        ssize_t n = getdents64(fd, block, sizeof block);
        if (n <= 0) break;
        for (ssize_t at = 0; at < n;) {
            const struct dirent64 *d = (const void *)(block + at);
            int32_t number = (int32_t)strtol(d->d_name, NULL, 10);
            if (number > 0) fn(number, arg);
            at += d->d_reclen;
        }
    }
    close(fd);
}

static bool children_known; /* the kernel has the `children` files */

/* The children of one thread. */
static void children_of_thread(int32_t tid, int32_t pid)
{
    char path[96], text[8192];
    struct text t = {.p = path, .cap = sizeof path - 1, .fd = -1};
    text_puts(&t, "/proc/");
    text_int(&t, pid);
    text_puts(&t, "/task/");
    text_int(&t, tid);
    text_puts(&t, "/children");
    path[t.len] = '\0';
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    children_known = true;
    size_t len = 0;
    for (;;) {
        ssize_t n = read(fd, text + len, sizeof text - 1 - len);
        if (n <= 0) break;
        len += (size_t)n;
        text[len] = '\0';
        char *p = text, *sp;
        for (; (sp = strchr(p, ' ')); p = sp + 1) tree_add((int32_t)strtol(p, NULL, 10), pid);
        len -= (size_t)(p - text); /* a number cut by the buffer's end */
        memmove(text, p, len);
    }
    close(fd);
}

static void children_of(int32_t pid)
{
    char path[64];
    struct text t = {.p = path, .cap = sizeof path - 1, .fd = -1};
    text_puts(&t, "/proc/");
    text_int(&t, pid);
    text_puts(&t, "/task");
    path[t.len] = '\0';
    each_number(path, children_of_thread, pid);
}

static void add_if_below(int32_t pid, int32_t unused)
{
    (void)unused;
    struct proc_stat st;
    if (in_tree(pid) || !proc_read(pid, &st)) return;
    if (st.ppid == run.self.pid || in_tree(st.ppid)) tree_add(pid, st.ppid);
}

/* List everybody below us, as far as one look can tell. */
static void tree_list(void)
{
    n_tree = 0;
    children_known = false;
    children_of(run.self.pid);
    for (size_t i = 0; i < n_tree; i++) children_of(tree[i].pid);
    if (children_known) return;
    for (size_t before = SIZE_MAX; before != n_tree;) { /* a kernel without `children`: look at all */
        before = n_tree;
        each_number("/proc", add_if_below, 0);
    }
}

/* Signal exactly that process, not one that got its number later. */
static void signal_exactly(const struct proc_stat *p, int sig)
{
    int fd = (int)syscall(SYS_pidfd_open, p->pid, 0);
    bool old_kernel = fd < 0 && errno == ENOSYS;
    struct proc_stat now;
    bool same = proc_read(p->pid, &now) && now.start == p->start;
    if (same && fd >= 0) syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
    if (same && old_kernel) kill(p->pid, sig);
    if (fd >= 0) close(fd);
}

static void command_read(int32_t pid, char out[SHIM_COMMAND_MAX])
{
    char path[64], raw[1024];
    struct text t = {.p = path, .cap = sizeof path - 1, .fd = -1};
    text_puts(&t, "/proc/");
    text_int(&t, pid);
    size_t stem = t.len;
    text_puts(&t, "/cmdline");
    path[t.len] = '\0';
    ssize_t n = read_small(AT_FDCWD, path, raw, sizeof raw);
    if (n <= 0) { /* a zombie's name or a kernel thread's */
        t.len = stem;
        text_puts(&t, "/comm");
        path[t.len] = '\0';
        n = read_small(AT_FDCWD, path, raw, sizeof raw);
    }
    while (n > 0 && (raw[n - 1] == '\0' || raw[n - 1] == '\n')) n--;
    for (ssize_t i = 0; i < n; i++)
        if ((unsigned char)raw[i] < ' ') raw[i] = ' ';
    redact_text(raw, n > 0 ? (size_t)n : 0, out, SHIM_COMMAND_MAX);
}

static bool count_once(const struct proc_stat *p)
{
    size_t n = orphans.total < SEEN_MAX ? (size_t)orphans.total : SEEN_MAX;
    for (size_t i = 0; i < n; i++)
        if (seen[i].pid == p->pid && seen[i].start == p->start) return false;
    if (n == SEEN_MAX) return false;
    seen[n].pid = p->pid;
    seen[n].start = p->start;
    orphans.total++;
    return true;
}

/* Record those of the listed tree that nobody recorded yet. */
static void note_listed(pid_t skip_group)
{
    for (size_t i = 0; i < n_tree; i++) {
        const struct proc_stat *p = &tree[i];
        if (proc_is_dead(p) || p->pid == run.pid || p->pgid == skip_group || !count_once(p)) continue;
        if (orphans.n == SHIM_ORPHANS_MAX) continue;
        struct orphan *o = &orphans.list[orphans.n++];
        o->id = *p;
        command_read(p->pid, o->command);
    }
}

void tree_note(pid_t skip_group)
{
    tree_list();
    note_listed(skip_group);
}

void tree_signal(int sig)
{
    if (run.pid > 0 && !run.exited) kill(-run.pid, sig); /* the leader is ours to wait for: its group is no other's */
    tree_list();
    for (size_t i = 0; i < n_tree; i++) {
        if (!run.exited && tree[i].pgid == run.pid) continue;
        signal_exactly(&tree[i], sig);
    }
    if (sig != SIGTERM) return;
    for (size_t i = 0; i < n_tree; i++) /* a stopped process takes the signal when it goes on */
        if (tree[i].state == 'T') signal_exactly(&tree[i], SIGCONT);
}

/* Stop everybody; true when a look found nobody running any more. */
static bool tree_freeze(void)
{
    for (int round = 0; round < FREEZE_ROUNDS; round++) {
        bool all = true;
        tree_list();
        for (size_t i = 0; i < n_tree; i++) {
            if (tree[i].state == 'T' || tree[i].state == 't') continue;
            all = all && tree[i].state == 'Z'; /* of threads without a main one the state does not tell */
            signal_exactly(&tree[i], SIGSTOP);
        }
        if (all) return true;
    }
    return false;
}

static bool cgroup_write(const char *file, const char *value)
{
    if (cgroup_dir[0] == '\0') return false;
    int dir = open(cgroup_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = dir < 0 ? -1 : openat(dir, file, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write_all(fd, value, strlen(value)) == 0;
    if (fd >= 0) close(fd);
    if (dir >= 0) close(dir);
    return ok;
}

void tree_kill(void)
{
    tree_freeze();
    note_listed(run.exited ? 0 : run.pid);
    cgroup_write("cgroup.kill", "1");
    if (run.pid > 0 && !run.exited) kill(-run.pid, SIGKILL);
    for (size_t i = 0; i < n_tree; i++) signal_exactly(&tree[i], SIGKILL);
}

static bool cgroup_populated(void)
{
    char path[sizeof cgroup_dir + 16], text[256];
    struct text t = {.p = path, .cap = sizeof path - 1, .fd = -1};
    if (cgroup_dir[0] == '\0') return false;
    text_puts(&t, cgroup_dir);
    text_puts(&t, "/cgroup.events");
    path[t.len] = '\0';
    return read_small(AT_FDCWD, path, text, sizeof text) > 0 && strstr(text, "populated 1") != NULL;
}

bool tree_empty(void)
{
    siginfo_t info;
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD) return false;
    return !cgroup_populated();
}

const char *cgroup_enter(const char *path, pid_t pid)
{
    size_t len = path ? strlen(path) : 0;
    char digits[24];
    struct text t = {.p = digits, .cap = sizeof digits - 1, .fd = -1};
    if (len == 0 || len >= sizeof cgroup_dir) return NULL;
    if (mkdir(path, 0755) < 0 && errno != EEXIST) return NULL;
    memcpy(cgroup_dir, path, len + 1);
    text_int(&t, pid);
    digits[t.len] = '\0';
    if (cgroup_write("cgroup.procs", digits)) return cgroup_dir;
    cgroup_leave();
    return NULL;
}

void cgroup_leave(void)
{
    if (cgroup_dir[0]) rmdir(cgroup_dir); /* fails, and may, when it is not ours alone */
    cgroup_dir[0] = '\0';
}
