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

enum { PAGE_BYTES = 256000, FOLLOW_IDLE_MS = 5000 };

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

/* Shows what there is from *offset on. status 0: unreachable, the caller may try again. */
static struct api_answer show_from(struct cli *c, const char *path, int64_t *offset, int64_t limit, bool last)
{
    for (;;) {
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

/* Wakes on the run's events; every FOLLOW_IDLE_MS it looks by itself. */
static int follow(struct cli *c, const char *run_path, const char *log_path, int64_t offset)
{
    enum cli_end end;
    json_t *run = api_call(c, "GET", run_path, NULL, &end);
    if (run == NULL) return cli_exit_code(end);
    const char *run_id = json_str(run, "id");
    struct live *live = live_open(c, json_str(run, "companyId"));
    for (;;) {
        struct api_answer state = api_request(c, "GET", run_path, NULL);
        if (state.status >= 400 && state.status < 500) return cli_exit_code(api_report(c, "GET", run_path, &state));
        bool ended = state.status == 200 && over(json_str(state.json, "status"));
        struct api_answer shown = show_from(c, log_path, &offset, PAGE_BYTES, ended);
        if (ended && (shown.status == 200 || shown.status == 404)) {
            const char *status = json_str(state.json, "status"), *error = json_str(state.json, "error");
            fprintf(stderr, "run %s%s%s\n", status, error ? ": " : "", error ? error : "");
            live_close(live);
            return strcmp(status, "succeeded") == 0 ? 0 : 1;
        }
        if (state.status == 0) pause_ms(500);
        for (int64_t until = clock_now() + FOLLOW_IDLE_MS;;) {
            int64_t left = until - clock_now();
            json_t *event = left > 0 ? live_next(live, (int)left) : NULL;
            const char *about = json_str(json_object_get(event, "payload"), "runId");
            if (event == NULL || (about && strcmp(about, run_id) == 0)) break;
        }
    }
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
    struct api_answer page = show_from(c, path, &offset, limit, true);
    return page.status == 200 ? 0 : cli_exit_code(api_report(c, "GET", path, &page));
}
