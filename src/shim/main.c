/*
 * bulldog-shim: holds one run. It outlives the server, owns the agent's
 * session, output, timeout and tree, and closes the run only when no process
 * of that tree is left; then the exit record is on disk, server or not.
 *
 * The run's life is the table `actions`: states by events, each cell one small
 * function that acts and names the next state. The loop below only waits and
 * looks the event up. An empty cell means that the event does not matter there.
 */
#include "shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define SETTLE_MS 100      /* after the leader's exit, for children that are ending too */
#define REAP_GRACE_MS 1000 /* stragglers' SIGTERM to SIGKILL */
#define KILL_AGAIN_MS 10   /* first pause between kill rounds; doubles up to */
#define KILL_PAUSE_MS 1000
#define RECORD_AGAIN_MS 1000
#define LINGER_MS 60000 /* for a server that does not acknowledge */
#define STATE_SYNC_MS 200
#define TRIM_MS 300
#define LOOK_MS 60000 /* whether anybody can still find us */

struct run run = {.last_stream = -1, .exec_fd = -1, .phase = "running"};

enum state {
    RUNNING,   /* the agent runs */
    ENDING,    /* it was sent SIGTERM: timeout or cancel */
    DRAINING,  /* it has exited; its pipes and children may take a moment */
    REAPING,   /* stragglers were sent SIGTERM */
    KILLING,   /* freeze and SIGKILL until nobody is left */
    CLOSING,   /* the exit record could not be written yet */
    LINGERING, /* the record is written; the server has not acknowledged */
    DONE,
    N_STATES
};
enum event { LEADER_EXITED, TREE_EMPTY, PIPES_ENDED, TIMER, CANCEL, ACKNOWLEDGED, SERVER_GONE, N_EVENTS };

static enum state state;
static int64_t timer_at = INT64_MAX; /* mono ms of the state's TIMER */
static int64_t settle_at, kill_pause, cancel_grace;
static bool signalled;

static void timer_in(int64_t ms) { timer_at = mono_ms() + ms; }

static enum state end_with_grace(int64_t grace_ms)
{
    tree_signal(SIGTERM);
    timer_in(grace_ms);
    return ENDING;
}

static enum state time_is_up(void)
{
    run.timed_out = true;
    return end_with_grace(run.spec.grace_ms);
}

static int64_t cancel_grace_ms(void)
{
    if (cancel_grace <= 0) return run.spec.grace_ms;
    return cancel_grace < SHIM_GRACE_MIN_MS ? SHIM_GRACE_MIN_MS : cancel_grace;
}

static enum state cancelled(void)
{
    run.cancelled = true;
    run.cancelled_by_signal = signalled;
    return end_with_grace(cancel_grace_ms());
}

/* A second request may only bring the end nearer. */
static enum state hurry(void)
{
    int64_t at = mono_ms() + cancel_grace_ms();
    if (at < timer_at) timer_at = at;
    return ENDING;
}

static enum state drain(void)
{
    settle_at = mono_ms() + SETTLE_MS;
    timer_in(SHIM_DRAIN_MS);
    bool open = streams[STREAM_OUT].fd >= 0 || streams[STREAM_ERR].fd >= 0;
    if (!open) timer_at = settle_at;
    return DRAINING;
}

static enum state settle(void)
{
    if (settle_at < timer_at) timer_at = settle_at;
    return DRAINING;
}

static enum state kill_round(void)
{
    tree_kill();
    timer_in(kill_pause);
    kill_pause = kill_pause * 2 < KILL_PAUSE_MS ? kill_pause * 2 : KILL_PAUSE_MS;
    return KILLING;
}

static enum state kill_all(void)
{
    kill_pause = KILL_AGAIN_MS;
    return kill_round();
}

static enum state keep_killing(void) { return KILLING; }

static enum state record(void)
{
    int error = record_exit(true);
    if (error == ENOSPC || error == EDQUOT) error = record_exit(false); /* rather short than none */
    if (error == ENOENT && link_fd < 0) return DONE; /* the run directory was deleted: nobody can ask */
    if (error != 0) {
        timer_in(RECORD_AGAIN_MS);
        return CLOSING;
    }
    run.recorded = true;
    if (link_fd < 0) return DONE;
    link_tell_exit();
    timer_in(LINGER_MS);
    return LINGERING;
}

static enum state finish(void)
{
    pump_close();
    log_close();
    cgroup_leave();
    run.finished_at = wall_ms();
    return record();
}

static enum state reap_stragglers(void)
{
    tree_note(0);
    if (run.spec.keep_stragglers) {
        run.stragglers_left = orphans.total > 0;
        return finish();
    }
    tree_signal(SIGTERM);
    timer_in(REAP_GRACE_MS);
    return REAPING;
}

static enum state go(void) { return DONE; }

typedef enum state action(void);
static action *const actions[N_STATES][N_EVENTS] = {
    [RUNNING] = {[LEADER_EXITED] = drain, [TIMER] = time_is_up, [CANCEL] = cancelled},
    [ENDING] = {[LEADER_EXITED] = drain, [TIMER] = kill_all, [CANCEL] = hurry},
    [DRAINING] = {[TREE_EMPTY] = finish, [PIPES_ENDED] = settle, [TIMER] = reap_stragglers, [CANCEL] = reap_stragglers},
    [REAPING] = {[TREE_EMPTY] = finish, [TIMER] = kill_all},
    [KILLING] = {[LEADER_EXITED] = keep_killing, [TREE_EMPTY] = finish, [TIMER] = kill_round},
    [CLOSING] = {[TIMER] = record},
    [LINGERING] = {[ACKNOWLEDGED] = go, [SERVER_GONE] = go, [TIMER] = go},
};

static void happen(enum event event)
{
    static const char *const names[N_STATES] = {"running", "ending",  "draining",  "reaping",
                                                "killing", "closing", "lingering", "done"};
    if (event == TIMER) timer_at = INT64_MAX;
    action *act = actions[state][event];
    if (act == NULL) return;
    state = act();
    if (run.phase != names[state]) link_news();
    run.phase = names[state];
}

/* Collect the dead. Whoever is left without a parent is our child. */
static void collect(void)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid != run.pid || run.exited) continue;
        run.exited = true;
        run.status = status;
        run.leader_exited_at = wall_ms();
        agent_exec_settled();
        happen(LEADER_EXITED);
    }
}

/* Without a server, and its directory deleted, no server can ever find the
 * run again: it must not go on, and cost, for ever. */
static void end_if_abandoned(void)
{
    if (link_fd >= 0 || run.pid == 0 || access(SHIM_FILE_STATE, F_OK) == 0 || errno != ENOENT) return;
    cancel_grace = 0;
    happen(CANCEL);
}

static void signals_read(int fd)
{
    struct signalfd_siginfo info;
    while (read(fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo != SIGTERM) continue;
        signalled = true;
        cancel_grace = 0;
        happen(CANCEL);
    }
    collect();
}

static void server_read(void)
{
    int64_t grace = 0;
    for (enum said said; (said = link_read(&grace)) != SAID_NOTHING;) {
        if (said == SAID_CANCEL) {
            cancel_grace = grace;
            happen(CANCEL);
        }
        if (said == SAID_ACK) happen(ACKNOWLEDGED);
        if (said == SAID_GONE) {
            happen(SERVER_GONE);
            end_if_abandoned();
        }
    }
}

static int64_t earlier(int64_t a, int64_t b) { return a < b ? a : b; }

enum { P_SIGNALS, P_LISTEN, P_LINK, P_EXEC, P_OUT, P_ERR, N_POLLED };

static void wait_and_serve(int signal_fd, int64_t until)
{
    struct pollfd p[N_POLLED] = {
        [P_SIGNALS] = {.fd = signal_fd, .events = POLLIN},
        [P_LISTEN] = {.fd = link_listen_fd, .events = POLLIN},
        [P_LINK] = {.fd = link_fd, .events = (short)(POLLIN | (link_wants_write() ? POLLOUT : 0))},
        [P_EXEC] = {.fd = run.exec_fd, .events = POLLIN},
        [P_OUT] = {.fd = streams[STREAM_OUT].fd, .events = POLLIN},
        [P_ERR] = {.fd = streams[STREAM_ERR].fd, .events = POLLIN},
    };
    int64_t left = until == INT64_MAX ? -1 : until - mono_ms();
    if (until != INT64_MAX && left < 0) left = 0;
    if (poll(p, N_POLLED, left > LOOK_MS ? LOOK_MS : (int)left) <= 0) return;
    bool ended = false;
    for (int i = 0; i < STREAMS; i++)
        if (p[P_OUT + i].revents && !pump_read((enum stream_id)i)) ended = true;
    if (p[P_EXEC].revents && agent_exec_settled() && run.spawn_errno == 0) spec_release(&run.spec);
    if (p[P_LINK].revents & POLLOUT) link_write();
    if (p[P_LINK].revents & ~POLLOUT) server_read();
    if (p[P_LISTEN].revents) link_accept();
    if (p[P_SIGNALS].revents) signals_read(signal_fd);
    if (ended && streams[STREAM_OUT].fd < 0 && streams[STREAM_ERR].fd < 0) happen(PIPES_ENDED);
}

static void serve(int signal_fd)
{
    int64_t sync_at = mono_ms() + STATE_SYNC_MS, trim_at = mono_ms() + TRIM_MS, look_at = mono_ms() + LOOK_MS,
            seen = -1;
    while (state != DONE) {
        int64_t now = mono_ms();
        if (now >= timer_at) {
            happen(TIMER);
            collect();
        }
        if (run.exited && state < CLOSING && tree_empty()) happen(TREE_EMPTY);
        if (state == DONE) break;
        pump_flush_due(now);
        log_flush();
        link_progress_due(now);
        if (now >= look_at) {
            look_at = now + LOOK_MS;
            end_if_abandoned();
        }
        if (now >= sync_at) {
            record_sync_state();
            sync_at = INT64_MAX;
        }
        int64_t bytes = streams[STREAM_OUT].bytes + streams[STREAM_ERR].bytes;
        if (bytes != seen) {
            seen = bytes;
            trim_at = now + TRIM_MS;
        } else if (now >= trim_at) {
            pump_trim();
            log_trim();
            trim_at = INT64_MAX;
        }
        int64_t until = earlier(earlier(timer_at, sync_at), earlier(trim_at, pump_next_flush()));
        until = earlier(earlier(until, look_at), link_next_progress());
        wait_and_serve(signal_fd, until);
    }
}

/* From a child of the server to a process of its own. */
static bool detach(void)
{
    pid_t pid = fork();
    if (pid < 0) return false;
    if (pid > 0) _exit(0); /* the server reaps this one at once */
    setsid();
    close_range(SHIM_FD_LOCK + 1, ~0u, 0);
    for (int fd = SHIM_FD_SPEC; fd <= SHIM_FD_LOCK; fd++) fcntl(fd, F_SETFD, FD_CLOEXEC);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd <= 2; fd++) dup2(null, fd);
    close(null);
    return fchdir(SHIM_FD_DIR) == 0 && flock(SHIM_FD_LOCK, LOCK_EX | LOCK_NB) == 0;
}

static int signals_setup(void)
{
    static const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE};
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++) signal(ignored[i], SIG_IGN);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void know_self(const char *run_id)
{
    run.id = run_id;
    proc_read(getpid(), &run.self);
    ssize_t n = read_small(AT_FDCWD, "/proc/sys/kernel/random/boot_id", run.boot_id, sizeof run.boot_id);
    while (n > 0 && run.boot_id[n - 1] == '\n') run.boot_id[--n] = '\0';
    int oom = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (oom >= 0) write_all(oom, SHIM_OOM_SHIM, strlen(SHIM_OOM_SHIM));
    close(oom);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* Everything up to the running agent. False: why is in run. */
static bool begin(void)
{
    const char *wrong = spec_load(&run.spec, SHIM_FD_SPEC);
    close(SHIM_FD_SPEC);
    int error = link_setup();
    run.spawn_stage = "spec";
    run.spawn_errno = EINVAL;
    if (wrong) return false;
    run.spawn_stage = "socket";
    if ((run.spawn_errno = error) != 0) return false;
    redact_setup(run.spec.redact, run.spec.n_redact);
    run.spawn_stage = "log";
    if ((run.spawn_errno = log_open(run.spec.log, run.spec.log_max)) != 0) return false;
    run.spawn_stage = NULL;
    for (size_t i = 0; i < run.spec.n_notice; i++) {
        log_chunk(STREAM_OUT, run.spec.notice[i], strlen(run.spec.notice[i]));
        excerpt_add(STREAM_OUT, run.spec.notice[i], strlen(run.spec.notice[i]));
    }
    log_flush();
    return agent_start();
}

int main(int argc, char **argv)
{
    if (argc != 2 || fcntl(SHIM_FD_DIR, F_GETFD) < 0) {
        static const char usage[] = "bulldog-shim is started by bulldog, one for each run\n";
        write_all(STDERR_FILENO, usage, sizeof usage - 1);
        return 2;
    }
    if (!detach()) return 1;
    int signal_fd = signals_setup();
    know_self(argv[1]);
    begin();
    if (run.pid == 0) state = finish();
    else if (run.spec.timeout_ms > 0) timer_in(run.spec.timeout_ms);
    serve(signal_fd);
    unlink(SHIM_FILE_SOCK);
    return 0;
}
