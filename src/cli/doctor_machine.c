/* doctor_machine: programs, kernel and limits. */
#include "base/buf.h"
#include "cli/doctor.h"
#include "cli/exec.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FINDING(v, h, ...) \
    ((struct finding){.verdict = VERDICT_##v, .hint = (h), .message = arena_printf(p->c->arena, __VA_ARGS__)})

enum { VERSION_TIMEOUT_MS = 5000, FILES_WANTED = 4096 };

struct finding check_git(struct patient *p)
{
    if (!exec_exists("git")) return FINDING(FAIL, "install it: apt-get install git", "git is not on the PATH");
    struct exec_result r = exec_wait(p->c->arena, (const char *const[]){"git", "--version", NULL}, VERSION_TIMEOUT_MS);
    char *after = NULL;
    const char *version = r.code == 0 ? strpbrk(r.output, "0123456789") : NULL;
    long major = version ? strtol(version, &after, 10) : 0,
         minor = after && *after == '.' ? strtol(after + 1, NULL, 10) : 0;
    if (version == NULL) return FINDING(FAIL, "mend the installation of git", "git --version says: %s", r.output);
    if (major < 2 || (major == 2 && minor < 30)) return FINDING(WARN, "worktrees want 2.30 or newer", "%s", r.output);
    return FINDING(OK, NULL, "%s", r.output);
}

/* The programs that agents of known kinds are made of. None is needed by the server. */
struct finding check_agents(struct patient *p)
{
    static const char *const programs[] = {"curl",     "node",         "claude", "codex", "gemini",
                                           "opencode", "cursor-agent", "pi",     "hermes"};
    struct buf found BUF_AUTO = {0}, absent BUF_AUTO = {0};
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        if (!exec_exists(programs[i])) {
            buf_printf(&absent, "%s%s", absent.len ? ", " : "", programs[i]);
            continue;
        }
        struct exec_result r =
            exec_wait(p->c->arena, (const char *const[]){programs[i], "--version", NULL}, VERSION_TIMEOUT_MS);
        const char *version = r.code == 0 ? strpbrk(r.output, "0123456789") : NULL;
        buf_printf(&found, "%s%s %.*s", found.len ? ", " : "", programs[i],
                   version ? (int)strcspn(version, " \n,)") : 0, version ? version : "");
    }
    if (!exec_exists("curl"))
        return FINDING(WARN, "the example agents and bulldog demo need curl", "curl is not on the PATH");
    return FINDING(OK, NULL, "%s%s%s", found.data, absent.len ? "; not here: " : "", absent.len ? absent.data : "");
}

struct finding check_processes(struct patient *p)
{
    int fd = (int)syscall(SYS_pidfd_open, getpid(), 0), was = 0;
    bool pidfd = fd >= 0, subreaper = prctl(PR_GET_CHILD_SUBREAPER, &was) == 0;
    if (fd >= 0) close(fd);
    if (!subreaper)
        return FINDING(FAIL, "a Linux kernel of 3.4 or newer is needed",
                       "no child subreaper: runs cannot be held together");
    if (!pidfd)
        return FINDING(WARN, "Linux 5.3 or newer is better at telling processes apart",
                       "no pidfd; processes are known by number and start time");
    return FINDING(OK, NULL, "child subreaper and pidfd");
}

/* Our own cgroup in the v2 hierarchy; "" when there is none. */
static const char *own_cgroup(struct arena *a)
{
    char line[4096];
    const char *path = "";
    FILE *f = fopen("/proc/self/cgroup", "re");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "0::", 3) == 0) path = arena_strndup(a, line + 3, strcspn(line + 3, "\n"));
    if (f) fclose(f);
    return path;
}

struct finding check_cgroup(struct patient *p)
{
    static const char hint[] = "runs are then held by process groups and niceness alone; under systemd: Delegate=yes";
    struct arena *a = p->c->arena;
    if (access("/sys/fs/cgroup/cgroup.controllers", R_OK) != 0) return FINDING(WARN, hint, "cgroup v2 is not mounted");
    const char *mine = arena_printf(a, "/sys/fs/cgroup%s", own_cgroup(a));
    if (access(mine, W_OK) != 0 || access(arena_printf(a, "%s/cgroup.procs", mine), W_OK) != 0)
        return FINDING(WARN, hint, "%s is not ours to divide", mine);
    return FINDING(OK, NULL, "%s is writable: each run gets its own", mine);
}

struct finding check_kernel(struct patient *p)
{
#ifdef SYS_landlock_create_ruleset
    long landlock = syscall(SYS_landlock_create_ruleset, NULL, 0, 1U /* ask for the version */);
#else
    long landlock = -1;
#endif
    bool pressure = access("/proc/pressure/cpu", R_OK) == 0;
    if (!pressure)
        return FINDING(WARN, "start the kernel with psi=1", "no pressure figures (PSI)%s",
                       landlock > 0 ? "; Landlock is there" : "");
    if (landlock <= 0) return FINDING(OK, NULL, "pressure figures (PSI); no Landlock");
    return FINDING(OK, NULL, "pressure figures (PSI), Landlock version %ld", landlock);
}

struct finding check_limits(struct patient *p)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return FINDING(WARN, NULL, "open files: %s", strerror(errno));
    if (files.rlim_max < FILES_WANTED)
        return FINDING(WARN, "raise it (ulimit -n, LimitNOFILE=): each run and each browser takes one",
                       "at most %llu open files", (unsigned long long)files.rlim_max);
    return FINDING(OK, NULL, "%llu open files", (unsigned long long)files.rlim_max);
}
