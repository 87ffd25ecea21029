/* companies: routes of the tenant (GV §1). */
#include "api/app.h"
#include "api/handlers.h"
#include "api/schemas.h"
#include "base/id.h"
#include "base/settings.h"
#include "model/activity.h"
#include "model/company.h"

#include <string.h>

#define FEEDBACK_TERMS "feedback-data-sharing-v1" /* of a consent that names no version (GV-10) */

static const char *const statuses[] = {"active", "paused", "archived", NULL};

static const struct prop create_props[] = {
    {"name", PROP_STRING, REQUIRED, .min = 1},
    {"description", PROP_STRING, NULLABLE},
    {"budgetMonthlyCents", PROP_INT, 0, .bounded = true},
    {"attachmentMaxBytes", PROP_INT, 0, .min = 1, .max = 1073741824},
    {"defaultResponsibleUserId", PROP_STRING, NULLABLE, .min = 1},
};
SCHEMA(COMPANY_CREATE, create_props);

/* Who may answer which kind of interaction (GV-10). */
static const char *const resolver_policies[] = {"anyone",          "not_creator", "human_only",
                                                "board_or_agents", "board_only",  NULL};
static const struct prop governance_rule_props[] = {
    {"defaultPolicy", PROP_ENUM, .options = resolver_policies},
    {"cap", PROP_ENUM, .options = resolver_policies},
};
static SCHEMA_WITH(GOVERNANCE_RULE, governance_rule_props, .strict = true);
static const struct prop governance_props[] = {
    {"suggest_tasks", PROP_OBJECT, .object = &GOVERNANCE_RULE},
    {"ask_user_questions", PROP_OBJECT, .object = &GOVERNANCE_RULE},
    {"request_confirmation", PROP_OBJECT, .object = &GOVERNANCE_RULE},
    {"request_checkbox_confirmation", PROP_OBJECT, .object = &GOVERNANCE_RULE},
    {"request_item_verdicts", PROP_OBJECT, .object = &GOVERNANCE_RULE},
};
static SCHEMA_WITH(RESOLVER_GOVERNANCE, governance_props, .strict = true);

static const struct prop patch_props[] = {
    {"name", PROP_STRING, 0, .min = 1},
    {"description", PROP_STRING, NULLABLE},
    {"status", PROP_ENUM, 0, .options = statuses},
    {"budgetMonthlyCents", PROP_INT, 0, .bounded = true},
    {"spentMonthlyCents", PROP_INT, READ_ONLY, .bounded = true}, /* accepted, has no effect (GV-16) */
    {"attachmentMaxBytes", PROP_INT, 0, .min = 1, .max = 1073741824},
    {"defaultResponsibleUserId", PROP_STRING, NULLABLE, .min = 1},
    {"requireBoardApprovalForNewAgents", PROP_BOOL},
    {"interactionResolverGovernance", PROP_OBJECT, .object = &RESOLVER_GOVERNANCE},
    {"feedbackDataSharingEnabled", PROP_BOOL},
    {"feedbackDataSharingConsentAt", PROP_TIME, NULLABLE},
    {"feedbackDataSharingConsentByUserId", PROP_STRING, NULLABLE},
    {"feedbackDataSharingTermsVersion", PROP_STRING, NULLABLE},
    {"brandColor", PROP_STRING, NULLABLE},
    {"logoAssetId", PROP_UUID, NULLABLE},
};

static void refine_color(const json_t *body, json_t *problems)
{
    const char *c = json_str(body, "brandColor");
    if (c == NULL) return;
    if (*c == '#' && strlen(c) == 7 && strspn(c + 1, "0123456789abcdefABCDEF") == 6) return;
    json_array_append_new(problems, json_pack("{s:s, s:s, s:s, s:[s]}", "validation", "regex", "code", "invalid_string",
                                              "message", "Invalid", "path", "brandColor"));
}
SCHEMA_WITH(COMPANY_PATCH, patch_props, .refine = refine_color);

static const struct prop branding_props[] = {
    {"name", PROP_STRING, 0, .min = 1},
    {"description", PROP_STRING, NULLABLE},
    {"brandColor", PROP_STRING, NULLABLE},
    {"logoAssetId", PROP_UUID, NULLABLE},
};

static void refine_branding(const json_t *body, json_t *problems)
{
    refine_color(body, problems);
    if (json_object_size(body) == 0) schema_custom(problems, "", "At least one branding field must be provided");
}
SCHEMA_WITH(COMPANY_BRANDING, branding_props, .strict = true, .refine = refine_branding);

static const char *const writable[] = {
    "name",
    "description",
    "status",
    "budgetMonthlyCents",
    "attachmentMaxBytes",
    "defaultResponsibleUserId",
    "requireBoardApprovalForNewAgents",
    "interactionResolverGovernance",
    "feedbackDataSharingEnabled",
    "feedbackDataSharingConsentAt",
    "feedbackDataSharingConsentByUserId",
    "feedbackDataSharingTermsVersion",
    "brandColor",
    NULL,
};
static const char *const creatable[] = {
    "name", "description", "budgetMonthlyCents", "attachmentMaxBytes", "defaultResponsibleUserId", NULL,
};

static void answer(struct req *r, const struct company *c)
{
    jw_obj(&r->w);
    company_write(&r->w, c);
    jw_obj_end(&r->w);
}

err_t companies_list(struct req *r)
{
    struct company *rows;
    int n;
    TRY(company_list(r->db, &rows, &n));
    jw_arr(&r->w);
    for (int i = 0; i < n; i++) answer(r, &rows[i]);
    jw_arr_end(&r->w);
    return OK;
}

err_t companies_stats(struct req *r)
{
    jw_obj(&r->w);
    TRY(company_stats(r->db, &r->w));
    jw_obj_end(&r->w);
    return OK;
}

err_t missing_company(struct req *r)
{
    return err_new(r->arena, ERR_BAD_REQUEST, "Missing companyId in path. Use /api/companies/{companyId}/issues.");
}

err_t company_create_route(struct req *r)
{
    struct company c;
    entity_init(&ENTITY_company, &c);
    body_apply(r, &ENTITY_company, &c, creatable);
    TRY(company_create(r->db, &r->actor, &c));
    answer(r, &c);
    return OK;
}

err_t company_show(struct req *r)
{
    TRY(company_fill_spent(r->db, &r->company));
    answer(r, &r->company);
    return OK;
}

static err_t check_logo(struct req *r)
{
    const char *logo = json_str(r->body, "logoAssetId");
    return logo ? not_found(r, "Logo asset") : OK; /* there are no assets to name yet */
}

static bool is_ceo(const struct req *r) { return is_agent(r) && strcmp(r->self.role, "ceo") == 0; }

static err_t update(struct req *r, const char *action)
{
    struct company after = r->company;
    TRY(check_logo(r));
    body_apply(r, &ENTITY_company, &after, writable);
    if (after.feedback_data_sharing_enabled && !r->company.feedback_data_sharing_enabled) {
        after.feedback_data_sharing_consent_at = clock_now();
        after.feedback_data_sharing_consent_by_user_id = r->actor.user_id;
        if (after.feedback_data_sharing_terms_version == NULL)
            after.feedback_data_sharing_terms_version = FEEDBACK_TERMS;
    }
    if (action) {
        after.updated_at = clock_now();
        TRY(entity_update(r->db, &ENTITY_company, &r->company, &after));
        TRY(activity_log(r->db, &r->actor,
                         &(struct activity_entry){.company_id = after.id,
                                                  .action = action,
                                                  .entity_type = "company",
                                                  .entity_id = after.id,
                                                  .details = r->body}));
    } else {
        TRY(company_update(r->db, &r->actor, &r->company, &after, r->body));
    }
    bool found;
    TRY(company_get(r->db, after.id, &after, &found));
    TRY(company_fill_spent(r->db, &after));
    answer(r, &after);
    return OK;
}

err_t company_patch(struct req *r)
{
    const char *ignored;
    if (is_agent(r) && !is_ceo(r)) return forbidden(r, "Only CEO agents can manage company settings");
    if (is_agent(r))
        TRY(schema_check(r->arena, &COMPANY_BRANDING, r->body, &ignored)); /* GV-16: agents, branding only */
    return update(r, NULL);
}

err_t company_branding(struct req *r)
{
    if (is_agent(r) && !is_ceo(r)) return forbidden(r, "Only CEO agents can manage company settings");
    return update(r, "company.branding_updated");
}

err_t company_archive_route(struct req *r)
{
    TRY(company_archive(r->db, &r->actor, &r->company));
    TRY(company_fill_spent(r->db, &r->company));
    answer(r, &r->company);
    return OK;
}

err_t company_remove(struct req *r)
{
    if (!settings.company_deletion) return forbidden(r, "Company deletion is disabled on this server");
    TRY(company_delete(r->db, &r->company));
    jw_obj(&r->w);
    jw_kbool(&r->w, "ok", true);
    jw_obj_end(&r->w);
    return OK;
}
