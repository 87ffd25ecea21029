/* settings: defaults, environment, bounds, secrets. */
#include "unit.h"

#include "base/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct arena arena;

/* Every test starts from the table's defaults, whatever the shell has set. */
static int clean(void **state)
{
    (void)state;
    for (int i = 0; i < SETTINGS_COUNT; i++) {
        char *names = arena_strdup(&arena, SETTINGS[i].env), *save = NULL;
        for (char *n = strtok_r(names, " ", &save); n; n = strtok_r(NULL, " ", &save)) {
            unsetenv(n);
            unsetenv(arena_printf(&arena, "%s_FILE", n));
        }
    }
    assert_null(settings_load(&arena));
    return 0;
}

static void defaults_are_within_their_own_bounds(void **state)
{
    (void)state;
    assert_string_equal(settings.listen, "127.0.0.1:3100");
    assert_int_equal(settings.http_threads, 16);
    assert_true(settings.scheduler_enabled);
    for (int i = 0; i < SETTINGS_COUNT; i++) {
        const struct setting_info *s = &SETTINGS[i];
        assert_true(s->help[0] && strchr(s->key, '.'));
        assert_null(settings_set(&arena, s->key, settings_text(&arena, s)));
        for (int k = 0; k < i; k++) assert_string_not_equal(SETTINGS[k].key, s->key);
    }
}

static void the_environment_wins_and_its_first_name_before_aliases(void **state)
{
    (void)state;
    setenv("PAPERCLIP_LOG_LEVEL", "debug", 1);
    assert_null(settings_load(&arena));
    assert_string_equal(settings.log_level, "debug");
    setenv("BULLDOG_LOG_LEVEL", "error", 1);
    assert_null(settings_load(&arena));
    assert_string_equal(settings.log_level, "error");
    setenv("BULLDOG_LOG_LEVEL", "", 1); /* empty: as if not set */
    assert_null(settings_load(&arena));
    assert_string_equal(settings.log_level, "debug");
}

static void a_bad_value_names_the_variable_and_the_bounds(void **state)
{
    (void)state;
    static const char *const bad[] = {"0", "257", "4x", "four", "99999999999999999999", "1.5", " "};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        setenv("BULLDOG_HTTP_THREADS", bad[i], 1);
        err_t e = settings_load(&arena);
        if (e == OK) {
            fail_msg("accepted: %s", bad[i]);
            return;
        }
        assert_non_null(strstr(e->message, "BULLDOG_HTTP_THREADS"));
        assert_non_null(strstr(e->message, "from 1 to 256"));
    }
    setenv("BULLDOG_HTTP_THREADS", "256", 1);
    assert_null(settings_load(&arena));
    assert_int_equal(settings.http_threads, 256);
}

static void flags_understand_the_usual_words(void **state)
{
    (void)state;
    static const char *const yes[] = {"1", "true", "YES", "On"}, *const no[] = {"0", "false", "No", "OFF"};
    for (size_t i = 0; i < 4; i++) {
        assert_null(settings_set(&arena, "api.strictFields", yes[i]));
        assert_true(settings.strict_fields);
        assert_null(settings_set(&arena, "strict_fields", no[i]));
        assert_false(settings.strict_fields);
    }
    assert_non_null(settings_set(&arena, "api.strictFields", "perhaps"));
    assert_non_null(settings_set(&arena, "no.such", "1"));
}

static void a_secret_can_come_from_a_file_and_is_never_shown(void **state)
{
    (void)state;
    char path[] = "/tmp/bulldog-test-secret-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "hunter2\nsecond line\n", 20), 20);
    close(fd);
    setenv("BULLDOG_METRICS_TOKEN_FILE", path, 1);
    assert_null(settings_load(&arena));
    unlink(path);
    assert_string_equal(settings.metrics_token, "hunter2");
    for (int i = 0; i < SETTINGS_COUNT; i++)
        if (strcmp(SETTINGS[i].id, "metrics_token") == 0)
            assert_string_equal(settings_text(&arena, &SETTINGS[i]), "set");
}

#define TEST(f) cmocka_unit_test_setup(f, clean)

UNIT_MAIN(NULL, TEST(defaults_are_within_their_own_bounds),
          TEST(the_environment_wins_and_its_first_name_before_aliases),
          TEST(a_bad_value_names_the_variable_and_the_bounds), TEST(flags_understand_the_usual_words),
          TEST(a_secret_can_come_from_a_file_and_is_never_shown))
