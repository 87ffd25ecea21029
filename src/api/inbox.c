/* inbox: what a person has read, put away, dismissed and ordered (IS §19, GV-102, GV-104). */
#include "model/inbox_state.h"

#include "api/handlers.h"
#include "api/schemas.h"
#include "base/id.h"
#include "base/text.h"

#include <string.h>

static const struct prop archive_props[] = {{"userId", PROP_STRING, .min = 1}};
SCHEMA_WITH(INBOX_ARCHIVE, archive_props, .strict = true);

static const char *const dismissal_kinds[] = {"dismiss", "snooze", NULL};

/* itemKey: ^(approval|join|run|attention):.+$ */
static bool item_key_valid(const char *key)
{
    static const char *const kinds[] = {"approval:", "join:", "run:", "attention:"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strncmp(key, kinds[i], strlen(kinds[i])) == 0) return key[strlen(kinds[i])] != 0;
    return false;
}

static void refine_dismissal(const json_t *body, json_t *problems)
{
    const char *key = json_str(body, "itemKey"), *until = json_str(body, "snoozedUntil");
    bool snooze = text_is(json_str(body, "kind"), "snooze");
    instant_t t;
    if (key && !item_key_valid(key))
        json_array_append_new(problems,
                              json_pack("{s:s, s:s, s:s, s:[s]}", "validation", "regex", "code", "invalid_string",
                                        "message", "Unsupported inbox item key", "path", "itemKey"));
    if (snooze && (until == NULL || !instant_parse(until, &t) || t <= clock_now()))
        schema_custom(problems, "snoozedUntil", "snoozedUntil must be a future time when kind is snooze");
    if (!snooze && until) schema_custom(problems, "snoozedUntil", "snoozedUntil is only allowed when kind is snooze");
}
static const struct prop dismissal_props[] = {
    {"itemKey", PROP_STRING, REQUIRED, .min = 1, .max = 512},
    {"kind", PROP_ENUM, .options = dismissal_kinds},
    {"snoozedUntil", PROP_TIME, NULLABLE},
};
SCHEMA_WITH(INBOX_DISMISSAL, dismissal_props, .refine = refine_dismissal);

static const struct prop ordered_item = {"", PROP_UUID};
static const struct prop order_props[] = {{"orderedIds", PROP_ARRAY, REQUIRED, .max = 1000, .items = &ordered_item}};
SCHEMA(SIDEBAR_ORDER, order_props);

static void write_one(struct req *r, const struct entity *e, const void *row)
{
    jw_obj(&r->w);
    entity_write(&r->w, e, row, VIEW_FULL);
    jw_obj_end(&r->w);
}

/* ---- one issue ---- */

err_t issue_read_mark(struct req *r)
{
    struct read_state row;
    TRY(read_mark(r->db, &r->actor, &r->issue, r->actor.user_id, &row));
    write_one(r, &ENTITY_read_state, &row);
    return OK;
}

err_t issue_read_unmark(struct req *r)
{
    bool removed;
    TRY(read_unmark(r->db, &r->actor, &r->issue, r->actor.user_id, &removed));
    jw_obj(&r->w);
    jw_kstr(&r->w, "id", r->issue.id);
    jw_kbool(&r->w, "removed", removed);
    jw_obj_end(&r->w);
    return OK;
}

static err_t denied(struct req *r, const char *code, const char *text)
{
    return err_with(r->arena, ERR_FORBIDDEN, code, NULL, "%s", text);
}

/* Whose inbox: people have their own, agents act for the person they answer to (IS-130). */
static err_t archive_target(struct req *r, struct archive_target *out)
{
    const char *asked = json_str(r->body, "userId"),
               *own = is_agent(r) ? r->actor.responsible_user_id : r->actor.user_id;
    *out = (struct archive_target){.user = own, .resolved_from = is_agent(r) ? "responsible_user" : "actor"};
    if (own == NULL)
        return denied(r, "inbox_target_user_unresolved", "Nobody is responsible for this agent's inbox work");
    if (asked == NULL || text_is(asked, own)) return OK;
    return denied(r, "inbox_cross_user_grant_required", "Managing another person's inbox needs a grant");
}

err_t issue_inbox_archive(struct req *r)
{
    struct archive_target target;
    struct inbox_archive row;
    TRY(archive_target(r, &target));
    TRY(inbox_archive(r->db, &r->actor, &r->issue, &target, &row));
    write_one(r, &ENTITY_inbox_archive, &row);
    return OK;
}

err_t issue_inbox_unarchive(struct req *r)
{
    struct archive_target target;
    struct inbox_archive row;
    bool removed;
    TRY(archive_target(r, &target));
    TRY(inbox_unarchive(r->db, &r->actor, &r->issue, &target, &row, &removed));
    if (removed) {
        write_one(r, &ENTITY_inbox_archive, &row);
        return OK;
    }
    jw_obj(&r->w);
    jw_kbool(&r->w, "ok", true);
    jw_kstr(&r->w, "userId", target.user);
    jw_obj_end(&r->w);
    return OK;
}

/* ---- dismissals ---- */

err_t inbox_dismissals_list(struct req *r)
{
    struct inbox_dismissal *rows;
    int n;
    TRY(dismissal_list(r->db, r->company.id, r->actor.user_id, &rows, &n));
    jw_arr(&r->w);
    for (int i = 0; i < n; i++) write_one(r, &ENTITY_inbox_dismissal, &rows[i]);
    jw_arr_end(&r->w);
    return OK;
}

err_t inbox_dismissal_create(struct req *r)
{
    struct inbox_dismissal row;
    instant_t until = INSTANT_NONE;
    const char *text = json_str(r->body, "snoozedUntil");
    if (text) instant_parse(text, &until);
    TRY(dismissal_put(r->db, &r->actor, r->company.id, json_str(r->body, "itemKey"), until, &row));
    write_one(r, &ENTITY_inbox_dismissal, &row);
    return OK;
}

err_t inbox_dismissal_remove(struct req *r) { return dismissal_remove(r->db, &r->actor, r->company.id, r->params[1]); }

/* ---- sidebar ---- */

static err_t answer_order(struct req *r)
{
    const char *ids;
    instant_t at;
    TRY(sidebar_order_get(r->db, r->actor.user_id, r->company_id, &ids, &at));
    jw_obj(&r->w);
    jw_kraw(&r->w, "orderedIds", ids);
    jw_ktime(&r->w, "updatedAt", at);
    jw_obj_end(&r->w);
    return OK;
}

err_t sidebar_order(struct req *r) { return answer_order(r); }

/* The same id twice counts once, where it stands first. */
static json_t *distinct(const json_t *ids)
{
    json_t *out = json_array(), *seen = json_object(), *v;
    size_t i;
    json_array_foreach (ids, i, v) {
        if (json_object_get(seen, json_string_value(v))) continue;
        json_object_set_new(seen, json_string_value(v), json_true());
        json_array_append(out, v);
    }
    return out;
}

err_t sidebar_order_write(struct req *r)
{
    TRY(sidebar_order_put(r->db, &r->actor, r->company_id, distinct(json_object_get(r->body, "orderedIds"))));
    return answer_order(r);
}
