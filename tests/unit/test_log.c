/* log: one line per event, in either form, whatever the values hold. */
#include "unit.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"

#include <string.h>
#include <unistd.h>

static struct arena arena;
static char captured[8192];

static instant_t epoch(void) { return 0; }

static int setup(void **state)
{
    (void)state;
    json_setup();
    json_arena(&arena);
    clock_set_source(epoch);
    return 0;
}

/* Run the statement with stderr caught in `captured`. */
static int caught_begin(int ends[2])
{
    assert_int_equal(pipe(ends), 0);
    int saved = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    return saved;
}

static void caught_end(const int ends[2], int saved)
{
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[1]);
    ssize_t n = read(ends[0], captured, sizeof captured - 1);
    captured[n > 0 ? n : 0] = 0;
    close(ends[0]);
}

#define CAUGHT(statement)                 \
    do {                                  \
        int ends_[2];                     \
        int saved_ = caught_begin(ends_); \
        statement;                        \
        caught_end(ends_, saved_);        \
    } while (0)

static void writes_logfmt(void **state)
{
    (void)state;
    log_setup(LOG_INFO, 0);
    CAUGHT(log_info("run.start", "run=%s n=%d", "r1", 3));
    assert_string_equal(captured, "1970-01-01T00:00:00.000Z info  run.start run=r1 n=3\n");
}

static void writes_json(void **state)
{
    (void)state;
    log_setup(LOG_INFO, 1);
    CAUGHT(log_warn("db.slow", "sql=\"%s\"", "select \\ 1"));
    json_t *j = NULL;
    assert_null(json_parse(&arena, captured, strlen(captured), &j));
    assert_string_equal(json_str(j, "level"), "warn");
    assert_string_equal(json_str(j, "event"), "db.slow");
    assert_string_equal(json_str(j, "msg"), "sql=\"select \\ 1\"");
    assert_string_equal(json_str(j, "ts"), "1970-01-01T00:00:00.000Z");
}

static void keeps_an_event_on_one_line(void **state)
{
    (void)state;
    for (int json = 0; json < 2; json++) {
        log_setup(LOG_INFO, json);
        CAUGHT(log_error("x", "v=%s", "forged\nnext line\r\x1b[31m"));
        assert_ptr_equal(strchr(captured, '\n'), captured + strlen(captured) - 1);
        assert_null(strchr(captured, '\x1b'));
    }
}

static void leaves_out_what_is_below_the_level(void **state)
{
    (void)state;
    log_setup(LOG_WARN, 0);
    CAUGHT(log_info("quiet", "a=1"); log_debug("quiet", "a=1"));
    assert_string_equal(captured, "");
    CAUGHT(log_error("loud", "a=1"));
    assert_non_null(strstr(captured, "loud"));
    log_setup(LOG_SILENT, 0);
    CAUGHT(log_error("loud", "a=1"));
    assert_string_equal(captured, "");
}

static void bounds_a_long_event(void **state)
{
    (void)state;
    log_setup(LOG_INFO, 0);
    CAUGHT(log_info("long", "v=%0*d", 100000, 1));
    assert_true(strlen(captured) < 4096);
    assert_int_equal(captured[strlen(captured) - 1], '\n');
}

static void reads_level_names(void **state)
{
    (void)state;
    assert_int_equal(log_level_parse("debug", LOG_INFO), LOG_DEBUG);
    assert_int_equal(log_level_parse("silent", LOG_INFO), LOG_SILENT);
    assert_int_equal(log_level_parse("loud", LOG_INFO), LOG_INFO);
    assert_int_equal(log_level_parse(NULL, LOG_ERROR), LOG_ERROR);
}

UNIT_MAIN(setup, cmocka_unit_test(writes_logfmt), cmocka_unit_test(writes_json),
          cmocka_unit_test(keeps_an_event_on_one_line), cmocka_unit_test(leaves_out_what_is_below_the_level),
          cmocka_unit_test(bounds_a_long_event), cmocka_unit_test(reads_level_names))
