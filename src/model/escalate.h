/* escalate: recovery is at its end; the issue is blocked in the open, with the board as the one to act (EX-110, EX-9). */
#ifndef BULLDOG_MODEL_ESCALATE_H
#define BULLDOG_MODEL_ESCALATE_H

#include "base/json.h"
#include "store/entity.h"

struct escalation {
    const char *cause;                          /* a reason code */
    const char *action;                         /* what the board has to do, for people; at most 1000 bytes */
    const char *agent_id, *run_id, *error_code; /* of the last attempt, or NULL */
    json_t *evidence;                           /* object or NULL */
    bool no_block, no_notice, board;
};
/* In the caller's transaction; *issue as it was read in it (EX-106). The assignee stays (EX-14). */
err_t escalate_issue(struct db *db, const struct issue *issue, const struct escalation *e) MUST_CHECK;

#endif
