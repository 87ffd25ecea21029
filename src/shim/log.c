/*
 * log: the run's NDJSON log, of which the shim is the only writer (AR-71).
 *
 * Whole records only: several go out in one write, and a write that failed is
 * undone, so a reader never finds half a record and seq has no gap. A full log
 * or disk never stops the agent: its output is counted as dropped.
 */
#include "shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define OUT_MAX 98304     /* one write; holds a record of SHIM_CHUNK_MAX ordinary bytes */
#define RECORD_EXTRA 128  /* a record without its chunk */
#define LIMIT_RESERVE 512 /* of the limit, for the two records that explain it */
#define LIMIT_MIN 4096

static char out_bytes[OUT_MAX];
static struct text out = {.p = out_bytes, .cap = OUT_MAX, .fd = -1};
static size_t out_chunks;   /* bytes of output that the unwritten records carry, */
static int64_t out_records; /* and how many they are */

struct log run_log = {.fd = -1};

/* The last bytes of each stream, redacted, as a ring. */
static struct excerpt {
    char ring[SHIM_EXCERPT_MAX];
    uint64_t total;
} excerpts[STREAMS];

int log_open(const char *path, int64_t max)
{
    run_log.fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
    if (run_log.fd < 0) return errno;
    off_t end = lseek(run_log.fd, 0, SEEK_END);
    if (end > 0) run_log.bytes = end;
    run_log.max = max > 0 && max < LIMIT_MIN ? LIMIT_MIN : max;
    run_log.ts = wall_ms();
    return 0;
}

void log_flush(void)
{
    if (out.len == 0) return;
    int error = write_all(run_log.fd, out.p, out.len);
    if (error == 0) {
        run_log.bytes += (int64_t)out.len;
    } else {
        if (run_log.fd >= 0) run_log.error = error;
        run_log.seq -= out_records;
        run_log.dropped += (int64_t)out_chunks;
        if (run_log.fd >= 0 && ftruncate(run_log.fd, (off_t)run_log.bytes) < 0) {
            close(run_log.fd); /* half a record stays: nothing may follow it */
            run_log.fd = -1;
            run_log.full = true;
        }
    }
    out.len = out_chunks = 0;
    out_records = 0;
}

/* How much of the chunk fits into one record, and how long that gets at most. */
static size_t chunk_fit(const char *p, size_t n, size_t *width)
{
    size_t i = 0, w = 0;
    *width = n * 6; /* the longest escape: near enough for a short line */
    if (n <= 512) return n;
    while (i < n) {
        size_t taken, add = text_json_width(p + i, n - i, &taken);
        if (w + add > OUT_MAX - RECORD_EXTRA) break;
        w += add;
        i += taken;
    }
    *width = w;
    return i;
}

static void record_put(enum stream_id stream, const char *p, size_t n)
{
    static const char *const names[] = {"stdout", "stderr", "system"};
    text_puts(&out, "{\"ts\":\"");
    text_time(&out, run_log.ts);
    text_puts(&out, "\",\"stream\":\"");
    text_puts(&out, names[stream]);
    text_puts(&out, "\",\"chunk\":\"");
    text_json(&out, p, n);
    text_puts(&out, "\",\"seq\":");
    text_int(&out, ++run_log.seq);
    text_puts(&out, "}\n");
    out_records++;
}

static void limit_reached(void)
{
    char bytes[160];
    struct text say = {.p = bytes, .cap = sizeof bytes, .fd = -1};
    run_log.full = true;
    text_puts(&say, "[paperclip] the run log reached its limit of ");
    text_int(&say, run_log.max);
    text_puts(&say, " bytes; further output is dropped\n");
    if (OUT_MAX - out.len < RECORD_EXTRA + sizeof bytes) log_flush();
    record_put(STREAM_SYSTEM, say.p, say.len);
}

void log_drop(size_t n) { run_log.dropped += (int64_t)n; }

void log_chunk(enum stream_id stream, const char *p, size_t n)
{
    while (n > 0 && !run_log.full) {
        size_t width, part = chunk_fit(p, n, &width);
        if (OUT_MAX - out.len < RECORD_EXTRA + width) log_flush();
        int64_t after = run_log.bytes + (int64_t)(out.len + RECORD_EXTRA + width);
        if (run_log.max > 0 && after > run_log.max - LIMIT_RESERVE) {
            limit_reached();
            break;
        }
        record_put(stream, p, part);
        out_chunks += part;
        p += part;
        n -= part;
    }
    run_log.dropped += (int64_t)n;
}

void log_close(void)
{
    if (run_log.fd < 0) return;
    log_flush();
    if (run_log.dropped > 0) {
        char bytes[160];
        struct text say = {.p = bytes, .cap = sizeof bytes, .fd = -1};
        text_puts(&say, "[paperclip] ");
        text_int(&say, run_log.dropped);
        text_puts(&say, " bytes of output were dropped\n");
        run_log.ts = wall_ms();
        record_put(STREAM_SYSTEM, say.p, say.len);
        log_flush();
    }
    if (fdatasync(run_log.fd) < 0 && errno != EINVAL && errno != EROFS) run_log.error = errno;
    close(run_log.fd);
    run_log.fd = -1;
}

void log_trim(void)
{
    if (out.len == 0) memory_trim(out.p, out.cap);
}

struct text *log_scratch(void)
{
    out.len = 0;
    return &out;
}

void excerpt_add(enum stream_id stream, const char *p, size_t n)
{
    struct excerpt *e = &excerpts[stream];
    if (n > SHIM_EXCERPT_MAX) {
        e->total += n - SHIM_EXCERPT_MAX;
        p += n - SHIM_EXCERPT_MAX;
        n = SHIM_EXCERPT_MAX;
    }
    size_t at = e->total % SHIM_EXCERPT_MAX;
    size_t part = n < SHIM_EXCERPT_MAX - at ? n : SHIM_EXCERPT_MAX - at;
    memcpy(e->ring + at, p, part);
    memcpy(e->ring, p + part, n - part);
    e->total += n;
}

static void reverse(char *p, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        char c = p[i];
        p[i] = p[n - 1 - i];
        p[n - 1 - i] = c;
    }
}

void excerpt_json(enum stream_id stream, struct text *t)
{
    struct excerpt *e = &excerpts[stream];
    size_t n = e->total < SHIM_EXCERPT_MAX ? (size_t)e->total : SHIM_EXCERPT_MAX;
    size_t at = e->total % SHIM_EXCERPT_MAX, skip = 0;
    if (n == SHIM_EXCERPT_MAX && at > 0) { /* turn the ring so that it starts at its oldest byte */
        reverse(e->ring, at);
        reverse(e->ring + at, n - at);
        reverse(e->ring, n);
        e->total = n; /* it stays right when this is asked again */
    }
    if (n == SHIM_EXCERPT_MAX) /* the rest of a cut character */
        while (skip < 3 && ((unsigned char)e->ring[skip] & 0xc0) == 0x80) skip++;
    text_json(t, e->ring + skip, n - skip);
}
