/* watchdog: what somebody decides about a run that says nothing (EX-142). */
#include "api/handlers.h"
#include "api/schemas.h"
#include "base/text.h"
#include "model/issue.h"
#include "model/silence.h"

static const struct prop props[] = {
    {"decision", PROP_STRING, REQUIRED, .min = 1}, /* another word is refused by name below */
    {"snoozedUntil", PROP_STRING, NULLABLE},
    {"reason", PROP_TEXT, NULLABLE, .max = 4000},
    {"evaluationIssueId", PROP_UUID, NULLABLE},
};
SCHEMA(WATCHDOG_DECISION, props);

static bool known(const char *decision)
{
    return text_is(decision, "snooze") || text_is(decision, "continue") ||
           text_is(decision, "dismissed_false_positive");
}

/* Runs have no evaluation issue here; one that is named is of the company, and of nothing else. */
static err_t check_issue(struct req *r)
{
    struct issue issue;
    bool found;
    const char *id = json_str(r->body, "evaluationIssueId");
    if (id == NULL) return OK;
    TRY(issue_get(r->db, id, &issue, &found));
    bool bound = found && text_is(issue.company_id, r->company_id) &&
                 text_is(issue.origin_kind, "stale_active_run_evaluation") && text_is(issue.origin_id, r->run.id);
    return bound ? OK : unprocessable(r, "evaluationIssueId is not the evaluation issue of this run");
}

err_t run_watchdog_decision(struct req *r)
{
    const char *decision = json_str(r->body, "decision"), *until = json_str(r->body, "snoozedUntil");
    struct watchdog_decision row;
    instant_t at = INSTANT_NONE;
    bool may = is_board(r);
    if (!known(decision)) return err_new(r->arena, ERR_BAD_REQUEST, "Unsupported watchdog decision");
    bool future = until && instant_parse(until, &at) && at > clock_now();
    if (text_is(decision, "snooze") && !future)
        return err_new(r->arena, ERR_BAD_REQUEST, "snoozedUntil must be a future ISO datetime");
    if (!may) TRY(silence_may_decide(r->db, r->actor.agent_id, &r->run, &may));
    if (!may) return forbidden(r, "Only the board or the owner of the open question can decide about this run");
    TRY(check_issue(r));
    TRY(silence_decide(r->db, &r->actor, &r->run,
                       &(struct silence_decision){.decision = decision,
                                                  .snoozed_until = future ? at : INSTANT_NONE,
                                                  .reason = json_str(r->body, "reason")},
                       &row));
    jw_obj(&r->w);
    entity_write(&r->w, &ENTITY_watchdog_decision, &row, VIEW_FULL);
    jw_obj_end(&r->w);
    return OK;
}
