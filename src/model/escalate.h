/*
 * escalate: no automatic step is left for an issue; from here on somebody named
 * owns the next one (EX-110, EX-9). The only way to say so: it opens or updates
 * the issue's recovery action, blocks the issue in the open, leaves one notice,
 * records it, and wakes the owner. The assignee stays (EX-14).
 *
 *   escalate_issue(db, &issue, &(struct escalation){.cause = "stalled_at_dispatch", .evidence = e});
 */
#ifndef BULLDOG_MODEL_ESCALATE_H
#define BULLDOG_MODEL_ESCALATE_H

#include "base/json.h"
#include "model/recovery_action.h"
#include "store/entity.h"

struct escalation {
    const char *cause;  /* EX-120; rules/recovery.c has the table */
    const char *action; /* what the owner has to do, at most 1000 bytes; NULL: the cause's text */
    const char *agent_id, *run_id, *error_code;   /* of the last attempt, or NULL */
    json_t *evidence;                             /* object or NULL; no transcript, no secrets */
    const char *kind;                             /* default: the cause's */
    const char *fingerprint;                      /* default "source_scoped_recovery:<company>:<issue>:<cause>" … */
    const char *fingerprint_suffix;               /* … and ":<suffix>" when given */
    bool no_block;                                /* the issue's status stays as it is */
    bool no_notice;                               /* no comment */
    bool board;                                   /* a person has to decide: no agent is asked */
    bool monitor_only;                            /* a timer goes on with it (provider quota): system owner, no wake */
    const char *preferred_owner, *excluded_owner; /* of the ladder (EX-123) */
};
/* In the caller's transaction; *issue as it was read in it (EX-106). A closed issue is left alone (INV-32). */
err_t escalate_issue(struct db *db, const struct issue *issue, const struct escalation *e) MUST_CHECK;
/* The same; *out: the action (id NULL: none was opened), *what became of it. */
err_t escalate_with(struct db *db, const struct issue *issue, const struct escalation *e, struct recovery_action *out,
                    enum recovery_upsert *what) MUST_CHECK;

#endif
