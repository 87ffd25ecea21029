/* shim_server: server and shim without each other. */
#include "shim_kit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

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

static void a_run_that_nobody_can_find_again_is_ended(void **unused)
{
    (void)unused;
    struct rig *r = given("trap 'echo told; exit 1' TERM; sleep 60 & wait");
    start(r);
    until(r, &r->started);
    must(shim_run_dir_remove(&r->a, r->dir));
    nap(100);
    assert_true(alive(r->state.pid)); /* its server is still there */
    drop(r);
    for (int64_t end = now_ms() + WAIT_MS; alive(r->state.shim_pid) && now_ms() < end;) nap(20);
    assert_false(alive(r->state.pid) || alive(r->state.shim_pid));
    assert_string_equal(log_of(r, "stdout", NULL), "told\n");
    done(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_dies_comes_back_and_misses_nothing),
        cmocka_unit_test(a_run_that_ended_alone_is_collected_later),
        cmocka_unit_test(the_newest_link_is_the_server),
        cmocka_unit_test(a_server_that_does_not_read_blocks_nothing),
        cmocka_unit_test(a_run_that_nobody_can_find_again_is_ended),
    };
    return rig_main(tests, sizeof tests / sizeof tests[0]);
}
