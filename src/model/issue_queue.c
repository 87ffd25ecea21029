/* issue_queue: comments behind a run. */
#include "model/issue_queue.h"

#include "base/text.h"

err_t queued_comment_of(struct db *db, const struct issue *issue, const struct comment *c, struct queued_comment *out)
{
    struct run run;
    bool found;
    *out = (struct queued_comment){0};
    TRY(entity_one(
        db, &ENTITY_run, &run, &found,
        "WHERE status = 'running' AND (id = $1 OR issue_id = $2) ORDER BY CASE WHEN id = $1 THEN 0 ELSE 1 END, started_at LIMIT 1",
        P(V_ID(issue->execution_run_id), V_ID(issue->id))));
    if (!found) return OK;
    out->run_id = run.id;
    out->queued = c->deleted_at == INSTANT_NONE && c->created_at > run.started_at &&
                  !text_is(c->author_agent_id, run.agent_id) && !text_is(c->created_by_run_id, run.id);
    return OK;
}

/* [ids] without id */
static void drop(json_t *ids, const char *id)
{
    for (size_t i = json_array_size(ids); i-- > 0;)
        if (text_is(json_string_value(json_array_get(ids, i)), id)) json_array_remove(ids, i);
}

err_t queued_comment_forget(struct db *db, const struct comment *c)
{
    struct wake *rows;
    int n;
    TRY(entity_many(db, &ENTITY_wake, &rows, &n, "WHERE issue_id = $1 AND status = 'deferred_issue_execution'",
                    P(V_ID(c->issue_id))));
    for (int i = 0; i < n; i++) {
        struct wake after = rows[i];
        json_t *payload = json_read(rows[i].payload), *context = json_object_get(payload, "_paperclipWakeContext");
        json_t *ids = json_object_get(context, "wakeCommentIds");
        size_t before = json_array_size(ids);
        drop(ids, c->id);
        if (json_array_size(ids) == before) continue;
        size_t left = json_array_size(ids);
        const char *last = left ? json_string_value(json_array_get(ids, left - 1)) : NULL;
        json_object_set_new(context, "commentId", last ? json_string(last) : json_null());
        json_object_set_new(context, "wakeCommentId", last ? json_string(last) : json_null());
        json_object_set_new(payload, "commentId", last ? json_string(last) : json_null());
        after.payload = json_text(db_arena(db), payload);
        after.updated_at = clock_now();
        if (left == 0) { /* nothing else was waiting in it */
            after.status = "cancelled";
            after.error = "The comment was taken back before it was delivered";
            after.finished_at = after.updated_at;
        }
        TRY(entity_update(db, &ENTITY_wake, &rows[i], &after));
    }
    return OK;
}
