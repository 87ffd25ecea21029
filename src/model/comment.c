/* comment: the rows of a conversation. */
#include "model/comment.h"

#include "base/id.h"
#include "base/text.h"
#include "model/reference.h"
#include "model/run.h"
#include "rules/redact.h"

#define REPLAY_MS (60 * SECOND_MS)

err_t author_of(struct db *db, const struct actor *actor, const char *company_id, struct author *out)
{
    struct run run;
    bool found = false;
    if (actor->run_id) TRY(run_get(db, actor->run_id, &run, &found));
    found = found && text_is(run.company_id, company_id);
    bool foreign = found && actor->type == ACTOR_AGENT && !text_is(run.agent_id, actor->agent_id);
    *out = (struct author){.agent_id = actor->agent_id};
    if (found && !foreign) *out = (struct author){.agent_id = run.agent_id, .run_id = run.id};
    out->person = out->agent_id == NULL && actor->type == ACTOR_BOARD;
    return OK;
}

/* Every agent comment says why it was allowed (IS-84). */
static const char *authorization_metadata(struct arena *a, const char *reason)
{
    return json_text(a, json_pack("{s:i, s:s, s:[{s:s, s:[{s:s, s:s, s:s}]}]}", "version", 1, "authorizationReason",
                                  reason, "sections", "title", "Authorization", "rows", "type", "key_value", "label",
                                  "Reason", "value", reason));
}

static err_t find_replay(struct db *db, const struct author *author, const struct comment_new *c, const char *body,
                         struct comment *out, bool *found)
{
    *found = false;
    if (author->run_id == NULL) return OK;
    return entity_one(
        db, &ENTITY_comment, out, found,
        "WHERE issue_id = $1 AND created_by_run_id = $2 AND created_at >= $3 AND body = $4 AND deleted_at IS NULL"
        " ORDER BY created_at DESC LIMIT 1",
        P(V_ID(c->issue->id), V_ID(author->run_id), V_TIME(clock_now() - REPLAY_MS), V_TEXT(body)));
}

err_t comment_insert(struct db *db, const struct actor *actor, const struct author *author, const struct comment_new *c,
                     struct comment *out, bool *replayed)
{
    struct arena *a = db_arena(db);
    bool agent = actor->type == ACTOR_AGENT;
    const char *body = author->run_id ? redact_text(a, c->body) : c->body; /* what runs print may hold their secrets */
    TRY(find_replay(db, author, c, body, out, replayed));
    if (*replayed) return OK;
    entity_init(&ENTITY_comment, out);
    out->id = id_new(a);
    out->company_id = c->issue->company_id;
    out->issue_id = c->issue->id;
    out->author_agent_id = actor->agent_id;
    out->author_user_id = actor->type == ACTOR_BOARD ? actor->user_id : NULL;
    out->author_type = actor_kind(actor);
    out->on_behalf_of_user_id = agent ? actor->responsible_user_id : c->on_behalf_of_user_id;
    out->created_by_run_id = author->run_id;
    if (!agent && author->agent_id) { /* a run that speaks with the board's voice */
        out->derived_author_agent_id = author->agent_id;
        out->derived_created_by_run_id = author->run_id;
        out->derived_author_source = "run_id";
    }
    out->body = body;
    out->presentation = c->presentation;
    out->metadata =
        agent ? authorization_metadata(a, c->reason ? c->reason : "allow_visible_issue_write") : c->metadata;
    out->created_at = out->updated_at = clock_now();
    TRY(entity_insert(db, &ENTITY_comment, out));
    return reference_sync(db, &(struct reference_source){out->company_id, out->issue_id, "comment", out->id, true},
                          body);
}

err_t comment_get(struct db *db, const char *issue_id, const char *id, struct comment *out, bool *found)
{
    *found = false;
    if (!id_valid(id)) return OK;
    return entity_one(db, &ENTITY_comment, out, found, "WHERE id = $1 AND issue_id = $2", P(V_ID(id), V_ID(issue_id)));
}

err_t comment_list(struct db *db, const struct comment_page *p, struct comment **rows, int *count, bool *more)
{
    struct comment at;
    bool found = true;
    const char *order =
        p->ascending ? "ORDER BY created_at, id LIMIT $2" : "ORDER BY created_at DESC, id DESC LIMIT $2";
    struct arena *a = db_arena(db);
    *count = 0;
    *more = false;
    if (p->after) TRY(comment_get(db, p->issue_id, p->after, &at, &found));
    if (!found) return OK;
    if (p->after) {
        const char *op = p->ascending ? ">" : "<";
        TRY(entity_many(db, &ENTITY_comment, rows, count,
                        arena_printf(a,
                                     "WHERE issue_id = $1 AND (created_at %s $3 OR (created_at = $3 AND id %s $4)) %s",
                                     op, op, order),
                        P(V_ID(p->issue_id), V_INT(p->limit + 1), V_TIME(at.created_at), V_ID(at.id))));
    } else {
        TRY(entity_many(db, &ENTITY_comment, rows, count, arena_printf(a, "WHERE issue_id = $1 %s", order),
                        P(V_ID(p->issue_id), V_INT(p->limit + 1))));
    }
    *more = *count > p->limit;
    if (*more) *count = p->limit;
    return OK;
}

err_t comment_tombstone(struct db *db, const struct actor *actor, const struct author *author, struct comment *c)
{
    struct comment before = *c;
    if (c->deleted_at != INSTANT_NONE) return OK;
    c->body = "";
    c->presentation = c->metadata = NULL;
    c->deleted_at = c->updated_at = clock_now();
    c->deleted_by_type = actor_kind(actor);
    c->deleted_by_agent_id = actor->agent_id;
    c->deleted_by_user_id = actor->type == ACTOR_BOARD ? actor->user_id : NULL;
    c->deleted_by_run_id = author->run_id;
    TRY(entity_update(db, &ENTITY_comment, &before, c));
    return reference_sync(db, &(struct reference_source){c->company_id, c->issue_id, "comment", c->id, false}, NULL);
}

err_t comment_remove(struct db *db, const struct comment *c)
{
    TRY(reference_sync(db, &(struct reference_source){c->company_id, c->issue_id, "comment", c->id, false}, NULL));
    return db_exec_one(db, "DELETE FROM issue_comments WHERE id = $1", P(V_ID(c->id)));
}

void comment_write(struct jw *w, const struct comment *c)
{
    jw_obj(w);
    entity_write(w, &ENTITY_comment, c, VIEW_FULL);
    jw_obj_end(w);
}

const char *comment_text(struct arena *a, const struct comment *c)
{
    struct buf b = {0};
    struct jw w;
    jw_init(&w, &b);
    comment_write(&w, c);
    return buf_finish(&b, a);
}

const char *snippet(struct arena *a, const char *s, size_t max)
{
    size_t n = strlen(s);
    if (n <= max) return s;
    for (n = max; n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80;) n--;
    return arena_strndup(a, s, n);
}
