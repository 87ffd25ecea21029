/* relation: what blocks what (IS §9, EX-76…78). */
#ifndef BULLDOG_MODEL_RELATION_H
#define BULLDOG_MODEL_RELATION_H

#include "base/json.h"
#include "store/entity.h"

struct id_list {
    const char **ids;
    int count;
};
bool id_list_has(const struct id_list *l, const char *id);
/* ["…"] */
json_t *id_list_json(const struct id_list *l);

/* Ids of the blockers that keep this issue from starting: every one not done;
 * a cancelled blocker stays unresolved (EX-76). ids: a JSON array of strings. */
err_t relation_unresolved(struct db *db, const char *issue_id, json_t **ids, int *count) MUST_CHECK;

/* The same for a wake: one that reports a cancelled blocker (IS §9 BETTER a) is
 * kept back only by blockers that can still be resolved, that of a recovery owner by none. */
err_t relation_keeps_back(struct db *db, const char *issue_id, const json_t *context, json_t **ids,
                          int *count) MUST_CHECK;

/* The blockers still open, of a stored issue or of a set about to be written. */
struct open_blockers {
    int open;     /* not done */
    int waiting;  /* not done and not cancelled: can still be resolved */
    json_t *list; /* [{issueId, identifier, title, reason}] (IS-52) */
    json_t *ids;
};
err_t relation_open(struct db *db, const char *issue_id, struct open_blockers *out) MUST_CHECK;
err_t relation_open_of(struct db *db, const struct id_list *set, struct open_blockers *out) MUST_CHECK;
/* IS-52: 422 naming them. */
err_t relation_blocked_error(struct arena *a, const struct open_blockers *b) MUST_CHECK;

/* Ids of all blockers, sorted. */
err_t relation_blockers(struct db *db, const char *issue_id, struct id_list *out) MUST_CHECK;
/* Same company, not itself, no cycle: else 422 (IS-80). issue_id NULL: about to be created. */
err_t relation_check(struct db *db, const char *company_id, const char *issue_id, const struct id_list *set) MUST_CHECK;
/* Replaces the whole set. */
err_t relation_replace(struct db *db, const char *company_id, const char *issue_id,
                       const struct id_list *set) MUST_CHECK;
err_t relation_add(struct db *db, const char *company_id, const char *blocker_id, const char *issue_id) MUST_CHECK;

/* An issue that waited for the one that just closed, and may go on now (EX-78). */
struct dependent {
    const char *id, *assignee_agent_id, *status;
    instant_t blocked_transition_at;
};
/* Agent-owned, visible, neither parked nor closed. */
err_t relation_dependents(struct db *db, const char *blocker_id, struct dependent **out, int *count) MUST_CHECK;
/* Of those, the ready ones. by_cancellation: all remaining blockers are done or cancelled (IS §9 BETTER a);
 * else all are done. */
err_t relation_ready_dependents(struct db *db, const char *blocker_id, bool by_cancellation, struct dependent **out,
                                int *count) MUST_CHECK;

#endif
