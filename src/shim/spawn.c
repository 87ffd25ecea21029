/*
 * spawn: start the agent in its own session and process group.
 *
 * The child waits between fork and exec until its identity is on disk: there
 * is no moment in which an agent runs that no record tells of.
 */
#include "shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

struct exec_failure {
    int error;
    char stage[12];
};

struct pipes {
    int in, out[2], err[2]; /* the agent's stdio */
    int go[2];              /* the child waits for a byte */
    int fail[2];            /* closes at the exec, or tells why not */
};

static bool failed(const char *stage)
{
    run.spawn_errno = errno;
    run.spawn_stage = stage;
    return false;
}

/* The agent's stdin: its bytes in a memory file, which never makes us wait. */
static int stdin_open(const char *bytes)
{
    if (bytes == NULL) return open("/dev/null", O_RDONLY | O_CLOEXEC);
    int fd = memfd_create("stdin", MFD_CLOEXEC);
    if (fd < 0) return -1;
    int error = write_all(fd, bytes, strlen(bytes));
    if (error == 0 && lseek(fd, 0, SEEK_SET) == 0) return fd;
    close(fd);
    errno = error;
    return -1;
}

static void child_fail(int fd, const char *stage)
{
    struct exec_failure f = {.error = errno};
    memcpy(f.stage, stage, strlen(stage) + 1);
    write_all(fd, (const char *)&f, sizeof f);
    _exit(127);
}

/* The agent's side of the fork. */
static void child_run(const struct pipes *p)
{
    setsid();
    if (dup2(p->in, 0) < 0 || dup2(p->out[1], 1) < 0 || dup2(p->err[1], 2) < 0) child_fail(p->fail[1], "stdio");
    int oom = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (oom >= 0) write_all(oom, SHIM_OOM_AGENT, strlen(SHIM_OOM_AGENT));
    if (run.spec.nice != 0) setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + run.spec.nice);
    struct rlimit tag = {.rlim_cur = shim_run_tag(run.id), .rlim_max = shim_run_tag(run.id)};
    setrlimit(RLIMIT_LOCKS, &tag); /* inside another run's tree it may not be allowed to rise */
    close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
    static const uint64_t dfl[8]; /* by system call: libc keeps two signals from us, and hands them down ignored */
    for (int sig = 1; sig < NSIG; sig++) syscall(SYS_rt_sigaction, sig, dfl, NULL, sizeof(uint64_t));
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    char byte;
    close(p->go[1]);
    if (read(p->go[0], &byte, 1) != 1) _exit(127); /* the shim died: nothing was recorded */
    if (chdir(run.spec.cwd ? run.spec.cwd : "/") < 0) child_fail(p->fail[1], "cwd");
    environ = run.spec.env;
    execvp(run.spec.argv[0], run.spec.argv);
    child_fail(p->fail[1], "exec");
}

bool agent_start(void)
{
    struct pipes p;
    if ((p.in = stdin_open(run.spec.stdin_data)) < 0) return failed("stdin");
    if (pipe2(p.out, O_CLOEXEC) < 0 || pipe2(p.err, O_CLOEXEC) < 0 || pipe2(p.go, O_CLOEXEC) < 0 ||
        pipe2(p.fail, O_CLOEXEC) < 0)
        return failed("pipe");
    pid_t pid = fork();
    if (pid < 0) return failed("fork");
    if (pid == 0) child_run(&p);
    run.pid = pid;
    close(p.in);
    close(p.out[1]);
    close(p.err[1]);
    close(p.fail[1]);
    close(p.go[0]);
    run.exec_fd = p.fail[0];
    fcntl(run.exec_fd, F_SETFL, O_NONBLOCK);
    pump_setup(p.out[0], p.err[0]);
    run.started_at = wall_ms();
    run.cgroup = cgroup_enter(run.spec.cgroup, pid);
    bool known = proc_read(pid, &run.leader) || failed("proc");
    if (known && (errno = record_state()) != 0) known = failed("state");
    if (known) write_all(p.go[1], "g", 1);
    close(p.go[1]);            /* without the byte the child ends, and is collected as any */
    prctl(PR_SET_DUMPABLE, 0); /* from here on the agent cannot read our memory, which holds its redactions */
    return known;
}

bool agent_exec_settled(void)
{
    struct exec_failure f;
    if (run.exec_fd < 0) return true;
    ssize_t n = read(run.exec_fd, &f, sizeof f);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (n == (ssize_t)sizeof f) {
        run.spawn_errno = f.error;
        run.spawn_stage = strcmp(f.stage, "cwd") == 0 ? "cwd" : strcmp(f.stage, "exec") == 0 ? "exec" : "stdio";
    }
    close(run.exec_fd);
    run.exec_fd = -1;
    return true;
}
