/* shim_output: what the agent says, in the log and the record. */
#include "shim_kit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
        listen_now(r);
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
    listen_now(r);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_do_not_reach_the_log),
        cmocka_unit_test(a_secret_in_a_stragglers_command_is_hidden),
        cmocka_unit_test(characters_are_never_cut),
        cmocka_unit_test(what_is_in_the_pipe_at_the_end_is_logged),
        cmocka_unit_test(an_unfinished_line_is_shown_while_the_agent_waits),
        cmocka_unit_test(a_long_line_is_cut_into_whole_records),
        cmocka_unit_test(much_output_is_bounded_and_never_stalls_the_agent),
        cmocka_unit_test(the_exit_record_is_written_when_it_can_be),
        cmocka_unit_test(a_full_disk_never_stalls_the_agent),
    };
    return rig_main(tests, sizeof tests / sizeof tests[0]);
}
