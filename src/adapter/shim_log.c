/* shim_log: finish a log whose writer was killed. */
#include "adapter/shim_log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAIL_MAX (1 << 20) /* two excerpts' worth of records, however they were escaped */

/* The file's last bytes; *from is where they begin. */
static err_t tail_read(struct arena *a, const char *path, int fd, struct buf *b, off_t *from)
{
    struct stat st;
    char part[65536];
    if (fstat(fd, &st) < 0) return err_new(a, ERR_INTERNAL, "Cannot read %s: %s", path, strerror(errno));
    *from = st.st_size > TAIL_MAX ? st.st_size - TAIL_MAX : 0;
    for (off_t at = *from; at < st.st_size;) {
        ssize_t n = pread(fd, part, sizeof part, at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return err_new(a, ERR_INTERNAL, "Cannot read %s: %s", path, strerror(errno));
        if (n == 0) break;
        buf_append(b, part, (size_t)n);
        at += n;
    }
    return OK;
}

/* The last `max` bytes, from the beginning of a character. */
static const char *excerpt(struct arena *a, const struct buf *b)
{
    size_t from = b->len > SHIM_EXCERPT_MAX ? b->len - SHIM_EXCERPT_MAX : 0;
    while (from > 0 && from < b->len && ((unsigned char)b->data[from] & 0xc0) == 0x80) from++;
    return arena_strndup(a, b->data ? b->data + from : "", b->len - from);
}

static void record_take(const json_t *j, struct shim_exit *out, struct buf text[2])
{
    instant_t ts;
    const char *stream = json_str(j, "stream"), *chunk = json_str(j, "chunk");
    out->output.last_seq = json_int(j, "seq", out->output.last_seq);
    if (stream == NULL || chunk == NULL || strcmp(stream, "system") == 0) return;
    bool err = strcmp(stream, "stderr") == 0;
    buf_puts(&text[err], chunk);
    out->output.last_stream = err ? "stderr" : "stdout";
    if (instant_parse(json_str(j, "ts"), &ts)) out->output.last_output_at = ts;
}

static err_t recover(struct arena *a, const char *path, int fd, struct buf *tail, struct buf text[2],
                     struct shim_exit *out)
{
    off_t from = 0;
    TRY(tail_read(a, path, fd, tail, &from));
    size_t at = 0, end = tail->len;
    while (end > 0 && tail->data[end - 1] != '\n') end--;
    if (end < tail->len && ftruncate(fd, from + (off_t)end) < 0)
        return err_new(a, ERR_INTERNAL, "Cannot cut the torn line off %s: %s", path, strerror(errno));
    out->output.log_bytes = (int64_t)from + (int64_t)end;
    while (from > 0 && at < end && tail->data[at++] != '\n') continue; /* begin at a whole line */
    while (at < end) {
        size_t len = (size_t)((const char *)memchr(tail->data + at, '\n', end - at) - (tail->data + at)) + 1;
        json_t *j;
        if (json_parse(a, tail->data + at, len, &j) == OK) record_take(j, out, text);
        at += len;
    }
    out->stdout_excerpt = excerpt(a, &text[0]);
    out->stderr_excerpt = excerpt(a, &text[1]);
    return OK;
}

err_t shim_log_recover(struct arena *a, const char *log_path, struct shim_exit *out)
{
    struct buf tail BUF_AUTO = {0};
    struct buf text[2] = {0};
    json_arena(a);
    out->output = (struct shim_progress){.last_output_at = INSTANT_NONE};
    out->stdout_excerpt = out->stderr_excerpt = "";
    int fd = open(log_path, O_RDWR | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) return OK;
    if (fd < 0) return err_new(a, ERR_INTERNAL, "Cannot open %s: %s", log_path, strerror(errno));
    err_t e = recover(a, log_path, fd, &tail, text, out);
    buf_free(&text[0]);
    buf_free(&text[1]);
    close(fd);
    return e;
}
