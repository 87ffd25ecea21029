/*
 * document: the texts that hang on an issue by key (IS §13): plan, notes, the
 * server's own summaries. Every write keeps its revision; a change voids what
 * was asked about an older one (IS-105).
 */
#ifndef BULLDOG_MODEL_DOCUMENT_H
#define BULLDOG_MODEL_DOCUMENT_H

#include "base/json.h"
#include "model/actor.h"
#include "rules/document.h"
#include "store/entity.h"

err_t document_get(struct db *db, const char *issue_id, const char *key, struct document *out, bool *found) MUST_CHECK;
/* By key; system: the server's own too. */
err_t document_list(struct db *db, const char *issue_id, bool with_system, struct document **rows,
                    int *count) MUST_CHECK;
err_t document_revision_list(struct db *db, const struct document *d, struct document_revision **rows,
                             int *count) MUST_CHECK;
err_t document_revision_get(struct db *db, const struct document *d, const char *id, struct document_revision *out,
                            bool *found) MUST_CHECK;

struct document_text {
    const char *key, *title, *format, *body, *change_summary;
    const char *base_revision_id; /* what the writer read, or NULL */
};
/* Creates or updates; 409 when somebody else was faster or it is locked. An agent
 * that meets a lock writes beside it, as <key>-2 … *created: a new document. */
err_t document_write(struct db *db, const struct actor *actor, const struct issue *issue,
                     const struct document_text *text, struct document *out, bool *created) MUST_CHECK;
/* The server's own document: no lock, no base. */
err_t document_write_system(struct db *db, const struct actor *actor, const struct issue *issue,
                            const struct document_text *text) MUST_CHECK;
/* A new revision with an older one's text. */
err_t document_restore(struct db *db, const struct actor *actor, const struct issue *issue, struct document *d,
                       const struct document_revision *from) MUST_CHECK;
/* Idempotent. */
err_t document_lock(struct db *db, const struct actor *actor, const struct issue *issue, struct document *d,
                    bool locked) MUST_CHECK;
/* 409 when locked. */
err_t document_delete(struct db *db, const struct actor *actor, const struct issue *issue,
                      const struct document *d) MUST_CHECK;

void document_write_json(struct jw *w, const struct document *d, bool with_body); /* into an open object */

#endif
