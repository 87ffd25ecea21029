/* live: one link at a time, opened again when it breaks. */
#include "cli/live.h"

#include "base/clock.h"
#include "base/json.h"
#include "cli/api.h"
#include "http/ws_link.h"

#include <string.h>
#include <time.h>

enum { OPEN_TIMEOUT_MS = 5000, PAUSE_FIRST_MS = 100, PAUSE_MAX_MS = 2000 };

struct live {
    struct cli *cli;
    const char *company_id;
    struct ws_link *link;
    int64_t last_id; /* of the newest event seen; 0: none yet */
    int pause_ms;
    instant_t next_try;
    bool fresh;
};

struct live *live_open(struct cli *c, const char *company_id)
{
    struct live *l = arena_new(c->arena, struct live);
    *l = (struct live){.cli = c, .company_id = company_id, .pause_ms = PAUSE_FIRST_MS};
    return l;
}

bool live_connected(const struct live *l) { return l->link != NULL; }

bool live_fresh(struct live *l)
{
    bool fresh = l->fresh;
    l->fresh = false;
    return fresh;
}

static void connect_now(struct live *l)
{
    struct arena *a = l->cli->arena;
    const char *headers[2] = {NULL, NULL}, *key = api_key(l->cli);
    if (key) headers[0] = arena_printf(a, "Authorization: Bearer %s", key);
    const char *since = l->last_id ? arena_printf(a, "?since=%lld", (long long)l->last_id) : "";
    const char *url =
        arena_printf(a, "%s/api/companies/%s/events/ws%s", api_base(l->cli), api_encode(a, l->company_id), since);
    err_t failed = ws_link_open(a, url, headers, OPEN_TIMEOUT_MS, &l->link);
    if (failed) {
        l->next_try = clock_now() + l->pause_ms;
        l->pause_ms = l->pause_ms * 2 < PAUSE_MAX_MS ? l->pause_ms * 2 : PAUSE_MAX_MS;
    } else {
        l->pause_ms = PAUSE_FIRST_MS;
        l->fresh = true;
    }
}

static void sleep_ms(int64_t ms)
{
    if (ms > 0) nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000}, NULL);
}

json_t *live_next(struct live *l, int timeout_ms)
{
    struct arena *a = l->cli->arena;
    instant_t until = clock_now() + timeout_ms;
    for (;;) {
        instant_t now = clock_now();
        if (l->link == NULL && now >= l->next_try) {
            connect_now(l);
            if (l->link) return NULL; /* the watcher looks once with the socket already open */
        }
        if (l->link == NULL) {
            if (now >= until) return NULL;
            sleep_ms((l->next_try < until ? l->next_try : until) - now);
            continue;
        }
        const char *text;
        size_t len;
        err_t broken = ws_link_next(l->link, a, now < until ? (int)(until - now) : 0, &text, &len);
        if (broken) {
            ws_link_close(l->link);
            l->link = NULL;
            l->next_try = clock_now() + l->pause_ms;
            continue;
        }
        if (text == NULL) return NULL;
        json_t *event = NULL;
        if (json_parse(a, text, len, &event)) continue;
        int64_t id = json_int(event, "id", 0);
        if (id > l->last_id) l->last_id = id;
        return event;
    }
}

void live_close(struct live *l)
{
    ws_link_close(l->link);
    l->link = NULL;
}
