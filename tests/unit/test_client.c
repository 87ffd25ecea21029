/* client: real calls to a real server, and to servers that misbehave. */
#include "http_kit.h"

#include "http/client.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct kit k;
static struct arena mem;

static int start(void **state)
{
    (void)state;
    k = (struct kit){0};
    kit_start(&k);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    kit_stop(&k);
    arena_free(&mem);
    return 0;
}

static const char *url(const char *path)
{
    return arena_printf(&mem, "http://127.0.0.1:%d%s", http_server_port(k.server), path);
}

static void calls_and_reads_the_answer(void **state)
{
    (void)state;
    struct http_response r;
    assert_null(http_call(&mem, &(struct http_call){.url = url("/hello")}, &r));
    assert_int_equal(r.status, 200);
    assert_string_equal(r.body, "{\"hello\":\"world\"}");
    assert_string_equal(http_response_header(&mem, &r, "content-type"), "application/json; charset=utf-8");
    assert_null(http_response_header(&mem, &r, "content"));
    assert_null(http_call(&mem, &(struct http_call){.url = url("/x"), .method = "DELETE"}, &r));
    assert_non_null(strstr(r.body, "\"method\":\"DELETE\""));
    assert_null(http_call(&mem, &(struct http_call){.url = url("/x"), .method = "HEAD"}, &r));
    assert_int_equal(r.status, 200);
    assert_int_equal(r.body_len, 0);
}

static void sends_bodies_of_any_method(void **state)
{
    (void)state;
    static const char *const methods[] = {NULL, "PATCH", "PUT", "POST"};
    struct http_response r;
    for (int i = 0; i < 4; i++) {
        struct http_call call = {.url = url("/echo"), .method = methods[i], .body = "[1]", .body_len = 3};
        assert_null(http_call(&mem, &call, &r));
        assert_string_equal(r.body, "[1]");
    }
    size_t n = (size_t)3 << 20;
    char *big = malloc(n);
    assert_non_null(big);
    memset(big, 'x', n);
    assert_null(http_call(&mem, &(struct http_call){.url = url("/echo"), .body = big, .body_len = n}, &r));
    assert_int_equal(r.body_len, n);
    assert_memory_equal(r.body, big, n);
    assert_null(http_call(&mem, &(struct http_call){.url = url("/limited"), .body = big, .body_len = n}, &r));
    assert_int_equal(r.status, 413); /* an answer, not a broken connection */
    free(big);
}

static void decompresses_and_keeps_to_the_limit(void **state)
{
    (void)state;
    struct http_response r;
    struct http_call call = {.url = url("/bytes?n=100000"), .response_max = 100000};
    assert_null(http_call(&mem, &call, &r));
    assert_int_equal(r.body_len, 100000);
    assert_string_equal(http_response_header(&mem, &r, "Content-Encoding"), "gzip");
    call.response_max = 99999;
    err_t e = http_call(&mem, &call, &r);
    assert_non_null(e);
    assert_int_equal(e->kind, ERR_TOO_LARGE);
    assert_string_equal(e->code, "response_too_large");
}

static void says_what_went_wrong_without_secrets(void **state)
{
    (void)state;
    static const struct {
        const char *url, *code;
    } cases[] = {
        {"http://127.0.0.1:1/secret?token=hush", "connect_failed"},
        {"http://user:hush@no.such.host.invalid/", "connect_failed"},
        {"ftp://127.0.0.1/hush", "bad_url"},
        {"file:///etc/hush", "bad_url"},
        {"not a url, hush", "bad_url"},
        {"", "bad_url"},
    };
    struct http_response r;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        err_t e = http_call(&mem, &(struct http_call){.url = cases[i].url}, &r);
        assert_non_null(e);
        assert_string_equal(e->code, cases[i].code);
        assert_null(strstr(e->message, "hush"));
    }
}

static void times_out_and_can_be_aborted(void **state)
{
    (void)state;
    struct http_response r;
    atomic_bool stop_now = true;
    err_t e = http_call(&mem, &(struct http_call){.url = url("/slow?ms=400"), .timeout_ms = 100}, &r);
    assert_non_null(e);
    assert_string_equal(e->code, "timeout");
    e = http_call(&mem, &(struct http_call){.url = url("/slow?ms=400"), .abort = &stop_now}, &r);
    assert_non_null(e);
    assert_string_equal(e->code, "aborted");
    assert_null(http_call(&mem, &(struct http_call){.url = url("/slow?ms=50"), .timeout_ms = -1}, &r));
    assert_int_equal(r.status, 200);
}

/* ---- scripted servers ---- */

#define PAUSE "…"

struct script {
    int fd, port;
    const char *const *parts; /* sent 30 ms apart, NULL at the end; PAUSE waits */
    pthread_t thread;
    char request[2048];
};

static void *play(void *arg)
{
    struct script *s = arg;
    int fd = accept(s->fd, NULL, NULL);
    size_t n = 0;
    while (n + 1 < sizeof s->request && strstr(s->request, "\r\n\r\n") == NULL) {
        ssize_t got = recv(fd, s->request + n, sizeof s->request - 1 - n, 0);
        if (got <= 0) break;
        n += (size_t)got;
    }
    for (const char *const *p = s->parts; *p; p++) {
        if (strcmp(*p, PAUSE) == 0) kit_sleep_ms(3000);
        else if (send(fd, *p, strlen(*p), MSG_NOSIGNAL) < 0) break;
        kit_sleep_ms(30);
    }
    close(fd);
    return NULL;
}

static const char *script_start(struct script *s, const char *const *parts)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;
    inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
    *s = (struct script){.fd = socket(AF_INET, SOCK_STREAM, 0), .parts = parts};
    assert_int_equal(bind(s->fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(s->fd, 1), 0);
    getsockname(s->fd, (struct sockaddr *)&at, &len);
    s->port = ntohs(at.sin_port);
    pthread_create(&s->thread, NULL, play, s);
    return arena_printf(&mem, "http://127.0.0.1:%d/", s->port);
}

static void script_end(struct script *s)
{
    pthread_join(s->thread, NULL);
    close(s->fd);
}

struct lines {
    char text[256];
    int count, stop_after;
};

static bool on_line(void *ctx, const char *line, size_t n)
{
    struct lines *l = ctx;
    snprintf(l->text + strlen(l->text), sizeof l->text - strlen(l->text), "<%.*s>", (int)n, line);
    return ++l->count != l->stop_after;
}

static void follows_lines_as_they_come(void **state)
{
    (void)state;
    static const char *const parts[] = {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\none\ntw", "o\r\n\nfour\nfi", "ve",
                                        NULL};
    for (int stop_after = 0; stop_after <= 2; stop_after += 2) {
        struct script s;
        struct http_response r;
        struct lines l = {.stop_after = stop_after};
        struct http_call call = {.url = script_start(&s, parts), .on_line = on_line, .ctx = &l, .timeout_ms = -1};
        assert_null(http_call(&mem, &call, &r));
        assert_int_equal(r.status, 200);
        assert_string_equal(r.body, "");
        assert_string_equal(l.text, stop_after ? "<one><two>" : "<one><two><><four><five>");
        script_end(&s);
    }
}

static void an_error_body_is_no_stream(void **state)
{
    (void)state;
    static const char *const parts[] = {"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\ngone\n", NULL};
    struct script s;
    struct http_response r;
    struct lines l = {0};
    assert_null(
        http_call(&mem, &(struct http_call){.url = script_start(&s, parts), .on_line = on_line, .ctx = &l}, &r));
    assert_int_equal(r.status, 404);
    assert_string_equal(r.body, "gone\n");
    assert_int_equal(l.count, 0);
    script_end(&s);
}

static bool on_data(void *ctx, const char *data, size_t n)
{
    (void)data;
    *(size_t *)ctx += n;
    return true;
}

static void streams_bytes_past_the_limit(void **state)
{
    (void)state;
    struct http_response r;
    size_t n = 0;
    struct http_call call = {.url = url("/bytes?n=500000"), .on_data = on_data, .ctx = &n, .response_max = 10};
    assert_null(http_call(&mem, &call, &r));
    assert_int_equal(n, 500000);
}

static void an_idle_stream_is_given_up(void **state)
{
    (void)state;
    static const char *const parts[] = {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", PAUSE, NULL};
    struct script s;
    struct http_response r;
    size_t n = 0;
    struct http_call call = {
        .url = script_start(&s, parts), .on_data = on_data, .ctx = &n, .timeout_ms = -1, .idle_timeout_ms = 500};
    err_t e = http_call(&mem, &call, &r);
    assert_non_null(e);
    assert_string_equal(e->code, "timeout");
    script_end(&s);
}

static void a_cut_answer_is_an_error(void **state)
{
    (void)state;
    static const char *const parts[] = {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", NULL};
    struct script s;
    struct http_response r;
    err_t e = http_call(&mem, &(struct http_call){.url = script_start(&s, parts)}, &r);
    assert_non_null(e);
    assert_string_equal(e->code, "connection_broken");
    script_end(&s);
}

static void redirects_only_when_asked_and_within_the_scheme(void **state)
{
    (void)state;
    const char *there =
        arena_printf(&mem, "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 4\r\n\r\nold\n", url("/hello"));
    const char *const good[] = {there, NULL};
    static const char *const file[] = {
        "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n", NULL};
    static const char *const tls[] = {
        "HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", NULL};
    struct script s;
    struct http_response r;
    assert_null(http_call(&mem, &(struct http_call){.url = script_start(&s, good)}, &r));
    assert_int_equal(r.status, 302);
    assert_string_equal(r.body, "old\n");
    script_end(&s);
    static const char *const secret[] = {"Authorization: Bearer hush", NULL};
    struct http_call call = {.url = script_start(&s, good), .redirects_max = 3, .headers = secret};
    assert_null(http_call(&mem, &call, &r));
    assert_int_equal(r.status, 200);
    assert_string_equal(r.body, "{\"hello\":\"world\"}");
    assert_non_null(strstr(s.request, "Authorization: Bearer hush"));
    script_end(&s);
    for (int i = 0; i < 2; i++) {
        call.url = script_start(&s, i ? tls : file);
        assert_non_null(http_call(&mem, &call, &r));
        script_end(&s);
    }
}

static void *many_calls(void *arg)
{
    struct arena own ARENA_AUTO = {0};
    const char *target = arg;
    for (int i = 0; i < 50; i++) {
        struct http_response r;
        if (http_call(&own, &(struct http_call){.url = target}, &r) || r.status != 200) return NULL;
    }
    return arg;
}

static void threads_call_at_once(void **state)
{
    (void)state;
    enum { N = 6 };
    pthread_t thread[N];
    char target[64];
    snprintf(target, sizeof target, "%s", url("/hello"));
    for (int i = 0; i < N; i++) pthread_create(&thread[i], NULL, many_calls, target);
    for (int i = 0; i < N; i++) {
        void *ok = NULL;
        pthread_join(thread[i], &ok);
        assert_non_null(ok);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_and_reads_the_answer),
        cmocka_unit_test(sends_bodies_of_any_method),
        cmocka_unit_test(decompresses_and_keeps_to_the_limit),
        cmocka_unit_test(says_what_went_wrong_without_secrets),
        cmocka_unit_test(times_out_and_can_be_aborted),
        cmocka_unit_test(follows_lines_as_they_come),
        cmocka_unit_test(an_error_body_is_no_stream),
        cmocka_unit_test(streams_bytes_past_the_limit),
        cmocka_unit_test(an_idle_stream_is_given_up),
        cmocka_unit_test(a_cut_answer_is_an_error),
        cmocka_unit_test(redirects_only_when_asked_and_within_the_scheme),
        cmocka_unit_test(threads_call_at_once),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
