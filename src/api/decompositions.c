/* decompositions: an accepted plan becomes children (IS-123). */
#include "model/decomposition.h"

#include "api/handlers.h"
#include "api/issue_child.h"
#include "api/issue_guard.h"
#include "api/schemas.h"

#define CHILDREN_MAX 25

static const struct prop child_item = {"", PROP_OBJECT, .object = &ISSUE_CHILD};
static const struct prop decompose_props[] = {
    {"acceptedPlanRevisionId", PROP_UUID, REQUIRED},
    {"children", PROP_ARRAY, REQUIRED, .min = 1, .max = CHILDREN_MAX, .items = &child_item},
};
SCHEMA(PLAN_DECOMPOSITION, decompose_props);

err_t decompositions_list(struct req *r) { return decomposition_list_write(r->db, &r->w, r->issue.id); }

/* Every one is wanted, even two of one title. */
static err_t make_children(struct req *r, const json_t *children, json_t *ids)
{
    json_t *whole = r->body, *child;
    size_t i;
    json_array_foreach (children, i, child) {
        struct issue_created done;
        r->body = json_copy(child);
        json_object_set_new(r->body, "allowDuplicate", json_true());
        TRY(issue_child_make(r, &done));
        json_array_append_new(ids, json_string(done.row.id));
    }
    r->body = whole;
    return OK;
}

err_t decomposition_create_route(struct req *r)
{
    const char *reason;
    struct decomposition d;
    bool known;
    json_t *ids = json_array();
    TRY(issue_may_write(r, ACCESS_MUTATE, &reason));
    TRY(decomposition_claim(r->db, &r->actor, &r->issue, r->body, &d, &known));
    if (!known) TRY(make_children(r, json_object_get(r->body, "children"), ids));
    if (!known) TRY(decomposition_complete(r->db, &r->actor, &r->issue, &d, ids));
    jw_obj(&r->w);
    jw_key(&r->w, "decomposition");
    decomposition_write(&r->w, &d);
    jw_kraw(&r->w, "childIssueIds", d.child_issue_ids);
    jw_key(&r->w, "newlyCreatedChildIssueIds");
    jw_json(&r->w, ids);
    jw_obj_end(&r->w);
    return OK;
}
