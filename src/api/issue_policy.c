/* issue_policy: executionPolicy in the bodies of issues (IS-94, IS-98). */
#include "api/issue_policy.h"

#include "api/schemas.h"
#include "base/id.h"
#include "base/text.h"
#include "model/stages.h"

static const char *const modes[] = {"normal", "auto", NULL};
static const char *const stage_types[] = {"review", "approval", NULL};
static const char *const participant_types[] = {"agent", "user", NULL};

static void refine_participant(const json_t *body, json_t *problems)
{
    bool agent = text_is(json_str(body, "type"), "agent"), user = text_is(json_str(body, "type"), "user");
    if (agent && !id_valid(json_str(body, "agentId")))
        schema_custom(problems, "executionPolicy.stages", "Agent participants require agentId");
    if (user && json_str(body, "userId") == NULL)
        schema_custom(problems, "executionPolicy.stages", "User participants require userId");
}

static const struct prop participant_props[] = {
    {"id", PROP_UUID},
    {"type", PROP_ENUM, REQUIRED, .options = participant_types},
    {"agentId", PROP_UUID, NULLABLE},
    {"userId", PROP_STRING, NULLABLE, .min = 1},
};
static SCHEMA_WITH(STAGE_PARTICIPANT, participant_props, .refine = refine_participant);
static const struct prop participant_item = {"", PROP_OBJECT, .object = &STAGE_PARTICIPANT};

static const struct prop stage_props[] = {
    {"id", PROP_UUID},
    {"type", PROP_ENUM, REQUIRED, .options = stage_types},
    {"approvalsNeeded", PROP_INT, 0, .min = 1, .max = 1, .bounded = true},
    {"participants", PROP_ARRAY, 0, .max = 50, .items = &participant_item},
};
static SCHEMA(EXECUTION_STAGE, stage_props);
static const struct prop stage_item = {"", PROP_OBJECT, .object = &EXECUTION_STAGE};

static const struct prop policy_props[] = {
    {"mode", PROP_ENUM, 0, .options = modes},
    {"commentRequired", PROP_BOOL},
    {"stages", PROP_ARRAY, 0, .max = 50, .items = &stage_item},
    {"monitor", PROP_OBJECT, NULLABLE, .object = &ISSUE_MONITOR},
    {"reviewPreset", PROP_ANY},
    {"authorizationPolicy", PROP_ANY},
    {"maxReviewRounds", PROP_INT, NULLABLE, .min = 1, .max = 50, .bounded = true},
};
SCHEMA(EXECUTION_POLICY, policy_props);

err_t body_policy(struct req *r, struct issue *row, bool *sent)
{
    const json_t *given = json_object_get(r->body, "executionPolicy");
    json_t *policy;
    *sent = given != NULL;
    if (given == NULL) return OK;
    TRY(stages_policy(r->db, r->company_id, given, &policy));
    if (policy && json_equal(policy, json_read(row->execution_policy))) return OK; /* as it is, to the letter */
    row->execution_policy = policy ? json_text(r->arena, policy) : NULL;
    return OK;
}
