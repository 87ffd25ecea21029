/*
 * pump: from the agent's pipes, through the redactor, to lines in the log.
 *
 * One record per line; an unfinished line goes out after 200 ms or at 64 KiB,
 * never cutting a character. Past the log's limit the output is still read
 * (the agent must not block) and still feeds the excerpts.
 */
#include "shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define READ_MAX 65536
#define LINE_FLUSH_MS 200

struct stream streams[STREAMS] = {{.fd = -1}, {.fd = -1}};
static char raw[REDACT_HOLD_MAX + READ_MAX]; /* shared: filled and emptied in one go */
static char hold[STREAMS][REDACT_HOLD_MAX];
static char line[STREAMS][SHIM_CHUNK_MAX];

void pump_setup(int out_fd, int err_fd)
{
    streams[STREAM_OUT].fd = out_fd;
    streams[STREAM_ERR].fd = err_fd;
    fcntl(out_fd, F_SETFL, O_NONBLOCK);
    fcntl(err_fd, F_SETFL, O_NONBLOCK);
}

/* Log the first n bytes of the unfinished line. */
static void line_log(enum stream_id id, size_t n)
{
    struct stream *s = &streams[id];
    if (n == 0) return;
    log_chunk(id, line[id], n);
    memmove(line[id], line[id] + n, s->n_line - n);
    s->n_line -= n;
    if (s->n_line > 0) s->line_since = mono_ms();
}

/* Redacted output arrives here. */
static void take(void *ctx, const char *p, size_t n)
{
    struct stream *s = ctx;
    enum stream_id id = s == &streams[STREAM_OUT] ? STREAM_OUT : STREAM_ERR;
    excerpt_add(id, p, n);
    while (n > 0) {
        if (run_log.full) {
            log_drop(s->n_line + n);
            s->n_line = 0;
            return;
        }
        const char *nl = memchr(p, '\n', n);
        size_t part = nl ? (size_t)(nl - p) + 1 : n;
        if (s->n_line == 0 && nl) { /* a whole line where it stands */
            if (part > SHIM_CHUNK_MAX) part = utf8_whole(p, SHIM_CHUNK_MAX);
            log_chunk(id, p, part);
            p += part;
            n -= part;
            continue;
        }
        size_t room = SHIM_CHUNK_MAX - s->n_line;
        if (part > room) {
            part = room;
            nl = NULL;
        }
        if (s->n_line == 0) s->line_since = mono_ms();
        memcpy(line[id] + s->n_line, p, part);
        s->n_line += part;
        p += part;
        n -= part;
        if (nl) line_log(id, s->n_line);
        else if (s->n_line == SHIM_CHUNK_MAX) line_log(id, utf8_whole(line[id], s->n_line));
    }
}

static void stream_end(enum stream_id id)
{
    struct stream *s = &streams[id];
    if (s->fd < 0) return;
    redact_scan(&s->redact, hold[id], s->n_hold, true, take, s);
    s->n_hold = 0;
    line_log(id, s->n_line);
    close(s->fd);
    s->fd = -1;
}

bool pump_read(enum stream_id id)
{
    struct stream *s = &streams[id];
    ssize_t n = read(s->fd, raw + s->n_hold, READ_MAX);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (n <= 0) {
        stream_end(id);
        return false;
    }
    run_log.ts = wall_ms();
    run.last_output_at = run_log.ts;
    run.last_stream = (int)id;
    s->bytes += n;
    memcpy(raw, hold[id], s->n_hold);
    size_t len = s->n_hold + (size_t)n;
    size_t used = redact_scan(&s->redact, raw, len, false, take, s);
    s->n_hold = len - used;
    memcpy(hold[id], raw + used, s->n_hold);
    link_news();
    return true;
}

void pump_flush_due(int64_t now)
{
    for (enum stream_id id = STREAM_OUT; id <= STREAM_ERR; id++) {
        struct stream *s = &streams[id];
        if (s->n_line == 0 || now < s->line_since + LINE_FLUSH_MS) continue;
        size_t whole = utf8_whole(line[id], s->n_line);
        if (whole == 0) s->line_since = now; /* the rest of a character must come first */
        line_log(id, whole);
    }
}

int64_t pump_next_flush(void)
{
    int64_t next = INT64_MAX;
    for (int i = 0; i < STREAMS; i++)
        if (streams[i].n_line > 0 && streams[i].line_since + LINE_FLUSH_MS < next)
            next = streams[i].line_since + LINE_FLUSH_MS;
    return next;
}

/* What is in the pipe now is the run's; a writer that is still there does not
 * keep us. */
static void take_rest(enum stream_id id)
{
    struct stream *s = &streams[id];
    int rest = 0;
    ioctl(s->fd, FIONREAD, &rest);
    for (int64_t end = s->bytes + rest; s->bytes < end;)
        if (!pump_read(id)) return;
    int64_t before = s->bytes;
    s->detached = pump_read(id) || s->bytes != before; /* no end where the end should be */
}

void pump_close(void)
{
    for (enum stream_id id = STREAM_OUT; id <= STREAM_ERR; id++) {
        if (streams[id].fd >= 0) take_rest(id);
        stream_end(id);
    }
}

void pump_trim(void)
{
    memory_trim(raw, sizeof raw);
    for (int i = 0; i < STREAMS; i++)
        if (streams[i].n_line == 0) memory_trim(line[i], sizeof line[i]);
}
