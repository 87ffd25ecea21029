/*
 * user: the people of this server and where they belong (AO-3, AO §5). In local
 * mode there is one, the board.
 */
#ifndef BULLDOG_MODEL_USER_H
#define BULLDOG_MODEL_USER_H

#include "base/json.h"
#include "store/entity.h"

struct user {
    const char *id, *name, *email;
};
/* What is known of a user id; name and email NULL when nothing is. */
struct user user_of(const char *id);

/* Active memberships of a person, by company age. */
err_t user_memberships(struct db *db, const char *user_id, struct membership **rows, int *n) MUST_CHECK;
/* The people of a company, archived ones left out, by the time they came. */
err_t company_people(struct db *db, const char *company_id, struct membership **rows, int *n) MUST_CHECK;

#endif
