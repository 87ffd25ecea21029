/* runs: what ran, what is running, its log and its end (AR §16, AR-63). */
#include "api/app.h"
#include "api/handlers.h"
#include "base/id.h"
#include "base/settings.h"
#include "model/activity.h"
#include "model/run.h"
#include "model/run_control.h"
#include "model/run_event.h"
#include "model/run_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIST_DEFAULT 200
#define LIST_MAX 1000
#define LIVE_MAX 50
#define LOG_DEFAULT 256000
#define LOG_MAX 1048576

/* The id of the query, or NULL; a malformed one is 400. */
static err_t query_id(struct req *r, const char *name, const char **out)
{
    *out = query(r, name);
    if (*out == NULL || id_valid(*out)) return OK;
    return err_new(r->arena, ERR_BAD_REQUEST, "%s must be a UUID", name);
}

err_t runs_list(struct req *r)
{
    struct run_filter f = {.company_id = r->company_id, .limit = query_limit(r, "limit", LIST_DEFAULT, LIST_MAX)};
    TRY(query_id(r, "agentId", &f.agent_id));
    TRY(query_id(r, "before", &f.before_id));
    jw_arr(&r->w);
    TRY(run_list_write(r->db, &r->w, &f, query_bool(r, "summary")));
    jw_arr_end(&r->w);
    return OK;
}

err_t runs_live(struct req *r)
{
    struct run_filter f = {
        .company_id = r->company_id, .live_only = true, .limit = query_limit(r, "limit", LIVE_MAX, LIVE_MAX)};
    int min = query(r, "minCount") ? query_limit(r, "minCount", 1, f.limit) : 0;
    jw_arr(&r->w);
    TRY(run_live_write(r->db, &r->w, &f, min, true));
    jw_arr_end(&r->w);
    return OK;
}

err_t issue_runs_live(struct req *r)
{
    struct run_filter f = {.company_id = r->company_id, .issue_id = r->issue.id, .live_only = true, .limit = LIVE_MAX};
    jw_arr(&r->w);
    TRY(run_live_write(r->db, &r->w, &f, 0, false));
    jw_arr_end(&r->w);
    return OK;
}

err_t issue_run_active(struct req *r) { return run_active_write(r->db, &r->w, &r->issue); }

err_t issue_runs(struct req *r)
{
    jw_arr(&r->w);
    TRY(run_issue_write(r->db, &r->w, &r->issue, query_limit(r, "limit", LIST_DEFAULT, LIST_MAX)));
    jw_arr_end(&r->w);
    return OK;
}

err_t run_show(struct req *r) { return run_detail_write(r->db, &r->w, &r->run); }

/* A run that is unknown, or another company's, touched nothing (GV-97). */
err_t run_issues(struct req *r)
{
    struct run run;
    bool found;
    TRY(run_get(r->db, r->params[0], &run, &found));
    if (is_agent(r)) found = found && strcmp(run.company_id, r->actor.company_id) == 0;
    jw_arr(&r->w);
    if (found) TRY(run_issues_write(r->db, &r->w, &run));
    jw_arr_end(&r->w);
    return OK;
}

static int64_t query_int(const struct req *r, const char *name, int64_t dflt)
{
    const char *v = query(r, name);
    char *end;
    long long n = v ? strtoll(v, &end, 10) : dflt;
    return v && (end == v || *end || n < 0) ? dflt : (int64_t)n;
}

err_t run_events(struct req *r)
{
    struct run_event *rows;
    int n;
    TRY(run_event_list(r->db, r->run.id, query_int(r, "afterSeq", 0), query_limit(r, "limit", 200, 1000), &rows, &n));
    jw_arr(&r->w);
    for (int i = 0; i < n; i++) {
        jw_obj(&r->w);
        entity_write(&r->w, &ENTITY_run_event, &rows[i], VIEW_FULL);
        jw_obj_end(&r->w);
    }
    jw_arr_end(&r->w);
    return OK;
}

/* ---- the log: raw NDJSON, whole lines (AR-71 BETTER) ---- */

static const char *log_path(struct req *r)
{
    const char *root = settings.run_log_dir;
    if (*root == 0) root = arena_printf(r->arena, "%s/data/run-logs", app_get(r->app)->data_dir);
    /* the ids of our own row: no part of the path comes from outside */
    return arena_printf(r->arena, "%s/%s/%s/%s.ndjson", root, r->run.company_id, r->run.agent_id, r->run.id);
}

/* The largest n that ends a line, else all of it (a line longer than the window). */
static size_t whole_lines(const char *text, size_t n)
{
    size_t end = n;
    while (end > 0 && text[end - 1] != '\n') end--;
    if (end > 0) return end;
    end = n;
    while (end > 0 && ((unsigned char)text[end - 1] & 0xc0) == 0x80) end--;
    return end > 0 && (unsigned char)text[end - 1] >= 0xc0 ? end - 1 : n;
}

err_t run_log(struct req *r)
{
    struct stat st;
    int64_t offset = query_int(r, "offset", 0);
    size_t limit = (size_t)query_limit(r, "limitBytes", LOG_DEFAULT, LOG_MAX);
    int fd = open(log_path(r), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool none = fd < 0 && errno == ENOENT; /* of a live run: not yet */
    if (none && !run_status_live(r->run.status)) return err_new(r->arena, ERR_NOT_FOUND, "Run log not found");
    if (fd < 0 && !none) return err_new(r->arena, ERR_UNAVAILABLE, "The run's log cannot be read");
    char *text = arena_alloc(r->arena, limit + 1);
    int64_t total = !none && fstat(fd, &st) == 0 ? st.st_size : 0;
    ssize_t n = offset < total ? pread(fd, text, limit, offset) : 0; /* beyond the end there is nothing, however far */
    if (!none) close(fd);
    if (n < 0) return err_new(r->arena, ERR_UNAVAILABLE, "The run's log cannot be read");
    size_t used = offset + n < total || run_status_live(r->run.status) ? whole_lines(text, (size_t)n) : (size_t)n;
    int64_t end = offset + (int64_t)used;
    jw_obj(&r->w);
    jw_kstr(&r->w, "runId", r->run.id);
    jw_kstr(&r->w, "store", r->run.log_store);
    jw_kstr(&r->w, "logRef", r->run.log_ref);
    jw_key(&r->w, "content");
    jw_strn(&r->w, text, used);
    if (end < total) jw_kint(&r->w, "nextOffset", end);
    jw_kint(&r->w, "endOffset", end);
    jw_kint(&r->w, "totalBytes", total);
    jw_obj_end(&r->w);
    http_set_header(r->http, "Cache-Control", "no-cache, no-store");
    return OK;
}

/* ---- cancel: the row first, the process after (AR-63 BETTER) ---- */

err_t run_cancel_route(struct req *r)
{
    struct run now;
    struct run_data data;
    bool found;
    int64_t n;
    TRY(run_cancel_where(r->db,
                         &(struct run_cancel){.run_id = r->run.id,
                                              .error = "Cancelled by a board operator",
                                              .error_code = "cancelled",
                                              .stop_reason = "cancelled",
                                              .cancelled_by_user_id = r->actor.user_id ? r->actor.user_id : "board"},
                         &n));
    if (n > 0)
        TRY(activity_log(r->db, &r->actor,
                         &(struct activity_entry){.company_id = r->company_id,
                                                  .action = "heartbeat.cancelled",
                                                  .entity_type = "heartbeat_run",
                                                  .entity_id = r->run.id,
                                                  .details = json_pack("{s:s}", "agentId", r->run.agent_id)}));
    TRY(run_get(r->db, r->run.id, &now, &found));
    TRY(run_data_get(r->db, r->run.id, &data));
    jw_obj(&r->w);
    run_write_raw(&r->w, &now, &data);
    jw_obj_end(&r->w);
    return OK;
}
