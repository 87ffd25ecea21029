/* document: rows, revisions, and the record of their changes. */
#include "model/document.h"

#include "base/id.h"
#include "base/text.h"
#include "model/activity.h"
#include "model/comment.h"
#include "model/interaction.h"
#include "model/issue_card.h"
#include "model/reference.h"
#include "rules/redact.h"

#include <inttypes.h>

#define REDIRECTS_MAX 1000

/* ---- reading ---- */

err_t document_get(struct db *db, const char *issue_id, const char *key, struct document *out, bool *found)
{
    return entity_one(db, &ENTITY_document, out, found, "WHERE issue_id = $1 AND key = $2",
                      P(V_ID(issue_id), V_TEXT(key)));
}

err_t document_list(struct db *db, const char *issue_id, bool with_system, struct document **rows, int *count)
{
    struct document *all;
    int n;
    TRY(entity_many(db, &ENTITY_document, &all, &n, "WHERE issue_id = $1 ORDER BY key", P(V_ID(issue_id))));
    *rows = all;
    *count = 0;
    for (int i = 0; i < n; i++)
        if (with_system || !document_key_system(all[i].key)) all[(*count)++] = all[i];
    return OK;
}

err_t document_revision_list(struct db *db, const struct document *d, struct document_revision **rows, int *count)
{
    return entity_many(db, &ENTITY_document_revision, rows, count,
                       "WHERE document_id = $1 ORDER BY revision_number DESC", P(V_ID(d->id)));
}

err_t document_revision_get(struct db *db, const struct document *d, const char *id, struct document_revision *out,
                            bool *found)
{
    *found = false;
    if (!id_valid(id)) return OK;
    return entity_one(db, &ENTITY_document_revision, out, found, "WHERE id = $1 AND document_id = $2",
                      P(V_ID(id), V_ID(d->id)));
}

void document_write_json(struct jw *w, const struct document *d, bool with_body)
{
    for (int i = 0; i < ENTITY_document.count; i++) {
        const struct field *f = &ENTITY_document.fields[i];
        if (!with_body && f->offset == offsetof(struct document, body)) continue;
        jw_key(w, f->json);
        entity_write_field(w, f, d);
    }
}

/* ---- the record ---- */

static err_t record(struct db *db, const struct actor *actor, const struct issue *issue, const struct document *d,
                    const char *action, json_t *extra)
{
    const char *entity;
    json_t *details = json_pack("{s:s, s:s, s:s?, s:s, s:I}", "key", d->key, "documentId", d->id, "title", d->title,
                                "format", d->format, "revisionNumber", (json_int_t)d->latest_revision_number);
    if (extra) json_object_update(details, extra);
    TRY(db_exec_one(db, "UPDATE issues SET last_activity_at = $2 WHERE id = $1",
                    P(V_ID(issue->id), V_TIME(clock_now()))));
    TRY(issue_event_text(db, issue, &entity));
    return activity_log(db, actor,
                        &(struct activity_entry){.company_id = issue->company_id,
                                                 .action = action,
                                                 .entity_type = "issue",
                                                 .entity_id = issue->id,
                                                 .details = details,
                                                 .entity = entity});
}

/* ---- writing ---- */

/* One more revision, and the document shows it. fresh: its first one. */
static err_t revise(struct db *db, const struct actor *actor, struct document *d, const struct document_text *t,
                    bool fresh)
{
    struct arena *a = db_arena(db);
    struct author author;
    struct document before = *d;
    struct document_revision r;
    bool agent = actor->type == ACTOR_AGENT;
    TRY(author_of(db, actor, d->company_id, &author));
    entity_init(&ENTITY_document_revision, &r);
    d->title = t->title;
    d->format = t->format;
    d->body = agent ? redact_text(a, t->body) : t->body; /* what runs write may hold their secrets */
    d->latest_revision_number++;
    d->latest_revision_id = r.id = id_new(a);
    d->updated_by_agent_id = actor->agent_id;
    d->updated_by_user_id = actor->type == ACTOR_BOARD ? actor->user_id : NULL;
    d->updated_at = clock_now();
    r.company_id = d->company_id;
    r.document_id = d->id;
    r.issue_id = d->issue_id;
    r.key = d->key;
    r.revision_number = d->latest_revision_number;
    r.title = d->title;
    r.format = d->format;
    r.body = d->body;
    r.change_summary = t->change_summary;
    r.created_by_agent_id = d->updated_by_agent_id;
    r.created_by_user_id = d->updated_by_user_id;
    r.created_by_run_id = author.run_id;
    r.created_at = d->updated_at;
    if (fresh) TRY(entity_insert(db, &ENTITY_document, d));
    else TRY(entity_update(db, &ENTITY_document, &before, d));
    TRY(entity_insert(db, &ENTITY_document_revision, &r));
    return reference_sync(db, &(struct reference_source){d->company_id, d->issue_id, "document", d->id, fresh},
                          d->body);
}

static err_t create(struct db *db, const struct actor *actor, const struct issue *issue, const struct document_text *t,
                    const char *key, struct document *out)
{
    entity_init(&ENTITY_document, out);
    out->id = id_new(db_arena(db));
    out->company_id = issue->company_id;
    out->issue_id = issue->id;
    out->key = key;
    out->created_by_agent_id = actor->agent_id;
    out->created_by_user_id = actor->type == ACTOR_BOARD ? actor->user_id : NULL;
    out->created_at = clock_now();
    return revise(db, actor, out, t, true);
}

static err_t locked_error(struct arena *a, const struct document *d)
{
    return err_with(a, ERR_CONFLICT, NULL,
                    json_text(a, json_pack("{s:s, s:s, s:s}", "key", d->key, "documentId", d->id, "lockedAt",
                                           instant_text(a, d->locked_at))),
                    "Document is locked");
}

static err_t conflict(struct arena *a, const char *member, const char *value, const char *sentence)
{
    return err_with(a, ERR_CONFLICT, NULL, json_text(a, json_pack("{s:s}", member, value)), "%s", sentence);
}

/* The first free name beside a locked document. */
static err_t free_key(struct db *db, const struct document *locked, const char **out)
{
    struct arena *a = db_arena(db);
    struct document other;
    bool taken = true;
    for (int i = 2; taken && i < REDIRECTS_MAX; i++) {
        const char *suffix = arena_printf(a, "-%d", i);
        int room = DOCUMENT_KEY_MAX - (int)strlen(suffix);
        *out = arena_printf(a, "%.*s%s", room, locked->key, suffix);
        TRY(document_get(db, locked->issue_id, *out, &other, &taken));
    }
    return taken ? locked_error(a, locked) : OK;
}

static err_t redirect(struct db *db, const struct actor *actor, const struct issue *issue,
                      const struct document_text *t, const struct document *locked, struct document *out)
{
    const char *key;
    TRY(free_key(db, locked, &key));
    TRY(create(db, actor, issue, t, key, out));
    return record(db, actor, issue, out, "issue.document_created",
                  json_pack("{s:{s:s, s:s}}", "redirectedFromLockedDocument", "id", locked->id, "key", locked->key));
}

err_t document_write(struct db *db, const struct actor *actor, const struct issue *issue, const struct document_text *t,
                     struct document *out, bool *created)
{
    struct arena *a = db_arena(db);
    struct document have;
    bool found;
    TRY(document_get(db, issue->id, t->key, &have, &found));
    enum document_write verdict =
        document_judge(&(struct document_facts){.exists = found,
                                                .locked = found && have.locked_at != INSTANT_NONE,
                                                .by_agent = actor->type == ACTOR_AGENT,
                                                .latest_revision_id = found ? have.latest_revision_id : NULL,
                                                .base_revision_id = t->base_revision_id});
    *created = true;
    switch (verdict) {
    case DOCUMENT_CREATE:
        TRY(create(db, actor, issue, t, t->key, out));
        return record(db, actor, issue, out, "issue.document_created", NULL);
    case DOCUMENT_REDIRECT: return redirect(db, actor, issue, t, &have, out);
    case DOCUMENT_UPDATE: break;
    case DOCUMENT_LOCKED: return locked_error(a, &have);
    case DOCUMENT_NEEDS_BASE:
        return conflict(a, "currentRevisionId", have.latest_revision_id, "Document update requires baseRevisionId");
    case DOCUMENT_STALE:
        return conflict(a, "currentRevisionId", have.latest_revision_id, "Document was updated by someone else");
    case DOCUMENT_MISSING: return conflict(a, "key", t->key, "Document does not exist yet");
    }
    *created = false;
    *out = have;
    TRY(revise(db, actor, out, t, false));
    TRY(record(db, actor, issue, out, "issue.document_updated", NULL));
    return interaction_expire_by_document(db, actor, issue, out, false);
}

err_t document_write_system(struct db *db, const struct actor *actor, const struct issue *issue,
                            const struct document_text *t)
{
    struct document d;
    bool found;
    TRY(document_get(db, issue->id, t->key, &d, &found));
    if (!found) return create(db, actor, issue, t, t->key, &d);
    return text_is(d.body, t->body) ? OK : revise(db, actor, &d, t, false);
}

err_t document_restore(struct db *db, const struct actor *actor, const struct issue *issue, struct document *d,
                       const struct document_revision *from)
{
    struct arena *a = db_arena(db);
    if (d->locked_at != INSTANT_NONE) return locked_error(a, d);
    if (text_is(from->id, d->latest_revision_id))
        return conflict(a, "currentRevisionId", d->latest_revision_id,
                        "Selected revision is already the latest revision");
    TRY(revise(db, actor, d,
               &(struct document_text){.title = from->title,
                                       .format = from->format,
                                       .body = from->body,
                                       .change_summary =
                                           arena_printf(a, "Restored from revision %" PRId64, from->revision_number)},
               false));
    TRY(record(db, actor, issue, d, "issue.document_restored",
               json_pack("{s:s, s:I}", "restoredFromRevisionId", from->id, "restoredFromRevisionNumber",
                         (json_int_t)from->revision_number)));
    return interaction_expire_by_document(db, actor, issue, d, false);
}

err_t document_lock(struct db *db, const struct actor *actor, const struct issue *issue, struct document *d,
                    bool locked)
{
    struct document before = *d;
    if ((d->locked_at != INSTANT_NONE) == locked) return OK;
    d->locked_at = locked ? clock_now() : INSTANT_NONE;
    d->locked_by_agent_id = locked ? actor->agent_id : NULL;
    d->locked_by_user_id = locked ? actor->user_id : NULL;
    TRY(entity_update(db, &ENTITY_document, &before, d));
    return record(db, actor, issue, d, locked ? "issue.document_locked" : "issue.document_unlocked", NULL);
}

err_t document_delete(struct db *db, const struct actor *actor, const struct issue *issue, const struct document *d)
{
    if (d->locked_at != INSTANT_NONE) return locked_error(db_arena(db), d);
    TRY(reference_sync(db, &(struct reference_source){d->company_id, d->issue_id, "document", d->id, false}, NULL));
    TRY(db_exec_one(db, "DELETE FROM documents WHERE id = $1", P(V_ID(d->id))));
    TRY(record(db, actor, issue, d, "issue.document_deleted", NULL));
    return interaction_expire_by_document(db, actor, issue, d, true);
}
