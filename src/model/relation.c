/* relation: what blocks what. */
#include "model/relation.h"

#include "base/text.h"
#include "model/barrier.h"
#include "model/in_list.h"

bool id_list_has(const struct id_list *l, const char *id)
{
    for (int i = 0; i < l->count; i++)
        if (text_is(l->ids[i], id)) return true;
    return false;
}

json_t *id_list_json(const struct id_list *l)
{
    json_t *out = json_array();
    for (int i = 0; i < l->count; i++) json_array_append_new(out, json_string(l->ids[i]));
    return out;
}

err_t relation_unresolved(struct db *db, const char *issue_id, json_t **ids, int *count)
{
    struct rows r ROWS_AUTO = {0};
    *ids = json_array();
    TRY(db_query(db, &r,
                 "SELECT b.id FROM issue_relations x JOIN issues b ON b.id = x.issue_id"
                 " WHERE x.related_issue_id = $1 AND x.type = 'blocks' AND " UNRESOLVED("b") " ORDER BY b.id",
                 P(V_ID(issue_id))));
    while (rows_next(&r)) json_array_append_new(*ids, json_string(row_text(&r, 0)));
    *count = (int)json_array_size(*ids);
    return rows_err(&r);
}

err_t relation_keeps_back(struct db *db, const char *issue_id, const json_t *context, json_t **ids, int *count)
{
    struct open_blockers b;
    TRY(relation_open(db, issue_id, &b));
    *ids = b.ids;
    *count = json_bool(context, "resolvedByCancellation", false) ? b.waiting : b.open;
    if (json_str(context, "recoveryActionId")) *count = 0; /* its owner decides about the issue, and works on none */
    return OK;
}

#define OPEN_COLUMNS "b.id, b.identifier, b.title, b.status"

static err_t collect_open(struct rows *r, struct open_blockers *out)
{
    *out = (struct open_blockers){.list = json_array(), .ids = json_array()};
    while (rows_next(r)) {
        const char *id = row_text(r, 0);
        out->open++;
        out->waiting += !text_is(row_text(r, 3), "cancelled");
        json_array_append_new(out->ids, json_string(id));
        json_array_append_new(out->list, json_pack("{s:s, s:s, s:s, s:s}", "issueId", id, "identifier", row_text(r, 1),
                                                   "title", row_text(r, 2), "reason",
                                                   text_is(row_text(r, 3), "done") ? "pending_finalize" : "not_done"));
    }
    return rows_err(r);
}

err_t relation_open(struct db *db, const char *issue_id, struct open_blockers *out)
{
    struct rows r ROWS_AUTO = {0};
    TRY(db_query(db, &r,
                 "SELECT " OPEN_COLUMNS " FROM issue_relations x JOIN issues b ON b.id = x.issue_id"
                 " WHERE x.related_issue_id = $1 AND x.type = 'blocks' AND " UNRESOLVED("b") " ORDER BY b.title, b.id",
                 P(V_ID(issue_id))));
    return collect_open(&r, out);
}

err_t relation_open_of(struct db *db, const struct id_list *set, struct open_blockers *out)
{
    struct rows r ROWS_AUTO = {0};
    struct arena *a = db_arena(db);
    *out = (struct open_blockers){.list = json_array(), .ids = json_array()};
    if (set->count == 0) return OK;
    struct in_list in = in_list_make(a, NULL, 0, set->ids, set->count);
    TRY(db_query(db, &r,
                 arena_printf(a,
                              "SELECT " OPEN_COLUMNS
                              " FROM issues b WHERE b.id IN %s AND " UNRESOLVED("b") " ORDER BY b.title, b.id",
                              in.sql),
                 in.v, in.n));
    return collect_open(&r, out);
}

err_t relation_blocked_error(struct arena *a, const struct open_blockers *b)
{
    json_t *details = json_pack("{s:O, s:O}", "unresolvedBlockerIssueIds", b->ids, "unresolvedBlockers", b->list);
    return err_with(a, ERR_UNPROCESSABLE, NULL, json_text(a, details), "Issue is blocked by unresolved blockers");
}

err_t relation_blockers(struct db *db, const char *issue_id, struct id_list *out)
{
    struct rows r ROWS_AUTO = {0};
    int cap = 8;
    *out = (struct id_list){.ids = arena_array(db_arena(db), const char *, cap)};
    TRY(db_query(
        db, &r,
        "SELECT issue_id FROM issue_relations WHERE related_issue_id = $1 AND type = 'blocks' ORDER BY issue_id",
        P(V_ID(issue_id))));
    while (rows_next(&r)) {
        if (out->count == cap) {
            const char **more = arena_array(db_arena(db), const char *, cap * 2);
            memcpy(more, out->ids, sizeof *more * (size_t)cap);
            out->ids = more;
            cap *= 2;
        }
        out->ids[out->count++] = row_text(&r, 0);
    }
    return rows_err(&r);
}

err_t relation_check(struct db *db, const char *company_id, const char *issue_id, const struct id_list *set)
{
    struct arena *a = db_arena(db);
    int64_t n;
    if (set->count == 0) return OK;
    if (issue_id && id_list_has(set, issue_id))
        return err_new(a, ERR_UNPROCESSABLE, "Issue cannot be blocked by itself");
    struct in_list in = in_list_make(a, &(struct dbv){K_ID, false, {.s = company_id}}, 1, set->ids, set->count);
    TRY(db_int(db, &n, 0, arena_printf(a, "SELECT count(*) FROM issues WHERE company_id = $1 AND id IN %s", in.sql),
               in.v, in.n));
    if (n != set->count) return err_new(a, ERR_UNPROCESSABLE, "Blocked-by issues must belong to the same company");
    if (issue_id == NULL) return OK;
    in.v[0] = V_ID(issue_id);
    TRY(db_int(
        db, &n, 0,
        arena_printf(
            a,
            "WITH RECURSIVE above(id) AS (SELECT issue_id FROM issue_relations WHERE type = 'blocks' AND related_issue_id IN %s"
            " UNION SELECT x.issue_id FROM issue_relations x JOIN above ON x.related_issue_id = above.id WHERE x.type = 'blocks')"
            " SELECT count(*) FROM above WHERE id = $1",
            in.sql),
        in.v, in.n));
    return n ? err_new(a, ERR_UNPROCESSABLE, "Blocking relations cannot contain cycles") : OK;
}

err_t relation_add(struct db *db, const char *company_id, const char *blocker_id, const char *issue_id)
{
    int64_t n;
    return db_exec(
        db, &n,
        "INSERT INTO issue_relations (company_id, issue_id, related_issue_id, type, created_at) VALUES ($1, $2, $3, 'blocks', $4)"
        " ON CONFLICT (related_issue_id, issue_id, type) DO NOTHING",
        P(V_ID(company_id), V_ID(blocker_id), V_ID(issue_id), V_TIME(clock_now())));
}

err_t relation_replace(struct db *db, const char *company_id, const char *issue_id, const struct id_list *set)
{
    int64_t n;
    TRY(db_exec(db, &n, "DELETE FROM issue_relations WHERE related_issue_id = $1 AND type = 'blocks'",
                P(V_ID(issue_id))));
    for (int i = 0; i < set->count; i++) TRY(relation_add(db, company_id, set->ids[i], issue_id));
    return OK;
}

static err_t collect_dependents(struct rows *r, struct arena *a, struct dependent **out, int *count)
{
    int cap = 8;
    *out = arena_array(a, struct dependent, cap);
    *count = 0;
    while (rows_next(r)) {
        if (*count == cap) {
            struct dependent *more = arena_array(a, struct dependent, cap * 2);
            memcpy(more, *out, sizeof *more * (size_t)cap);
            *out = more;
            cap *= 2;
        }
        (*out)[(*count)++] = (struct dependent){row_text(r, 0), row_text(r, 1), row_text(r, 2), row_time(r, 3)};
    }
    return rows_err(r);
}

#define DEPENDENTS                                                                               \
    "SELECT d.id, d.assignee_agent_id, d.status, d.blocked_transition_at FROM issue_relations x" \
    " JOIN issues d ON d.id = x.related_issue_id WHERE x.issue_id = $1 AND x.type = 'blocks'"    \
    " AND d.assignee_agent_id IS NOT NULL AND d.hidden_at IS NULL AND d.status NOT IN ('backlog','done','cancelled')"

err_t relation_dependents(struct db *db, const char *blocker_id, struct dependent **out, int *count)
{
    struct rows r ROWS_AUTO = {0};
    TRY(db_query(db, &r, DEPENDENTS " ORDER BY d.id", P(V_ID(blocker_id))));
    return collect_dependents(&r, db_arena(db), out, count);
}

err_t relation_ready_dependents(struct db *db, const char *blocker_id, bool by_cancellation, struct dependent **out,
                                int *count)
{
    struct rows r ROWS_AUTO = {0};
    struct arena *a = db_arena(db);
    TRY(db_query(
        db, &r,
        arena_printf(a,
                     DEPENDENTS
                     " AND NOT EXISTS (SELECT 1 FROM issue_relations y JOIN issues b ON b.id = y.issue_id"
                     " WHERE y.related_issue_id = d.id AND y.type = 'blocks' AND (b.status NOT IN (%s) OR " PENDING_FINALIZE("b")
                     ")) ORDER BY d.id",
                     by_cancellation ? "'done','cancelled'" : "'done'"),
        P(V_ID(blocker_id))));
    return collect_dependents(&r, a, out, count);
}
