/* work_products: what an issue's work produced (IS-113). */
#include "model/work_product.h"

#include "api/handlers.h"
#include "api/issue_guard.h"
#include "api/schemas.h"
#include "base/text.h"

static const char *const types[] = {"preview_url", "runtime_service", "pull_request", "branch", "commit", "artifact", "document", NULL};
static const char *const statuses[] = {"active", "ready_for_review", "approved", "changes_requested", "merged",
                                       "closed", "failed",           "archived", "draft",             NULL};
static const char *const reviews[] = {"none", "needs_board_review", "approved", "changes_requested", NULL};
static const char *const healths[] = {"unknown", "healthy", "unhealthy", NULL};

/* clang-format off */
#define PRODUCT_PROPS                                                                                       \
    {"externalId", PROP_STRING, NULLABLE}, {"url", PROP_STRING, NULLABLE, .min = 1},                        \
    {"status", PROP_ENUM, 0, .options = statuses}, {"reviewState", PROP_ENUM, 0, .options = reviews},       \
    {"isPrimary", PROP_BOOL}, {"healthStatus", PROP_ENUM, 0, .options = healths},                           \
    {"summary", PROP_TEXT, NULLABLE}, {"metadata", PROP_OBJECT, NULLABLE}, {"projectId", PROP_UUID, NULLABLE}, \
    {"executionWorkspaceId", PROP_UUID, NULLABLE}, {"runtimeServiceId", PROP_UUID, NULLABLE},               \
    {"createdByRunId", PROP_UUID, NULLABLE}
/* clang-format on */

static void refine_url(const json_t *body, json_t *problems)
{
    const char *url = json_str(body, "url"), *colon = url ? strstr(url, "://") : NULL;
    if (url == NULL || (colon && colon > url && colon[3])) return;
    json_array_append_new(problems, json_pack("{s:s, s:s, s:s, s:[s]}", "validation", "url", "code", "invalid_string",
                                              "message", "Invalid url", "path", "url"));
}

static const struct prop create_props[] = {
    {"type", PROP_ENUM, REQUIRED, .options = types},
    {"provider", PROP_STRING, REQUIRED, .min = 1},
    {"title", PROP_STRING, REQUIRED, .min = 1},
    PRODUCT_PROPS,
};
SCHEMA_WITH(WORK_PRODUCT_CREATE, create_props, .refine = refine_url);
static const struct prop patch_props[] = {
    {"type", PROP_ENUM, 0, .options = types},
    {"provider", PROP_STRING, 0, .min = 1},
    {"title", PROP_STRING, 0, .min = 1},
    PRODUCT_PROPS,
};
SCHEMA_WITH(WORK_PRODUCT_PATCH, patch_props, .refine = refine_url);

static const char *const applied[] = {"type",       "provider",     "title",   "externalId", "url",       "status",
                                      "reviewState", "isPrimary",   "healthStatus", "summary", "metadata", "projectId",
                                      "executionWorkspaceId", "runtimeServiceId", "createdByRunId", NULL};

err_t work_products_list(struct req *r)
{
    struct work_product *rows;
    int n;
    TRY(work_product_list(r->db, r->issue.id, &rows, &n));
    jw_arr(&r->w);
    for (int i = 0; i < n; i++) work_product_write(&r->w, &rows[i]);
    jw_arr_end(&r->w);
    return OK;
}

/* An agent's product is its run's. */
static err_t check_run(struct req *r, struct work_product *p)
{
    if (!is_agent(r)) return OK;
    if (has(r, "createdByRunId") && p->created_by_run_id && !text_is(p->created_by_run_id, r->actor.run_id))
        return forbidden(r, "createdByRunId must be the run of this request");
    return OK;
}

/* An artifact kept here is an attachment of the issue; there are none yet. */
static err_t check_artifact(struct req *r, const struct work_product *p)
{
    if (!text_is(p->type, "artifact") || !text_is(p->provider, "paperclip")) return OK;
    return err_with(r->arena, ERR_UNPROCESSABLE, "invalid_attachment_artifact_metadata",
                    "{\"code\":\"invalid_attachment_artifact_metadata\"}",
                    "metadata.attachmentId must name an attachment of this issue");
}

err_t work_product_create_route(struct req *r)
{
    const char *reason;
    struct work_product p;
    TRY(issue_may_write(r, ACCESS_MUTATE, &reason));
    entity_init(&ENTITY_work_product, &p);
    p.status = "active";
    p.review_state = "none";
    p.health_status = "unknown";
    body_apply(r, &ENTITY_work_product, &p, applied);
    TRY(check_run(r, &p));
    if (is_agent(r)) p.created_by_run_id = r->actor.run_id;
    TRY(check_artifact(r, &p));
    TRY(work_product_create(r->db, &r->actor, &r->issue, &p));
    work_product_write(&r->w, &p);
    return OK;
}

err_t work_product_patch_route(struct req *r)
{
    const char *reason, *key;
    json_t *v, *changed = json_array();
    struct work_product after = r->work_product;
    TRY(issue_may_write(r, ACCESS_MUTATE, &reason));
    body_apply(r, &ENTITY_work_product, &after, applied);
    TRY(check_run(r, &after));
    if (has(r, "metadata") || has(r, "type") || has(r, "provider")) TRY(check_artifact(r, &after));
    json_object_foreach (r->body, key, v)
        if (entity_field(&ENTITY_work_product, key)) json_array_append_new(changed, json_string(key));
    TRY(work_product_update(r->db, &r->actor, &r->issue, &r->work_product, &after, changed));
    work_product_write(&r->w, &after);
    return OK;
}

err_t work_product_remove(struct req *r)
{
    const char *reason;
    TRY(issue_may_write(r, ACCESS_MUTATE, &reason));
    TRY(work_product_delete(r->db, &r->actor, &r->issue, &r->work_product));
    work_product_write(&r->w, &r->work_product);
    return OK;
}
