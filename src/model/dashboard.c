/* dashboard: counts over a company, a few indexed queries each. */
#include "model/dashboard.h"

#include "model/approval.h"

#include <inttypes.h>
#include <string.h>

#define DAYS 14

static bool is(const char *a, const char *b) { return a && b && strcmp(a, b) == 0; }

static err_t agents_part(struct db *db, struct jw *w, const struct company *c)
{
    struct rows r ROWS_AUTO = {0};
    int64_t active = 0, running = 0, paused = 0, error = 0;
    TRY(db_query(db, &r, "SELECT status, count(*) FROM agents WHERE company_id = $1 GROUP BY status", P(V_ID(c->id))));
    while (rows_next(&r)) {
        const char *s = row_text(&r, 0);
        int64_t n = row_int(&r, 1);
        if (is(s, "idle") || is(s, "active")) active += n;
        else if (is(s, "running")) running += n;
        else if (is(s, "paused")) paused += n;
        else if (is(s, "error")) error += n;
    }
    TRY(rows_err(&r));
    jw_kobj(w, "agents");
    jw_kint(w, "active", active);
    jw_kint(w, "running", running);
    jw_kint(w, "paused", paused);
    jw_kint(w, "error", error);
    jw_obj_end(w);
    return OK;
}

static err_t tasks_part(struct db *db, struct jw *w, const struct company *c)
{
    struct rows r ROWS_AUTO = {0};
    int64_t open = 0, in_progress = 0, blocked = 0, done = 0;
    TRY(db_query(
        db, &r,
        "SELECT status, count(*) FROM issues WHERE company_id = $1 AND hidden_at IS NULL AND harness_kind IS NULL GROUP BY status",
        P(V_ID(c->id))));
    while (rows_next(&r)) {
        const char *s = row_text(&r, 0);
        int64_t n = row_int(&r, 1);
        if (!is(s, "done") && !is(s, "cancelled")) open += n;
        if (is(s, "in_progress")) in_progress = n;
        if (is(s, "blocked")) blocked = n;
        if (is(s, "done")) done = n;
    }
    TRY(rows_err(&r));
    jw_kobj(w, "tasks");
    jw_kint(w, "open", open);
    jw_kint(w, "inProgress", in_progress);
    jw_kint(w, "blocked", blocked);
    jw_kint(w, "done", done);
    jw_obj_end(w);
    return OK;
}

struct day {
    int64_t succeeded, failed, recovered, other;
    json_t *codes;
};

/* A failed run is recovered when a run that retried it, or a retry of that one, succeeded. */
static const char recovered_sql[] =
    "WITH RECURSIVE chain(root, id, status) AS ("
    " SELECT r.id, n.id, n.status FROM heartbeat_runs r JOIN heartbeat_runs n ON n.retry_of_run_id = r.id"
    "  WHERE r.company_id = $1 AND r.created_at >= $2 AND r.status IN ('failed','timed_out')"
    " UNION SELECT chain.root, n.id, n.status FROM chain JOIN heartbeat_runs n ON n.retry_of_run_id = chain.id)"
    " SELECT r.created_at, r.status, r.error_code, EXISTS (SELECT 1 FROM chain WHERE chain.root = r.id AND chain.status = 'succeeded')"
    " FROM heartbeat_runs r WHERE r.company_id = $1 AND r.created_at >= $2";

static err_t activity_part(struct db *db, struct jw *w, const struct company *c)
{
    struct rows r ROWS_AUTO = {0};
    struct day days[DAYS] = {0};
    instant_t first = instant_day_start(clock_now()) - (DAYS - 1) * DAY_MS;
    for (int i = 0; i < DAYS; i++) days[i].codes = json_object();
    TRY(db_query(db, &r, recovered_sql, P(V_ID(c->id), V_TIME(first))));
    while (rows_next(&r)) {
        int64_t at = (row_time(&r, 0) - first) / DAY_MS;
        const char *s = row_text(&r, 1), *code = row_text(&r, 2);
        if (at < 0 || at >= DAYS) continue;
        struct day *d = &days[at];
        bool failed = is(s, "failed") || is(s, "timed_out");
        if (is(s, "succeeded")) d->succeeded++;
        else if (failed && row_bool(&r, 3)) d->recovered++;
        else if (failed) {
            d->failed++;
            if (code == NULL) code = "unknown";
            json_object_set_new(d->codes, code, json_integer((json_int_t)json_int(d->codes, code, 0) + 1));
        } else d->other++;
    }
    TRY(rows_err(&r));
    jw_karr(w, "runActivity");
    for (int i = 0; i < DAYS; i++) {
        char text[INSTANT_TEXT_SIZE];
        instant_format(first + i * DAY_MS, text);
        text[10] = 0;
        jw_obj(w);
        jw_kstr(w, "date", text);
        jw_kint(w, "succeeded", days[i].succeeded);
        jw_kint(w, "failed", days[i].failed);
        jw_kint(w, "recovered", days[i].recovered);
        jw_kint(w, "other", days[i].other);
        jw_kint(w, "total", days[i].succeeded + days[i].failed + days[i].recovered + days[i].other);
        jw_key(w, "failedByErrorCode");
        jw_json(w, days[i].codes);
        jw_obj_end(w);
    }
    jw_arr_end(w);
    return OK;
}

err_t dashboard_write(struct db *db, struct jw *w, const struct company *c)
{
    int64_t budget = c->budget_monthly_cents, spent = c->spent_monthly_cents, approvals;
    TRY(approval_count(db, c->id, false, &approvals));
    jw_obj(w);
    jw_kstr(w, "companyId", c->id);
    TRY(agents_part(db, w, c));
    TRY(tasks_part(db, w, c));
    jw_kobj(w, "costs");
    jw_kint(w, "monthSpendCents", spent);
    jw_kint(w, "monthBudgetCents", budget);
    jw_key(w, "monthUtilizationPercent");
    jw_real(w, budget > 0 ? (double)(spent * 10000 / budget) / 100 : 0);
    jw_obj_end(w);
    jw_kint(w, "pendingApprovals", approvals);
    jw_kobj(w, "budgets");
    jw_kint(w, "activeIncidents", 0);
    jw_kint(w, "pendingApprovals", 0);
    jw_kint(w, "pausedAgents", 0);
    jw_kint(w, "pausedProjects", 0);
    jw_obj_end(w);
    TRY(activity_part(db, w, c));
    jw_obj_end(w);
    return OK;
}

err_t badges_write(struct db *db, struct jw *w, const struct company *c, const char *user)
{
    int64_t failed, errors, approvals;
    TRY(approval_count(db, c->id, true, &approvals));
    TRY(db_int(db, &failed, 0,
               "SELECT count(*) FROM agents a JOIN heartbeat_runs r ON r.id = (SELECT x.id FROM heartbeat_runs x"
               " WHERE x.agent_id = a.id ORDER BY x.created_at DESC, x.id DESC LIMIT 1)"
               " WHERE a.company_id = $1 AND a.status <> 'terminated' AND r.status IN ('failed','timed_out')"
               " AND NOT EXISTS (SELECT 1 FROM inbox_dismissals d WHERE d.company_id = $1 AND d.user_id = $2"
               " AND d.item_key = 'run:' || CAST(r.id AS text) AND (d.snoozed_until > $3 OR (d.snoozed_until IS NULL"
               " AND d.dismissed_at >= r.created_at)))",
               P(V_ID(c->id), V_TEXT(user), V_TIME(clock_now()))));
    TRY(db_int(db, &errors, 0, "SELECT count(*) FROM agents WHERE company_id = $1 AND status = 'error'",
               P(V_ID(c->id))));
    bool over = c->budget_monthly_cents > 0 && c->spent_monthly_cents * 100 >= c->budget_monthly_cents * 80;
    int64_t alerts = (errors > 0 && failed == 0) + over;
    jw_obj(w);
    jw_kint(w, "inbox", failed + approvals + alerts);
    jw_kint(w, "approvals", approvals);
    jw_kint(w, "failedRuns", failed);
    jw_kint(w, "joinRequests", 0);
    jw_obj_end(w);
    return OK;
}
