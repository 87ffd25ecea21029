/* issue_follow_up: what people do about work that waits: not wait for a retry (EX-63),
 * decide a review that nobody decides (EX-91). */
#include "api/handlers.h"
#include "api/schemas.h"
#include "base/text.h"
#include "model/comment.h"
#include "model/issue_card.h"
#include "model/retry.h"
#include "model/review.h"

err_t issue_retry_now(struct req *r)
{
    struct retry_now now;
    TRY(retry_now(r->db, &r->actor, &r->issue, &now));
    jw_obj(&r->w);
    jw_kstr(&r->w, "outcome", now.outcome);
    jw_kstr(&r->w, "message", now.message);
    retry_write(&r->w, "scheduledRetry", now.run.id ? &now.run : NULL);
    jw_obj_end(&r->w);
    return OK;
}

/* ---- a stalled review ---- */

static const char *const decisions[] = {"approve", "request_changes", "send_back", NULL};

static void refine_decision(const json_t *body, json_t *problems)
{
    const char *note = json_str(body, "note");
    bool said = note && note[strspn(note, " \t\r\n")];
    if (text_is(json_str(body, "action"), "request_changes") && !said)
        schema_custom(problems, "note", "note is required to request changes");
}

static const struct prop decision_props[] = {
    {"action", PROP_ENUM, REQUIRED, .options = decisions},
    {"note", PROP_TEXT, NULLABLE, .max = 20000},
};
SCHEMA_WITH(REVIEW_DECISION, decision_props, .refine = refine_decision);

err_t issue_review_decide(struct req *r)
{
    struct review_decided done;
    struct issue_cards cards;
    const char *note = json_str(r->body, "note");
    bool said = note && note[strspn(note, " \t\r\n")];
    const struct review_decision d = {.action = json_str(r->body, "action"), .note = said ? note : NULL};
    TRY(review_decide(r->db, &r->actor, &r->issue, &d, &done));
    TRY(issue_cards_load(r->db, &done.row, 1, CARD_LABELS, &cards));
    struct jw *w = &r->w;
    jw_obj(w);
    jw_kobj(w, "issue");
    issue_write_full(w, &cards.items[0]);
    jw_obj_end(w);
    jw_kstr(w, "action", d.action);
    jw_key(w, "comment");
    if (done.commented) comment_write(w, &done.comment);
    else jw_null(w);
    jw_kbool(w, "wakeQueued", done.wake_queued);
    jw_obj_end(w);
    return OK;
}
