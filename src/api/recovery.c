/* recovery: what is done about a stuck issue, and its end (IS §17, EX-126). */
#include "model/recovery_resolve.h"

#include "api/handlers.h"
#include "api/issue_guard.h"
#include "api/schemas.h"
#include "base/text.h"
#include "model/issue_card.h"

#define NOTE_CHARS_MAX 4000

static const char *const outcomes[] = {"restored", "false_positive", "blocked", "cancelled", NULL};
static const char *const source_statuses[] = {"todo", "done", "in_review", "blocked", NULL};

/* Which ends go with which status of the issue. */
static void refine_resolve(const json_t *body, json_t *problems)
{
    const char *outcome = json_str(body, "outcome"), *status = json_str(body, "sourceIssueStatus");
    if (outcome == NULL || status == NULL) return;
    bool blocked = text_is(status, "blocked"), todo = text_is(status, "todo");
    if (text_is(outcome, "restored") && blocked)
        schema_custom(problems, "sourceIssueStatus",
                      "restored recovery actions must move the source issue to todo, done, or in_review");
    if (text_is(outcome, "blocked") && !blocked)
        schema_custom(problems, "sourceIssueStatus", "blocked recovery actions must leave the source issue blocked");
    bool dismissed = text_is(outcome, "false_positive") || text_is(outcome, "cancelled");
    if (dismissed && (blocked || todo))
        schema_custom(problems, "sourceIssueStatus",
                      "false_positive or cancelled recovery actions must move the source issue to done or in_review");
}

static const struct prop resolve_props[] = {
    {"actionId", PROP_UUID},
    {"outcome", PROP_ENUM, REQUIRED, .options = outcomes},
    {"sourceIssueStatus", PROP_ENUM, REQUIRED, .options = source_statuses},
    {"resolutionNote", PROP_TEXT, NULLABLE, .max = NOTE_CHARS_MAX},
};
SCHEMA_WITH(RECOVERY_RESOLVE, resolve_props, .strict = true, .refine = refine_resolve);

err_t recovery_actions(struct req *r)
{
    struct recovery_action a;
    bool found;
    TRY(recovery_action_open(r->db, r->issue.id, &a, &found));
    jw_obj(&r->w);
    jw_key(&r->w, "active");
    if (found) recovery_action_write(&r->w, &a);
    else jw_null(&r->w);
    jw_karr(&r->w, "actions");
    if (found) recovery_action_write(&r->w, &a);
    jw_arr_end(&r->w);
    jw_obj_end(&r->w);
    return OK;
}

static err_t may_resolve(struct req *r, const struct recovery_action *a)
{
    const char *outcome = json_str(r->body, "outcome"), *reason;
    bool yes, dismissed = text_is(outcome, "false_positive") || text_is(outcome, "cancelled");
    if (is_board(r)) return OK;
    TRY(recovery_may_decide(r->db, &r->self, a, &r->issue, &yes));
    if (!yes) return forbidden(r, "Agent cannot resolve another owner's recovery action");
    if (dismissed) return forbidden(r, "Only the board can resolve a recovery action as %s", outcome);
    TRY(issue_may_write(r, ACCESS_OPEN, &reason));
    return issue_influence(r);
}

err_t recovery_action_resolve(struct req *r)
{
    struct recovery_action a;
    struct issue_cards cards;
    bool found;
    const char *id = json_str(r->body, "actionId");
    TRY(recovery_action_open(r->db, r->issue.id, &a, &found));
    if (!found || (id && strcasecmp(id, a.id) != 0)) return not_found(r, "Active recovery action");
    TRY(may_resolve(r, &a));
    TRY(recovery_resolve(r->db, &r->actor,
                         &(struct recovery_verdict){.outcome = json_str(r->body, "outcome"),
                                                    .source_status = json_str(r->body, "sourceIssueStatus"),
                                                    .note = json_str(r->body, "resolutionNote")},
                         &a, &r->issue));
    TRY(issue_cards_load(r->db, &r->issue, 1, CARD_LABELS, &cards));
    jw_obj(&r->w);
    jw_kobj(&r->w, "issue");
    issue_write_full(&r->w, &cards.items[0]);
    jw_obj_end(&r->w);
    jw_key(&r->w, "recoveryAction");
    recovery_action_write(&r->w, &a);
    jw_obj_end(&r->w);
    return OK;
}
