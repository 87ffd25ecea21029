/* shim_redact: secrets are found wherever the stream happens to be cut. */
#include "unit.h"

#include "shim/shim.h"

#include <stdio.h>
#include <string.h>

static const char *const secrets[] = {
    "correct horse", "correct horse battery", "two\nlines", "quo\"ted", "aaaab", "abc"};

struct collected {
    char text[70000];
    size_t n;
};

static void collect(void *ctx, const char *p, size_t n)
{
    struct collected *c = ctx;
    assert_true(c->n + n < sizeof c->text);
    memcpy(c->text + c->n, p, n);
    c->n += n;
    c->text[c->n] = '\0';
}

/* Feed the pieces [0,a) [a,b) [b,n) as pump.c does: the rest goes with the next. */
static void feed(const char *in, size_t a, size_t b, size_t n, struct collected *out)
{
    struct redact r = {0};
    size_t ends[] = {a, b, n}, from = 0;
    out->n = 0;
    for (int i = 0; i < 3; i++) from += redact_scan(&r, in + from, ends[i] - from, false, collect, out);
    assert_true(n - from <= REDACT_HOLD_MAX);
    assert_int_equal(redact_scan(&r, in + from, n - from, true, collect, out), n - from);
}

#define X SHIM_REDACTED
static const struct {
    const char *in, *out;
} cases[] = {
    {"", ""},
    {"nothing to see", "nothing to see"},
    {"my correct horse.", "my " X "."},
    {"my correct horse battery.", "my " X "."},     /* the longest value */
    {"my correct horse batter", "my " X " batter"}, /* begun, but not it */
    {"two\nlines", X},
    {"\"two\\nlines\"", "\"" X "\""}, /* as JSON has it */
    {"quo\\\"ted quo\"ted", X " " X},
    {"aaaaaaab", "aaa" X}, /* found behind a false start */
    {"abc", "abc"},        /* too short to hide */
    {"correct horsecorrect horse", X X},
    {"key sk-ABCDEFGHIJKLMNOPQRST-u_v.", "key " X "."},
    {"sk-learn is fine", "sk-learn is fine"},
    {"task-ABCDEFGHIJKLMNOPQRSTUVWXYZ", "task-ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
    {"\\nsk-ABCDEFGHIJKLMNOPQRST\\n", "\\n" X "\\n"},                       /* behind an escaped line end, */
    {"\033[1;31msk-ABCDEFGHIJKLMNOPQRST\033[0m", "\033[1;31m" X "\033[0m"}, /* behind a colour */
    {"https://x:ghs_abcdefghijABCDEFGHIJ0123@host", "https://x:" X "@host"},
    {"ghp_short", "ghp_short"},
    {"github_pat_11ABCDEFG0abcdefghijkl_mnop!", X "!"},
    {"pcp_0123456789abcdef0123456789abcdef0123456789abcdef", X},
    {"pcp_0123456789abcdef0123456789abcdef0123456789abcde", "pcp_0123456789abcdef0123456789abcdef0123456789abcde"},
    {"Bearer eyJhbGciOiJI.eyJzdWIiOiIx.c2ln-_x next", "Bearer " X " next"},
    {"eyJhbGciOiJI.eyJzdWIiOiIx", "eyJhbGciOiJI.eyJzdWIiOiIx"}, /* two parts are none */
    {"eyJhbGciOiJI.short.x", "eyJhbGciOiJI.short.x"},
    {"keyJhbGciOiJI.eyJzdWIiOiIx.x", "keyJhbGciOiJI.eyJzdWIiOiIx.x"},
};

static void whatever_the_cut_the_result_is_the_same(void **unused)
{
    (void)unused;
    static struct collected out;
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        size_t n = strlen(cases[c].in);
        for (size_t a = 0; a <= n; a++) {
            for (size_t b = a; b <= n; b++) {
                feed(cases[c].in, a, b, n, &out);
                if (strcmp(out.text, cases[c].out) != 0 && n > 0)
                    fail_msg("\"%s\" cut at %zu and %zu: \"%s\"", cases[c].in, a, b, out.text);
            }
        }
    }
}

static void a_long_value_is_hidden_whole(void **unused)
{
    (void)unused;
    static char big[20001], in[20100];
    static struct collected out;
    for (size_t i = 0; i < 20000; i++) big[i] = (char)('A' + i * 7 % 23);
    const char *value[] = {big};
    redact_setup(value, 1);
    size_t n = (size_t)snprintf(in, sizeof in, "<%s>", big);
    for (size_t a = 0; a < n; a += 331) {
        feed(in, a, a, n, &out);
        assert_int_equal(out.text[0], '<');
        assert_int_equal(out.text[out.n - 1], '>');
        assert_null(strpbrk(out.text + 1, "FGIJKLMNOPQSUVW")); /* letters not in the mark */
    }
}

static void an_endless_token_is_not_held_back(void **unused)
{
    (void)unused;
    static char in[60000];
    static struct collected out;
    struct redact r = {0};
    memset(in, 'x', sizeof in);
    in[0] = 'e';
    in[1] = 'y';
    in[2] = 'J';
    in[2000] = '.';
    size_t used = redact_scan(&r, in, sizeof in, false, collect, &out);
    assert_int_equal(used, sizeof in);
    assert_string_equal(out.text, X);
    out.n = 0;
    r = (struct redact){0};
    in[2000] = 'x'; /* not even one dot: no JWT */
    used = redact_scan(&r, in, sizeof in, false, collect, &out);
    assert_true(sizeof in - used <= REDACT_HOLD_MAX);
}

static void images_are_elided(void **unused)
{
    (void)unused;
    static char in[3000], data[2001];
    static struct collected out;
    memset(data, 'Q', 2000);
    snprintf(in, sizeof in, "{\"data\":\"iVBORw0KGgo%s==\",\"x\":1}", data);
    for (size_t a = 0; a < strlen(in); a += 13) {
        feed(in, a, a, strlen(in), &out);
        assert_string_equal(out.text, "{\"data\":\"[image data elided]\",\"x\":1}");
    }
    feed("\"/9j/short\"", 5, 5, 11, &out);
    assert_string_equal(out.text, "\"/9j/short\"");
}

static void a_command_is_cut_at_a_character(void **unused)
{
    (void)unused;
    char out[8];
    redact_text("abcdef\xc3\xa9", 8, out, sizeof out);
    assert_string_equal(out, "abcdef");
    redact_text("x=correct horse", 15, out, sizeof out);
    assert_string_equal(out, "x=***RE");
}

static void json_text_is_valid_whatever_comes(void **unused)
{
    (void)unused;
    static const struct {
        const char *in;
        size_t n;
        const char *out;
    } texts[] = {
        {"a\"b\\c\n\t\x01\x1f\x7f", 10, "a\\\"b\\\\c\\n\\t\\u0001\\u001f\x7f"},
        {"\0", 1, "\xef\xbf\xbd"},
        {"\xc3\xa9\xf0\x9f\x90\xb6", 6, "\xc3\xa9\xf0\x9f\x90\xb6"},
        {"\xc0\x80\xed\xa0\x80", 5, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xf4\x90\x80\x80x", 5, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx"},
        {"\xe2\x82", 2, "\xef\xbf\xbd"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char bytes[200];
        struct text t = {.p = bytes, .cap = sizeof bytes - 1, .fd = -1};
        text_json(&t, texts[i].in, texts[i].n);
        bytes[t.len] = '\0';
        assert_string_equal(bytes, texts[i].out);
        size_t width = 0;
        for (size_t at = 0, taken; at < texts[i].n; at += taken)
            width += text_json_width(texts[i].in + at, texts[i].n - at, &taken);
        assert_int_equal(width, t.len);
    }
}

static void times_are_written_as_the_server_reads_them(void **unused)
{
    (void)unused;
    static const struct {
        int64_t ms;
        const char *text;
    } times[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {951782399999, "2000-02-28T23:59:59.999Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {1795224053707, "2026-11-21T01:20:53.707Z"},
        {4107542400000, "2100-03-01T00:00:00.000Z"},
    };
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        char bytes[64];
        struct text t = {.p = bytes, .cap = sizeof bytes - 1, .fd = -1};
        text_time(&t, times[i].ms);
        bytes[t.len] = '\0';
        assert_string_equal(bytes, times[i].text);
    }
}

static void a_spec_is_read_and_a_broken_one_refused(void **unused)
{
    (void)unused;
    struct spec s = {0};
    char good[] = "arg=sh\0arg=-c\0arg=a=b\0env=A=1\0env=B=\0cwd=/tmp\0log=/l\0timeout_ms=5\0grace_ms=9000\0new_key=7\0"
                  "nice=3\0kill_group_on_exit=0\0redact=xyzw\0stdin=";
    assert_null(spec_parse(&s, good, sizeof good));
    assert_int_equal(s.n_argv, 3);
    assert_string_equal(s.argv[2], "a=b");
    assert_null(s.argv[3]);
    assert_string_equal(s.env[1], "B=");
    assert_null(s.env[2]);
    assert_string_equal(s.cwd, "/tmp");
    assert_string_equal(s.stdin_data, "");
    assert_int_equal(s.timeout_ms, 5);
    assert_int_equal(s.grace_ms, 9000);
    assert_int_equal(s.nice, 3);
    assert_true(s.keep_stragglers);
    assert_int_equal(s.n_redact, 1);
    free(s.lists);
    static const struct {
        const char *bytes;
        size_t n;
    } bad[] = {{"", 0},
               {"arg=x", 5},
               {"arg=x", 6},
               {"log=/l", 7},
               {"arg=\0log=/l", 12},
               {"nonsense\0arg=x\0log=/l", 22},
               {"arg=x\0log=/l\0timeout_ms=soon", 29},
               {"arg=x\0log=/l\0nice=99", 21}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char bytes[64];
        memcpy(bytes, bad[i].bytes, bad[i].n);
        const char *why = spec_parse(&s, bytes, bad[i].n);
        assert_non_null(why);
        free(s.lists);
    }
}

static void a_process_is_known_whatever_its_name(void **unused)
{
    (void)unused;
    struct proc_stat p = {0};
    assert_true(proc_stat_parse("42 (a) S 9 (x) y) R 7 41 40 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654 99 8\n", &p));
    assert_int_equal(p.pid, 42);
    assert_int_equal(p.state, 'R');
    assert_int_equal(p.ppid, 7);
    assert_int_equal(p.pgid, 41);
    assert_int_equal(p.sid, 40);
    assert_int_equal(p.start, 987654);
    assert_false(proc_stat_parse("", &p));
    assert_false(proc_stat_parse("42 (x)", &p));
    assert_false(proc_stat_parse("42 (x) R 7 41 40", &p));
}

static int setup(void **unused)
{
    (void)unused;
    redact_setup(secrets, sizeof secrets / sizeof secrets[0]);
    return 0;
}

UNIT_MAIN(setup, cmocka_unit_test(whatever_the_cut_the_result_is_the_same),
          cmocka_unit_test(a_long_value_is_hidden_whole), cmocka_unit_test(an_endless_token_is_not_held_back),
          cmocka_unit_test(images_are_elided), cmocka_unit_test(a_command_is_cut_at_a_character),
          cmocka_unit_test(json_text_is_valid_whatever_comes),
          cmocka_unit_test(times_are_written_as_the_server_reads_them),
          cmocka_unit_test(a_spec_is_read_and_a_broken_one_refused),
          cmocka_unit_test(a_process_is_known_whatever_its_name))
