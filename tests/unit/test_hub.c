/* hub: live events over real WebSocket connections: order, resume, limits. */
#include "http_kit.h"

#include "base/json.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

static void wait_clients(struct kit *k, int n)
{
    for (int i = 0; i < 2000 && hub_client_count(k->hub) != n; i++) kit_sleep_ms(5);
    assert_int_equal(hub_client_count(k->hub), n);
}

static void expect_text(struct conn *c, const char *text)
{
    struct frame f FRAME_AUTO;
    assert_true(ws_read(c, &f, 5000));
    assert_int_equal(f.opcode, 1);
    assert_string_equal(f.text, text);
}

static int64_t frame_id(const struct frame *f)
{
    assert_int_equal(f->opcode, 1);
    assert_memory_equal(f->text, "{\"id\":", 6);
    return atoll(f->text + 6);
}

static void an_event_goes_to_its_company_only(void **state)
{
    (void)state;
    struct kit k = {0};
    kit_start(&k);
    assert_false(hub_has_listeners(k.hub, "c1"));
    struct conn one CONN_AUTO = kit_ws(&k, "/ws?company=c1"), two CONN_AUTO = kit_ws(&k, "/ws?company=c2");
    wait_clients(&k, 2);
    assert_true(hub_has_listeners(k.hub, "c1"));
    assert_false(hub_has_listeners(k.hub, "c3"));
    hub_publish(k.hub, 7, "c1", "agent.status", INT64_C(1000), "{\"a\":1}");
    hub_publish(k.hub, 8, "c2", "say \"hi\"", INT64_C(1000), "{}");
    hub_publish(k.hub, 0, "c1", "heartbeat.run.log", INT64_C(1001), "{}");
    expect_text(&one,
                "{\"id\":7,\"companyId\":\"c1\",\"type\":\"agent.status\",\"createdAt\":\"1970-01-01T00:00:01.000Z\","
                "\"payload\":{\"a\":1}}");
    expect_text(
        &one,
        "{\"id\":7,\"companyId\":\"c1\",\"type\":\"heartbeat.run.log\",\"createdAt\":\"1970-01-01T00:00:01.001Z\","
        "\"payload\":{}}");
    expect_text(&two,
                "{\"id\":8,\"companyId\":\"c2\",\"type\":\"say \\\"hi\\\"\",\"createdAt\":\"1970-01-01T00:00:01.000Z\","
                "\"payload\":{}}");
    conn_close(&one);
    wait_clients(&k, 1);
    assert_false(hub_has_listeners(k.hub, "c1"));
    kit_stop(&k);
}

static void client_frames_are_ignored_but_ping_and_close_answered(void **state)
{
    (void)state;
    struct kit k = {0};
    kit_start(&k);
    struct conn c CONN_AUTO = kit_ws(&k, "/ws");
    struct frame pong FRAME_AUTO, bye FRAME_AUTO;
    ws_send(&c, 1, "hello", 5);
    ws_send(&c, 2, "\0\1", 2);
    ws_send(&c, 9, "are you there", 13);
    assert_true(ws_read(&c, &pong, 5000));
    assert_int_equal(pong.opcode, 10);
    assert_string_equal(pong.text, "are you there");
    ws_send(&c, 8, "\x03\xe8", 2);
    assert_true(ws_read(&c, &bye, 5000));
    assert_int_equal(bye.opcode, 8);
    assert_int_equal(bye.close_code, 1000);
    assert_true(conn_at_end(&c));
    wait_clients(&k, 0);
    kit_stop(&k);
}

/* Frames sent in one packet with the handshake must not be lost. */
static void bytes_behind_the_handshake_count(void **state)
{
    (void)state;
    struct kit k = {0};
    kit_start(&k);
    struct conn c CONN_AUTO = kit_connect(&k);
    static const char text[] = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                               "\x89\x82\1\2\3\4\x69\x6b"; /* ping "hi", masked */
    conn_send(&c, text, sizeof text - 1);
    struct reply r REPLY_AUTO;
    struct frame pong FRAME_AUTO;
    assert_true(conn_reply(&c, &r, false));
    assert_int_equal(r.status, 101);
    assert_true(ws_read(&c, &pong, 5000));
    assert_int_equal(pong.opcode, 10);
    assert_string_equal(pong.text, "hi");
    kit_stop(&k);
}

static void an_unmasked_or_oversize_frame_ends_the_connection(void **state)
{
    (void)state;
    struct kit k = {0};
    kit_start(&k);
    static const char *const bad[] = {"\x81\x02hi", "\x81\xff\x01\0\0\0\0\0\0\0\0\0\0\0x"};
    static const size_t size[] = {4, 15};
    static const int code[] = {1002, 1009};
    for (int i = 0; i < 2; i++) {
        struct conn c CONN_AUTO = kit_ws(&k, "/ws");
        conn_send(&c, bad[i], size[i]);
        struct frame f FRAME_AUTO;
        assert_true(ws_read(&c, &f, 5000));
        assert_int_equal(f.close_code, code[i]);
        wait_clients(&k, 0);
    }
    kit_stop(&k);
}

static void who_does_not_pong_is_dropped(void **state)
{
    (void)state;
    struct kit k = {.ping_ms = 150};
    kit_start(&k);
    struct conn good CONN_AUTO = kit_ws(&k, "/ws"), mute CONN_AUTO = kit_ws(&k, "/ws");
    (void)mute; /* it only stays connected */
    for (int i = 0; i < 4; i++) {
        struct frame f FRAME_AUTO;
        assert_true(ws_read(&good, &f, 5000));
        assert_int_equal(f.opcode, 9);
        ws_send(&good, 10, f.text, f.len);
    }
    assert_int_equal(hub_client_count(k.hub), 1);
    kit_stop(&k);
}

static void a_refused_handshake_is_426(void **state)
{
    (void)state;
    struct kit k = {0};
    kit_start(&k);
    static const char *const wrong[] = {
        "",
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        "Connection: Upgrade\r\nUpgrade: h2c\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct reply r REPLY_AUTO = kit_get(&k, "/ws", wrong[i]);
        assert_int_equal(r.status, 426);
        assert_string_equal(r.body, "{\"error\":\"Upgrade Required\"}");
    }
    wait_clients(&k, 0);
    for (int i = 0; i < 200 && hub_has_listeners(k.hub, "c1"); i++) kit_sleep_ms(5);
    assert_false(hub_has_listeners(k.hub, "c1")); /* the clients were let go */
    kit_stop(&k);
}

static void reset_comes_first(void **state)
{
    (void)state;
    struct kit k = {0};
    kit_start(&k);
    struct conn c CONN_AUTO = kit_ws(&k, "/ws?reset=1");
    expect_text(&c, "{\"type\":\"reset\"}");
    kit_stop(&k);
}

static void a_revoked_owner_is_shown_out(void **state)
{
    (void)state;
    struct kit k = {0};
    kit_start(&k);
    struct conn good CONN_AUTO = kit_ws(&k, "/ws?owner=key:1"), bad CONN_AUTO = kit_ws(&k, "/ws?owner=key:2"),
                     nobody CONN_AUTO = kit_ws(&k, "/ws");
    wait_clients(&k, 3);
    hub_revoke(k.hub, "key:2");
    struct frame f FRAME_AUTO;
    assert_true(ws_read(&bad, &f, 5000));
    assert_int_equal(f.close_code, 1008);
    ws_send(&bad, 8, "\x03\xf0", 2);
    wait_clients(&k, 2);
    hub_publish(k.hub, 1, "c1", "x", 0, "{}");
    struct frame one FRAME_AUTO, two FRAME_AUTO;
    assert_true(ws_read(&good, &one, 5000));
    assert_true(ws_read(&nobody, &two, 5000));
    kit_stop(&k);
}

static void *connect_slowly(void *arg)
{
    struct conn *c = malloc(sizeof *c);
    if (c) *c = kit_ws(arg, "/ws?owner=key:3&since=0&wait=300");
    return c;
}

static void expect_close_on_arrival(struct kit *k, pthread_t thread, int code)
{
    void *arrived = NULL;
    struct frame f FRAME_AUTO;
    pthread_join(thread, &arrived);
    assert_non_null(arrived);
    assert_true(ws_read(arrived, &f, 5000));
    assert_int_equal(f.opcode, 8);
    assert_int_equal(f.close_code, code);
    conn_close(arrived);
    free(arrived);
    wait_clients(k, 0);
}

/* Revoked, or overrun by events, while its handler still collects what it missed. */
static void a_client_can_be_lost_before_it_arrives(void **state)
{
    (void)state;
    struct kit k = {.hub_queue_max = 100000};
    pthread_t thread;
    atomic_store(&k.replay_to, 1000);
    kit_start(&k);
    pthread_create(&thread, NULL, connect_slowly, &k);
    while (!hub_has_listeners(k.hub, "c1")) kit_sleep_ms(1);
    kit_sleep_ms(50);
    hub_revoke(k.hub, "key:3");
    expect_close_on_arrival(&k, thread, 1008);

    pthread_create(&thread, NULL, connect_slowly, &k);
    while (!hub_has_listeners(k.hub, "c1")) kit_sleep_ms(1);
    for (int i = 0; i < 3000; i++) hub_publish(k.hub, 2000 + i, "c1", "x", 0, "{}");
    expect_close_on_arrival(&k, thread, 1013);
    kit_stop(&k);
}

/* ---- resume ---- */

struct publisher {
    struct kit *k;
    atomic_bool stop;
    int64_t published;
};

/* As the model does: an event is first a row, then live. */
static void *publish_all(void *arg)
{
    struct publisher *p = arg;
    while (!atomic_load(&p->stop)) {
        int64_t id = ++p->published;
        atomic_store(&p->k->replay_to, id);
        hub_publish(p->k->hub, id, "c1", "live", 0, "{}");
        if (id % 8 == 0) kit_sleep_ms(1);
    }
    return NULL;
}

/* Given a publisher that never pauses, when a client comes back again and again with
 * the last id it saw, then it sees every id once, in order. */
static void a_resumed_client_misses_nothing_and_sees_nothing_twice(void **state)
{
    (void)state;
    struct kit k = {.hub_queue_max = (size_t)64 << 20};
    struct publisher p = {.k = &k};
    pthread_t thread;
    kit_start(&k);
    pthread_create(&thread, NULL, publish_all, &p);
    int64_t seen = 0;
    for (int round = 0; round < 40; round++) {
        char target[64];
        snprintf(target, sizeof target, "/ws?company=c1&since=%lld%s", (long long)seen, round % 2 ? "&wait=3" : "");
        struct conn c CONN_AUTO = kit_ws(&k, target);
        int64_t until = seen + 150;
        while (seen < until) {
            struct frame f FRAME_AUTO;
            assert_true(ws_read(&c, &f, 5000));
            assert_int_equal(frame_id(&f), seen + 1);
            seen++;
        }
    }
    atomic_store(&p.stop, true);
    pthread_join(thread, NULL);
    assert_true(p.published >= seen);
    kit_stop(&k);
}

static void what_is_not_kept_goes_under_the_last_kept_id(void **state)
{
    (void)state;
    struct kit k = {0};
    atomic_store(&k.replay_to, 12);
    kit_start(&k);
    struct conn c CONN_AUTO = kit_ws(&k, "/ws?since=10");
    wait_clients(&k, 1);
    hub_publish(k.hub, 0, "c1", "heartbeat.run.progress", 0, "{}");
    hub_publish(k.hub, 12, "c1", "late echo of the replay", 0, "{}");
    hub_publish(k.hub, 13, "c1", "x", 0, "{}");
    static const int64_t ids[] = {11, 12, 12, 13};
    for (int i = 0; i < 4; i++) {
        struct frame f FRAME_AUTO;
        assert_true(ws_read(&c, &f, 5000));
        assert_int_equal(frame_id(&f), ids[i]);
    }
    kit_stop(&k);
}

/* Two writers may publish 6 before 5; a client that came before must get both. */
static void a_smaller_id_published_later_is_sent(void **state)
{
    (void)state;
    struct kit k = {0};
    kit_start(&k);
    struct conn c CONN_AUTO = kit_ws(&k, "/ws?since=4");
    wait_clients(&k, 1);
    static const int64_t ids[] = {6, 5, 7};
    for (int i = 0; i < 3; i++) hub_publish(k.hub, ids[i], "c1", "x", 0, "{}");
    for (int i = 0; i < 3; i++) {
        struct frame f FRAME_AUTO;
        assert_true(ws_read(&c, &f, 5000));
        assert_int_equal(frame_id(&f), ids[i]);
    }
    kit_stop(&k);
}

/* ---- limits ---- */

static char *payload_of(size_t n)
{
    char *s = malloc(n + 3);
    assert_non_null(s);
    s[0] = s[n + 1] = '"';
    memset(s + 1, 'x', n);
    s[n + 2] = 0;
    return s;
}

/* Given a client that does not read, logs are dropped and every other event is kept. */
static void a_slow_client_loses_logs_first(void **state)
{
    (void)state;
    struct kit k = {.hub_queue_max = 100000};
    kit_start(&k);
    struct conn c CONN_AUTO = kit_ws(&k, "/ws");
    wait_clients(&k, 1);
    char *big = payload_of(40000);
    int logs = 0;
    int64_t kept = 0;
    for (int i = 0; i < 1000; i++)
        hub_publish(k.hub, 0, "c1", "heartbeat.run.log", 0, big); /* 40 MB: no socket holds it */
    for (int i = 0; i < 300; i++) hub_publish(k.hub, i + 1, "c1", "activity.logged", 0, "{}");
    while (kept < 300) {
        struct frame f FRAME_AUTO;
        assert_true(ws_read(&c, &f, 5000));
        if (strstr(f.text, "run.log")) logs++;
        else assert_int_equal(frame_id(&f), ++kept);
    }
    assert_true(logs < 1000);
    assert_int_equal(hub_client_count(k.hub), 1);
    free(big);
    kit_stop(&k);
}

/* Given a client that does not read, when even kept events do not fit, then 1013. */
static void a_hopeless_client_is_closed_with_1013(void **state)
{
    (void)state;
    struct kit k = {.hub_queue_max = 100000};
    kit_start(&k);
    struct conn c CONN_AUTO = kit_ws(&k, "/ws"), other CONN_AUTO = kit_ws(&k, "/ws?company=c2");
    wait_clients(&k, 2);
    char *big = payload_of(40000);
    for (int i = 0; i < 1000; i++) hub_publish(k.hub, i + 1, "c1", "activity.logged", 0, big);
    hub_publish(k.hub, 1001, "c2", "x", 0, "{}");
    struct frame f FRAME_AUTO;
    assert_true(ws_read(&other, &f, 5000)); /* nobody else notices */
    assert_int_equal(frame_id(&f), 1001);
    int64_t last = 0;
    for (;;) {
        struct frame g FRAME_AUTO;
        assert_true(ws_read(&c, &g, 5000));
        if (g.opcode == 8) {
            assert_int_equal(g.close_code, 1013);
            break;
        }
        assert_int_equal(frame_id(&g), last + 1); /* no hole before the end */
        last++;
    }
    assert_true(last < 1000);
    ws_send(&c, 8, "\x03\xf5", 2);
    wait_clients(&k, 1);
    free(big);
    kit_stop(&k);
}

static void a_thousand_clients_get_every_event(void **state)
{
    (void)state;
    enum { N = 1000, EVENTS = 20 };
    struct rlimit lim;
    getrlimit(RLIMIT_NOFILE, &lim);
    lim.rlim_cur = lim.rlim_max;
    setrlimit(RLIMIT_NOFILE, &lim);
    if (lim.rlim_cur < 2 * N + 100) skip();
    struct kit k = {0};
    kit_start(&k);
    struct conn *c = calloc(N, sizeof *c);
    assert_non_null(c);
    for (int i = 0; i < N; i++) c[i] = kit_ws(&k, "/ws");
    wait_clients(&k, N);
    for (int e = 1; e <= EVENTS; e++) hub_publish(k.hub, e, "c1", "x", 0, "{\"some\":\"payload\"}");
    for (int i = 0; i < N; i++) {
        for (int e = 1; e <= EVENTS; e++) {
            struct frame f FRAME_AUTO;
            assert_true(ws_read(&c[i], &f, 10000));
            assert_int_equal(frame_id(&f), e);
        }
    }
    for (int i = 0; i < N; i += 2) conn_close(&c[i]);
    wait_clients(&k, N / 2);
    kit_stop(&k);
    for (int i = 1; i < N; i += 2) {
        struct frame f FRAME_AUTO;
        assert_true(ws_read(&c[i], &f, 5000));
        assert_int_equal(f.opcode, 8);
        assert_int_equal(f.close_code, 1001);
        conn_close(&c[i]);
    }
    free(c);
}

static void stops_while_clients_come_and_events_flow(void **state)
{
    (void)state;
    struct kit k = {0};
    struct publisher p = {.k = &k};
    pthread_t thread;
    kit_start(&k);
    pthread_create(&thread, NULL, publish_all, &p);
    struct conn c[50];
    for (int i = 0; i < 50; i++) c[i] = kit_ws(&k, i % 2 ? "/ws?company=c1&since=1" : "/ws");
    http_server_stop(k.server);
    assert_int_equal(hub_client_count(k.hub), 0);
    atomic_store(&p.stop, true);
    pthread_join(thread, NULL);
    hub_stop(k.hub);
    jobs_stop(k.jobs);
    arena_free(&k.arena);
    for (int i = 0; i < 50; i++) conn_close(&c[i]);
}

UNIT_MAIN(NULL, cmocka_unit_test(an_event_goes_to_its_company_only),
          cmocka_unit_test(client_frames_are_ignored_but_ping_and_close_answered),
          cmocka_unit_test(bytes_behind_the_handshake_count),
          cmocka_unit_test(an_unmasked_or_oversize_frame_ends_the_connection),
          cmocka_unit_test(who_does_not_pong_is_dropped), cmocka_unit_test(a_refused_handshake_is_426),
          cmocka_unit_test(reset_comes_first), cmocka_unit_test(a_revoked_owner_is_shown_out),
          cmocka_unit_test(a_client_can_be_lost_before_it_arrives),
          cmocka_unit_test(a_resumed_client_misses_nothing_and_sees_nothing_twice),
          cmocka_unit_test(what_is_not_kept_goes_under_the_last_kept_id),
          cmocka_unit_test(a_smaller_id_published_later_is_sent), cmocka_unit_test(a_slow_client_loses_logs_first),
          cmocka_unit_test(a_hopeless_client_is_closed_with_1013), cmocka_unit_test(a_thousand_clients_get_every_event),
          cmocka_unit_test(stops_while_clients_come_and_events_flow))
