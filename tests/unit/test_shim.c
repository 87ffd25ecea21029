/* shim: runs held by the real bulldog-shim, seen through shim_link. */
#include "unit.h"

#include "adapter/shim_log.h"
#include "adapter/shim_tree.h"
#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_MS 15000

static const char *shim_path;
static const char *home; /* a fresh directory for this program */
static int n_runs;

/* One run of a test: its order, its link, and what it told. */
struct rig {
    struct arena a;
    const char *id, *dir;
    struct shim_spec spec;
    struct shim_link link;
    const char *argv[8], *env[8];
    bool started, ended, gone;
    struct shim_state state;
    struct shim_progress progress;
    int n_progress;
    struct shim_exit exit;
};

/* given: a run of /bin/sh -c script, not yet started */
static struct rig *given(const char *script)
{
    struct rig *r = calloc(1, sizeof *r);
    r->id = arena_printf(&r->a, "run-%d-%d", getpid(), ++n_runs);
    r->dir = arena_printf(&r->a, "%s/%s", home, r->id);
    r->argv[0] = "/bin/sh";
    r->argv[1] = "-c";
    r->argv[2] = script;
    r->env[0] = "PATH=/usr/local/bin:/usr/bin:/bin";
    r->env[1] = arena_printf(&r->a, "PAPERCLIP_RUN_ID=%s", r->id);
    r->env[2] = arena_printf(&r->a, "HOME=%s", home);
    r->link.fd = -1;
    r->spec = (struct shim_spec){
        .run_id = r->id,
        .argv = r->argv,
        .env = r->env,
        .cwd = home,
        .log_path = arena_printf(&r->a, "%s/logs/%s.ndjson", home, r->id),
    };
    return r;
}

static void done(struct rig *r)
{
    shim_link_ack(&r->link);
    shim_link_close(&r->link);
    json_arena(NULL);
    arena_free(&r->a);
    free(r);
}

static void must(err_t e)
{
    if (e) fail_msg("%s", e->message);
}

static void heard(void *ctx, const struct shim_msg *m)
{
    struct rig *r = ctx;
    if (m->news == SHIM_STATE) {
        r->started = true;
        r->state = m->state;
    }
    if (m->news == SHIM_PROGRESS) {
        r->progress = m->progress;
        r->n_progress++;
    }
    if (m->news == SHIM_ENDED) r->ended = true;
    if (m->news == SHIM_GONE) r->gone = true;
}

static int64_t now_ms(void) { return (int64_t)(clock_mono_ns() / 1000000); }

static void nap(int ms) { poll(NULL, 0, ms); }

/* Listen until *what, or fail. */
static void until(struct rig *r, const bool *what)
{
    for (int64_t end = now_ms() + WAIT_MS; !*what;) {
        struct pollfd p = {.fd = r->link.fd, .events = POLLIN};
        if (now_ms() > end) fail_msg("run %s: nothing heard for %d ms", r->id, WAIT_MS);
        poll(&p, 1, 100);
        must(shim_link_read(&r->a, &r->link, heard, r));
        if (r->gone && !*what) fail_msg("run %s: the shim is gone", r->id);
    }
}

static void start(struct rig *r) { must(shim_spawn(&r->a, shim_path, r->dir, &r->spec, &r->link)); }

static void finish(struct rig *r)
{
    bool found;
    until(r, &r->ended);
    must(shim_exit_read(&r->a, r->dir, &r->exit, &found));
    assert_true(found);
}

static void start_and_finish(struct rig *r)
{
    start(r);
    finish(r);
}

/* As a server does that goes down. */
static void drop(struct rig *r)
{
    shim_link_close(&r->link);
    r->started = r->ended = r->gone = false;
}

static char *file_text(struct arena *a, const char *path)
{
    struct buf b = {0};
    char part[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    for (ssize_t n; fd >= 0 && (n = read(fd, part, sizeof part)) > 0;) buf_append(&b, part, (size_t)n);
    if (fd >= 0) close(fd);
    return buf_finish(&b, a);
}

/* The log's chunks of a stream, joined; seq must have no gap. */
static char *log_of(struct rig *r, const char *stream, size_t *records)
{
    struct buf b = {0};
    char *text = file_text(&r->a, r->spec.log_path);
    int64_t seq = 0;
    size_t n = 0;
    json_arena(&r->a);
    for (char *line = text, *nl; (nl = strchr(line, '\n')); line = nl + 1) {
        json_t *j;
        instant_t ts;
        must(json_parse(&r->a, line, (size_t)(nl - line), &j));
        assert_int_equal(json_int(j, "seq", 0), ++seq);
        assert_true(instant_parse(json_str(j, "ts"), &ts));
        if (strcmp(json_str(j, "stream"), stream) != 0) continue;
        buf_puts(&b, json_str(j, "chunk"));
        n++;
    }
    assert_true(text[0] == '\0' || text[strlen(text) - 1] == '\n');
    if (records) *records = n;
    return buf_finish(&b, &r->a);
}

static void a_plain_run_succeeds(void **unused)
{
    (void)unused;
    struct rig *r = given("echo hello; echo oops >&2; printf unfinished");
    instant_t before = clock_now();
    start_and_finish(r);
    assert_true(r->started);
    assert_true(r->exit.exited);
    assert_int_equal(r->exit.exit_code, 0);
    assert_null(r->exit.signal);
    assert_false(r->exit.timed_out || r->exit.cancelled);
    assert_string_equal(log_of(r, "stdout", NULL), "hello\nunfinished");
    assert_string_equal(log_of(r, "stderr", NULL), "oops\n");
    assert_string_equal(r->exit.stdout_excerpt, "hello\nunfinished");
    assert_string_equal(r->exit.stderr_excerpt, "oops\n");
    assert_int_equal(r->exit.stdout_bytes, 16);
    assert_int_equal(r->exit.output.last_seq, 3);
    struct stat st;
    assert_int_equal(stat(r->spec.log_path, &st), 0);
    assert_int_equal(st.st_size, r->exit.output.log_bytes);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_in_range(r->exit.started_at, before, r->exit.finished_at);
    assert_int_equal(r->exit.n_orphans, 0);
    done(r);
}

/* Runs that end in each of the ways there are. */

static void an_exit_code_is_kept(void **unused)
{
    (void)unused;
    struct rig *r = given("exit 7");
    start_and_finish(r);
    assert_true(r->exit.exited);
    assert_int_equal(r->exit.exit_code, 7);
    done(r);
}

static void a_death_by_signal_is_named(void **unused)
{
    (void)unused;
    struct rig *r = given("kill -KILL $$");
    start_and_finish(r);
    assert_false(r->exit.exited);
    assert_string_equal(r->exit.signal, "SIGKILL");
    done(r);
}

static void a_missing_command_is_explained(void **unused)
{
    (void)unused;
    struct rig *r = given(NULL);
    r->argv[0] = "no such command";
    r->argv[1] = NULL;
    start_and_finish(r);
    assert_false(r->exit.exited);
    assert_null(r->exit.signal);
    assert_string_equal(r->exit.spawn_error, "ENOENT");
    assert_string_equal(r->exit.spawn_stage, "exec");
    assert_string_equal(r->exit.spawn_error_text,
                        arena_printf(&r->a,
                                     "Failed to start command \"no such command\" in \"%s\". Verify adapter "
                                     "command, working directory, and PATH (/usr/local/bin:/usr/bin:/bin).",
                                     home));
    done(r);
}

static void a_missing_directory_is_explained(void **unused)
{
    (void)unused;
    struct rig *r = given("echo never");
    r->spec.cwd = "/nonexistent/place";
    start_and_finish(r);
    assert_string_equal(r->exit.spawn_error, "ENOENT");
    assert_string_equal(r->exit.spawn_stage, "cwd");
    assert_non_null(strstr(r->exit.spawn_error_text, "in \"/nonexistent/place\""));
    assert_string_equal(log_of(r, "stdout", NULL), "");
    done(r);
}

static void a_log_that_cannot_be_opened_ends_the_run_unstarted(void **unused)
{
    (void)unused;
    struct rig *r = given("echo never");
    r->spec.log_path = home; /* a directory */
    start_and_finish(r);
    assert_false(r->started);
    assert_string_equal(r->exit.spawn_stage, "log");
    assert_string_equal(r->exit.spawn_error, "EISDIR");
    done(r);
}

static void arguments_that_are_too_long_are_explained(void **unused)
{
    (void)unused;
    struct rig *r = given("echo never");
    char *big = arena_alloc(&r->a, 300000);
    memset(big, 'x', 299999);
    r->argv[3] = big;
    start_and_finish(r);
    assert_string_equal(r->exit.spawn_error, "E2BIG");
    done(r);
}

static void a_shim_that_is_missing_is_an_error_of_the_start(void **unused)
{
    (void)unused;
    struct rig *r = given("echo hello");
    struct shim_probe p;
    err_t e = shim_spawn(&r->a, "/nonexistent/bulldog-shim", r->dir, &r->spec, &r->link);
    assert_non_null(e);
    assert_non_null(strstr(e->message, "/nonexistent/bulldog-shim"));
    must(shim_tree_probe(&r->a, r->dir, r->id, &p));
    assert_int_equal(p.fate, SHIM_FATE_NEVER_STARTED);
    start_and_finish(r); /* the directory is as good as new */
    assert_string_equal(r->exit.stdout_excerpt, "hello\n");
    done(r);
}

static void a_long_path_does_not_matter(void **unused)
{
    (void)unused;
    struct rig *r = given("exec sleep 30");
    char deep[201];
    memset(deep, 'd', 200);
    deep[200] = '\0';
    r->dir = arena_printf(&r->a, "%s/%s/%s", home, deep, r->id);
    start(r);
    until(r, &r->started);
    drop(r);
    must(shim_attach(&r->a, r->dir, &r->link));
    until(r, &r->started);
    assert_true(shim_link_cancel(&r->link, 1000));
    finish(r);
    done(r);
}

static void the_agent_gets_its_own_world(void **unused)
{
    (void)unused;
    struct rig *r =
        given("env | sort; pwd; cat; ls /proc/self/fd | tr '\\n' ' '; echo; cut -d' ' -f5,6 /proc/$$/stat; echo $$; "
              "cat /proc/self/oom_score_adj; grep -E 'Sig(Blk|Ign)' /proc/self/status");
    r->spec.stdin_data = "from stdin\n";
    r->spec.stdin_len = 11;
    setenv("SERVER_SECRET", "leaked", 1);
    start_and_finish(r);
    unsetenv("SERVER_SECRET");
    const char *out = log_of(r, "stdout", NULL);
    assert_null(strstr(out, "SERVER_SECRET"));
    assert_non_null(strstr(out, arena_printf(&r->a, "PAPERCLIP_RUN_ID=%s\n", r->id)));
    assert_non_null(strstr(out, arena_printf(&r->a, "\n%s\nfrom stdin\n", home)));
    assert_non_null(strstr(out, "0 1 2 3 \n")); /* 3 is ls's own */
    assert_non_null(strstr(out, arena_printf(&r->a, "%d %d\n%d\n", r->state.pid, r->state.pid, r->state.pid)));
    assert_non_null(strstr(out, "\n800\n"));
    assert_non_null(strstr(out, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"));
    done(r);
}

static void notices_open_the_log(void **unused)
{
    (void)unused;
    struct rig *r = given("echo first");
    const char *notices[] = {"[paperclip] using a fallback workspace\n", NULL};
    r->spec.notices = notices;
    start_and_finish(r);
    assert_string_equal(log_of(r, "stdout", NULL), "[paperclip] using a fallback workspace\nfirst\n");
    assert_string_equal(r->exit.stdout_excerpt, "[paperclip] using a fallback workspace\nfirst\n");
    done(r);
}

/* Timeout and cancel. */

static void a_timeout_ends_the_agent_with_sigterm(void **unused)
{
    (void)unused;
    struct rig *r = given("trap 'echo bye; exit 3' TERM; sleep 30 & wait");
    r->spec.timeout_ms = 300;
    int64_t began = now_ms();
    start_and_finish(r);
    assert_true(r->exit.timed_out);
    assert_false(r->exit.cancelled);
    assert_int_equal(r->exit.exit_code, 3);
    assert_string_equal(log_of(r, "stdout", NULL), "bye\n");
    assert_in_range(now_ms() - began, 300, 1300); /* no straggler, no grace used up */
    done(r);
}

static void an_agent_that_ignores_sigterm_is_killed_after_the_grace(void **unused)
{
    (void)unused;
    struct rig *r = given("trap '' TERM; sleep 30; echo survived");
    r->spec.timeout_ms = 200;
    r->spec.grace_ms = 1; /* at least a second is given */
    int64_t began = now_ms();
    start_and_finish(r);
    assert_true(r->exit.timed_out);
    assert_string_equal(r->exit.signal, "SIGKILL");
    assert_string_equal(log_of(r, "stdout", NULL), "");
    assert_in_range(now_ms() - began, 1200, 3000);
    done(r);
}

static void a_cancel_ends_the_run_and_says_so(void **unused)
{
    (void)unused;
    struct rig *r = given("echo working; exec sleep 30");
    start(r);
    until(r, &r->started);
    assert_true(shim_link_cancel(&r->link, 5000));
    finish(r);
    assert_true(r->exit.cancelled);
    assert_false(r->exit.cancelled_by_signal || r->exit.timed_out);
    assert_string_equal(r->exit.signal, "SIGTERM");
    done(r);
}

static void the_shim_is_a_process_of_its_own(void **unused)
{
    (void)unused;
    struct rig *r = given("exec sleep 30");
    struct proc_stat st;
    start(r);
    until(r, &r->started);
    const char *stat_path = arena_printf(&r->a, "/proc/%d/stat", r->state.shim_pid);
    assert_true(proc_stat_parse(file_text(&r->a, stat_path), &st));
    assert_int_equal(st.sid, r->state.shim_pid);
    assert_int_not_equal(st.ppid, getpid());
    assert_int_equal(st.start, r->state.shim_start);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* it left no child to us */
    assert_int_equal(errno, ECHILD);
    if (strcmp(getenv("BULLDOG_SHIM_KIND"), "static") == 0) /* no interpreter: nothing is loaded but itself */
        assert_int_equal(system(arena_printf(&r->a, "! readelf -lW '%s' | grep -q INTERP", shim_path)), 0);
    struct stat sock;
    assert_int_equal(stat(arena_printf(&r->a, "%s/sock", r->dir), &sock), 0);
    assert_int_equal(sock.st_mode & 0777, 0600);
    assert_true(shim_link_cancel(&r->link, 1000));
    finish(r);
    done(r);
}

static void sigterm_to_the_shim_is_a_cancel_and_sighup_is_nothing(void **unused)
{
    (void)unused;
    struct rig *r = given("exec sleep 30");
    start(r);
    until(r, &r->started);
    assert_string_equal(file_text(&r->a, arena_printf(&r->a, "/proc/%d/oom_score_adj", r->state.shim_pid)), "400\n");
    kill(r->state.shim_pid, SIGHUP);
    kill(r->state.shim_pid, SIGINT);
    kill(r->state.shim_pid, SIGPIPE);
    nap(50);
    kill(r->state.shim_pid, SIGTERM);
    finish(r);
    assert_true(r->exit.cancelled && r->exit.cancelled_by_signal);
    done(r);
}

/* The tree. */

static bool alive(pid_t pid)
{
    char path[64], text[1024] = "";
    struct proc_stat st;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    return n > 0 && proc_stat_parse(text, &st) && st.state != 'Z';
}

/* The number that the run's script left in file `name` of the home. */
static pid_t pid_left_in(struct rig *r, const char *name)
{
    char *text = file_text(&r->a, arena_printf(&r->a, "%s/%s", home, name));
    assert_true(atoi(text) > 1);
    return atoi(text);
}

static void a_stopped_agent_still_hears_the_end(void **unused)
{
    (void)unused;
    struct rig *r = given("kill -STOP $$; echo never");
    r->spec.timeout_ms = 200;
    r->spec.grace_ms = 10000;
    int64_t began = now_ms();
    start_and_finish(r);
    assert_true(r->exit.timed_out);
    assert_string_equal(r->exit.signal, "SIGTERM");
    assert_true(now_ms() - began < 3000);
    done(r);
}

static void an_escapee_is_listed_killed_and_gone(void **unused)
{
    (void)unused;
    struct rig *r = given("(setsid sh -c \"trap '' TERM HUP INT; echo \\$\\$ > escapee; while :; do sleep 1; done\" "
                          ">/dev/null 2>&1 &) ; while [ ! -s escapee ]; do sleep 0.01; done; echo leader done");
    start_and_finish(r);
    pid_t escapee = pid_left_in(r, "escapee");
    assert_int_equal(r->exit.exit_code, 0);
    assert_true(r->exit.n_orphans >= 1);
    assert_false(r->exit.stdout_detached);
    bool listed = false;
    for (size_t i = 0; i < r->exit.n_orphans; i++)
        if (r->exit.orphans[i].pid == escapee) listed = strstr(r->exit.orphans[i].command, "trap '' TERM") != NULL;
    assert_true(listed);
    assert_false(alive(escapee));
    done(r);
}

static void a_grandchild_that_holds_stdout_does_not_hold_the_run(void **unused)
{
    (void)unused;
    struct rig *r = given("(setsid sh -c \"trap '' TERM; sleep 60; echo late\" &) ; echo leader done");
    int64_t began = now_ms();
    start_and_finish(r);
    assert_in_range(now_ms() - began, 2000, 3600);
    assert_true(r->exit.stdout_detached || r->exit.n_orphans > 0);
    assert_string_equal(log_of(r, "stdout", NULL), "leader done\n");
    assert_true(r->exit.n_orphans >= 1);
    done(r);
}

static void an_agent_that_forks_when_told_to_end_escapes_nothing(void **unused)
{
    (void)unused;
    /* on SIGTERM every process starts two more of its kind, each in its own session */
    struct rig *r = given("cat > bomb <<'X'\n"
                          "trap 'setsid sh ./bomb & setsid sh ./bomb &' TERM\n"
                          "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 1; done\n"
                          "X\n"
                          "echo $$ > leader; exec sh ./bomb");
    r->spec.timeout_ms = 400;
    r->spec.grace_ms = 1500;
    start_and_finish(r);
    assert_true(r->exit.timed_out);
    struct shim_probe p;
    must(shim_tree_probe(&r->a, r->dir, r->id, &p));
    nap(1200); /* what had escaped would go on forking */
    FILE *f = popen(
        arena_printf(&r->a, "grep -lz '^PAPERCLIP_RUN_ID=%s$' /proc/[0-9]*/environ 2>/dev/null | wc -l", r->id), "r");
    int left = -1;
    assert_int_equal(fscanf(f, "%d", &left), 1);
    pclose(f);
    assert_int_equal(left, 0);
    done(r);
}

static void a_busy_fork_bomb_is_frozen_and_killed(void **unused)
{
    (void)unused;
    struct rig *r = given("cat > churn <<'X'\n"
                          "trap '' TERM\n"
                          "n=0; while [ $n -lt 3000 ]; do n=$((n+1)); (setsid sleep 0.05 &) ; done\n"
                          "exec setsid sh ./churn\n"
                          "X\n"
                          "for i in 1 2 3 4; do setsid sh ./churn >/dev/null 2>&1 & done; sleep 0.3");
    start_and_finish(r);
    assert_true(r->exit.orphans_total >= 4);
    nap(300);
    FILE *f = popen(
        arena_printf(&r->a, "grep -lz '^PAPERCLIP_RUN_ID=%s$' /proc/[0-9]*/environ 2>/dev/null | wc -l", r->id), "r");
    int left = -1;
    assert_int_equal(fscanf(f, "%d", &left), 1);
    pclose(f);
    assert_int_equal(left, 0);
    done(r);
}

static void stragglers_are_left_when_the_agent_asks_for_it(void **unused)
{
    (void)unused;
    struct rig *r = given("setsid sleep 20 >/dev/null 2>&1 & echo $! > kept");
    r->spec.keep_stragglers = true;
    start_and_finish(r);
    pid_t kept = pid_left_in(r, "kept");
    assert_true(r->exit.orphans_left);
    assert_int_equal(r->exit.orphans_total, 1);
    assert_true(alive(kept));
    kill(kept, SIGKILL);
    done(r);
}

static void a_cgroup_is_used_where_permitted(void **unused)
{
    (void)unused;
    static const char *const roots[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"};
    struct rig *r = given("(setsid sleep 30 >/dev/null 2>&1 &) ; cat /proc/self/cgroup; sleep 0.1");
    const char *root = NULL;
    for (int i = 0; i < 2 && !root; i++)
        if (access(arena_printf(&r->a, "%s/cgroup.procs", roots[i]), W_OK) == 0) root = roots[i];
    if (root == NULL) {
        print_message("no writable cgroup v2 here: skipped\n");
        done(r);
        skip();
    }
    r->spec.cgroup = arena_printf(&r->a, "%s/bulldog-test-%d", root, getpid());
    start_and_finish(r);
    assert_string_equal(r->state.cgroup, r->spec.cgroup);
    assert_non_null(strstr(log_of(r, "stdout", NULL), arena_printf(&r->a, "bulldog-test-%d\n", getpid())));
    assert_int_equal(r->exit.orphans_total, 1);
    assert_int_equal(access(r->spec.cgroup, F_OK), -1); /* empty, so it could be removed */
    done(r);
}

static void a_cgroup_that_is_not_permitted_is_ignored(void **unused)
{
    (void)unused;
    struct rig *r = given("echo fine");
    r->spec.cgroup = "/proc/none/bulldog";
    start_and_finish(r);
    assert_null(r->state.cgroup);
    assert_int_equal(r->exit.exit_code, 0);
    done(r);
}

/* Output. */

static void secrets_do_not_reach_the_log(void **unused)
{
    (void)unused;
    struct rig *r = given(
        "printf 'a hunter2hunter2 b\\n'; printf 'split hunt'; sleep 0.4; printf 'er2hunter2 end\\n';"
        "printf 'key=sk-abcdefghijklmnopqrstuvwx.\\n' >&2; printf 'task-force-abcdefghijklmnopqrstuvwx\\n' >&2;"
        "printf 'ghp_0123456789abcdefghij0123456789abcdef\\n'; printf '\\\\nsk-ant-api03-AbCdEfGhIjKlMnOp_Qr\\n';"
        "printf 'pcp_0123456789abcdef0123456789abcdef0123456789abcdef!\\n';"
        "printf 'jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOi'; sleep 0.4; printf 'IxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P\"\\n';"
        "printf 'line one\\nline two\\n'; printf '{\"k\":\"line one\\\\nline two\"}\\n'; exec sleep 0.01 hunter2hunter2");
    const char *secrets[] = {"hunter2hunter2", "line one\nline two", "ab", NULL};
    r->env[3] = "LC_ALL=C";
    r->spec.redact = secrets;
    start_and_finish(r);
    assert_string_equal(log_of(r, "stdout", NULL), "a " SHIM_REDACTED " b\nsplit " SHIM_REDACTED " end\n" SHIM_REDACTED
                                                   "\n\\n" SHIM_REDACTED "\n" SHIM_REDACTED "!\njwt " SHIM_REDACTED
                                                   "\"\n" SHIM_REDACTED "\n{\"k\":\"" SHIM_REDACTED "\"}\n");
    assert_string_equal(log_of(r, "stderr", NULL), "key=" SHIM_REDACTED ".\ntask-force-abcdefghijklmnopqrstuvwx\n"
                                                   "sleep: invalid time interval '" SHIM_REDACTED "'\n"
                                                   "Try 'sleep --help' for more information.\n");
    assert_null(strstr(r->exit.stdout_excerpt, "hunter2"));
    char *record = file_text(&r->a, arena_printf(&r->a, "%s/exit", r->dir));
    assert_null(strstr(record, "hunter2"));
    done(r);
}

static void a_secret_in_a_stragglers_command_is_hidden(void **unused)
{
    (void)unused;
    struct rig *r = given("setsid sh -c 'sleep 30' sh-name swordfish1234 >/dev/null 2>&1 & sleep 0.05");
    const char *secrets[] = {"swordfish1234", NULL};
    r->spec.redact = secrets;
    start_and_finish(r);
    assert_true(r->exit.n_orphans > 0);
    assert_non_null(strstr(r->exit.orphans[0].command, SHIM_REDACTED));
    assert_null(strstr(file_text(&r->a, arena_printf(&r->a, "%s/exit", r->dir)), "swordfish"));
    done(r);
}

static void characters_are_never_cut(void **unused)
{
    (void)unused;
    struct rig *r =
        given("printf '\\303'; sleep 0.3; printf '\\251 \\360\\237\\220'; sleep 0.3; printf '\\266|\\377|\\303\\n';"
              "printf 'plain \\001\\033\\t\"\\\\ end\\n'");
    start_and_finish(r);
    assert_string_equal(log_of(r, "stdout", NULL),
                        "\xc3\xa9 \xf0\x9f\x90\xb6|\xef\xbf\xbd|\xef\xbf\xbd\nplain \x01\x1b\t\"\\ end\n");
    done(r);
}

static void what_is_in_the_pipe_at_the_end_is_logged(void **unused)
{
    (void)unused;
    /* the shim stands still while the agent fills the pipe and ends */
    struct rig *r = given("sleep 0.3; head -c 60000 /dev/zero | tr \'\\0\' z; echo; exit 6");
    start(r);
    until(r, &r->started);
    nap(50);
    kill(r->state.shim_pid, SIGSTOP);
    nap(800);
    kill(r->state.shim_pid, SIGCONT);
    finish(r);
    assert_int_equal(r->exit.exit_code, 6);
    assert_int_equal(strlen(log_of(r, "stdout", NULL)), 60001);
    assert_false(r->exit.stdout_detached);
    done(r);
}

static void an_unfinished_line_is_shown_while_the_agent_waits(void **unused)
{
    (void)unused;
    struct rig *r = given("printf 'password: '; sleep 30");
    start(r);
    for (int64_t end = now_ms() + 5000; r->progress.last_seq < 1 && now_ms() < end;) {
        nap(20);
        must(shim_link_read(&r->a, &r->link, heard, r));
    }
    assert_string_equal(log_of(r, "stdout", NULL), "password: ");
    assert_string_equal(r->progress.last_stream, "stdout");
    assert_true(shim_link_cancel(&r->link, 1000));
    finish(r);
    done(r);
}

static void a_long_line_is_cut_into_whole_records(void **unused)
{
    (void)unused;
    struct rig *r = given("head -c 300000 /dev/zero | tr '\\0' x; echo; head -c 100000 /dev/zero; echo");
    size_t records;
    start_and_finish(r);
    char *out = log_of(r, "stdout", &records);
    assert_true(records >= 6);
    assert_int_equal(r->exit.stdout_bytes, 400002);
    assert_int_equal(strspn(out, "x"), 300000);
    assert_int_equal(r->exit.output.dropped_bytes, 0);
    done(r);
}

static void much_output_is_bounded_and_never_stalls_the_agent(void **unused)
{
    (void)unused;
    struct rig *r = given("yes 'a line of output that is long enough to look like one' | head -c 300000000");
    r->spec.log_max_bytes = 1000000;
    int64_t began = now_ms();
    start_and_finish(r);
    int64_t took = now_ms() - began;
    assert_int_equal(r->exit.exit_code, 0);
    assert_int_equal(r->exit.stdout_bytes, 300000000);
    assert_in_range(r->exit.output.log_bytes, 900000, 1000000);
    const char *out = log_of(r, "stdout", NULL), *system = log_of(r, "system", NULL);
    assert_int_equal((int64_t)strlen(out) + r->exit.output.dropped_bytes, 300000000);
    assert_non_null(strstr(system, "reached its limit of 1000000 bytes"));
    assert_non_null(strstr(
        system, arena_printf(&r->a, "%lld bytes of output were dropped", (long long)r->exit.output.dropped_bytes)));
    assert_int_equal(strlen(r->exit.stdout_excerpt), SHIM_EXCERPT_MAX);
    print_message("300 MB through a 1 MB log: %lld ms\n", (long long)took);
    assert_true(took < 60000);
    done(r);
}

static void the_exit_record_is_written_when_it_can_be(void **unused)
{
    (void)unused;
    struct rig *r = given("sleep 0.2; echo here");
    start(r);
    until(r, &r->started);
    const char *in_the_way = arena_printf(&r->a, "%s/%s", r->dir, SHIM_FILE_EXIT_TEMP);
    assert_int_equal(mkdir(in_the_way, 0700), 0);
    nap(600);
    must(shim_link_read(&r->a, &r->link, heard, r));
    assert_false(r->ended || r->gone);
    assert_string_equal(r->progress.phase, "closing");
    assert_int_equal(rmdir(in_the_way), 0);
    finish(r);
    assert_string_equal(r->exit.stdout_excerpt, "here\n");
    done(r);
}

static void a_full_disk_never_stalls_the_agent(void **unused)
{
    (void)unused;
    struct rig *r = given("yes 0123456789 | head -c 3000000; echo end");
    r->spec.log_path = "/dev/full";
    start_and_finish(r);
    assert_int_equal(r->exit.exit_code, 0);
    assert_string_equal(r->exit.log_error, "ENOSPC");
    assert_int_equal(r->exit.output.dropped_bytes, 3000004);
    assert_non_null(strstr(r->exit.stdout_excerpt, "end\n"));
    done(r);
}

/* Server and shim without each other. */

static void a_server_that_dies_comes_back_and_misses_nothing(void **unused)
{
    (void)unused;
    struct rig *r =
        given("i=0; while [ $i -lt 200 ]; do i=$((i+1)); echo line $i; [ $i = 100 ] && sleep 0.6; done; echo end");
    int told[2];
    assert_int_equal(pipe(told), 0);
    pid_t server = fork(); /* another process starts the run and is killed */
    if (server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        start(r);
        until(r, &r->started);
        if (write(told[1], "x", 1) != 1) _exit(1);
        pause();
    }
    char byte;
    assert_int_equal(read(told[0], &byte, 1), 1);
    close(told[0]);
    close(told[1]);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    struct shim_probe p;
    must(shim_tree_probe(&r->a, r->dir, r->id, &p));
    assert_int_equal(p.fate, SHIM_FATE_ALIVE);
    must(shim_attach(&r->a, r->dir, &r->link));
    until(r, &r->started);
    assert_int_equal(r->state.pid, p.state.pid);
    finish(r);
    struct buf want BUF_AUTO = {0};
    for (int i = 1; i <= 200; i++) buf_printf(&want, "line %d\n", i);
    buf_puts(&want, "end\n");
    assert_string_equal(log_of(r, "stdout", NULL), want.data);
    assert_int_equal(r->exit.exit_code, 0);
    done(r);
}

static void a_run_that_ended_alone_is_collected_later(void **unused)
{
    (void)unused;
    struct rig *r = given("sleep 0.2; echo alone; exit 5");
    struct shim_probe p;
    must(shim_tree_probe(&r->a, r->dir, r->id, &p));
    assert_int_equal(p.fate, SHIM_FATE_NEVER_STARTED);
    start(r);
    until(r, &r->started);
    drop(r);
    for (int64_t end = now_ms() + WAIT_MS; now_ms() < end; nap(20)) {
        must(shim_tree_probe(&r->a, r->dir, r->id, &p));
        if (p.fate != SHIM_FATE_ALIVE) break;
    }
    assert_int_equal(p.fate, SHIM_FATE_ENDED);
    assert_int_equal(p.exit.exit_code, 5);
    assert_string_equal(p.exit.stdout_excerpt, "alone\n");
    assert_false(alive(p.state.shim_pid));
    err_t e = shim_attach(&r->a, r->dir, &r->link);
    assert_non_null(e);
    assert_int_equal(e->kind, ERR_UNAVAILABLE);
    e = shim_spawn(&r->a, shim_path, r->dir, &r->spec, &r->link);
    assert_non_null(e);
    assert_int_equal(e->kind, ERR_CONFLICT); /* a run directory is for one run */
    must(shim_run_dir_remove(&r->a, r->dir));
    assert_int_equal(access(r->dir, F_OK), -1);
    done(r);
}

static void the_newest_link_is_the_server(void **unused)
{
    (void)unused;
    struct rig *r = given("exec sleep 30");
    struct shim_link old;
    start(r);
    until(r, &r->started);
    old = r->link;
    r->started = false;
    must(shim_attach(&r->a, r->dir, &r->link));
    until(r, &r->started);
    struct shim_link newer = r->link;
    r->link = old;
    until(r, &r->gone);
    r->link = newer;
    r->gone = false;
    assert_true(shim_link_cancel(&r->link, 1000));
    finish(r);
    done(r);
}

static void a_server_that_does_not_read_blocks_nothing(void **unused)
{
    (void)unused;
    struct rig *r =
        given("i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo $i; sleep 0.02; done; yes | head -c 2000000; exit 4");
    int small = 1;
    start(r);
    setsockopt(r->link.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    for (int i = 0; i < 3000; i++) (void)!send(r->link.fd, "hello\n", 6, MSG_DONTWAIT | MSG_NOSIGNAL);
    bool found = false;
    for (int64_t end = now_ms() + WAIT_MS; !found && now_ms() < end; nap(20))
        must(shim_exit_read(&r->a, r->dir, &r->exit, &found));
    assert_true(found);
    assert_int_equal(r->exit.exit_code, 4);
    done(r);
}

static void a_shim_is_found_dead_and_its_tree_is_ended_first(void **unused)
{
    (void)unused;
    struct rig *r =
        given("setsid sh -c \"trap '' TERM; echo \\$\\$ > stubborn; while :; do sleep 1; done\" >/dev/null 2>&1 & "
              "while :; do sleep 1; done");
    struct shim_probe p;
    start(r);
    until(r, &r->started);
    while (access(arena_printf(&r->a, "%s/stubborn", home), F_OK) != 0) nap(10);
    nap(50);
    pid_t stubborn = pid_left_in(r, "stubborn");
    kill(r->state.shim_pid, SIGKILL);
    until(r, &r->gone);
    must(shim_tree_probe(&r->a, r->dir, r->id, &p));
    assert_int_equal(p.fate, SHIM_FATE_TREE_ALIVE);
    bool leader = false, other = false;
    for (size_t i = 0; i < p.n_survivors; i++) {
        leader |= p.survivors[i].pid == r->state.pid && p.survivors[i].start == r->state.start;
        other |= p.survivors[i].pid == stubborn;
    }
    assert_true(leader && other);
    err_t e = shim_spawn(&r->a, shim_path, r->dir, &r->spec, &r->link); /* not while the old tree lives */
    assert_non_null(e);
    assert_int_equal(e->kind, ERR_CONFLICT);
    must(shim_tree_kill(&r->a, r->dir, r->id, 300, 5000, &p));
    assert_int_equal(p.fate, SHIM_FATE_TREE_ALIVE); /* what was found */
    assert_false(alive(stubborn) || alive(r->state.pid));
    must(shim_tree_probe(&r->a, r->dir, r->id, &p));
    assert_int_equal(p.fate, SHIM_FATE_TREE_EMPTY);
    must(shim_run_dir_remove(&r->a, r->dir));
    r->argv[2] = "echo again"; /* proven empty: it may run again */
    r->started = r->ended = r->gone = false;
    start_and_finish(r);
    assert_string_equal(r->exit.stdout_excerpt, "again\n");
    done(r);
}

static void a_survivor_that_shed_everything_is_still_found(void **unused)
{
    (void)unused;
    struct rig *r =
        given("(setsid env -i sh -c 'echo $$ > shed; exec sleep 60' </dev/null >/dev/null 2>&1 &) ; exec sleep 60");
    struct shim_probe p;
    start(r);
    until(r, &r->started);
    while (access(arena_printf(&r->a, "%s/shed", home), F_OK) != 0) nap(10);
    nap(50);
    pid_t shed = pid_left_in(r, "shed");
    kill(r->state.shim_pid, SIGKILL);
    until(r, &r->gone);
    kill(r->state.pid, SIGKILL); /* not even a leader is left */
    nap(50);
    must(shim_tree_probe(&r->a, r->dir, r->id, &p));
    assert_int_equal(p.fate, SHIM_FATE_TREE_ALIVE);
    assert_int_equal(p.n_survivors, 1);
    assert_int_equal(p.survivors[0].pid, shed);
    assert_string_equal(p.survivors[0].command, "sleep 60");
    must(shim_tree_kill(&r->a, r->dir, r->id, 1000, 5000, &p));
    assert_false(alive(shed));
    done(r);
}

static void a_log_is_whole_after_its_shim_was_killed(void **unused)
{
    (void)unused;
    struct rig *r = given("echo one; echo two >&2; printf \'%040000d\\n\' 3; sleep 60");
    struct shim_probe p;
    struct shim_exit x = {0};
    start(r);
    for (int64_t end = now_ms() + WAIT_MS; r->progress.last_seq < 3 && now_ms() < end; nap(5))
        must(shim_link_read(&r->a, &r->link, heard, r));
    kill(r->state.shim_pid, SIGKILL);
    until(r, &r->gone);
    FILE *f = fopen(r->spec.log_path, "a");
    assert_non_null(f);
    fputs("{\"ts\":\"2026-01-01T00:00:00.000Z\",\"stream\":\"stdout\",\"chu", f); /* torn */
    fclose(f);
    must(shim_tree_kill(&r->a, r->dir, r->id, 1000, 5000, &p));
    must(shim_log_recover(&r->a, r->spec.log_path, &x));
    assert_int_equal(x.output.last_seq, 3);
    assert_int_equal(x.output.log_bytes, r->progress.log_bytes);
    assert_string_equal(x.stderr_excerpt, "two\n");
    assert_int_equal(strlen(x.stdout_excerpt), SHIM_EXCERPT_MAX);
    assert_string_equal(x.stdout_excerpt + SHIM_EXCERPT_MAX - 3, "03\n");
    assert_string_equal(log_of(r, "stderr", NULL), "two\n"); /* and it parses to its end */
    must(shim_log_recover(&r->a, "/nonexistent", &x));
    assert_int_equal(x.output.last_seq, 0);
    done(r);
}

static void a_recycled_pid_is_no_survivor(void **unused)
{
    (void)unused;
    struct rig *r = given("");
    struct shim_probe p;
    pid_t stranger = fork();
    if (stranger == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setsid();
        pause();
        _exit(0);
    }
    mkdir(r->dir, 0700);
    FILE *f = fopen(arena_printf(&r->a, "%s/state", r->dir), "w");
    assert_non_null(f);
    fprintf(f, "{\"pid\":%d,\"pgid\":%d,\"start\":1,\"startedAt\":\"2026-01-01T00:00:00.000Z\"}", stranger, stranger);
    fclose(f);
    nap(20);
    must(shim_tree_probe(&r->a, r->dir, r->id, &p));
    assert_int_equal(p.fate, SHIM_FATE_TREE_EMPTY);
    assert_true(alive(stranger));
    kill(stranger, SIGKILL);
    waitpid(stranger, NULL, 0);
    done(r);
}

/* Size, speed, number. */

static long rss_kb(struct rig *r, pid_t pid)
{
    const char *text = file_text(&r->a, arena_printf(&r->a, "/proc/%d/status", pid));
    const char *at = strstr(text, "VmRSS:");
    return at ? strtol(at + 6, NULL, 10) : -1;
}

static void a_shim_is_under_one_megabyte(void **unused)
{
    (void)unused;
    struct rig *r = given("head -c 3000000 /dev/urandom | base64 -w 0; echo; yes line | head -c 3000000; "
                          "head -c 200000 /dev/zero >&2; sleep 30");
    const char *notices[] = {arena_strndup(&r->a, file_text(&r->a, "/proc/self/maps"), 4000), NULL};
    r->spec.notices = notices;
    start(r);
    until(r, &r->started);
    long peak = 0;
    for (int i = 0; i < 150; i++, nap(10)) {
        long now = rss_kb(r, r->state.shim_pid);
        if (now > peak) peak = now;
        must(shim_link_read(&r->a, &r->link, heard, r));
    }
    long idle = rss_kb(r, r->state.shim_pid);
    print_message("shim resident: %ld kB busy, %ld kB idle\n", peak, idle);
    if (strcmp(getenv("BULLDOG_SHIM_KIND"), "static") ==
        0) { /* with a sanitizer in it, it is neither static nor small */
        assert_in_range(idle, 1, 1024);
        assert_in_range(peak, 1, 1024);
    }
    assert_true(shim_link_cancel(&r->link, 1000));
    finish(r);
    done(r);
}

static void a_start_is_quick(void **unused)
{
    (void)unused;
    enum { N = 40 };
    struct rig *r[N];
    int64_t spawn_ns = 0, whole_ns = 0;
    for (int i = 0; i < N; i++) {
        r[i] = given(NULL);
        r[i]->argv[0] = "/bin/true";
        r[i]->argv[1] = NULL;
        uint64_t t0 = clock_mono_ns();
        start(r[i]);
        uint64_t t1 = clock_mono_ns();
        finish(r[i]);
        spawn_ns += (int64_t)(t1 - t0);
        whole_ns += (int64_t)(clock_mono_ns() - t0);
        done(r[i]);
    }
    print_message("mean of %d: spawn %.2f ms, spawn to collected %.2f ms\n", N, (double)spawn_ns / N / 1e6,
                  (double)whole_ns / N / 1e6);
    assert_true(spawn_ns / N < 50 * 1000000);
}

static void two_hundred_at_once(void **unused)
{
    (void)unused;
    enum { N = 200 };
    static struct rig *r[N];
    int64_t began = now_ms();
    for (int i = 0; i < N; i++) {
        r[i] = given("echo from $PAPERCLIP_RUN_ID; sleep 1; echo end; exit 9");
        start(r[i]);
    }
    int64_t started = now_ms();
    for (int i = 0; i < N; i++) { /* the server restarts: attach to all */
        until(r[i], &r[i]->started);
        drop(r[i]);
    }
    int64_t before = now_ms();
    int attached = 0;
    for (int i = 0; i < N; i++) {
        struct shim_probe p;
        must(shim_tree_probe(&r[i]->a, r[i]->dir, r[i]->id, &p));
        if (p.fate == SHIM_FATE_ENDED) continue;
        err_t e = shim_attach(&r[i]->a, r[i]->dir, &r[i]->link);
        if (e == OK) attached++;
        r[i]->ended = e != OK;
    }
    int64_t after = now_ms();
    for (int i = 0; i < N; i++) {
        bool found = false;
        for (int64_t end = now_ms() + WAIT_MS; !found && now_ms() < end; nap(5)) {
            if (r[i]->link.fd >= 0) must(shim_link_read(&r[i]->a, &r[i]->link, heard, r[i]));
            must(shim_exit_read(&r[i]->a, r[i]->dir, &r[i]->exit, &found));
        }
        assert_true(found);
        assert_int_equal(r[i]->exit.exit_code, 9);
        assert_string_equal(log_of(r[i], "stdout", NULL), arena_printf(&r[i]->a, "from %s\nend\n", r[i]->id));
        done(r[i]);
    }
    print_message("200 runs: started in %lld ms, %d re-attached in %lld ms, all ended after %lld ms\n",
                  (long long)(started - began), attached, (long long)(after - before), (long long)(now_ms() - began));
}

static int setup(void **unused)
{
    (void)unused;
    static char dir[] = "/tmp/bulldog-shim-XXXXXX";
    shim_path = getenv("BULLDOG_SHIM");
    home = mkdtemp(dir);
    return shim_path && home && getenv("BULLDOG_SHIM_KIND") ? 0 : -1;
}

static int teardown(void **unused)
{
    (void)unused;
    struct arena a ARENA_AUTO = {0};
    return system(arena_printf(&a, "rm -rf '%s'", home));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_run_succeeds),
        cmocka_unit_test(an_exit_code_is_kept),
        cmocka_unit_test(a_death_by_signal_is_named),
        cmocka_unit_test(a_missing_command_is_explained),
        cmocka_unit_test(a_missing_directory_is_explained),
        cmocka_unit_test(arguments_that_are_too_long_are_explained),
        cmocka_unit_test(a_shim_that_is_missing_is_an_error_of_the_start),
        cmocka_unit_test(a_long_path_does_not_matter),
        cmocka_unit_test(a_log_that_cannot_be_opened_ends_the_run_unstarted),
        cmocka_unit_test(the_agent_gets_its_own_world),
        cmocka_unit_test(notices_open_the_log),
        cmocka_unit_test(a_timeout_ends_the_agent_with_sigterm),
        cmocka_unit_test(an_agent_that_ignores_sigterm_is_killed_after_the_grace),
        cmocka_unit_test(a_cancel_ends_the_run_and_says_so),
        cmocka_unit_test(the_shim_is_a_process_of_its_own),
        cmocka_unit_test(sigterm_to_the_shim_is_a_cancel_and_sighup_is_nothing),
        cmocka_unit_test(a_stopped_agent_still_hears_the_end),
        cmocka_unit_test(an_escapee_is_listed_killed_and_gone),
        cmocka_unit_test(a_grandchild_that_holds_stdout_does_not_hold_the_run),
        cmocka_unit_test(an_agent_that_forks_when_told_to_end_escapes_nothing),
        cmocka_unit_test(a_busy_fork_bomb_is_frozen_and_killed),
        cmocka_unit_test(stragglers_are_left_when_the_agent_asks_for_it),
        cmocka_unit_test(a_cgroup_is_used_where_permitted),
        cmocka_unit_test(a_cgroup_that_is_not_permitted_is_ignored),
        cmocka_unit_test(secrets_do_not_reach_the_log),
        cmocka_unit_test(a_secret_in_a_stragglers_command_is_hidden),
        cmocka_unit_test(characters_are_never_cut),
        cmocka_unit_test(what_is_in_the_pipe_at_the_end_is_logged),
        cmocka_unit_test(an_unfinished_line_is_shown_while_the_agent_waits),
        cmocka_unit_test(a_long_line_is_cut_into_whole_records),
        cmocka_unit_test(much_output_is_bounded_and_never_stalls_the_agent),
        cmocka_unit_test(a_full_disk_never_stalls_the_agent),
        cmocka_unit_test(the_exit_record_is_written_when_it_can_be),
        cmocka_unit_test(a_server_that_dies_comes_back_and_misses_nothing),
        cmocka_unit_test(a_run_that_ended_alone_is_collected_later),
        cmocka_unit_test(the_newest_link_is_the_server),
        cmocka_unit_test(a_server_that_does_not_read_blocks_nothing),
        cmocka_unit_test(a_shim_is_found_dead_and_its_tree_is_ended_first),
        cmocka_unit_test(a_survivor_that_shed_everything_is_still_found),
        cmocka_unit_test(a_log_is_whole_after_its_shim_was_killed),
        cmocka_unit_test(a_recycled_pid_is_no_survivor),
        cmocka_unit_test(a_shim_is_under_one_megabyte),
        cmocka_unit_test(a_start_is_quick),
        cmocka_unit_test(two_hundred_at_once),
    };
    json_setup();
    return cmocka_run_group_tests(tests, setup, teardown);
}
