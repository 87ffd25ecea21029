/* tree_control: the board's hold on an issue and all below it (IS-126…128). */
#include "api/handlers.h"
#include "api/schemas.h"
#include "base/id.h"
#include "base/text.h"
#include "model/hold.h"
#include "model/hold_tree.h"

static const char *const strategies[] = {"manual", "after_active_runs_finish", NULL};
static const char *const modes[] = {"pause", "resume", "cancel", "restore", NULL};

static const struct prop policy_props[] = {
    {"strategy", PROP_ENUM, REQUIRED, .options = strategies},
    {"note", PROP_TEXT, NULLABLE, .max = 500},
};
static SCHEMA_WITH(TREE_RELEASE_POLICY, policy_props, .strict = true);

static const struct prop preview_props[] = {
    {"mode", PROP_ENUM, REQUIRED, .options = modes},
    {"releasePolicy", PROP_OBJECT, NULLABLE, .object = &TREE_RELEASE_POLICY},
};
SCHEMA_WITH(TREE_PREVIEW, preview_props, .strict = true);

static const struct prop create_props[] = {
    {"mode", PROP_ENUM, REQUIRED, .options = modes},
    {"reason", PROP_TEXT, NULLABLE, .max = 1000},
    {"releasePolicy", PROP_OBJECT, NULLABLE, .object = &TREE_RELEASE_POLICY},
    {"metadata", PROP_OBJECT, NULLABLE},
};
SCHEMA(TREE_HOLD_CREATE, create_props);

static const struct prop release_props[] = {
    {"reason", PROP_TEXT, NULLABLE, .max = 1000},
    {"releasePolicy", PROP_OBJECT, NULLABLE, .object = &TREE_RELEASE_POLICY},
    {"metadata", PROP_OBJECT, NULLABLE},
};
SCHEMA(TREE_HOLD_RELEASE, release_props);

static const char *object_text(struct req *r, const char *key)
{
    const json_t *v = json_object_get(r->body, key);
    return json_is_object(v) ? json_text(r->arena, v) : NULL;
}

static err_t plan_of(struct req *r, struct tree_plan *p)
{
    return tree_plan(r->db, &r->issue, tree_mode_of(json_str(r->body, "mode")), object_text(r, "releasePolicy"), p);
}

err_t tree_preview(struct req *r)
{
    struct tree_plan p;
    TRY(plan_of(r, &p));
    TRY(tree_plan_record(r->db, &r->actor, &r->issue, &p));
    tree_plan_write(r->db, &r->w, &r->issue, &p);
    return OK;
}

err_t tree_state(struct req *r)
{
    struct active_hold h;
    TRY(hold_on(r->db, r->issue.id, &h));
    jw_obj(&r->w);
    jw_key(&r->w, "activePauseHold");
    jw_json(&r->w, h.hold_id ? hold_json(&h) : NULL);
    jw_obj_end(&r->w);
    return OK;
}

err_t tree_hold_create_route(struct req *r)
{
    struct tree_plan p;
    struct hold_done done;
    TRY(plan_of(r, &p));
    const json_t *metadata = json_object_get(r->body, "metadata");
    const struct hold_request q = {.reason = json_str(r->body, "reason"),
                                   .metadata = json_is_object(metadata) ? json_deep_copy(metadata) : NULL};
    TRY(hold_create(r->db, &r->actor, &r->issue, &p, &q, &done));
    if (!tree_mode_stays(p.mode)) r->status = 200;
    jw_obj(&r->w);
    jw_key(&r->w, "hold");
    TRY(hold_write(r->db, &r->w, &done.hold));
    jw_key(&r->w, "preview");
    tree_plan_write(r->db, &r->w, &r->issue, &p);
    if (done.resumed) {
        jw_key(&r->w, "resumedPauseHoldIds");
        jw_json(&r->w, done.resumed);
    }
    jw_obj_end(&r->w);
    return OK;
}

err_t tree_holds_list(struct req *r)
{
    const struct hold_filter f = {
        .status = query(r, "status"), .mode = query(r, "mode"), .members = query_bool(r, "includeMembers")};
    return holds_write(r->db, &r->w, r->issue.id, &f);
}

static err_t named_hold(struct req *r, struct tree_hold *out)
{
    bool found;
    if (!id_valid(r->params[1])) return err_new(r->arena, ERR_BAD_REQUEST, "Invalid hold ID");
    TRY(hold_get(r->db, r->issue.id, r->params[1], out, &found));
    return found ? OK : not_found(r, "Issue tree hold");
}

err_t tree_hold_show(struct req *r)
{
    struct tree_hold hold;
    TRY(named_hold(r, &hold));
    return hold_write(r->db, &r->w, &hold);
}

err_t tree_hold_release_route(struct req *r)
{
    struct tree_hold hold;
    const struct hold_release_request q = {.reason = json_str(r->body, "reason"),
                                           .release_policy = object_text(r, "releasePolicy"),
                                           .metadata = object_text(r, "metadata")};
    TRY(named_hold(r, &hold));
    TRY(hold_release(r->db, &r->actor, &r->issue, &hold, &q));
    return hold_write(r->db, &r->w, &hold);
}
