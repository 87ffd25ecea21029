/* issue_detail: everything a page or an agent about to work shows of one issue (IS-75, IS-133). */
#ifndef BULLDOG_MODEL_ISSUE_DETAIL_H
#define BULLDOG_MODEL_ISSUE_DETAIL_H

#include "base/json.h"
#include "store/entity.h"

/* The detail object. */
/* user: the person who looks, or NULL; tells whether they put it away. */
err_t issue_detail_write(struct db *db, struct jw *w, const struct issue *row, const char *user) MUST_CHECK;
/* The heartbeat-context object; wake_comment_id may be NULL. */
err_t issue_heartbeat_write(struct db *db, struct jw *w, const struct issue *row,
                            const char *wake_comment_id) MUST_CHECK;

#endif
