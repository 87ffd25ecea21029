/* productivity: candidates, facts, and the review's issue. */
#include "model/productivity.h"

#include "base/text.h"
#include "model/activity.h"
#include "model/agent.h"
#include "model/comment.h"
#include "model/issue.h"
#include "model/issue_create.h"
#include "model/project.h"
#include "model/review_owner.h"

#define BELOW_REVIEW_MAX 25
static const struct actor system_actor = {.type = ACTOR_SYSTEM, .source = "recovery"};

/* ---- finding ---- */

/* Long in progress, or with ten runs of a day, or ten comments of runs: the only ways to
 * any trigger. Without those asked about within the hour. */
#define CANDIDATES                                                                                                                         \
    "SELECT i.company_id, i.id FROM issues i JOIN agents a ON a.id = i.assignee_agent_id WHERE i.id IN"                                    \
    " (SELECT id FROM issues WHERE status = 'in_progress' AND assignee_agent_id IS NOT NULL AND started_at <= $1"                          \
    " UNION SELECT h.issue_id FROM heartbeat_runs h WHERE h.created_at >= $2 AND h.issue_id IS NOT NULL GROUP BY h.issue_id"               \
    " HAVING count(*) >= 10 OR (SELECT count(*) FROM issue_comments c WHERE c.issue_id = h.issue_id"                                       \
    " AND c.created_by_run_id IS NOT NULL AND c.created_at >= $1) >= 10)"                                                                  \
    " AND i.status IN ('todo','in_progress') AND i.hidden_at IS NULL AND i.assignee_user_id IS NULL AND a.status <> 'paused'"              \
    " AND i.company_id IN (SELECT id FROM companies WHERE status = 'active') AND i.origin_kind NOT IN"                                     \
    " ('harness_liveness_escalation','stale_active_run_evaluation','issue_productivity_review','task_watchdog','stranded_issue_recovery')" \
    " AND NOT EXISTS (SELECT 1 FROM issue_productivity_reviews p WHERE p.source_issue_id = i.id AND p.refreshed_at > $3)"                  \
    " ORDER BY i.updated_at, i.id LIMIT $4"

err_t productivity_candidates(struct db *db, int limit, struct productivity_item **items, int *count)
{
    struct rows r ROWS_AUTO = {0};
    instant_t now = clock_now();
    *items = arena_array(db_arena(db), struct productivity_item, limit);
    *count = 0;
    TRY(db_query(db, &r, CANDIDATES,
                 P(V_TIME(now - PRODUCTIVITY_ACTIVE_MS), V_TIME(now - DAY_MS), V_TIME(now - HOUR_MS), V_INT(limit))));
    while (rows_next(&r) && *count < limit)
        (*items)[(*count)++] = (struct productivity_item){row_text(&r, 0), row_text(&r, 1)};
    return rows_err(&r);
}

/* Does it stand somewhere below a review? */
static err_t below_review(struct db *db, const struct issue *i, bool *yes)
{
    int64_t n;
    TRY(db_int(
        db, &n, 0,
        "WITH RECURSIVE up(id, parent_id, origin_kind, depth) AS (SELECT id, parent_id, origin_kind, 0 FROM issues WHERE id = $1"
        " UNION SELECT i.id, i.parent_id, i.origin_kind, up.depth + 1 FROM issues i JOIN up ON i.id = up.parent_id WHERE up.depth < $2)"
        " SELECT count(*) FROM up WHERE origin_kind = '" PRODUCTIVITY_ORIGIN "'",
        P(V_ID(i->id), V_INT(BELOW_REVIEW_MAX))));
    *yes = n > 0;
    return OK;
}

/* ---- facts ---- */

static err_t collect_runs(struct db *db, const struct issue *i, struct productivity_facts *f)
{
    struct rows r ROWS_AUTO = {0};
    instant_t now = clock_now();
    bool counting = true;
    TRY(db_query(
        db, &r,
        "SELECT h.created_at, h.finished_at, (SELECT count(*) FROM issue_comments c WHERE c.created_by_run_id = h.id"
        " AND c.issue_id = h.issue_id) FROM heartbeat_runs h WHERE h.issue_id = $1 AND h.agent_id = $2"
        " ORDER BY h.created_at DESC, h.id DESC LIMIT $3",
        P(V_ID(i->id), V_ID(i->assignee_agent_id), V_INT(PRODUCTIVITY_SAMPLE))));
    while (rows_next(&r)) {
        f->runs_hour += row_time(&r, 0) >= now - HOUR_MS;
        f->runs_long += row_time(&r, 0) >= now - PRODUCTIVITY_CHURN_LONG_MS;
        if (row_null(&r, 1)) continue; /* still at it */
        counting = counting && row_int(&r, 2) == 0;
        f->no_comment_streak += counting;
    }
    return rows_err(&r);
}

static err_t collect(struct db *db, const struct issue *i, struct productivity_facts *f)
{
    instant_t now = clock_now();
    int64_t hour, some_hours;
    *f = (struct productivity_facts){.in_progress = text_is(i->status, "in_progress"), .started_at = i->started_at};
    TRY(collect_runs(db, i, f));
    const char *sql = "SELECT count(*) FROM issue_comments c JOIN heartbeat_runs h ON h.id = c.created_by_run_id"
                      " WHERE c.issue_id = $1 AND h.agent_id = $2 AND c.created_at >= $3";
    TRY(db_int(db, &hour, 0, sql, P(V_ID(i->id), V_ID(i->assignee_agent_id), V_TIME(now - HOUR_MS))));
    TRY(db_int(db, &some_hours, 0, sql,
               P(V_ID(i->id), V_ID(i->assignee_agent_id), V_TIME(now - PRODUCTIVITY_CHURN_LONG_MS))));
    f->comments_hour = (int)hour;
    f->comments_long = (int)some_hours;
    return OK;
}

/* When anybody but the agent (and the server) last touched the issue. */
static err_t last_touch(struct db *db, const struct issue *i, instant_t *at)
{
    struct rows r ROWS_AUTO = {0};
    *at = INSTANT_NONE;
    TRY(db_query(
        db, &r,
        "SELECT created_at FROM activity_log WHERE entity_type = 'issue' AND entity_id = $1 AND actor_type <> 'system'"
        " AND (agent_id IS NULL OR agent_id <> $2) ORDER BY created_at DESC LIMIT 1",
        P(V_TEXT(i->id), V_ID(i->assignee_agent_id))));
    if (rows_next(&r)) *at = row_time(&r, 0);
    return rows_err(&r);
}

static err_t read_past(struct db *db, const struct issue *i, struct productivity_past *p, const char **open_id)
{
    struct rows r ROWS_AUTO = {0};
    instant_t touched;
    *p = (struct productivity_past){
        .refreshed_at = INSTANT_NONE, .last_created_at = INSTANT_NONE, .last_resolved_at = INSTANT_NONE};
    *open_id = NULL;
    TRY(last_touch(db, i, &touched));
    TRY(db_query(
        db, &r,
        "SELECT v.id, v.status, p.refresh_count, p.refreshed_at, p.created_at, coalesce(v.completed_at, v.cancelled_at)"
        " FROM issue_productivity_reviews p JOIN issues v ON v.id = p.review_issue_id WHERE p.source_issue_id = $1"
        " ORDER BY p.created_at DESC LIMIT 10",
        P(V_ID(i->id))));
    while (rows_next(&r)) {
        bool closed = text_is(row_text(&r, 1), "done") || text_is(row_text(&r, 1), "cancelled");
        if (p->last_created_at == INSTANT_NONE) p->last_created_at = row_time(&r, 4);
        if (touched == INSTANT_NONE || row_time(&r, 4) > touched) p->unheeded++;
        if (closed && (p->last_resolved_at == INSTANT_NONE || row_time(&r, 5) > p->last_resolved_at))
            p->last_resolved_at = row_time(&r, 5);
        if (closed || *open_id) continue;
        *open_id = row_text(&r, 0);
        p->open = true;
        p->refreshes = (int)row_int(&r, 2);
        p->refreshed_at = row_time(&r, 3);
    }
    return rows_err(&r);
}

/* ---- acting ---- */

static const char *evidence(struct arena *a, const struct productivity_facts *f, enum productivity_trigger t)
{
    instant_t now = clock_now();
    return arena_printf(
        a,
        "Trigger: `%s`.\n\n- runs without a comment in a row: %d\n- runs in the last hour: %d, in six hours: %d\n"
        "- comments by runs in the last hour: %d, in six hours: %d\n- in progress for: %lld min",
        productivity_trigger_name(t), f->no_comment_streak, f->runs_hour, f->runs_long, f->comments_hour,
        f->comments_long,
        f->in_progress && f->started_at != INSTANT_NONE ? (long long)((now - f->started_at) / MINUTE_MS) : 0LL);
}

/* Manager, creator, the project's lead, cto, ceo; failing all, a person. Never the agent in question. */
static err_t owner_of(struct db *db, const struct issue *i, const char **agent, const char **user)
{
    struct review_owners o;
    struct project project;
    bool found = false;
    TRY(review_owners_start(db, i->company_id, &o));
    for (int k = 0; k < o.agent_count; k++)
        if (text_is(o.agents[k].id, i->assignee_agent_id)) review_owners_add(&o, o.agents[k].reports_to);
    review_owners_add(&o, i->created_by_agent_id);
    if (i->project_id) TRY(project_get(db, i->project_id, &project, &found));
    if (found) review_owners_add(&o, project.lead_agent_id);
    review_owners_add_role(&o, "cto");
    review_owners_add_role(&o, "ceo");
    TRY(review_owners_first(db, &o, i->assignee_agent_id, agent));
    *user = *agent ? NULL : i->responsible_user_id ? i->responsible_user_id : i->created_by_user_id;
    return OK;
}

static err_t file_review(struct db *db, const struct issue *i, const struct productivity_facts *f,
                         enum productivity_trigger t)
{
    struct arena *a = db_arena(db);
    struct issue_created made;
    struct issue_new in = {.allow_duplicate = true, .parent = i};
    entity_init(&ENTITY_issue, &in.row);
    TRY(owner_of(db, i, &in.row.assignee_agent_id, &in.row.assignee_user_id));
    in.row.company_id = i->company_id;
    in.row.title = arena_printf(a, "Review productivity of %s", i->identifier);
    in.row.description = arena_printf(
        a,
        "The agent on %s (%s) is busy and it does not show. %s\n\nRead what its last runs did. Then help it on "
        "(comment, split, reassign, block) or say that all is well, and mark this issue done.",
        i->identifier, i->title, evidence(a, f, t));
    in.row.status = "todo";
    in.row.priority = productivity_priority(t);
    in.row.parent_id = i->id;
    in.row.project_id = i->project_id;
    in.row.origin_kind = PRODUCTIVITY_ORIGIN;
    in.row.origin_id = i->id;
    if (in.row.assignee_agent_id) in.row.assignee_adapter_overrides = "{\"modelProfile\":\"cheap\"}";
    TRY(issue_create(db, &system_actor, &in, &made));
    TRY(db_exec_one(
        db,
        "INSERT INTO issue_productivity_reviews (review_issue_id, company_id, source_issue_id, agent_id, trigger_kind,"
        " no_comment_streak, refreshed_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7)",
        P(V_ID(made.row.id), V_ID(i->company_id), V_ID(i->id), V_ID(i->assignee_agent_id),
          V_TEXT(productivity_trigger_name(t)), V_INT(f->no_comment_streak), V_TIME(clock_now()))));
    return activity_log(
        db, &system_actor,
        &(struct activity_entry){.company_id = i->company_id,
                                 .action = "issue.productivity_review_created",
                                 .entity_type = "issue",
                                 .entity_id = i->id,
                                 .agent_id = i->assignee_agent_id,
                                 .details = json_pack("{s:s, s:s, s:s, s:s}", "source", "recovery.productivity_review",
                                                      "cause", productivity_trigger_name(t), "reviewIssueId",
                                                      made.row.id, "identifier", i->identifier)});
}

static err_t refresh(struct db *db, const char *review_id, const struct productivity_facts *f,
                     enum productivity_trigger t)
{
    struct issue review;
    struct comment comment;
    struct author nobody = {0};
    bool found, replayed;
    TRY(issue_get(db, review_id, &review, &found));
    if (!found) return OK;
    const struct comment_new c = {.issue = &review,
                                  .body = arena_printf(db_arena(db), "It goes on. %s", evidence(db_arena(db), f, t))};
    TRY(comment_insert(db, &system_actor, &nobody, &c, &comment, &replayed));
    return db_exec_one(
        db,
        "UPDATE issue_productivity_reviews SET refresh_count = refresh_count + 1, refreshed_at = $2, trigger_kind = $3,"
        " no_comment_streak = $4 WHERE review_issue_id = $1",
        P(V_ID(review_id), V_TIME(clock_now()), V_TEXT(productivity_trigger_name(t)), V_INT(f->no_comment_streak)));
}

err_t productivity_treat(struct db *db, const char *issue_id, enum productivity_act *act)
{
    struct issue i;
    struct productivity_facts f;
    struct productivity_past past;
    const char *open_id;
    bool found, below;
    *act = PRODUCTIVITY_REST;
    TRY(issue_get(db, issue_id, &i, &found));
    bool at_work = found && (text_is(i.status, "todo") || text_is(i.status, "in_progress"));
    if (!at_work || i.assignee_agent_id == NULL || i.hidden_at != INSTANT_NONE) return OK;
    TRY(collect(db, &i, &f));
    enum productivity_trigger t = productivity_judge(&f, clock_now());
    if (t == PRODUCTIVITY_FINE) return OK;
    TRY(below_review(db, &i, &below));
    if (below) return OK;
    TRY(read_past(db, &i, &past, &open_id));
    *act = productivity_next(&past, clock_now());
    if (*act == PRODUCTIVITY_ASK) return file_review(db, &i, &f, t);
    return *act == PRODUCTIVITY_REFRESH ? refresh(db, open_id, &f, t) : OK;
}

/* ---- reading ---- */

err_t productivity_held(struct db *db, const char *issue_id, const char *agent_id, bool *held)
{
    struct rows r ROWS_AUTO = {0};
    *held = false;
    TRY(db_query(db, &r,
                 "SELECT p.trigger_kind FROM issue_productivity_reviews p JOIN issues v ON v.id = p.review_issue_id"
                 " WHERE p.source_issue_id = $1 AND p.agent_id = $2 AND v.status NOT IN ('done','cancelled')",
                 P(V_ID(issue_id), V_ID(agent_id))));
    while (rows_next(&r)) *held |= productivity_holds(row_text(&r, 0));
    return rows_err(&r);
}

bool productivity_review_read(const struct rows *r, int at, struct productivity_review *out)
{
    *out = (struct productivity_review){row_text(r, at),     row_text(r, at + 1), row_text(r, at + 2),
                                        row_text(r, at + 3), row_text(r, at + 4), row_text(r, at + 5),
                                        row_int(r, at + 6),  row_time(r, at + 7), row_time(r, at + 8)};
    return out->id != NULL;
}

err_t productivity_review_of(struct db *db, const char *issue_id, struct productivity_review *out, bool *found)
{
    struct rows r ROWS_AUTO = {0};
    *found = false;
    TRY(db_query(
        db, &r,
        "SELECT p.source_issue_id, " PRODUCTIVITY_COLUMNS
        " FROM issue_productivity_reviews p JOIN issues v ON v.id = p.review_issue_id WHERE p.source_issue_id = $1"
        " AND v.status NOT IN ('done','cancelled') AND v.hidden_at IS NULL",
        P(V_ID(issue_id))));
    if (rows_next(&r)) *found = productivity_review_read(&r, 0, out);
    return rows_err(&r);
}

void productivity_review_write(struct jw *w, const struct productivity_review *r)
{
    jw_obj(w);
    jw_kstr(w, "reviewIssueId", r->id);
    jw_kstr(w, "reviewIdentifier", r->identifier);
    jw_kstr(w, "status", r->status);
    jw_kstr(w, "priority", r->priority);
    jw_kstr(w, "trigger", r->trigger);
    jw_kint(w, "noCommentStreak", r->no_comment_streak);
    jw_ktime(w, "createdAt", r->created_at);
    jw_ktime(w, "updatedAt", r->updated_at);
    jw_obj_end(w);
}
