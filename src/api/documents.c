/* documents: the texts of an issue by key (IS-102…107). */
#include "model/document.h"

#include "api/handlers.h"
#include "api/issue_guard.h"
#include "api/schemas.h"
#include "base/text.h"

#define BODY_CHARS_MAX 524288

static const char *const formats[] = {"markdown", NULL};
static const struct prop put_props[] = {
    {"title", PROP_STRING, NULLABLE, .max = 200},
    {"format", PROP_ENUM, REQUIRED, .options = formats},
    {"body", PROP_TEXT, REQUIRED, .max = BODY_CHARS_MAX},
    {"changeSummary", PROP_STRING, NULLABLE, .max = 500},
    {"baseRevisionId", PROP_UUID, NULLABLE},
};
SCHEMA(DOCUMENT_PUT, put_props);

/* ---- what the path names ---- */

static err_t named_key(struct req *r, const char **key)
{
    *key = document_key(r->arena, r->params[1]);
    if (*key) return OK;
    json_t *why =
        json_pack("[{s:s, s:s, s:s, s:[]}]", "validation", "regex", "code", "invalid_string", "message",
                  "A key is at most 64 lower-case letters, digits, - and _, beginning with a letter or digit", "path");
    return err_with(r->arena, ERR_BAD_REQUEST, NULL, json_text(r->arena, why), "Invalid document key");
}

static err_t named(struct req *r, struct document *d)
{
    const char *key;
    bool found;
    TRY(named_key(r, &key));
    TRY(document_get(r->db, r->issue.id, key, d, &found));
    return found ? OK : not_found(r, "Document");
}

/* ---- reading ---- */

err_t documents_list(struct req *r)
{
    struct document *rows;
    int n;
    TRY(document_list(r->db, r->issue.id, query_bool(r, "includeSystem"), &rows, &n));
    jw_arr(&r->w);
    for (int i = 0; i < n; i++) {
        jw_obj(&r->w);
        document_write_json(&r->w, &rows[i], true);
        jw_obj_end(&r->w);
    }
    jw_arr_end(&r->w);
    return OK;
}

static void answer(struct req *r, const struct document *d)
{
    jw_obj(&r->w);
    document_write_json(&r->w, d, true);
    jw_obj_end(&r->w);
}

err_t document_show(struct req *r)
{
    struct document d;
    TRY(named(r, &d));
    answer(r, &d);
    return OK;
}

err_t document_revisions(struct req *r)
{
    struct document d;
    struct document_revision *rows;
    int n;
    TRY(named(r, &d));
    TRY(document_revision_list(r->db, &d, &rows, &n));
    jw_arr(&r->w);
    for (int i = 0; i < n; i++) {
        jw_obj(&r->w);
        entity_write(&r->w, &ENTITY_document_revision, &rows[i], VIEW_FULL);
        jw_obj_end(&r->w);
    }
    jw_arr_end(&r->w);
    return OK;
}

/* ---- writing ---- */

err_t document_put(struct req *r)
{
    const char *key, *reason;
    struct document d;
    bool created;
    TRY(issue_may_write(r, ACCESS_MUTATE, &reason));
    TRY(named_key(r, &key));
    TRY(document_write(r->db, &r->actor, &r->issue,
                       &(struct document_text){.key = key,
                                               .title = json_str(r->body, "title"),
                                               .format = json_str(r->body, "format"),
                                               .body = json_str(r->body, "body"),
                                               .change_summary = json_str(r->body, "changeSummary"),
                                               .base_revision_id = json_str(r->body, "baseRevisionId")},
                       &d, &created));
    r->status = created ? 201 : 200;
    answer(r, &d);
    return OK;
}

err_t document_restore_route(struct req *r)
{
    const char *reason;
    struct document d;
    struct document_revision from;
    bool found;
    TRY(issue_may_write(r, ACCESS_MUTATE, &reason));
    TRY(named(r, &d));
    TRY(document_revision_get(r->db, &d, r->params[2], &from, &found));
    if (!found) return not_found(r, "Document revision");
    TRY(document_restore(r->db, &r->actor, &r->issue, &d, &from));
    answer(r, &d);
    return OK;
}

static err_t lock(struct req *r, bool locked)
{
    struct document d;
    TRY(named(r, &d));
    TRY(document_lock(r->db, &r->actor, &r->issue, &d, locked));
    answer(r, &d);
    return OK;
}

err_t document_lock_route(struct req *r) { return lock(r, true); }
err_t document_unlock_route(struct req *r) { return lock(r, false); }

err_t document_remove(struct req *r)
{
    struct document d;
    TRY(named(r, &d));
    TRY(document_delete(r->db, &r->actor, &r->issue, &d));
    jw_obj(&r->w);
    jw_kbool(&r->w, "ok", true);
    jw_obj_end(&r->w);
    return OK;
}
