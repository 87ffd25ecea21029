/* activity: rows and live events, written together. */
#include "model/activity.h"

#include "base/id.h"
#include "rules/redact.h"

#include <inttypes.h>
#include <string.h>

#define DETAILS_BYTES_MAX 65536

err_t live_event(struct db *db, const char *company_id, const char *type, const char *payload)
{
    struct db_event e = {.company_id = company_id, .type = type, .payload = payload, .created_at = clock_now()};
    TRY(db_insert_id(db, &e.id,
                     "INSERT INTO live_events (company_id, type, payload, created_at) VALUES ($1, $2, $3, $4)",
                     P(V_ID(company_id), V_TEXT(type), V_JSON(payload), V_TIME(e.created_at))));
    db_event(db, &e);
    return OK;
}

err_t live_event_last_id(struct db *db, const char *company_id, int64_t *id)
{
    return db_int(db, id, 0, "SELECT max(id) FROM live_events WHERE company_id = $1", P(V_ID(company_id)));
}

static const char *payload_text(struct arena *a, const struct activity *row, const struct activity_entry *e)
{
    struct buf b = {0};
    struct jw w;
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kstr(&w, "activityId", row->id);
    jw_kstr(&w, "actorType", row->actor_type);
    jw_kstr(&w, "actorId", row->actor_id);
    jw_kstr(&w, "action", row->action);
    jw_kstr(&w, "entityType", row->entity_type);
    jw_kstr(&w, "entityId", row->entity_id);
    jw_kstr(&w, "agentId", row->agent_id);
    jw_kstr(&w, "runId", row->run_id);
    jw_kstr(&w, "responsibleUserId", row->responsible_user_id);
    jw_kraw(&w, "details", row->details);
    jw_ktime(&w, "createdAt", row->created_at);
    if (e->entity) jw_kraw(&w, "entity", e->entity);
    if (e->comment) jw_kraw(&w, "comment", e->comment);
    jw_obj_end(&w);
    return buf_finish(&b, a);
}

/* GV-91, the parts known here: override, acting user, the actor's responsible user, the company's default. */
static err_t responsible(struct db *db, const struct actor *actor, const struct activity_entry *e, const char **out)
{
    *out = e->responsible_user_id;
    if (*out == NULL && actor->type == ACTOR_BOARD) *out = actor->user_id;
    if (*out == NULL) *out = actor->responsible_user_id;
    if (*out) return OK;
    return db_text(db, out, "SELECT default_responsible_user_id FROM companies WHERE id = $1", P(V_ID(e->company_id)));
}

err_t activity_log(struct db *db, const struct actor *actor, const struct activity_entry *e)
{
    struct arena *a = db_arena(db);
    struct activity row;
    entity_init(&ENTITY_activity, &row);
    row.id = id_new(a);
    row.company_id = e->company_id;
    row.actor_type = actor_kind(actor);
    row.actor_id = actor_id(actor);
    row.action = e->action;
    row.entity_type = e->entity_type;
    row.entity_id = e->entity_id;
    row.agent_id = e->agent_id ? e->agent_id : actor->agent_id;
    row.run_id = e->run_id ? e->run_id : (id_valid(actor->run_id) ? actor->run_id : NULL);
    TRY(responsible(db, actor, e, &row.responsible_user_id));
    row.details = e->details ? json_text(a, redact_json(a, e->details)) : NULL;
    if (row.details && strlen(row.details) > DETAILS_BYTES_MAX)
        row.details = arena_printf(a, "{\"_truncated\":true,\"bytes\":%zu}", strlen(row.details));
    row.created_at = clock_now();
    TRY(entity_insert(db, &ENTITY_activity, &row));
    if (e->written) *e->written = row;
    return live_event(db, e->company_id, "activity.logged", payload_text(a, &row, e));
}

err_t activity_list(struct db *db, const struct activity_filter *f, struct activity **rows, int *count)
{
    struct arena *a = db_arena(db);
    struct dbv v[8];
    int n = 0;
    struct buf tail BUF_AUTO = {0};
    buf_puts(&tail, "WHERE company_id = $1");
    v[n++] = V_ID(f->company_id);
    const struct {
        const char *value, *sql;
        struct dbv v;
    } conds[] = {
        {f->agent_id, " AND agent_id = $%d", V_ID(f->agent_id)},
        {f->entity_type, " AND entity_type = $%d", V_TEXT(f->entity_type)},
        {f->entity_id, " AND entity_id = $%d", V_TEXT(f->entity_id)},
        {f->run_id, " AND run_id = $%d", V_ID(f->run_id)},
        {f->before_id, " AND id < $%d", V_ID(f->before_id)},
    };
    for (size_t i = 0; i < sizeof conds / sizeof *conds; i++) {
        if (conds[i].value == NULL) continue;
        v[n++] = conds[i].v;
        buf_puts(&tail, arena_printf(a, "%.*s$%d", (int)(strlen(conds[i].sql) - 3), conds[i].sql, n));
    }
    buf_printf(&tail,
               " AND NOT (entity_type = 'issue' AND EXISTS (SELECT 1 FROM issues i WHERE i.hidden_at IS NOT NULL"
               " AND i.company_id = $1 AND CAST(i.id AS text) = activity_log.entity_id))"
               " ORDER BY created_at DESC, id DESC LIMIT $%d",
               n + 1);
    v[n++] = V_INT(f->limit);
    return entity_many(db, &ENTITY_activity, rows, count, arena_strdup(a, tail.data), v, n);
}
