/* review_owner: who is asked to look at somebody's stuck work: candidates in an
 * order, each once, the first that exists in the company and can be started. */
#ifndef BULLDOG_MODEL_REVIEW_OWNER_H
#define BULLDOG_MODEL_REVIEW_OWNER_H

#include "store/entity.h"

#define REVIEW_OWNERS_MAX 200

struct review_owners {
    struct agent *agents; /* of the company, oldest first */
    int agent_count;
    int order[REVIEW_OWNERS_MAX], count;
};
err_t review_owners_start(struct db *db, const char *company_id, struct review_owners *o) MUST_CHECK;
void review_owners_add(struct review_owners *o, const char *agent_id);       /* NULL is passed over */
void review_owners_add_chain(struct review_owners *o, const char *agent_id); /* its managers, nearest first */
void review_owners_add_role(struct review_owners *o, const char *role);      /* oldest first */
void review_owners_add_roots(struct review_owners *o);
void review_owners_add_all(struct review_owners *o); /* by id */
/* *id: NULL when none of them can. never: left out, or NULL. */
err_t review_owners_first(struct db *db, const struct review_owners *o, const char *never, const char **id) MUST_CHECK;

#endif
