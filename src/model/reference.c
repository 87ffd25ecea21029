/* reference: mentions of issues as rows. */
#include "model/reference.h"

#include "base/text.h"
#include "model/blocker_attention.h"
#include "rules/mention.h"

#define SHOWN_MAX 200

err_t reference_sync(struct db *db, const struct reference_source *s, const char *text)
{
    struct issue_mention found[ISSUE_MENTIONS_MAX];
    int64_t ignored;
    int n = mention_issues(db_arena(db), text, found);
    if (!s->fresh)
        TRY(db_exec(
            db, &ignored,
            "DELETE FROM issue_references WHERE source_issue_id = $1 AND source_kind = $2 AND source_record_id = $3",
            P(V_ID(s->issue_id), V_TEXT(s->kind), V_ID(s->record_id))));
    for (int i = 0; i < n; i++)
        TRY(db_exec(
            db, &ignored,
            "INSERT INTO issue_references (company_id, source_issue_id, target_issue_id, source_kind, source_record_id, matched_text,"
            " mention_count, created_at) SELECT company_id, $2, id, $3, $4, $5, $6, $7 FROM issues"
            " WHERE identifier = $8 AND company_id = $1 AND id <> $2"
            " ON CONFLICT (source_issue_id, target_issue_id, source_kind, source_record_id) DO NOTHING",
            P(V_ID(s->company_id), V_ID(s->issue_id), V_TEXT(s->kind), V_ID(s->record_id),
              V_TEXT(found[i].matched_text), V_INT(found[i].count), V_TIME(clock_now()), V_TEXT(found[i].identifier))));
    return OK;
}

static void close_entry(struct jw *w, int64_t mentions)
{
    jw_arr_end(w);
    jw_kint(w, "mentionCount", mentions);
    jw_obj_end(w);
}

/* One direction; rows come grouped by the issue at the other end. */
static err_t write_direction(struct db *db, struct jw *w, const char *key, const char *sql, const char *issue_id,
                             json_t *identifiers)
{
    struct rows r ROWS_AUTO = {0};
    const char *open = NULL;
    int64_t mentions = 0;
    TRY(db_query(db, &r, sql, P(V_ID(issue_id))));
    jw_karr(w, key);
    for (int i = 0; i < SHOWN_MAX && rows_next(&r); i++) { /* a LIMIT would cost SQLite a temporary table */
        struct issue_ref ref = {row_text(&r, 0), row_text(&r, 1), row_text(&r, 2), row_text(&r, 3),
                                row_text(&r, 4), row_text(&r, 5), row_text(&r, 6)};
        const char *kind = row_text(&r, 7);
        if (!text_is(open, ref.id)) {
            if (open) close_entry(w, mentions);
            jw_obj(w);
            jw_kobj(w, "issue");
            issue_ref_write(w, &ref);
            jw_obj_end(w);
            jw_karr(w, "sources");
            if (identifiers) json_array_append_new(identifiers, json_string(ref.identifier));
            open = ref.id;
            mentions = 0;
        }
        mentions += row_int(&r, 10);
        jw_obj(w);
        jw_kstr(w, "kind", kind);
        jw_kstr(w, "sourceRecordId", row_text(&r, 8));
        jw_kstr(w, "label", kind);
        jw_kstr(w, "matchedText", row_text(&r, 9));
        jw_obj_end(w);
    }
    if (open) close_entry(w, mentions);
    jw_arr_end(w);
    return rows_err(&r);
}

#define COLUMNS                                                                                   \
    "i.id, i.identifier, i.title, i.status, i.priority, i.assignee_agent_id, i.assignee_user_id," \
    " x.source_kind, x.source_record_id, x.matched_text, x.mention_count"

err_t reference_write(struct db *db, struct jw *w, const char *issue_id)
{
    json_t *identifiers = json_array();
    jw_kobj(w, "relatedWork");
    TRY(write_direction(
        db, w, "outbound",
        "SELECT " COLUMNS " FROM issue_references x JOIN issues i ON i.id = x.target_issue_id"
        " WHERE x.source_issue_id = $1 AND i.hidden_at IS NULL ORDER BY i.issue_number, x.created_at, x.source_kind",
        issue_id, identifiers));
    TRY(write_direction(
        db, w, "inbound",
        "SELECT " COLUMNS " FROM issue_references x JOIN issues i ON i.id = x.source_issue_id"
        " WHERE x.target_issue_id = $1 AND i.hidden_at IS NULL ORDER BY i.issue_number, x.created_at, x.source_kind",
        issue_id, NULL));
    jw_obj_end(w);
    jw_key(w, "referencedIssueIdentifiers");
    jw_json(w, identifiers);
    return OK;
}
