/* run_insert: the birth of a run. */
#include "base/id.h"
#include "model/run_event.h"
#include "model/wake_internal.h"

err_t run_insert(struct db *db, const struct run_seed *s, struct run *out)
{
    struct arena *a = db_arena(db);
    struct run_data data;
    entity_init(&ENTITY_run, out);
    entity_init(&ENTITY_run_data, &data);
    out->id = id_new(a);
    out->company_id = s->company_id;
    out->agent_id = s->agent_id;
    out->invocation_source = s->invocation_source;
    out->trigger_detail = s->trigger_detail;
    out->status = s->status ? s->status : "queued";
    out->responsible_user_id = s->responsible_user_id;
    out->wakeup_request_id = s->wakeup_request_id;
    out->retry_of_run_id = s->retry_of_run_id;
    out->process_loss_retry_count = s->process_loss_retry_count;
    out->scheduled_retry_at = s->scheduled_retry_reason ? s->scheduled_retry_at : INSTANT_NONE;
    out->scheduled_retry_attempt = s->scheduled_retry_attempt;
    out->scheduled_retry_reason = s->scheduled_retry_reason;
    out->continuation_attempt = s->continuation_attempt;
    out->issue_comment_status = "not_applicable";
    out->issue_id = s->issue_id;
    out->task_key = json_str(s->context, "taskKey");
    out->wake_reason = json_str(s->context, "wakeReason");
    out->created_at = out->updated_at = clock_now();
    data.run_id = out->id;
    data.context_snapshot = json_text(a, s->context);
    TRY(entity_insert(db, &ENTITY_run, out));
    TRY(entity_insert(db, &ENTITY_run_data, &data));
    db_poke(db);
    return run_publish_queued(db, out);
}
