/*
 * recovery_action: what is being done about an issue that nothing moves any
 * more, and whose move it is (EX §15). At most one is open per issue. This room
 * holds the rows: reading, upsert, end; escalate opens them, recovery_turn keeps
 * them moving, recovery_fold and recovery_resolve end them.
 */
#ifndef BULLDOG_MODEL_RECOVERY_ACTION_H
#define BULLDOG_MODEL_RECOVERY_ACTION_H

#include "base/json.h"
#include "model/actor.h"
#include "store/entity.h"

#define RECOVERY_OPEN "status IN ('active','escalated')"
extern const struct actor recovery_actor; /* the system, source "recovery" */

err_t recovery_action_get(struct db *db, const char *id, struct recovery_action *out, bool *found) MUST_CHECK;
/* The open one of an issue. */
err_t recovery_action_open(struct db *db, const char *issue_id, struct recovery_action *out, bool *found) MUST_CHECK;

/* The open ones of many issues, for lists. */
struct recovery_set {
    struct recovery_action *items;
    int count;
};
err_t recovery_set_load(struct db *db, const char *const *issue_ids, int count, struct recovery_set *out) MUST_CHECK;
/* Those of the issues that this one blocks or is blocked by. */
err_t recovery_set_around(struct db *db, const char *issue_id, struct recovery_set *out) MUST_CHECK;
const struct recovery_action *recovery_set_find(const struct recovery_set *s, const char *issue_id);
/* "activeRecoveryAction": the action, or null. */
void recovery_set_write(struct jw *w, const struct recovery_set *s, const char *issue_id);
void recovery_action_write(struct jw *w, const struct recovery_action *a); /* an object */

struct recovery_owner {
    const char *type; /* agent, user, board, system */
    const char *agent_id, *user_id;
    const char *fallback_reason; /* why the run's own agent was not asked, or NULL */
};

/* What was found; upserted into the open action of the issue (EX-122). */
struct recovery_finding {
    const struct issue *issue; /* as read in this transaction */
    const char *kind, *cause, *fingerprint, *next_action;
    struct recovery_owner owner;
    const char *wake_policy; /* wake_owner, manual_repair_required, board_escalation, monitor_only */
    json_t *evidence;        /* object */
    bool blocks_source;
};
enum recovery_upsert { RECOVERY_OPENED, RECOVERY_UPDATED, RECOVERY_APPENDED };
err_t recovery_action_upsert(struct db *db, const struct recovery_finding *f, struct recovery_action *out,
                             enum recovery_upsert *what) MUST_CHECK;
const char *recovery_wake_policy(struct arena *a, const char *type, const struct recovery_owner *owner);

struct recovery_end {
    const char *status, *outcome, *note, *fold_reason, *source; /* source: of the activity */
};
/* Compare-and-set from open; *a as it was read, updated. Activity issue.recovery_action_resolved. */
err_t recovery_action_end(struct db *db, const struct actor *actor, struct recovery_action *a,
                          const struct recovery_end *e) MUST_CHECK;
/* An activity about the action on its issue; details gets the usual members. */
err_t recovery_action_log(struct db *db, const struct actor *actor, const char *action, const struct recovery_action *a,
                          json_t *details) MUST_CHECK;

#endif
