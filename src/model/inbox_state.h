/*
 * inbox_state: what a person has read, put away and dismissed (IS-72, IS-129…131,
 * GV-102), and how they order their board (GV-104). None of it is activity of an
 * issue: it moves no list.
 */
#ifndef BULLDOG_MODEL_INBOX_STATE_H
#define BULLDOG_MODEL_INBOX_STATE_H

#include "base/json.h"
#include "model/actor.h"
#include "store/entity.h"

/* ---- one issue ---- */

err_t read_mark(struct db *db, const struct actor *actor, const struct issue *issue, const char *user,
                struct read_state *out) MUST_CHECK;
/* *removed: it had been read. */
err_t read_unmark(struct db *db, const struct actor *actor, const struct issue *issue, const char *user,
                  bool *removed) MUST_CHECK;

/* source: how the person was found (details.targetResolvedFrom), or, for what a status change archives, the reason. */
struct archive_target {
    const char *user;
    const char *resolved_from; /* actor, responsible_user, explicit */
    const char *source;        /* issue_status_done (IS-60), or NULL */
};
err_t inbox_archive(struct db *db, const struct actor *actor, const struct issue *issue,
                    const struct archive_target *target, struct inbox_archive *out) MUST_CHECK;
/* *removed: *out is the row that was. */
err_t inbox_unarchive(struct db *db, const struct actor *actor, const struct issue *issue,
                      const struct archive_target *target, struct inbox_archive *out, bool *removed) MUST_CHECK;

/* ---- many issues, as one person sees them ---- */

struct inbox_mark {
    instant_t my_last_touch, last_external_comment; /* INSTANT_NONE: never */
    bool archived;
    struct inbox_archive archive;
};
/* One mark an issue, in order. */
err_t inbox_marks_load(struct db *db, const char *user, const struct issue *rows, int count,
                       struct inbox_mark **out) MUST_CHECK;
/* "myLastTouchAt", "lastExternalCommentAt", "isUnreadForMe". */
void inbox_mark_write(struct jw *w, const struct inbox_mark *m);
/* "archivedAt" and by whom, while nothing has happened since (IS §2.2). */
void inbox_archived_write(struct jw *w, const struct inbox_mark *m, const struct issue *row);

/* ---- the rest of the inbox ---- */

err_t dismissal_list(struct db *db, const char *company_id, const char *user, struct inbox_dismissal **rows,
                     int *n) MUST_CHECK;
/* snoozed_until INSTANT_NONE: for good. */
err_t dismissal_put(struct db *db, const struct actor *actor, const char *company_id, const char *item_key,
                    instant_t snoozed_until, struct inbox_dismissal *out) MUST_CHECK;
err_t dismissal_remove(struct db *db, const struct actor *actor, const char *company_id,
                       const char *item_key) MUST_CHECK;

/* company_id NULL: the order of companies. *ids: JSON array text. */
err_t sidebar_order_get(struct db *db, const char *user, const char *company_id, const char **ids,
                        instant_t *updated_at) MUST_CHECK;
err_t sidebar_order_put(struct db *db, const struct actor *actor, const char *company_id, json_t *ids) MUST_CHECK;

#endif
