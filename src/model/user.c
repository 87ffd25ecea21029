/* user: people and their memberships. */
#include "model/user.h"

#include "base/text.h"
#include "model/actor.h"

struct user user_of(const char *id)
{
    if (text_is(id, LOCAL_BOARD_USER)) return (struct user){id, "Board", "local@paperclip.local"};
    return (struct user){.id = id};
}

err_t user_memberships(struct db *db, const char *user_id, struct membership **rows, int *n)
{
    return entity_many(db, &ENTITY_membership, rows, n,
                       "WHERE principal_type = 'user' AND principal_id = $1 AND status = 'active'"
                       " ORDER BY created_at, id",
                       P(V_TEXT(user_id)));
}

err_t company_people(struct db *db, const char *company_id, struct membership **rows, int *n)
{
    return entity_many(db, &ENTITY_membership, rows, n,
                       "WHERE company_id = $1 AND principal_type = 'user' AND status <> 'archived'"
                       " ORDER BY created_at, id",
                       P(V_ID(company_id)));
}
