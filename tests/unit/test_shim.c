/* shim: how runs held by the real bulldog-shim begin and end; size and speed. */
#include "shim_kit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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
    struct proc_stat st = {0};
    start(r);
    until(r, &r->started);
    const char *stat_path = arena_printf(&r->a, "/proc/%d/stat", r->state.shim_pid);
    assert_true(proc_stat_parse(file_text(&r->a, stat_path), &st));
    assert_int_equal(st.sid, r->state.shim_pid);
    assert_int_not_equal(st.ppid, getpid());
    assert_int_equal(st.start, r->state.shim_start);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* it left no child to us */
    assert_int_equal(errno, ECHILD);
    if (shim_is_small) /* no interpreter: nothing is loaded but itself */
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
        listen_now(r);
    }
    long idle = rss_kb(r, r->state.shim_pid);
    print_message("shim resident: %ld kB busy, %ld kB idle\n", peak, idle);
    if (strcmp(getenv("BULLDOG_SHIM_KIND"), "static") == 0) {
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
    assert_true(spawn_ns / N < INT64_C(50000000));
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
            if (r[i]->link.fd >= 0) listen_now(r[i]);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_run_succeeds),
        cmocka_unit_test(an_exit_code_is_kept),
        cmocka_unit_test(a_death_by_signal_is_named),
        cmocka_unit_test(a_missing_command_is_explained),
        cmocka_unit_test(a_missing_directory_is_explained),
        cmocka_unit_test(a_log_that_cannot_be_opened_ends_the_run_unstarted),
        cmocka_unit_test(arguments_that_are_too_long_are_explained),
        cmocka_unit_test(a_shim_that_is_missing_is_an_error_of_the_start),
        cmocka_unit_test(a_long_path_does_not_matter),
        cmocka_unit_test(the_agent_gets_its_own_world),
        cmocka_unit_test(notices_open_the_log),
        cmocka_unit_test(a_timeout_ends_the_agent_with_sigterm),
        cmocka_unit_test(an_agent_that_ignores_sigterm_is_killed_after_the_grace),
        cmocka_unit_test(a_cancel_ends_the_run_and_says_so),
        cmocka_unit_test(the_shim_is_a_process_of_its_own),
        cmocka_unit_test(sigterm_to_the_shim_is_a_cancel_and_sighup_is_nothing),
        cmocka_unit_test(a_shim_is_under_one_megabyte),
        cmocka_unit_test(a_start_is_quick),
        cmocka_unit_test(two_hundred_at_once),
    };
    return rig_main(tests, sizeof tests / sizeof tests[0]);
}
