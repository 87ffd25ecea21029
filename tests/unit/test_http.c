/* server: raw HTTP against a real server. */
#include "http_kit.h"

#include "base/json.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

static struct kit k;

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
    return 0;
}

static void wait_done(struct kit *kit, int n)
{
    for (int i = 0; i < 1000 && atomic_load(&kit->done) < n; i++) kit_sleep_ms(2);
    assert_int_equal(atomic_load(&kit->done), n);
}

/* ---- the plain things ---- */

static void answers_with_the_headers_every_answer_has(void **state)
{
    (void)state;
    struct reply r REPLY_AUTO = kit_get(&k, "/hello", "");
    assert_int_equal(r.status, 200);
    assert_string_equal(r.body, "{\"hello\":\"world\"}");
    assert_string_equal(reply_header(&r, "Content-Type"), "application/json; charset=utf-8");
    assert_string_equal(reply_header(&r, "Content-Length"), "17");
    assert_string_equal(reply_header(&r, "Keep-Alive"), "timeout=185");
    assert_string_equal(reply_header(&r, "X-Content-Type-Options"), "nosniff");
    assert_string_equal(reply_header(&r, "X-Frame-Options"), "SAMEORIGIN");
    assert_string_equal(reply_header(&r, "Referrer-Policy"), "same-origin");
    wait_done(&k, atomic_load(&k.handled));
}

static void keeps_the_connection_and_stays_prompt(void **state)
{
    (void)state;
    struct conn c CONN_AUTO = kit_connect(&k);
    int64_t begin = kit_now_ms();
    for (int i = 0; i < 100; i++) {
        struct reply r REPLY_AUTO;
        conn_puts(&c, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_true(conn_reply(&c, &r, false));
        assert_int_equal(r.status, 200);
    }
    assert_true(kit_now_ms() - begin < 1500); /* Nagle against delayed acknowledgements would take 4 s */
}

static void answers_pipelined_requests_in_order(void **state)
{
    (void)state;
    struct conn c CONN_AUTO = kit_connect(&k);
    conn_puts(&c, "GET /query?n=1 HTTP/1.1\r\nHost: x\r\n\r\n"
                  "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n[2]"
                  "GET /slow?ms=50 HTTP/1.1\r\nHost: x\r\n\r\n"
                  "GET /query?n=4 HTTP/1.1\r\nHost: x\r\n\r\n");
    static const char *const want[] = {"{\"n\":\"1\"}", "[2]", "{\"slow\":\"", "{\"n\":\"4\"}"};
    for (int i = 0; i < 4; i++) {
        struct reply r REPLY_AUTO;
        assert_true(conn_reply(&c, &r, false));
        assert_memory_equal(r.body, want[i], strlen(want[i]));
    }
}

static void head_has_the_headers_and_no_body(void **state)
{
    (void)state;
    struct conn c CONN_AUTO = kit_connect(&k);
    struct reply head REPLY_AUTO, get REPLY_AUTO;
    conn_puts(&c, "HEAD /bytes?n=500 HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(conn_reply(&c, &head, true));
    assert_int_equal(head.status, 200);
    assert_string_equal(reply_header(&head, "Content-Length"), "500");
    assert_true(conn_reply(&c, &get, false));
    assert_string_equal(get.body, "{\"hello\":\"world\"}");
}

static void http_1_0_and_connection_close_end_the_connection(void **state)
{
    (void)state;
    static const char *const requests[] = {"GET /hello HTTP/1.0\r\n\r\n",
                                           "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"};
    for (int i = 0; i < 2; i++) {
        struct conn c CONN_AUTO = kit_connect(&k);
        struct reply r REPLY_AUTO;
        conn_puts(&c, requests[i]);
        assert_true(conn_reply(&c, &r, false));
        assert_int_equal(r.status, 200);
        assert_true(conn_at_end(&c));
    }
}

static void decodes_path_and_query(void **state)
{
    (void)state;
    static const struct {
        const char *target, *body;
    } cases[] = {
        {"/p%C3%BC/a%20b%2Fc+d", "{\"method\":\"GET\",\"path\":\"/p\xc3\xbc/a b/c+d\",\"peer\":\"127.0.0.1\"}"},
        {"http://elsewhere:1/x?y", "{\"method\":\"GET\",\"path\":\"/x\",\"peer\":\"127.0.0.1\"}"},
        {"/query?a=1&b=%3D%26&a=2&c&d=x+y%2B&%65=%e2%82%ac",
         "{\"a\":\"1\",\"b\":\"=&\",\"a\":\"2\",\"c\":\"\",\"d\":\"x y+\",\"e\":\"\xe2\x82\xac\"}"},
        {"/query?a=%zz&b=%00&c=%ff&d=%&=&&",
         "{\"a\":\"%zz\",\"b\":\"\xef\xbf\xbd\",\"c\":\"\xef\xbf\xbd\",\"d\":\"%\",\"\":\"\"}"},
        {"/query", "{}"},
        {"/query?", "{}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reply r REPLY_AUTO = kit_get(&k, cases[i].target, "");
        assert_int_equal(r.status, 200);
        assert_string_equal(r.body, cases[i].body);
    }
}

static void a_malformed_path_is_400_before_the_handler(void **state)
{
    (void)state;
    static const char *const bad[] = {"/a%00b", "/%", "/%4", "/%g0", "/%c3", "/%ed%a0%80", "/%ff", "*", "/%c0%af"};
    int handled = atomic_load(&k.handled);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct reply r REPLY_AUTO = kit_get(&k, bad[i], "");
        assert_int_equal(r.status, 400);
        assert_string_equal(r.body, "{\"error\":\"Malformed request path\"}");
    }
    assert_int_equal(atomic_load(&k.handled), handled);
}

static void garbage_does_no_harm(void **state)
{
    (void)state;
    static const char *const garbage[] = {
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "\x16\x03\x01\x02\x01\x01\xfc\x03\x03",
        "GET / HTTP/9.9\r\n\r\n",
        "GET /hello HTTP/1.1\r\n: x\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET /hello HTTP/1.1\r\nHost: x"};
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
        struct conn c CONN_AUTO = kit_connect(&k);
        conn_puts(&c, garbage[i]);
        kit_sleep_ms(5); /* and leaves */
    }
    struct reply r REPLY_AUTO = kit_get(&k, "/hello", "");
    assert_int_equal(r.status, 200);
}

static void a_header_of_any_case_is_found_and_too_many_are_431(void **state)
{
    (void)state;
    struct buf b BUF_AUTO = {0};
    struct conn c CONN_AUTO = kit_connect(&k);
    struct reply r REPLY_AUTO;
    buf_puts(&b, "GET /hello HTTP/1.1\r\nHost: x\r\n");
    for (int i = 0; i < 4000; i++) buf_printf(&b, "X-Header-%d: some value\r\n", i);
    buf_puts(&b, "\r\n");
    conn_send(&c, b.data, b.len);
    if (conn_reply(&c, &r, false)) assert_int_equal(r.status, 431);
}

static void the_handler_has_json_in_its_arena(void **state)
{
    (void)state;
    static const char *const paths[] = {"/json", "/json?wait=0"}; /* inline; on a job thread */
    for (int i = 0; i < 2; i++) {
        struct conn c CONN_AUTO = kit_connect(&k);
        struct reply r REPLY_AUTO;
        struct buf b BUF_AUTO = {0};
        buf_printf(&b, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 17\r\n\r\n{\"a\": [1, true ]}", paths[i]);
        conn_puts(&c, b.data);
        assert_true(conn_reply(&c, &r, false));
        assert_string_equal(r.body, "{\"a\":[1,true]}");
    }
}

static void static_bytes_and_their_etag(void **state)
{
    (void)state;
    struct reply r REPLY_AUTO = kit_get(&k, "/static", "");
    assert_string_equal(r.body, "console.log(1)");
    assert_string_equal(reply_header(&r, "Content-Type"), "text/javascript");
    assert_string_equal(reply_header(&r, "ETag"), "\"v1\"");
    struct reply again REPLY_AUTO = kit_get(&k, "/static", "If-None-Match: \"v0\", \"v1\"\r\n");
    assert_int_equal(again.status, 304);
    assert_int_equal(again.body_len, 0);
}

static void an_unchanged_json_answer_is_304(void **state)
{
    (void)state;
    struct reply first REPLY_AUTO = kit_get(&k, "/bytes?n=3000", "");
    struct buf b BUF_AUTO = {0};
    assert_non_null(reply_header(&first, "ETag"));
    buf_printf(&b, "If-None-Match: %s\r\nAccept-Encoding: gzip\r\n", reply_header(&first, "ETag"));
    struct reply same REPLY_AUTO = kit_get(&k, "/bytes?n=3000", b.data);
    assert_int_equal(same.status, 304);
    assert_int_equal(same.body_len, 0);
    struct reply other REPLY_AUTO = kit_get(&k, "/bytes?n=3001", b.data);
    assert_int_equal(other.status, 200);
    struct conn c CONN_AUTO = kit_connect(&k); /* a 304 must not upset what follows on the connection */
    struct buf two BUF_AUTO = {0};
    buf_printf(&two, "GET /bytes?n=3000 HTTP/1.1\r\nHost: x\r\n%s\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n", b.data);
    conn_puts(&c, two.data);
    struct reply r304 REPLY_AUTO, r200 REPLY_AUTO;
    assert_true(conn_reply(&c, &r304, true));
    assert_int_equal(r304.status, 304);
    assert_true(conn_reply(&c, &r200, false));
    assert_string_equal(r200.body, "{\"hello\":\"world\"}");
}

/* ---- bodies ---- */

static void post(struct conn *c, const char *path, const char *headers, size_t length)
{
    struct buf b BUF_AUTO = {0};
    buf_printf(&b, "POST %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n", path, headers, length);
    conn_puts(c, b.data);
}

static void a_large_body_arrives_whole(void **state)
{
    (void)state;
    size_t n = (size_t)20 << 20;
    char *body = malloc(n + 1);
    assert_non_null(body);
    for (size_t i = 0; i < n; i++) body[i] = (char)('a' + i * 7 % 26 + i / 4096 % 3);
    struct conn c CONN_AUTO = kit_connect(&k);
    struct reply r REPLY_AUTO;
    post(&c, "/echo", "", n);
    conn_send(&c, body, n);
    assert_true(conn_reply(&c, &r, false));
    assert_int_equal(r.status, 200);
    assert_int_equal(r.body_len, n);
    assert_memory_equal(r.body, body, n);
    free(body);
}

static void a_chunked_body_arrives_whole(void **state)
{
    (void)state;
    struct conn c CONN_AUTO = kit_connect(&k);
    struct reply r REPLY_AUTO;
    conn_puts(&c, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n[\"a\"\r\n");
    kit_sleep_ms(20);
    conn_puts(&c, "3\r\n,2]\r\n0\r\n\r\n");
    assert_true(conn_reply(&c, &r, false));
    assert_string_equal(r.body, "[\"a\",2]");
}

static void expect_100_continue_is_answered(void **state)
{
    (void)state;
    struct conn c CONN_AUTO = kit_connect(&k);
    struct reply go REPLY_AUTO, r REPLY_AUTO;
    post(&c, "/echo", "Expect: 100-continue\r\n", 2);
    assert_true(conn_reply(&c, &go, false));
    assert_int_equal(go.status, 100);
    conn_puts(&c, "{}");
    assert_true(conn_reply(&c, &r, false));
    assert_int_equal(r.status, 200);
    assert_string_equal(r.body, "{}");
}

static void expect_413(struct conn *c)
{
    struct reply r REPLY_AUTO;
    assert_true(conn_reply(c, &r, false));
    assert_int_equal(r.status, 413);
    assert_string_equal(r.body, "{\"error\":\"Request body too large\"}");
    assert_string_equal(reply_header(&r, "Connection"), "close");
    assert_true(conn_at_end(c));
}

static void a_body_over_the_limit_is_413(void **state)
{
    (void)state;
    static char data[200000];
    struct conn at_limit CONN_AUTO = kit_connect(&k);
    struct reply fits REPLY_AUTO;
    post(&at_limit, "/limited", "", 1024);
    conn_send(&at_limit, data, 1024);
    assert_true(conn_reply(&at_limit, &fits, false));
    assert_int_equal(fits.status, 200);

    struct conn asks CONN_AUTO = kit_connect(&k); /* never sends the body */
    post(&asks, "/limited", "Expect: 100-continue\r\n", 1025);
    expect_413(&asks);

    struct conn just_sends CONN_AUTO = kit_connect(&k); /* as most clients do: it must get to read the answer */
    post(&just_sends, "/limited", "", sizeof data);
    conn_send(&just_sends, data, sizeof data);
    expect_413(&just_sends);

    struct conn chunks CONN_AUTO = kit_connect(&k);
    conn_puts(&chunks, "POST /limited HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n");
    conn_send(&chunks, data, 0x10000);
    conn_puts(&chunks, "\r\n0\r\n\r\n");
    expect_413(&chunks);

    struct conn huge CONN_AUTO = kit_connect(&k); /* nobody waits for this one */
    post(&huge, "/limited", "", (size_t)10 << 30);
    expect_413(&huge);
}

/* ---- compression ---- */

static void inflate_equals(const struct reply *r, const char *plain, size_t n)
{
    z_stream z = {0};
    char *out = malloc(n + 1);
    assert_non_null(out);
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    z.next_in = (unsigned char *)r->body;
    z.avail_in = (unsigned)r->body_len;
    z.next_out = (unsigned char *)out;
    z.avail_out = (unsigned)n + 1;
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.total_out, n);
    assert_memory_equal(out, plain, n);
    inflateEnd(&z);
    free(out);
}

static void json_is_gzipped_for_who_can_read_it(void **state)
{
    (void)state;
    static const int sizes[] = {1024, 5000, 3000000};
    for (int i = 0; i < 3; i++) {
        char target[32];
        snprintf(target, sizeof target, "/bytes?n=%d", sizes[i]);
        struct reply plain REPLY_AUTO = kit_get(&k, target, "");
        struct reply packed REPLY_AUTO = kit_get(&k, target, "Accept-Encoding: gzip, deflate, br\r\n");
        assert_int_equal(plain.body_len, sizes[i]);
        assert_null(reply_header(&plain, "Content-Encoding"));
        assert_string_equal(reply_header(&plain, "Vary"), "Accept-Encoding");
        assert_string_equal(reply_header(&packed, "Content-Encoding"), "gzip");
        assert_string_equal(reply_header(&packed, "Vary"), "Accept-Encoding");
        assert_true(packed.body_len < plain.body_len);
        inflate_equals(&packed, plain.body, plain.body_len);
    }
}

static void q_values_and_exceptions_are_respected(void **state)
{
    (void)state;
    static const struct {
        const char *target, *accept;
        bool gzip;
    } cases[] = {
        {"/bytes?n=2000", "gzip", true},
        {"/bytes?n=2000", "GZIP;q=0.5", true},
        {"/bytes?n=2000", "*", true},
        {"/bytes?n=2000", "br;q=1.0, gzip;q=0.8, *;q=0.1", true},
        {"/bytes?n=2000", "gzip;q=0", false},
        {"/bytes?n=2000", "gzip; q=0.000, *", false},
        {"/bytes?n=2000", "*;q=0", false},
        {"/bytes?n=2000", "identity, gzip;q=0.5", false},
        {"/bytes?n=2000", "deflate, br", false},
        {"/bytes?n=2000", "xgzip", false},
        {"/bytes?n=1023", "gzip", false},           /* too small to pay */
        {"/bytes?n=2000&encoded=1", "gzip", false}, /* has a coding already */
        {"/plain?n=2000", "gzip", false},           /* no JSON */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char header[80];
        snprintf(header, sizeof header, "Accept-Encoding: %s\r\n", cases[i].accept);
        struct reply r REPLY_AUTO = kit_get(&k, cases[i].target, header);
        assert_int_equal(r.status, 200);
        const char *coding = reply_header(&r, "Content-Encoding");
        if ((coding && strcmp(coding, "gzip") == 0) != cases[i].gzip) fail_msg("case %zu: %s", i, cases[i].accept);
    }
}

/* ---- slow requests ---- */

/* Given slow requests on more connections than there are HTTP threads, then a fast one does not wait. */
static void a_slow_handler_delays_nobody(void **state)
{
    (void)state;
    enum { SLOW = 8 };
    struct kit own = {.options.threads = 2, .job_threads = SLOW};
    struct conn slow[SLOW];
    kit_start(&own);
    int64_t begin = kit_now_ms();
    for (int i = 0; i < SLOW; i++) {
        slow[i] = kit_connect(&own);
        conn_puts(&slow[i], "GET /slow?ms=300 HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    for (int i = 0; i < 20; i++) {
        struct reply r REPLY_AUTO = kit_get(&own, "/hello", ""); /* reaches every thread */
        assert_int_equal(r.status, 200);
    }
    assert_true(kit_now_ms() - begin < 250);
    for (int i = 0; i < SLOW; i++) {
        struct reply r REPLY_AUTO;
        assert_true(conn_reply(&slow[i], &r, false));
        assert_int_equal(r.status, 200);
        conn_close(&slow[i]);
    }
    assert_true(kit_now_ms() - begin >= 290);
    kit_stop(&own);
}

static void a_full_job_queue_is_503(void **state)
{
    (void)state;
    enum { N = 10 };
    struct kit own = {.job_threads = 1, .job_queue = 2};
    struct conn c[N];
    int ok = 0, busy = 0;
    kit_start(&own);
    for (int i = 0; i < N; i++) {
        c[i] = kit_connect(&own);
        conn_puts(&c[i], "GET /slow?ms=200 HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    for (int i = 0; i < N; i++) {
        struct reply r REPLY_AUTO;
        assert_true(conn_reply(&c[i], &r, false));
        if (r.status == 200) {
            ok++;
        } else {
            assert_int_equal(r.status, 503);
            assert_string_equal(r.body, "{\"error\":\"Server is busy; try again shortly\"}");
            assert_string_equal(reply_header(&r, "Retry-After"), "1");
            busy++;
            struct reply later REPLY_AUTO; /* the connection lives on */
            conn_puts(&c[i], "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
            assert_true(conn_reply(&c[i], &later, false));
            assert_int_equal(later.status, 200);
        }
        conn_close(&c[i]);
    }
    assert_true(ok >= 2 && ok <= 4);
    assert_int_equal(ok + busy, N);
    kit_stop(&own);
}

static void clients_that_leave_do_no_harm(void **state)
{
    (void)state;
    for (int i = 0; i < 60; i++) {
        struct conn c CONN_AUTO = kit_connect(&k);
        static const char *const halves[] = {"GET /slow?ms=20 HTTP/1.1\r\nHost: x\r\n\r\n",
                                             "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf",
                                             "GET /bytes?n=3000000 HTTP/1.1\r\nHost: x\r\n\r\n"};
        conn_puts(&c, halves[i % 3]);
        const struct linger hard = {1, 0};
        if (i % 2) setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard); /* reset instead of a farewell */
    }
    struct reply r REPLY_AUTO = kit_get(&k, "/hello", "");
    assert_int_equal(r.status, 200);
}

/* ---- start and stop ---- */

struct load {
    struct kit *kit;
    const char *request;
    atomic_bool *stop;
    int answered;
};

static void *make_load(void *arg)
{
    struct load *l = arg;
    struct conn c CONN_AUTO = kit_connect(l->kit);
    while (!atomic_load(l->stop)) {
        struct reply r REPLY_AUTO = {0};
        conn_puts(&c, l->request);
        if (!conn_reply(&c, &r, false)) break;
        if (r.status == 200) l->answered++;
    }
    return NULL;
}

static void stops_cleanly_under_load(void **state)
{
    (void)state;
    enum { N = 12 };
    static const char *const requests[] = {"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n",
                                           "GET /slow?ms=30 HTTP/1.1\r\nHost: x\r\n\r\n",
                                           "GET /bytes?n=100000 HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n"};
    struct kit own = {0};
    struct load load[N];
    pthread_t thread[N];
    atomic_bool stop_flag = false;
    kit_start(&own);
    for (int i = 0; i < N; i++) {
        load[i] = (struct load){&own, requests[i % 3], &stop_flag, 0};
        pthread_create(&thread[i], NULL, make_load, &load[i]);
    }
    kit_sleep_ms(200);
    int64_t begin = kit_now_ms();
    kit_stop(&own);
    assert_true(kit_now_ms() - begin < 5000);
    atomic_store(&stop_flag, true);
    for (int i = 0; i < N; i++) {
        pthread_join(thread[i], NULL);
        assert_true(load[i].answered > 0);
    }
    assert_int_equal(atomic_load(&own.done) >= atomic_load(&own.handled), 1);
}

static void a_suspended_request_is_answered_before_the_stop(void **state)
{
    (void)state;
    struct kit own = {0};
    kit_start(&own);
    struct conn c CONN_AUTO = kit_connect(&own);
    struct reply r REPLY_AUTO;
    conn_puts(&c, "GET /slow?ms=300 HTTP/1.1\r\nHost: x\r\n\r\n");
    while (atomic_load(&own.handled) == 0) kit_sleep_ms(1);
    int port = http_server_port(own.server);
    int64_t begin = kit_now_ms();
    kit_stop(&own);
    assert_true(kit_now_ms() - begin < 3000);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), -1); /* nobody listens any more */
    close(fd);
    assert_true(conn_reply(&c, &r, false));
    assert_int_equal(r.status, 200);
}

static void a_taken_port_is_a_clear_error(void **state)
{
    (void)state;
    struct http_server_options o = k.options;
    struct http_server *s = NULL;
    const struct http_app app = {0};
    o.port = http_server_port(k.server);
    err_t e = http_server_start(&k.arena, &o, &app, &s);
    assert_non_null(e);
    assert_int_equal(e->kind, ERR_UNAVAILABLE);
    assert_non_null(strstr(e->message, "in use"));
    o.host = "no.such.host.invalid";
    e = http_server_start(&k.arena, &o, &app, &s);
    assert_non_null(e);
    assert_non_null(strstr(e->message, "no.such.host.invalid"));
}

static void an_idle_connection_is_closed(void **state)
{
    (void)state;
    struct kit own = {.options.idle_timeout_sec = 1};
    kit_start(&own);
    struct conn c CONN_AUTO = kit_connect(&own);
    struct reply r REPLY_AUTO;
    conn_puts(&c, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(conn_reply(&c, &r, false));
    assert_string_equal(reply_header(&r, "Keep-Alive"), "timeout=1");
    int64_t begin = kit_now_ms();
    assert_true(conn_at_end(&c));
    assert_true(kit_now_ms() - begin > 500 && kit_now_ms() - begin < 4000);
    kit_stop(&own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_with_the_headers_every_answer_has),
        cmocka_unit_test(keeps_the_connection_and_stays_prompt),
        cmocka_unit_test(answers_pipelined_requests_in_order),
        cmocka_unit_test(head_has_the_headers_and_no_body),
        cmocka_unit_test(http_1_0_and_connection_close_end_the_connection),
        cmocka_unit_test(decodes_path_and_query),
        cmocka_unit_test(a_malformed_path_is_400_before_the_handler),
        cmocka_unit_test(garbage_does_no_harm),
        cmocka_unit_test(a_header_of_any_case_is_found_and_too_many_are_431),
        cmocka_unit_test(the_handler_has_json_in_its_arena),
        cmocka_unit_test(static_bytes_and_their_etag),
        cmocka_unit_test(an_unchanged_json_answer_is_304),
        cmocka_unit_test(a_large_body_arrives_whole),
        cmocka_unit_test(a_chunked_body_arrives_whole),
        cmocka_unit_test(expect_100_continue_is_answered),
        cmocka_unit_test(a_body_over_the_limit_is_413),
        cmocka_unit_test(json_is_gzipped_for_who_can_read_it),
        cmocka_unit_test(q_values_and_exceptions_are_respected),
        cmocka_unit_test(a_slow_handler_delays_nobody),
        cmocka_unit_test(a_full_job_queue_is_503),
        cmocka_unit_test(clients_that_leave_do_no_harm),
        cmocka_unit_test(stops_cleanly_under_load),
        cmocka_unit_test(a_suspended_request_is_answered_before_the_stop),
        cmocka_unit_test(a_taken_port_is_a_clear_error),
        cmocka_unit_test(an_idle_connection_is_closed),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
