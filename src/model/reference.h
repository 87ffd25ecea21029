/* reference: which issues an issue's texts name, kept as rows (IS-93). */
#ifndef BULLDOG_MODEL_REFERENCE_H
#define BULLDOG_MODEL_REFERENCE_H

#include "base/json.h"
#include "store/entity.h"

struct reference_source {
    const char *company_id, *issue_id;
    const char *kind;      /* title, description, comment */
    const char *record_id; /* the comment's id; the issue's for its own fields */
    bool fresh;            /* the source was just made: nothing to forget */
};
/* Makes the rows of one source agree with its text (NULL: none). */
err_t reference_sync(struct db *db, const struct reference_source *s, const char *text) MUST_CHECK;
/* "relatedWork" and "referencedIssueIdentifiers" into an open object. */
err_t reference_write(struct db *db, struct jw *w, const char *issue_id) MUST_CHECK;

#endif
