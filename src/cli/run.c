/*
 * run: the log of a run, once or as it grows. Following waits on the company's
 * live events and reads the log by offset, so nothing is shown twice and nothing
 * is missed, whatever happens to the socket or the server meanwhile.
 */
#include "base/buf.h"
#include "base/json.h"
#include "cli/api.h"
#include "cli/call.h"
#include "cli/live.h"
#include "cli/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PAGE_BYTES = 1 << 20, FOLLOW_IDLE_MS = 5000, FOLLOW_SETTLE_MS = 30, AWAY_PAUSE_MS = 300 };

/* One line of the log as a person reads it. */
static void show_line(struct cli *c, struct buf *out, const char *line, size_t len)
{
    json_t *entry = NULL;
    if (json_parse(c->arena, line, len, &entry)) {
        buf_append(out, line, len);
        buf_putc(out, '\n');
        return;
    }
    const char *ts = json_str(entry, "ts"), *stream = json_str(entry, "stream"), *chunk = json_str(entry, "chunk");
    if (chunk == NULL) return;
    bool text = c->value[OPT_text] != NULL, warn = stream && strcmp(stream, "stderr") == 0;
    if (!text && c->colour) buf_puts(out, "\x1b[2m");
    if (!text) buf_printf(out, "%.12s %-6s ", ts && strlen(ts) > 23 ? ts + 11 : "", stream ? stream : "");
    if (!text && c->colour) buf_puts(out, warn ? "\x1b[0;31m" : "\x1b[0m");
    buf_puts(out, chunk);
    if (!text && c->colour) buf_puts(out, "\x1b[0m");
    size_t n = strlen(chunk);
    if (!text && (n == 0 || chunk[n - 1] != '\n')) buf_putc(out, '\n');
}

/* Whole lines of content; gives the bytes used (the rest is the begin of a line still being written). */
static size_t show_content(struct cli *c, const char *content, bool last)
{
    struct buf out BUF_AUTO = {0};
    size_t used = 0;
    const char *end;
    while ((end = strchr(content + used, '\n')) != NULL) {
        show_line(c, &out, content + used, (size_t)(end - content) - used);
        used = (size_t)(end - content) + 1;
    }
    if (last && content[used]) {
        show_line(c, &out, content + used, strlen(content + used));
        used = strlen(content);
    }
    (void)print_out(&out);
    return used;
}

/* What a round of following made is gone when the next begins: a log may be long. */
static void use_arena(struct cli *c, struct arena *a)
{
    arena_reset(a);
    c->arena = a;
    json_arena(a);
}

/* Shows what there is from *offset on, page by page in pages. status 0: unreachable, the caller may try again. */
static struct api_answer show_from(struct cli *c, struct arena *pages, const char *path, int64_t *offset, int64_t limit,
                                   bool last)
{
    for (;;) {
        use_arena(c, pages);
        const char *url =
            arena_printf(c->arena, "%s?offset=%lld&limitBytes=%lld", path, (long long)*offset, (long long)limit);
        struct api_answer page = api_request(c, "GET", url, NULL);
        if (page.status != 200) return page;
        const char *content = json_str(page.json, "content");
        bool more = json_object_get(page.json, "nextOffset") != NULL;
        size_t used = show_content(c, content ? content : "", last && !more);
        *offset += (int64_t)used;
        if (!more || used == 0) return page;
    }
}

static bool over(const char *status)
{
    return status && strcmp(status, "queued") != 0 && strcmp(status, "running") != 0 &&
           strcmp(status, "scheduled_retry") != 0;
}

static void pause_ms(int ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000}, NULL);
}

/* Until something happened to the run; bursts of output are one. true: its state may have changed, not only its log. */
static bool wait_for_news(struct live *live, const char *run_id)
{
    instant_t until = clock_now() + FOLLOW_IDLE_MS;
    bool output = false;
    for (;;) {
        int64_t left = until - clock_now();
        json_t *event = left > 0 ? live_next(live, (int)left) : NULL;
        if (event == NULL) return !output; /* nothing for a while, or a new connection: look at everything */
        const char *about = json_str(json_object_get(event, "payload"), "runId"), *type = json_str(event, "type");
        if (about == NULL || strcmp(about, run_id) != 0) continue;
        if (type == NULL || strcmp(type, "heartbeat.run.log") != 0) return true;
        if (!output) until = clock_now() + FOLLOW_SETTLE_MS;
        output = true;
    }
}

static int follow_live(struct cli *c, struct live *live, const char *run_id, const char *run_path, const char *log_path,
                       int64_t offset)
{
    struct arena round ARENA_AUTO = {0}, pages ARENA_AUTO = {0};
    bool ask = true;
    for (;;) {
        struct api_answer state = {.status = 200};
        use_arena(c, &round);
        if (ask) state = api_request(c, "GET", run_path, NULL);
        if (state.status >= 400 && state.status < 500) return cli_exit_code(api_report(c, "GET", run_path, &state));
        const char *status = json_str(state.json, "status"), *error = json_str(state.json, "error");
        struct api_answer shown = show_from(c, &pages, log_path, &offset, PAGE_BYTES, over(status));
        if (over(status) && (shown.status == 200 || shown.status == 404)) {
            fprintf(stderr, "run %s%s%s\n", status, error ? ": " : "", error ? error : "");
            return strcmp(status, "succeeded") == 0 ? 0 : 1;
        }
        if (state.status == 0 || shown.status == 0) pause_ms(AWAY_PAUSE_MS);
        ask = wait_for_news(live, run_id) || state.status != 200 || shown.status == 0;
    }
}

/* Wakes on the run's events; every FOLLOW_IDLE_MS it looks by itself. */
static int follow(struct cli *c, const char *run_path, const char *log_path, int64_t offset)
{
    enum cli_end end;
    struct arena *own = c->arena;
    json_t *run = api_call(c, "GET", run_path, NULL, &end);
    if (run == NULL) return cli_exit_code(end);
    struct live *live = live_open(c, json_str(run, "companyId"));
    int rc = follow_live(c, live, json_str(run, "id"), run_path, log_path, offset);
    live_close(live);
    c->arena = own;
    json_arena(own);
    return rc;
}

int cmd_run_log(struct cli *c)
{
    enum cli_end end;
    const char *path = call_path(c, &end);
    if (path == NULL) return cli_exit_code(end);
    if (c->value[OPT_json]) {
        json_t *query = call_body(c, &end);
        return query ? call_and_print(c, path, query) : cli_exit_code(end);
    }
    int64_t offset = c->value[OPT_offset] ? strtoll(c->value[OPT_offset], NULL, 10) : 0;
    const char *run_path = arena_strndup(c->arena, path, strlen(path) - strlen("/log"));
    if (c->value[OPT_follow]) return follow(c, run_path, path, offset);
    int64_t limit = c->value[OPT_limit_bytes] ? strtoll(c->value[OPT_limit_bytes], NULL, 10) : PAGE_BYTES;
    struct arena *own = c->arena, pages ARENA_AUTO = {0};
    struct api_answer page = show_from(c, &pages, path, &offset, limit, true);
    int rc = page.status == 200 ? 0 : cli_exit_code(api_report(c, "GET", path, &page));
    c->arena = own;
    json_arena(own);
    return rc;
}
