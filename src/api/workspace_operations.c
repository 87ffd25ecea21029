/* workspace_operations: what was done to workspaces, and its logs (WS-74). */
#include "api/app.h"
#include "api/handlers.h"
#include "api/workspace_rows.h"
#include "base/settings.h"
#include "model/workspace_operation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_DEFAULT 256000
#define LOG_MAX 1048576

err_t workspace_operations_write(struct req *r, const struct workspace_operation *rows, int n)
{
    jw_arr(&r->w);
    for (int i = 0; i < n; i++) workspace_operation_write(&r->w, &rows[i]);
    jw_arr_end(&r->w);
    return OK;
}

err_t run_workspace_operations(struct req *r)
{
    struct workspace_operation *rows;
    int n;
    TRY(workspace_operation_list_run(r->db, r->run.id, &rows, &n));
    return workspace_operations_write(r, rows, n);
}

static int64_t offset_of(const struct req *r)
{
    const char *v = query(r, "offset");
    char *end;
    long long n = v ? strtoll(v, &end, 10) : 0;
    return v && (end == v || *end || n < 0) ? 0 : (int64_t)n;
}

/* The file of our own row: no part of the path comes from outside. */
static const char *log_path(struct req *r, const struct workspace_operation *op)
{
    const char *root = settings.workspace_log_dir;
    if (*root == 0) root = arena_printf(r->arena, "%s/data/workspace-operation-logs", app_get(r->app)->data_dir);
    return arena_printf(r->arena, "%s/%s", root, op->log_ref);
}

err_t workspace_operation_log(struct req *r)
{
    const struct workspace_operation op = r->operation;
    struct stat st;
    int64_t offset = offset_of(r), total = 0;
    size_t limit = (size_t)query_limit(r, "limitBytes", LOG_DEFAULT, LOG_MAX);
    int fd = op.log_ref ? open(log_path(r, &op), O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (fd < 0 && op.log_ref && errno != ENOENT)
        return err_new(r->arena, ERR_UNAVAILABLE, "The operation's log cannot be read");
    char *text = arena_alloc(r->arena, limit + 1);
    if (fd >= 0 && fstat(fd, &st) == 0) total = st.st_size;
    ssize_t n = fd >= 0 && offset < total ? pread(fd, text, limit, offset) : 0;
    if (fd >= 0) close(fd);
    if (n < 0) return err_new(r->arena, ERR_UNAVAILABLE, "The operation's log cannot be read");
    while (offset + n < total && n > 0 && text[n - 1] != '\n')
        n--; /* whole lines, unless one is longer than the window */
    if (n == 0 && offset < total) n = (ssize_t)((int64_t)limit < total - offset ? (int64_t)limit : total - offset);
    jw_obj(&r->w);
    jw_kstr(&r->w, "operationId", op.id);
    jw_kstr(&r->w, "store", op.log_store);
    jw_kstr(&r->w, "logRef", op.log_ref);
    jw_key(&r->w, "content");
    jw_strn(&r->w, text, (size_t)n);
    if (offset + n < total) jw_kint(&r->w, "nextOffset", offset + n);
    jw_obj_end(&r->w);
    http_set_header(r->http, "Cache-Control", "no-cache, no-store");
    return OK;
}
