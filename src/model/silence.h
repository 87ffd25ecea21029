/*
 * silence: runs that say nothing for a long time (EX-139…143). The pass asks
 * somebody to look, by a recovery action on the run's issue; the process goes
 * on, the issue is neither blocked nor reassigned. Decisions snooze or dismiss.
 */
#ifndef BULLDOG_MODEL_SILENCE_H
#define BULLDOG_MODEL_SILENCE_H

#include "base/json.h"
#include "model/actor.h"
#include "rules/silence.h"
#include "store/entity.h"

/* "outputSilence" of a run. */
void silence_write(struct jw *w, const struct run *run);
enum silence silence_of(const struct run *run);

struct silent {
    const char *company_id, *run_id;
};
/* The longest silent running runs, and runs about which a question is open; read only. */
err_t silence_page(struct db *db, int limit, struct silent **out, int *count) MUST_CHECK;
/* Looks again inside the caller's transaction, and acts. *did: a word for the log, or NULL. */
err_t silence_treat(struct db *db, const char *run_id, const char **did) MUST_CHECK;

struct silence_decision {
    const char *decision; /* snooze, continue, dismissed_false_positive */
    instant_t snoozed_until;
    const char *reason;
};
/* Records it, and ends the open question. */
err_t silence_decide(struct db *db, const struct actor *actor, const struct run *run, const struct silence_decision *d,
                     struct watchdog_decision *out) MUST_CHECK;
/* May this agent decide: does it own the open question about the run (EX-142)? */
err_t silence_may_decide(struct db *db, const char *agent_id, const struct run *run, bool *yes) MUST_CHECK;

#endif
