/* op_log: one line a chunk. */
#include "workspace/op_log.h"

#include "base/json.h"
#include "base/text.h"
#include "workspace/repo.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXCERPT_CHARS 4096
#define LOG_BYTES_MAX ((int64_t)4 << 20)

void op_log_open(struct op_log *l, struct arena *a, const char *root, const char *company_id, const char *operation_id)
{
    struct stat st;
    const char *dir = arena_printf(a, "%s/%s", root, company_id);
    *l = (struct op_log){.arena = a, .fd = -1, .ref = arena_printf(a, "%s/%s.ndjson", company_id, operation_id)};
    if (make_directories(a, dir) != OK) return;
    l->fd = open(arena_printf(a, "%s/%s", root, l->ref), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (l->fd >= 0 && fstat(l->fd, &st) == 0) l->bytes = st.st_size;
}

static void note(struct buf *b, const char *text)
{
    buf_puts(b, text);
    if (b->len > 8 * EXCERPT_CHARS) {
        size_t cut = b->len - 4 * EXCERPT_CHARS;
        memmove(b->data, b->data + cut, b->len - cut + 1);
        b->len -= cut;
    }
}

void op_log_write(struct op_log *l, const char *stream, const char *text)
{
    struct buf b BUF_AUTO = {0};
    struct jw w;
    if (l == NULL || *text == 0) return;
    if (text_is(stream, "stdout")) note(&l->out, text);
    if (text_is(stream, "stderr")) note(&l->err, text);
    if (l->fd < 0 || l->bytes >= LOG_BYTES_MAX) return;
    jw_init(&w, &b);
    jw_obj(&w);
    jw_ktime(&w, "ts", clock_now());
    jw_kstr(&w, "stream", stream);
    jw_kstr(&w, "chunk", text);
    jw_obj_end(&w);
    buf_putc(&b, '\n');
    ssize_t n = write(l->fd, b.data, b.len);
    if (n > 0) l->bytes += n;
}

const char *op_log_excerpt(struct op_log *l, const struct buf *b)
{
    if (b->len == 0) return NULL;
    size_t from = b->len, chars = 0;
    while (from > 0 && chars < EXCERPT_CHARS) {
        from--;
        chars += ((unsigned char)b->data[from] & 0xc0) != 0x80;
    }
    return arena_strdup(l->arena, b->data + from);
}

void op_log_close(struct op_log *l)
{
    if (l->fd >= 0) close(l->fd);
    l->fd = -1;
    buf_free(&l->out);
    buf_free(&l->err);
}
