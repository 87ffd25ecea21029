/* run_list: lists and wire forms of runs. */
#include "model/run_list.h"

#include "model/run.h"
#include "model/silence.h"

#include <string.h>

#define RESULT_MAX 65536
#define RESULT_TEXT_MAX 500
#define LINE_MAX_CHARS "400"

static bool is(const char *a, const char *b) { return a && b && strcmp(a, b) == 0; }

/* ---- parts ---- */

/* Transient progress is shown by live events; a read finds none of it. */
static void progress_write(struct jw *w)
{
    static const char *const keys[] = {"currentStatusMessage", "currentStatusUpdatedAt", "currentToolName",
                                       "lastAssistantSnippet", "lastEventAt"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) jw_knull(w, keys[i]);
}

/* The members of an object that are worth a list row; null when there are none. */
static void reduced_write(struct jw *w, const char *key, const char *json, const char *const *keep)
{
    const json_t *o = json_read(json);
    bool open = false;
    jw_key(w, key);
    for (; *keep && json_is_object(o); keep++) {
        const json_t *v = json_object_get(o, *keep);
        if (v == NULL) continue;
        if (!open) jw_obj(w);
        open = true;
        jw_key(w, *keep);
        const char *s = json_string_value(v);
        if (s && strlen(s) > RESULT_TEXT_MAX) jw_strn(w, s, strnlen(s, RESULT_TEXT_MAX));
        else jw_json(w, v);
    }
    if (open) jw_obj_end(w);
    else jw_null(w);
}

/* A result as it is, or its sayings when it is huge. */
static void result_write(struct jw *w, const char *json)
{
    static const char *const keep[] = {"summary",    "result",       "message", "error",
                                       "stopReason", "timeoutFired", "costUsd", NULL};
    if (json == NULL || strlen(json) <= RESULT_MAX) jw_kraw(w, "resultJson", json);
    else reduced_write(w, "resultJson", json, keep);
}

/* ---- lists ---- */

static const char *conditions(struct db *db, const struct run_filter *f, struct dbv *v, int *n)
{
    struct buf b = {0};
    const struct {
        const char *value, *sql;
    } conds[] = {{f->company_id, " AND company_id = $%d"},
                 {f->agent_id, " AND agent_id = $%d"},
                 {f->issue_id, " AND issue_id = $%d"},
                 {f->before_id, " AND id < $%d"}};
    buf_puts(&b, "WHERE true");
    for (size_t i = 0; i < sizeof conds / sizeof *conds; i++) {
        if (conds[i].value == NULL) continue;
        v[(*n)++] = V_ID(conds[i].value);
        buf_append(&b, conds[i].sql, strlen(conds[i].sql) - 2);
        buf_printf(&b, "%d", *n);
    }
    if (f->live_only) buf_puts(&b, " AND status IN ('queued','running')");
    v[(*n)++] = V_INT(f->limit);
    buf_printf(&b, " ORDER BY created_at DESC, id DESC LIMIT $%d", *n);
    return buf_finish(&b, db_arena(db));
}

static err_t read_runs(struct db *db, const struct run_filter *f, struct run **rows, int *count)
{
    struct dbv v[8];
    int n = 0;
    const char *tail = conditions(db, f, v, &n);
    return entity_many(db, &ENTITY_run, rows, count, tail, v, n);
}

static bool in_summary(const char *json)
{
    static const char *const gone[] = {
        "usageJson",     "sessionIdBefore", "sessionIdAfter", "logStore",         "logRef", "logSha256",
        "externalRunId", "processPid",      "processGroupId", "processStartedAt", NULL};
    for (const char *const *g = gone; *g; g++)
        if (strcmp(json, *g) == 0) return false;
    return true;
}

static bool in_list(const char *json)
{
    return strcmp(json, "responsibleUserId") != 0 && strncmp(json, "issueComment", 12) != 0;
}

static void row_write(struct jw *w, const struct run *run, const struct run_data *d, bool summary)
{
    static const char *const context[] = {"issueId",       "taskId",     "taskKey",    "commentId",
                                          "wakeCommentId", "wakeReason", "wakeSource", "wakeTriggerDetail",
                                          "modelProfile",  NULL};
    static const char *const result[] = {"summary", "result", "message", "error", "costUsd", NULL};
    jw_obj(w);
    for (int i = 0; i < ENTITY_run.count; i++) {
        const struct field *f = &ENTITY_run.fields[i];
        if ((f->flags & FF_HIDDEN) || !in_list(f->json)) continue;
        jw_key(w, f->json);
        if (summary && !in_summary(f->json)) jw_null(w);
        else entity_write_field(w, f, run);
    }
    jw_kraw(w, "usageJson", summary ? NULL : d->usage_json);
    jw_knull(w, "stdoutExcerpt");
    jw_knull(w, "stderrExcerpt");
    reduced_write(w, "contextSnapshot", d->context_snapshot, context);
    reduced_write(w, "resultJson", summary ? NULL : d->result_json, result);
    jw_obj_end(w);
}

/* The last line of stdout that says something, for a list's row (our addition). */
static void last_line_write(struct jw *w, const char *out)
{
    size_t end = out ? strlen(out) : 0;
    while (end > 0 && strchr(" \t\r\n", out[end - 1])) end--;
    size_t start = end;
    while (start > 0 && out[start - 1] != '\n') start--;
    jw_key(w, "lastOutputLine");
    if (end > start) jw_strn(w, out + start, end - start);
    else jw_null(w);
}

/* The small columns of the runs' data and the tail of stdout, in one query, by run id. */
static err_t data_of(struct db *db, const struct run_filter *f, struct run_data **out, int *n)
{
    struct dbv v[8];
    int k = 0;
    const char *tail = conditions(db, f, v, &k);
    struct rows r ROWS_AUTO = {0};
    *out = arena_array(db_arena(db), struct run_data, f->limit + 1);
    *n = 0;
    TRY(db_query(db, &r,
                 arena_printf(db_arena(db),
                              "SELECT run_id, context_snapshot, result_json, usage_json,"
                              " CASE WHEN length(stdout_excerpt) > " LINE_MAX_CHARS
                              " THEN substr(stdout_excerpt, length(stdout_excerpt) - " LINE_MAX_CHARS " + 1)"
                              " ELSE stdout_excerpt END FROM heartbeat_run_data"
                              " WHERE run_id IN (SELECT id FROM heartbeat_runs %s)",
                              tail),
                 v, k));
    while (rows_next(&r) && *n < f->limit)
        (*out)[(*n)++] = (struct run_data){.run_id = row_text(&r, 0),
                                           .context_snapshot = row_text(&r, 1),
                                           .result_json = row_text(&r, 2),
                                           .usage_json = row_text(&r, 3),
                                           .stdout_excerpt = row_text(&r, 4)};
    return rows_err(&r);
}

static const struct run_data *find_data(const struct run_data *rows, int n, const char *id)
{
    static const struct run_data none;
    for (int i = 0; i < n; i++)
        if (strcmp(rows[i].run_id, id) == 0) return &rows[i];
    return &none;
}

err_t run_list_write(struct db *db, struct jw *w, const struct run_filter *f, bool summary)
{
    struct run *rows;
    struct run_data *data;
    int n, m;
    TRY(read_runs(db, f, &rows, &n));
    TRY(data_of(db, f, &data, &m));
    for (int i = 0; i < n; i++) row_write(w, &rows[i], find_data(data, m, rows[i].id), summary);
    return OK;
}

struct names {
    const char *id, *name, *adapter;
};

static err_t agent_names(struct db *db, const char *company_id, struct names **out, int *n)
{
    struct rows r ROWS_AUTO = {0};
    int cap = 64;
    *out = arena_array(db_arena(db), struct names, cap);
    *n = 0;
    TRY(db_query(db, &r, "SELECT id, name, adapter_type FROM agents WHERE company_id = $1", P(V_ID(company_id))));
    while (rows_next(&r)) {
        if (*n == cap) {
            struct names *more = arena_array(db_arena(db), struct names, cap * 2);
            memcpy(more, *out, sizeof *more * (size_t)cap);
            *out = more;
            cap *= 2;
        }
        (*out)[(*n)++] = (struct names){row_text(&r, 0), row_text(&r, 1), row_text(&r, 2)};
    }
    return rows_err(&r);
}

static void live_fields(struct jw *w, const struct run *run, const struct names *agents, int n,
                        const struct run_data *d, bool with_scope)
{
    const json_t *c = json_read(d->context_snapshot);
    const char *name = NULL, *adapter = NULL;
    for (int i = 0; i < n; i++)
        if (strcmp(agents[i].id, run->agent_id) == 0) name = agents[i].name, adapter = agents[i].adapter;
    jw_kstr(w, "id", run->id);
    if (with_scope) jw_kstr(w, "companyId", run->company_id);
    jw_kstr(w, "status", run->status);
    jw_kstr(w, "invocationSource", run->invocation_source);
    jw_kstr(w, "triggerDetail", run->trigger_detail);
    jw_kstr(w, "contextCommentId", json_str(c, "commentId"));
    jw_kstr(w, "contextWakeCommentId", json_str(c, "wakeCommentId"));
    jw_kstr(w, "wakeReason", run->wake_reason);
    jw_ktime(w, "startedAt", run->started_at);
    jw_ktime(w, "finishedAt", run->finished_at);
    jw_ktime(w, "createdAt", run->created_at);
    jw_kstr(w, "agentId", run->agent_id);
    jw_kstr(w, "agentName", name);
    jw_kstr(w, "adapterType", adapter);
    static const char *const plain[] = {
        "logBytes",           "error",      "errorCode",    "livenessState", "livenessReason",   "continuationAttempt",
        "lastUsefulActionAt", "nextAction", "lastOutputAt", "lastOutputSeq", "lastOutputStream", "lastOutputBytes",
        "processStartedAt",   NULL};
    for (const char *const *k = plain; *k; k++) {
        jw_key(w, *k);
        entity_write_field(w, entity_field(&ENTITY_run, *k), run);
    }
    if (with_scope) jw_kstr(w, "issueId", run->issue_id);
    last_line_write(w, d->stdout_excerpt);
    progress_write(w);
    silence_write(w, run);
}

err_t run_live_write(struct db *db, struct jw *w, const struct run_filter *f, int min_count, bool with_scope)
{
    struct run *live, *recent = NULL;
    struct names *agents;
    struct run_data *data;
    struct run_filter all = *f;
    int n, m = 0, k, d;
    all.live_only = false;
    TRY(agent_names(db, f->company_id, &agents, &k));
    TRY(read_runs(db, f, &live, &n));
    if (n < min_count) TRY(read_runs(db, &all, &recent, &m));
    TRY(data_of(db, n < min_count ? &all : f, &data, &d));
    for (int i = 0; i < n; i++) {
        jw_obj(w);
        live_fields(w, &live[i], agents, k, find_data(data, d, live[i].id), with_scope);
        jw_obj_end(w);
    }
    for (int i = 0; i < m && n < min_count; i++) {
        if (is(recent[i].status, "queued") || is(recent[i].status, "running")) continue;
        jw_obj(w);
        live_fields(w, &recent[i], agents, k, find_data(data, d, recent[i].id), with_scope);
        jw_obj_end(w);
        n++;
    }
    return OK;
}

err_t run_active_write(struct db *db, struct jw *w, const struct issue *issue)
{
    struct run run;
    struct run_data data;
    struct names *agents;
    bool found;
    int n;
    TRY(entity_one(db, &ENTITY_run, &run, &found,
                   "WHERE (issue_id = $1 OR id = $2) AND status IN ('queued','running')"
                   " ORDER BY CASE status WHEN 'running' THEN 0 ELSE 1 END, created_at LIMIT 1",
                   P(V_ID(issue->id), V_ID(issue->execution_run_id))));
    if (!found) {
        jw_null(w);
        return OK;
    }
    TRY(agent_names(db, issue->company_id, &agents, &n));
    TRY(run_data_get(db, run.id, &data));
    jw_obj(w);
    live_fields(w, &run, agents, n, &data, true);
    jw_obj_end(w);
    return OK;
}

err_t run_issue_write(struct db *db, struct jw *w, const struct issue *issue, int limit)
{
    struct run *rows;
    struct run_data *data;
    struct names *agents;
    const struct run_filter f = {.issue_id = issue->id, .limit = limit};
    int n, m, k;
    TRY(agent_names(db, issue->company_id, &agents, &k));
    TRY(read_runs(db, &f, &rows, &n));
    TRY(data_of(db, &f, &data, &m));
    for (int i = 0; i < n; i++) {
        static const char *const plain[] = {"status",
                                            "agentId",
                                            "startedAt",
                                            "finishedAt",
                                            "createdAt",
                                            "invocationSource",
                                            "responsibleUserId",
                                            "error",
                                            "errorCode",
                                            "logBytes",
                                            "retryOfRunId",
                                            "scheduledRetryAt",
                                            "scheduledRetryAttempt",
                                            "scheduledRetryReason",
                                            "livenessState",
                                            "livenessReason",
                                            "continuationAttempt",
                                            "lastUsefulActionAt",
                                            "nextAction",
                                            NULL};
        const struct run_data *d = find_data(data, m, rows[i].id);
        const char *adapter = NULL;
        for (int j = 0; j < k; j++)
            if (strcmp(agents[j].id, rows[i].agent_id) == 0) adapter = agents[j].adapter;
        jw_obj(w);
        jw_kstr(w, "runId", rows[i].id);
        jw_kstr(w, "adapterType", adapter);
        jw_kstr(w, "wakeReason", rows[i].wake_reason);
        for (const char *const *p = plain; *p; p++) {
            jw_key(w, *p);
            entity_write_field(w, entity_field(&ENTITY_run, *p), &rows[i]);
        }
        last_line_write(w, d->stdout_excerpt);
        jw_kraw(w, "usageJson", d->usage_json);
        result_write(w, d->result_json);
        jw_knull(w, "retryExhaustedReason");
        jw_knull(w, "environment");
        jw_knull(w, "environmentLease");
        jw_obj_end(w);
    }
    return OK;
}

err_t run_detail_write(struct db *db, struct jw *w, const struct run *run)
{
    struct run_data d;
    TRY(run_data_get(db, run->id, &d));
    jw_obj(w);
    entity_write(w, &ENTITY_run, run, VIEW_FULL);
    jw_kraw(w, "usageJson", d.usage_json);
    result_write(w, d.result_json);
    jw_kraw(w, "contextSnapshot", d.context_snapshot);
    jw_kstr(w, "stdoutExcerpt", d.stdout_excerpt);
    jw_kstr(w, "stderrExcerpt", d.stderr_excerpt);
    jw_kstr(w, "issueId", run->issue_id);
    jw_kstr(w, "wakeReason", run->wake_reason);
    jw_knull(w, "retryExhaustedReason");
    progress_write(w);
    silence_write(w, run);
    jw_obj_end(w);
    return OK;
}

err_t run_issues_write(struct db *db, struct jw *w, const struct run *run)
{
    struct rows r ROWS_AUTO = {0};
    TRY(db_query(
        db, &r,
        "SELECT id, identifier, title, status, priority FROM issues WHERE company_id = $1 AND (id = $2 OR CAST(id AS text) IN"
        " (SELECT entity_id FROM activity_log WHERE run_id = $3 AND entity_type = 'issue')) ORDER BY issue_number LIMIT 500",
        P(V_ID(run->company_id), V_ID(run->issue_id), V_ID(run->id))));
    while (rows_next(&r)) {
        jw_obj(w);
        jw_kstr(w, "issueId", row_text(&r, 0));
        jw_kstr(w, "identifier", row_text(&r, 1));
        jw_kstr(w, "title", row_text(&r, 2));
        jw_kstr(w, "status", row_text(&r, 3));
        jw_kstr(w, "priority", row_text(&r, 4));
        jw_obj_end(w);
    }
    return rows_err(&r);
}
