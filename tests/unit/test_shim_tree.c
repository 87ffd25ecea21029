/* shim_tree: nothing of an agent's tree escapes, with its shim or without. */
#include "shim_kit.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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

/* How many processes have the run's id in their environment. */
static int carriers(struct rig *r)
{
    int n = -1;
    FILE *f = popen(
        arena_printf(&r->a, "grep -lz '^PAPERCLIP_RUN_ID=%s$' /proc/[0-9]*/environ 2>/dev/null | wc -l", r->id), "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%d", &n), 1);
    pclose(f);
    return n;
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
    nap(1200); /* what had escaped would go on forking */
    assert_int_equal(carriers(r), 0);
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
    assert_int_equal(carriers(r), 0);
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
        return;
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

/* The shim of a run by its argv, in whatever moment of its life; 0. */
static pid_t shim_of(struct rig *r)
{
    pid_t found = 0;
    DIR *d = opendir("/proc");
    assert_non_null(d);
    for (struct dirent *e; found == 0 && (e = readdir(d)) != NULL;) {
        char *argv = atoi(e->d_name) > 0 ? file_text(&r->a, arena_printf(&r->a, "/proc/%s/cmdline", e->d_name)) : NULL;
        if (argv && strcmp(argv, "bulldog-shim") == 0 && strcmp(argv + sizeof "bulldog-shim", r->id) == 0)
            found = atoi(e->d_name);
    }
    closedir(d);
    return found;
}

static void a_shim_killed_at_any_moment_of_its_start_hides_no_agent(void **unused)
{
    (void)unused;
    int fates[SHIM_FATE_TREE_EMPTY + 1] = {0};
    for (int i = 0; i < 80; i++) {
        struct rig *r = given("echo ran > \"ran-$PAPERCLIP_RUN_ID\"; exec setsid sleep 60");
        struct shim_probe p;
        start(r);
        struct timespec moment = {.tv_nsec = (i % 40) * 100000L};
        nanosleep(&moment, NULL);
        do { /* the starter or the shim itself; one may have slipped past while it forked */
            pid_t pid = shim_of(r);
            if (pid > 0) kill(pid, SIGKILL);
            must(shim_tree_probe(&r->a, r->dir, r->id, &p));
        } while (p.fate == SHIM_FATE_ALIVE);
        fates[p.fate]++;
        must(shim_tree_kill(&r->a, r->dir, r->id, 0, 5000, &p));
        if (carriers(r) != 0) fail_msg("fate %d, yet %d processes are left", (int)p.fate, carriers(r));
        bool ran = access(arena_printf(&r->a, "%s/ran-%s", home, r->id), F_OK) == 0;
        assert_false(ran && p.fate == SHIM_FATE_NEVER_STARTED);
        done(r);
    }
    print_message("killed while starting: %d never started, %d had a tree, %d had none\n",
                  fates[SHIM_FATE_NEVER_STARTED], fates[SHIM_FATE_TREE_ALIVE], fates[SHIM_FATE_TREE_EMPTY]);
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
    for (int64_t end = now_ms() + WAIT_MS; r->progress.last_seq < 3 && now_ms() < end; nap(5)) listen_now(r);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stopped_agent_still_hears_the_end),
        cmocka_unit_test(an_escapee_is_listed_killed_and_gone),
        cmocka_unit_test(a_grandchild_that_holds_stdout_does_not_hold_the_run),
        cmocka_unit_test(an_agent_that_forks_when_told_to_end_escapes_nothing),
        cmocka_unit_test(a_busy_fork_bomb_is_frozen_and_killed),
        cmocka_unit_test(stragglers_are_left_when_the_agent_asks_for_it),
        cmocka_unit_test(a_cgroup_is_used_where_permitted),
        cmocka_unit_test(a_cgroup_that_is_not_permitted_is_ignored),
        cmocka_unit_test(a_shim_is_found_dead_and_its_tree_is_ended_first),
        cmocka_unit_test(a_shim_killed_at_any_moment_of_its_start_hides_no_agent),
        cmocka_unit_test(a_survivor_that_shed_everything_is_still_found),
        cmocka_unit_test(a_log_is_whole_after_its_shim_was_killed),
        cmocka_unit_test(a_recycled_pid_is_no_survivor),
    };
    return rig_main(tests, sizeof tests / sizeof tests[0]);
}
