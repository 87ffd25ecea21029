/* hold: is this issue under a pause, and does that wake pass it? */
#include "model/hold.h"

#include "base/id.h"
#include "base/text.h"
#include "model/activity.h"
#include "model/in_list.h"
#include "rules/tree_hold.h"

/* From the issues up to HOLD_LEVELS_MAX ancestors; the pauses found there, nearest
 * first. A company without any is done after a look into one partial index. */
#define WALK                                                                                                          \
    "WITH RECURSIVE up(leaf, id, parent_id, depth) AS (SELECT i.id, i.id, i.parent_id, 0 FROM issues i WHERE i.id %s" \
    " AND EXISTS (SELECT 1 FROM issue_tree_holds p WHERE p.company_id = i.company_id AND p.mode = 'pause'"            \
    " AND p.status = 'active')"                                                                                       \
    " UNION ALL SELECT up.leaf, i.id, i.parent_id, up.depth + 1 FROM up JOIN issues i ON i.id = up.parent_id"         \
    " WHERE up.depth < %d)"                                                                                           \
    " SELECT up.leaf, h.id, h.root_issue_id, h.mode, h.reason, h.release_policy, h.created_at FROM up"                \
    " JOIN issue_tree_holds h ON h.root_issue_id = up.id AND h.mode = 'pause' AND h.status = 'active'"                \
    " ORDER BY up.leaf, up.depth, h.created_at, h.id"

static struct active_hold decode(const struct rows *r)
{
    return (struct active_hold){.issue_id = row_text(r, 0),
                                .hold_id = row_text(r, 1),
                                .root_issue_id = row_text(r, 2),
                                .mode = row_text(r, 3),
                                .reason = row_text(r, 4),
                                .release_policy = row_text(r, 5),
                                .since = row_time(r, 6)};
}

err_t hold_on(struct db *db, const char *issue_id, struct active_hold *out)
{
    struct rows r ROWS_AUTO = {0};
    *out = (struct active_hold){.since = INSTANT_NONE};
    TRY(db_query(db, &r, arena_printf(db_arena(db), WALK, "= $1", HOLD_LEVELS_MAX), P(V_ID(issue_id))));
    if (rows_next(&r)) *out = decode(&r);
    return rows_err(&r);
}

err_t hold_keeps(struct db *db, const char *issue_id, bool *yes)
{
    struct active_hold h = {.hold_id = NULL};
    if (issue_id) TRY(hold_on(db, issue_id, &h));
    *yes = h.hold_id != NULL;
    return OK;
}

err_t hold_on_many(struct db *db, const char *company_id, const char *const *ids, int count, struct active_hold *out)
{
    struct rows r ROWS_AUTO = {0};
    struct arena *a = db_arena(db);
    int64_t any;
    for (int i = 0; i < count; i++) out[i] = (struct active_hold){.since = INSTANT_NONE};
    TRY(db_int(db, &any, 0,
               "SELECT count(*) FROM issue_tree_holds WHERE company_id = $1 AND mode = 'pause' AND status = 'active'",
               P(V_ID(company_id))));
    if (any == 0 || count == 0) return OK;
    struct in_list in = in_list_make(a, P(), ids, count);
    TRY(db_query(db, &r, arena_printf(a, WALK, arena_printf(a, "IN %s", in.sql), HOLD_LEVELS_MAX), in.v, in.n));
    while (rows_next(&r)) {
        struct active_hold h = decode(&r);
        for (int i = 0; i < count; i++)
            if (out[i].hold_id == NULL && text_is(ids[i], h.issue_id)) out[i] = h;
    }
    return rows_err(&r);
}

/* ---- who passes ---- */

err_t hold_lets_pass(struct db *db, const char *issue_id, const json_t *context, const struct hold_requester *by,
                     bool *yes)
{
    const json_t *ids = json_object_get(context, "wakeCommentIds");
    json_t *id;
    size_t i;
    *yes = false;
    if (!tree_interaction_wake(json_str(context, "wakeReason"), json_str(context, "source"))) return OK;
    json_array_foreach (ids, i, id) {
        struct comment c;
        bool found = false;
        if (!id_valid(json_string_value(id))) continue;
        TRY(entity_one(db, &ENTITY_comment, &c, &found, "WHERE id = $1 AND issue_id = $2 AND deleted_at IS NULL",
                       P(V_ID(json_string_value(id)), V_ID(issue_id))));
        const char *author = !found ? NULL : text_is(by->type, "agent") ? c.author_agent_id : c.author_user_id;
        if (found && (text_is(by->type, "system") || text_is(author, by->id))) *yes = true;
    }
    return OK;
}

void hold_mark(json_t *context, const struct active_hold *h)
{
    json_object_del(context, "treeHoldInteraction");
    json_object_del(context, "activeTreeHold");
    if (h->hold_id == NULL) return;
    json_object_set_new(context, "treeHoldInteraction", json_true());
    json_object_set_new(context, "activeTreeHold", hold_json(h));
}

/* ---- words ---- */

json_t *hold_json(const struct active_hold *h)
{
    return json_pack("{s:s, s:s, s:s, s:b, s:s, s:s?, s:o}", "holdId", h->hold_id, "rootIssueId", h->root_issue_id,
                     "issueId", h->issue_id, "isRoot", text_is(h->root_issue_id, h->issue_id), "mode", h->mode,
                     "reason", h->reason, "releasePolicy", json_read(h->release_policy));
}

static json_t *error_details(const struct active_hold *h)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "issueId", h->issue_id, "holdId", h->hold_id, "rootIssueId",
                     h->root_issue_id, "mode", h->mode);
}

err_t hold_checkout_error(struct arena *a, const struct active_hold *h)
{
    json_t *d = error_details(h);
    json_object_set_new(d, "securityPrinciples",
                        json_pack("[s, s, s]", "Complete Mediation", "Fail Securely", "Secure Defaults"));
    return err_with(a, ERR_CONFLICT, NULL, json_text(a, d), "Issue checkout blocked by active subtree pause hold");
}

err_t hold_followup_error(struct arena *a, const struct active_hold *h)
{
    return err_with(a, ERR_CONFLICT, NULL, json_text(a, error_details(h)),
                    "Issue follow-up blocked by active subtree pause hold");
}

err_t hold_record(struct db *db, const struct actor *actor, const struct issue *issue, const struct active_hold *h,
                  const char *action, json_t *details)
{
    json_object_set_new(details, "holdId", json_string(h->hold_id));
    json_object_set_new(details, "rootIssueId", json_string(h->root_issue_id));
    json_object_set_new(details, "identifier", json_string(issue->identifier));
    return activity_log(db, actor,
                        &(struct activity_entry){.company_id = issue->company_id,
                                                 .action = action,
                                                 .entity_type = "issue",
                                                 .entity_id = issue->id,
                                                 .details = details});
}
