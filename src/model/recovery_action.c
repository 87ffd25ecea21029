/* recovery_action: rows. */
#include "model/recovery_action.h"

#include "base/id.h"
#include "base/settings.h"
#include "base/text.h"
#include "model/activity.h"
#include "model/in_list.h"
#include "rules/recovery.h"

#define RELATED_MAX 20

const struct actor recovery_actor = {.type = ACTOR_SYSTEM, .source = "recovery"};

/* ---- reading ---- */

err_t recovery_action_get(struct db *db, const char *id, struct recovery_action *out, bool *found)
{
    *found = false;
    if (!id_valid(id)) return OK;
    return entity_one(db, &ENTITY_recovery_action, out, found, "WHERE id = $1", P(V_ID(id)));
}

err_t recovery_action_open(struct db *db, const char *issue_id, struct recovery_action *out, bool *found)
{
    return entity_one(db, &ENTITY_recovery_action, out, found, "WHERE source_issue_id = $1 AND " RECOVERY_OPEN,
                      P(V_ID(issue_id)));
}

err_t recovery_set_load(struct db *db, const char *const *issue_ids, int count, struct recovery_set *out)
{
    struct arena *a = db_arena(db);
    *out = (struct recovery_set){0};
    if (count == 0) return OK;
    struct in_list in = in_list_make(a, NULL, 0, issue_ids, count);
    return entity_many(db, &ENTITY_recovery_action, &out->items, &out->count,
                       arena_printf(a, "WHERE source_issue_id IN %s AND " RECOVERY_OPEN, in.sql), in.v, in.n);
}

err_t recovery_set_around(struct db *db, const char *issue_id, struct recovery_set *out)
{
    return entity_many(db, &ENTITY_recovery_action, &out->items, &out->count,
                       "WHERE source_issue_id IN (SELECT issue_id FROM issue_relations WHERE related_issue_id = $1"
                       " UNION SELECT related_issue_id FROM issue_relations WHERE issue_id = $1) AND " RECOVERY_OPEN,
                       P(V_ID(issue_id)));
}

const struct recovery_action *recovery_set_find(const struct recovery_set *s, const char *issue_id)
{
    for (int i = 0; i < s->count; i++)
        if (text_is(s->items[i].source_issue_id, issue_id)) return &s->items[i];
    return NULL;
}

void recovery_action_write(struct jw *w, const struct recovery_action *a)
{
    jw_obj(w);
    entity_write(w, &ENTITY_recovery_action, a, VIEW_FULL);
    jw_obj_end(w);
}

void recovery_set_write(struct jw *w, const struct recovery_set *s, const char *issue_id)
{
    const struct recovery_action *a = recovery_set_find(s, issue_id);
    jw_key(w, "activeRecoveryAction");
    if (a) recovery_action_write(w, a);
    else jw_null(w);
}

/* ---- records ---- */

static void set_text(json_t *o, const char *key, const char *v)
{
    json_object_set_new(o, key, v ? json_string(v) : json_null());
}

err_t recovery_action_log(struct db *db, const struct actor *actor, const char *action, const struct recovery_action *a,
                          json_t *details)
{
    if (details == NULL) details = json_object();
    set_text(details, "recoveryActionId", a->id);
    set_text(details, "kind", a->kind);
    set_text(details, "cause", a->cause);
    set_text(details, "recoveryOwnerType", a->owner_type);
    set_text(details, "recoveryOwnerAgentId", a->owner_agent_id);
    json_object_set_new(details, "attemptCount", json_integer((json_int_t)a->attempt_count));
    return activity_log(db, actor,
                        &(struct activity_entry){.company_id = a->company_id,
                                                 .action = action,
                                                 .entity_type = "issue",
                                                 .entity_id = a->source_issue_id,
                                                 .details = details});
}

/* ---- upsert ---- */

const char *recovery_wake_policy(struct arena *a, const char *type, const struct recovery_owner *owner)
{
    json_t *p = json_pack("{s:s}", "type", type);
    if (text_is(type, "wake_owner")) {
        set_text(p, "reason", "source_scoped_recovery_action");
        set_text(p, "ownerAgentId", owner->agent_id);
    }
    return json_text(a, p);
}

static void assume(struct arena *a, const struct recovery_finding *f, struct recovery_action *x)
{
    bool board = text_is(f->owner.type, "board");
    x->kind = f->kind;
    x->cause = f->cause;
    x->fingerprint = f->fingerprint;
    x->next_action = f->next_action;
    x->owner_type = f->owner.type;
    x->owner_agent_id = f->owner.agent_id;
    x->owner_user_id = f->owner.user_id;
    x->wake_policy = recovery_wake_policy(a, board ? "board_escalation" : f->wake_policy, &f->owner);
    x->evidence = json_text(a, f->evidence);
    x->blocks_source |= f->blocks_source;
}

/* EX-127 BETTER: an issue that an agent flips back to work is no new incident. A person's hand, or a day, is. */
static err_t attempts_before(struct db *db, const struct recovery_finding *f, int64_t *attempts)
{
    struct recovery_action last;
    int64_t n;
    bool found;
    *attempts = 0;
    TRY(entity_one(db, &ENTITY_recovery_action, &last, &found,
                   "WHERE source_issue_id = $1 AND cause = $2 ORDER BY created_at DESC, id DESC LIMIT 1",
                   P(V_ID(f->issue->id), V_TEXT(f->cause))));
    if (!found || !recovery_fold_keeps_count(last.fold_reason) || clock_now() - last.resolved_at > DAY_MS) return OK;
    TRY(db_int(
        db, &n, 0,
        "SELECT count(*) FROM activity_log WHERE entity_type = 'issue' AND entity_id = $1 AND actor_type = 'user'"
        " AND created_at >= $2",
        P(V_TEXT(f->issue->id), V_TIME(last.created_at))));
    if (n == 0) *attempts = last.attempt_count;
    return OK;
}

static err_t insert(struct db *db, const struct recovery_finding *f, struct recovery_action *out)
{
    struct arena *a = db_arena(db);
    instant_t now = clock_now();
    int64_t before;
    TRY(attempts_before(db, f, &before));
    entity_init(&ENTITY_recovery_action, out);
    out->id = id_new(a);
    out->company_id = f->issue->company_id;
    out->source_issue_id = f->issue->id;
    out->previous_owner_agent_id = out->return_owner_agent_id = f->issue->assignee_agent_id;
    assume(a, f, out);
    out->status = "active";
    out->max_attempts = settings.recovery_attempts_max > 0 ? settings.recovery_attempts_max : 1;
    out->attempt_count = before + 1;
    if (out->attempt_count > out->max_attempts) { /* they were used up before */
        const struct recovery_owner board = {.type = "board"};
        out->attempt_count = out->max_attempts;
        out->status = "escalated";
        out->owner_type = board.type;
        out->owner_agent_id = out->owner_user_id = NULL;
        out->wake_policy = recovery_wake_policy(a, "board_escalation", &board);
    }
    out->timeout_at = now + settings.recovery_timeout_sec * SECOND_MS;
    out->last_attempt_at = out->created_at = out->updated_at = now;
    return entity_insert(db, &ENTITY_recovery_action, out);
}

/* What the action was about, or what came on top of it, is kept. */
static json_t *with_related(json_t *evidence, const char *kind, const char *cause, const char *fingerprint,
                            const json_t *about)
{
    json_t *related = json_object_get(evidence, "related"), *entry;
    size_t i;
    if (!json_is_array(related)) related = json_array();
    json_array_foreach (related, i, entry)
        if (text_is(json_str(entry, "fingerprint"), fingerprint)) {
            json_array_remove(related, i);
            break;
        }
    if (json_array_size(related) >= RELATED_MAX) json_array_remove(related, 0);
    entry =
        json_pack("{s:s, s:s, s:s, s:O}", "kind", kind, "cause", cause, "fingerprint", fingerprint, "evidence", about);
    json_object_del(json_object_get(entry, "evidence"), "related");
    json_array_append_new(related, entry);
    json_object_set(evidence, "related", related);
    return evidence;
}

static err_t append(struct db *db, const struct recovery_finding *f, struct recovery_action *x)
{
    struct recovery_action before = *x;
    json_t *evidence = json_read(x->evidence);
    if (!json_is_object(evidence)) evidence = json_object();
    x->evidence = json_text(db_arena(db), with_related(evidence, f->kind, f->cause, f->fingerprint, f->evidence));
    x->updated_at = clock_now();
    return entity_update(db, &ENTITY_recovery_action, &before, x);
}

static err_t update(struct db *db, const struct recovery_finding *f, struct recovery_action *x)
{
    struct arena *a = db_arena(db);
    struct recovery_action before = *x;
    json_t *old = json_read(x->evidence);
    bool again = text_is(x->fingerprint, f->fingerprint);
    bool left = x->attempt_count < x->max_attempts && text_is(x->status, "active");
    assume(a, f, x);
    if (!again && json_is_object(old))
        x->evidence = json_text(a, with_related(f->evidence, before.kind, before.cause, before.fingerprint, old));
    if (left) x->attempt_count++;
    else { /* its bound holds whatever is found on top */ const struct recovery_owner board = {.type = "board"};
        x->status = "escalated";
        x->owner_type = board.type;
        x->owner_agent_id = x->owner_user_id = NULL;
        x->wake_policy = recovery_wake_policy(a, "board_escalation", &board);
    }
    x->outcome = x->resolution_note = NULL;
    x->resolved_at = INSTANT_NONE;
    x->last_attempt_at = x->updated_at = clock_now();
    return entity_update(db, &ENTITY_recovery_action, &before, x);
}

err_t recovery_action_upsert(struct db *db, const struct recovery_finding *f, struct recovery_action *out,
                             enum recovery_upsert *what)
{
    bool found;
    /* one writer per company (db.h): between this look and the write nobody else writes */
    TRY(recovery_action_open(db, f->issue->id, out, &found));
    if (!found) {
        *what = RECOVERY_OPENED;
        return insert(db, f, out);
    }
    bool graver = recovery_merge(out->kind, f->kind) == MERGE_APPEND;
    *what = graver ? RECOVERY_APPENDED : RECOVERY_UPDATED;
    return graver ? append(db, f, out) : update(db, f, out);
}

/* ---- the end ---- */

err_t recovery_action_end(struct db *db, const struct actor *actor, struct recovery_action *a,
                          const struct recovery_end *e)
{
    instant_t now = clock_now();
    TRY(db_exec_one(
        db,
        "UPDATE issue_recovery_actions SET status = $2, outcome = $3, resolution_note = $4, fold_reason = $5,"
        " resolved_at = $6, updated_at = $6 WHERE id = $1 AND " RECOVERY_OPEN,
        P(V_ID(a->id), V_TEXT(e->status), V_TEXT(e->outcome), V_TEXT(e->note), V_TEXT(e->fold_reason), V_TIME(now))));
    a->status = e->status;
    a->outcome = e->outcome;
    a->resolution_note = e->note;
    a->fold_reason = e->fold_reason;
    a->resolved_at = a->updated_at = now;
    json_t *details = json_pack("{s:s, s:s, s:s, s:s?}", "source", e->source, "status", e->status, "outcome",
                                e->outcome, "resolutionNote", e->note);
    if (e->fold_reason) set_text(details, "reason", e->fold_reason);
    return recovery_action_log(db, actor, "issue.recovery_action_resolved", a, details);
}
