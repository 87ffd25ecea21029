/* inbox_state: read, archived and dismissed. */
#include "model/inbox_state.h"

#include "base/id.h"
#include "base/text.h"
#include "model/activity.h"
#include "model/in_list.h"

static err_t log_issue(struct db *db, const struct actor *actor, const char *action, const struct issue *issue,
                       json_t *details)
{
    return activity_log(db, actor,
                        &(struct activity_entry){.company_id = issue->company_id,
                                                 .action = action,
                                                 .entity_type = "issue",
                                                 .entity_id = issue->id,
                                                 .details = details});
}

/* ---- read ---- */

err_t read_mark(struct db *db, const struct actor *actor, const struct issue *issue, const char *user,
                struct read_state *out)
{
    struct arena *a = db_arena(db);
    int64_t n;
    bool found;
    instant_t now = clock_now();
    TRY(db_exec(
        db, &n,
        "INSERT INTO issue_read_states (id, company_id, issue_id, user_id, last_read_at, created_at, updated_at)"
        " VALUES ($1, $2, $3, $4, $5, $5, $5) ON CONFLICT (issue_id, user_id)"
        " DO UPDATE SET last_read_at = excluded.last_read_at, updated_at = excluded.updated_at",
        P(V_ID(id_new(a)), V_ID(issue->company_id), V_ID(issue->id), V_TEXT(user), V_TIME(now))));
    TRY(entity_one(db, &ENTITY_read_state, out, &found, "WHERE issue_id = $1 AND user_id = $2",
                   P(V_ID(issue->id), V_TEXT(user))));
    assert(found);
    return log_issue(db, actor, "issue.read_marked", issue,
                     json_pack("{s:s, s:s}", "userId", user, "lastReadAt", instant_text(a, now)));
}

err_t read_unmark(struct db *db, const struct actor *actor, const struct issue *issue, const char *user, bool *removed)
{
    int64_t n;
    TRY(db_exec(db, &n, "DELETE FROM issue_read_states WHERE issue_id = $1 AND user_id = $2",
                P(V_ID(issue->id), V_TEXT(user))));
    *removed = n > 0;
    return log_issue(db, actor, "issue.read_unmarked", issue, json_pack("{s:s}", "userId", user));
}

/* ---- archived ---- */

static json_t *archive_details(struct arena *a, const struct archive_target *t, instant_t at)
{
    json_t *details = json_pack("{s:s, s:s?, s:s}", "userId", t->user, "archivedAt", instant_text(a, at),
                                "targetResolvedFrom", t->resolved_from);
    if (t->source) json_object_set_new(details, "source", json_string(t->source));
    return details;
}

static err_t find_archive(struct db *db, const char *issue_id, const char *user, struct inbox_archive *out, bool *found)
{
    return entity_one(db, &ENTITY_inbox_archive, out, found, "WHERE issue_id = $1 AND user_id = $2",
                      P(V_ID(issue_id), V_TEXT(user)));
}

err_t inbox_archive(struct db *db, const struct actor *actor, const struct issue *issue,
                    const struct archive_target *target, struct inbox_archive *out)
{
    struct arena *a = db_arena(db);
    int64_t n;
    bool found;
    instant_t now = clock_now();
    const char *run = id_valid(actor->run_id) ? actor->run_id : NULL;
    TRY(db_exec(db, &n,
                "INSERT INTO issue_inbox_archives (id, company_id, issue_id, user_id, archived_by_actor_type,"
                " archived_by_agent_id, archived_by_run_id, archived_at, created_at, updated_at)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $8) ON CONFLICT (issue_id, user_id)"
                " DO UPDATE SET archived_by_actor_type = excluded.archived_by_actor_type,"
                " archived_by_agent_id = excluded.archived_by_agent_id,"
                " archived_by_run_id = excluded.archived_by_run_id, archived_at = excluded.archived_at,"
                " updated_at = excluded.updated_at",
                P(V_ID(id_new(a)), V_ID(issue->company_id), V_ID(issue->id), V_TEXT(target->user),
                  V_TEXT(actor_kind(actor)), V_ID(actor->agent_id), V_ID(run), V_TIME(now))));
    TRY(find_archive(db, issue->id, target->user, out, &found));
    assert(found);
    return log_issue(db, actor, "issue.inbox_archived", issue, archive_details(a, target, now));
}

err_t inbox_unarchive(struct db *db, const struct actor *actor, const struct issue *issue,
                      const struct archive_target *target, struct inbox_archive *out, bool *removed)
{
    TRY(find_archive(db, issue->id, target->user, out, removed));
    if (!*removed) return OK;
    TRY(db_exec_one(db, "DELETE FROM issue_inbox_archives WHERE id = $1", P(V_ID(out->id))));
    return log_issue(db, actor, "issue.inbox_unarchived", issue,
                     archive_details(db_arena(db), target, out->archived_at));
}

/* ---- many issues ---- */

static const struct issue *row_of(const struct issue *rows, int count, const char *id, int *at)
{
    for (*at = 0; *at < count; ++*at)
        if (text_is(rows[*at].id, id)) return &rows[*at];
    return NULL;
}

static void touched(struct inbox_mark *m, instant_t t)
{
    if (t != INSTANT_NONE && (m->my_last_touch == INSTANT_NONE || t > m->my_last_touch)) m->my_last_touch = t;
}

/* The newest comments: the person's own, and everybody else's. */
static err_t load_comments(struct db *db, const char *user, const struct issue *rows, int count, const char *const *ids,
                           struct inbox_mark *marks)
{
    struct arena *a = db_arena(db);
    struct rows r ROWS_AUTO = {0};
    struct dbv head[] = {V_TEXT(user)};
    struct in_list in = in_list_make(a, head, 1, ids, count);
    int at;
    TRY(db_query(
        db, &r,
        arena_printf(a,
                     "SELECT issue_id, CASE WHEN author_user_id = $1 THEN 1 ELSE 0 END AS mine, max(created_at)"
                     " FROM issue_comments WHERE deleted_at IS NULL AND issue_id IN %s GROUP BY 1, 2",
                     in.sql),
        in.v, in.n));
    while (rows_next(&r)) {
        if (row_of(rows, count, row_text(&r, 0), &at) == NULL) continue;
        if (row_int(&r, 1)) touched(&marks[at], row_time(&r, 2));
        else marks[at].last_external_comment = row_time(&r, 2);
    }
    return rows_err(&r);
}

static err_t load_reads(struct db *db, const char *user, const struct issue *rows, int count, const char *const *ids,
                        struct inbox_mark *marks)
{
    struct arena *a = db_arena(db);
    struct read_state *reads;
    struct inbox_archive *archives;
    struct dbv head[] = {V_TEXT(user)};
    struct in_list in = in_list_make(a, head, 1, ids, count);
    const char *tail = arena_printf(a, "WHERE user_id = $1 AND issue_id IN %s", in.sql);
    int n, at;
    TRY(entity_many(db, &ENTITY_read_state, &reads, &n, tail, in.v, in.n));
    for (int i = 0; i < n; i++)
        if (row_of(rows, count, reads[i].issue_id, &at)) touched(&marks[at], reads[i].last_read_at);
    TRY(entity_many(db, &ENTITY_inbox_archive, &archives, &n, tail, in.v, in.n));
    for (int i = 0; i < n; i++) {
        if (row_of(rows, count, archives[i].issue_id, &at) == NULL) continue;
        marks[at].archived = true;
        marks[at].archive = archives[i];
    }
    return OK;
}

err_t inbox_marks_load(struct db *db, const char *user, const struct issue *rows, int count, struct inbox_mark **out)
{
    struct arena *a = db_arena(db);
    struct inbox_mark *marks = arena_array(a, struct inbox_mark, count);
    const char **ids = arena_array(a, const char *, count);
    *out = marks;
    for (int i = 0; i < count; i++) {
        ids[i] = rows[i].id;
        marks[i] = (struct inbox_mark){.my_last_touch = INSTANT_NONE, .last_external_comment = INSTANT_NONE};
        if (text_is(rows[i].created_by_user_id, user)) touched(&marks[i], rows[i].created_at);
        if (text_is(rows[i].assignee_user_id, user)) touched(&marks[i], rows[i].updated_at);
    }
    if (count == 0) return OK;
    TRY(load_comments(db, user, rows, count, ids, marks));
    return load_reads(db, user, rows, count, ids, marks);
}

void inbox_mark_write(struct jw *w, const struct inbox_mark *m)
{
    bool touch = m->my_last_touch != INSTANT_NONE, external = m->last_external_comment != INSTANT_NONE;
    jw_ktime(w, "myLastTouchAt", m->my_last_touch);
    jw_ktime(w, "lastExternalCommentAt", m->last_external_comment);
    jw_kbool(w, "isUnreadForMe", touch && external && m->last_external_comment > m->my_last_touch);
}

void inbox_archived_write(struct jw *w, const struct inbox_mark *m, const struct issue *row)
{
    if (!m->archived || m->archive.archived_at < row->last_activity_at) return;
    jw_ktime(w, "archivedAt", m->archive.archived_at);
    jw_kstr(w, "archivedByActorType", m->archive.archived_by_actor_type);
    jw_kstr(w, "archivedByAgentId", m->archive.archived_by_agent_id);
    jw_kstr(w, "archivedByRunId", m->archive.archived_by_run_id);
}

/* ---- dismissed ---- */

static err_t log_inbox(struct db *db, const struct actor *actor, const char *action, const char *company_id,
                       json_t *details)
{
    return activity_log(db, actor,
                        &(struct activity_entry){.company_id = company_id,
                                                 .action = action,
                                                 .entity_type = "company",
                                                 .entity_id = company_id,
                                                 .details = details});
}

err_t dismissal_list(struct db *db, const char *company_id, const char *user, struct inbox_dismissal **rows, int *n)
{
    return entity_many(db, &ENTITY_inbox_dismissal, rows, n,
                       "WHERE company_id = $1 AND user_id = $2 ORDER BY updated_at DESC, id DESC",
                       P(V_ID(company_id), V_TEXT(user)));
}

err_t dismissal_put(struct db *db, const struct actor *actor, const char *company_id, const char *item_key,
                    instant_t snoozed_until, struct inbox_dismissal *out)
{
    struct arena *a = db_arena(db);
    bool snooze = snoozed_until != INSTANT_NONE, found;
    int64_t n;
    TRY(db_exec(db, &n,
                "INSERT INTO inbox_dismissals (id, company_id, user_id, item_key, kind, dismissed_at, snoozed_until,"
                " created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $6, $6)"
                " ON CONFLICT (company_id, user_id, item_key) DO UPDATE SET kind = excluded.kind,"
                " dismissed_at = excluded.dismissed_at, snoozed_until = excluded.snoozed_until,"
                " updated_at = excluded.updated_at",
                P(V_ID(id_new(a)), V_ID(company_id), V_TEXT(actor->user_id), V_TEXT(item_key),
                  V_TEXT(snooze ? "snooze" : "dismiss"), V_TIME(clock_now()), V_TIME(snoozed_until))));
    TRY(entity_one(db, &ENTITY_inbox_dismissal, out, &found, "WHERE company_id = $1 AND user_id = $2 AND item_key = $3",
                   P(V_ID(company_id), V_TEXT(actor->user_id), V_TEXT(item_key))));
    assert(found);
    return log_inbox(db, actor, snooze ? "inbox.snoozed" : "inbox.dismissed", company_id,
                     json_pack("{s:s, s:s, s:s?}", "userId", actor->user_id, "itemKey", item_key, "snoozedUntil",
                               instant_text(a, snoozed_until)));
}

err_t dismissal_remove(struct db *db, const struct actor *actor, const char *company_id, const char *item_key)
{
    int64_t n;
    TRY(db_exec(db, &n, "DELETE FROM inbox_dismissals WHERE company_id = $1 AND user_id = $2 AND item_key = $3",
                P(V_ID(company_id), V_TEXT(actor->user_id), V_TEXT(item_key))));
    if (n == 0) return OK;
    return log_inbox(db, actor, "inbox.restored", company_id,
                     json_pack("{s:s, s:s}", "userId", actor->user_id, "itemKey", item_key));
}

/* ---- the order of the sidebar ---- */

err_t sidebar_order_get(struct db *db, const char *user, const char *company_id, const char **ids,
                        instant_t *updated_at)
{
    struct rows r ROWS_AUTO = {0};
    *ids = "[]";
    *updated_at = INSTANT_NONE;
    if (company_id)
        TRY(db_query(db, &r,
                     "SELECT ordered_ids, updated_at FROM sidebar_preferences WHERE user_id = $1 AND company_id = $2",
                     P(V_TEXT(user), V_ID(company_id))));
    else
        TRY(db_query(
            db, &r, "SELECT ordered_ids, updated_at FROM sidebar_preferences WHERE user_id = $1 AND company_id IS NULL",
            P(V_TEXT(user))));
    if (rows_next(&r)) {
        *ids = row_text(&r, 0);
        *updated_at = row_time(&r, 1);
    }
    return rows_err(&r);
}

err_t sidebar_order_put(struct db *db, const struct actor *actor, const char *company_id, json_t *ids)
{
    struct arena *a = db_arena(db);
    int64_t n;
    const char *sql = arena_printf(
        a,
        "INSERT INTO sidebar_preferences (id, user_id, company_id, ordered_ids, updated_at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT %s DO UPDATE SET ordered_ids = excluded.ordered_ids, updated_at = excluded.updated_at",
        company_id ? "(user_id, company_id) WHERE company_id IS NOT NULL" : "(user_id) WHERE company_id IS NULL");
    TRY(db_exec(
        db, &n, sql,
        P(V_ID(id_new(a)), V_TEXT(actor->user_id), V_ID(company_id), V_JSON(json_text(a, ids)), V_TIME(clock_now()))));
    if (company_id == NULL) return OK;
    return log_inbox(db, actor, "sidebar_preferences.project_order_updated", company_id,
                     json_pack("{s:s, s:O}", "userId", actor->user_id, "orderedIds", ids));
}
