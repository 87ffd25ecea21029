/*
 * issue_guard: the authorisation classes of issue routes (IS §1), shared by the
 * rooms about issues. Board requests pass; agents are judged by
 * rules/issue_access, and their influence beyond their own issue is counted.
 */
#ifndef BULLDOG_API_ISSUE_GUARD_H
#define BULLDOG_API_ISSUE_GUARD_H

#include "api/request.h"
#include "rules/issue_access.h"

/* MUT and MUT-OPEN on r->issue; own work in progress must be checked out by the
 * acting run, whose lock is healed or adopted on the way. *reason: why it was allowed. */
err_t issue_may_write(struct req *r, enum access_class c, const char **reason) MUST_CHECK;
/* CMT: visible issues are open to comments. */
void issue_may_comment(struct req *r, const char **reason);
/* IS-58: with a recovery action open, what moves the issue is for its assignee, the action's owner and who
 * manages them; looks at the members of the body. */
err_t issue_may_recover(struct req *r) MUST_CHECK;
/* IS-10: an agent writes from a run that works on an issue, and touches at most
 * so many times other issues than that. Records the touch. */
err_t issue_influence(struct req *r) MUST_CHECK;

/* Rolls back, writes this record on its own, and returns `refusal`. */
struct activity_entry;
err_t refuse_recorded(struct req *r, const struct activity_entry *e, err_t refusal) MUST_CHECK;

/* ids of a body's array, lower-case, each once; NULL when the member is absent. */
struct id_list;
const struct id_list *body_ids(struct req *r, const char *key);
/* The same for issues, by UUID or identifier, inside the company (IS-2 BETTER): else 422. */
err_t body_issue_ids(struct req *r, const char *key, const struct id_list **out) MUST_CHECK;
/* One issue of the company by UUID or identifier; *found false when there is none. */
err_t company_issue(struct req *r, const char *ref, struct issue *out, bool *found) MUST_CHECK;
/* Sets the issue's watchdog as a body {agentId, instructions?} says (IS-124). */
err_t watchdog_set_by(struct req *r, const struct issue *issue, const json_t *body) MUST_CHECK;
/* Is this text a UUID or shaped like an issue identifier? */
bool issue_ref_valid(const char *ref);
/* Adds IS-5 "Invalid uuid" when a member is neither. For refine functions. */
void refine_issue_ref(const json_t *body, const char *key, json_t *problems);
void refine_issue_refs(const json_t *body, const char *key, json_t *problems);

#endif
