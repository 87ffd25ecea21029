/* interaction_bodies: what the interaction routes take (IS-114), as tables. */
#include "api/schemas.h"
#include "base/text.h"
#include "rules/interaction.h"

static const char *const continuations[] = {"none", "wake_assignee", "wake_assignee_on_accept", NULL};
static const char *const resolvers[] = {"anyone", "not_creator", "human_only", "board_or_agents", "board_only", NULL};
static const char *const priorities[] = {"critical", "high", "medium", "low", NULL};
static const char *const work_modes[] = {"standard", "ask", "planning", "skill_test", NULL};
static const char *const selections[] = {"single", "multi", NULL};
static const char *const verdict_names[] = {"approve", "reject", "defer", NULL};

static const struct prop key_item = {"", PROP_STRING, 0, .min = 1, .max = 120};
static const struct prop name_item = {"", PROP_STRING, 0, .min = 1, .max = 48};
static const struct prop verdict_item = {"", PROP_ENUM, 0, .options = verdict_names};

#define VERSION                               \
    {                                         \
        "version", PROP_LITERAL, REQUIRED, .min = 1 \
    }

/* ---- payloads ---- */

static const struct prop task_props[] = {
    {"clientKey", PROP_STRING, REQUIRED, .min = 1, .max = 120},
    {"parentClientKey", PROP_STRING, NULLABLE, .min = 1, .max = 120},
    {"parentId", PROP_UUID, NULLABLE},
    {"title", PROP_STRING, REQUIRED, .min = 1, .max = 240},
    {"description", PROP_TEXT, NULLABLE, .max = 20000},
    {"priority", PROP_ENUM, NULLABLE, .options = priorities},
    {"workMode", PROP_ENUM, NULLABLE, .options = work_modes},
    {"assigneeAgentId", PROP_UUID, NULLABLE},
    {"assigneeUserId", PROP_STRING, NULLABLE, .min = 1},
    {"projectId", PROP_UUID, NULLABLE},
    {"goalId", PROP_UUID, NULLABLE},
    {"billingCode", PROP_STRING, NULLABLE},
    {"labels", PROP_ARRAY, 0, .max = 20, .items = &name_item},
    {"hiddenInPreview", PROP_BOOL},
};
static SCHEMA(SUGGESTED_TASK, task_props);
static const struct prop task_item = {"", PROP_OBJECT, .object = &SUGGESTED_TASK};
static const struct prop tasks_props[] = {
    VERSION,
    {"defaultParentId", PROP_UUID, NULLABLE},
    {"tasks", PROP_ARRAY, REQUIRED, .min = 1, .max = 50, .items = &task_item},
};
static SCHEMA(SUGGEST_TASKS, tasks_props);

static const struct prop choice_props[] = {
    {"id", PROP_STRING, REQUIRED, .min = 1, .max = 120},
    {"label", PROP_STRING, REQUIRED, .min = 1},
    {"description", PROP_TEXT, NULLABLE},
    {"freeText", PROP_BOOL},
};
static SCHEMA(QUESTION_OPTION, choice_props);
static const struct prop choice_item = {"", PROP_OBJECT, .object = &QUESTION_OPTION};
static const struct prop question_props[] = {
    {"id", PROP_STRING, REQUIRED, .min = 1, .max = 120},
    {"prompt", PROP_STRING, REQUIRED, .min = 1, .max = 500},
    {"helpText", PROP_TEXT, NULLABLE},
    {"selectionMode", PROP_ENUM, REQUIRED, .options = selections},
    {"required", PROP_BOOL},
    {"options", PROP_ARRAY, REQUIRED, .min = 1, .max = 10, .items = &choice_item},
};
static SCHEMA(USER_QUESTION, question_props);
static const struct prop question_item = {"", PROP_OBJECT, .object = &USER_QUESTION};
static const struct prop questions_props[] = {
    VERSION,
    {"title", PROP_STRING, NULLABLE},
    {"submitLabel", PROP_STRING, NULLABLE},
    {"supersedeOnUserComment", PROP_BOOL},
    {"questions", PROP_ARRAY, REQUIRED, .min = 1, .max = 10, .items = &question_item},
};
static SCHEMA(ASK_USER_QUESTIONS, questions_props);

static const struct prop document_target_props[] = {
    {"issueId", PROP_UUID, NULLABLE},
    {"documentId", PROP_UUID, NULLABLE},
    {"key", PROP_STRING, REQUIRED, .min = 1},
    {"revisionId", PROP_UUID, REQUIRED},
    {"revisionNumber", PROP_INT, NULLABLE, .min = 1},
    {"label", PROP_STRING, NULLABLE},
    {"href", PROP_STRING, NULLABLE, .min = 1},
};
static SCHEMA(DOCUMENT_TARGET, document_target_props);
static const struct prop custom_target_props[] = {
    {"key", PROP_STRING, REQUIRED, .min = 1},
    {"revisionId", PROP_STRING, NULLABLE, .min = 1},
    {"revisionNumber", PROP_INT, NULLABLE, .min = 1},
    {"label", PROP_STRING, NULLABLE},
    {"href", PROP_STRING, NULLABLE, .min = 1},
};
static SCHEMA(CUSTOM_TARGET, custom_target_props);
static const struct variant targets[] = {{"issue_document", &DOCUMENT_TARGET}, {"custom", &CUSTOM_TARGET}};
static SCHEMA_UNION(INTERACTION_TARGET, "type", targets);
static const struct prop option_props[] = {
    {"id", PROP_STRING, REQUIRED, .min = 1, .max = 120},
    {"label", PROP_STRING, REQUIRED, .min = 1},
    {"description", PROP_TEXT, NULLABLE},
};
static SCHEMA(CHECKBOX_OPTION, option_props);
static const struct prop option_item = {"", PROP_OBJECT, .object = &CHECKBOX_OPTION};

/* clang-format off */
#define CONFIRMATION_PROPS                                                                         \
    VERSION, {"prompt", PROP_STRING, REQUIRED, .min = 1, .max = 1000},                             \
    {"acceptLabel", PROP_STRING, NULLABLE}, {"rejectLabel", PROP_STRING, NULLABLE},                \
    {"rejectRequiresReason", PROP_BOOL}, {"rejectReasonLabel", PROP_STRING, NULLABLE},             \
    {"allowDeclineReason", PROP_BOOL}, {"declineReasonPlaceholder", PROP_STRING, NULLABLE},        \
    {"detailsMarkdown", PROP_TEXT, NULLABLE}, {"supersedeOnUserComment", PROP_BOOL},               \
    {"target", PROP_OBJECT, NULLABLE, .object = &INTERACTION_TARGET}
/* clang-format on */
static const struct prop confirmation_props[] = {CONFIRMATION_PROPS};
static SCHEMA(REQUEST_CONFIRMATION, confirmation_props);
static const struct prop checkbox_props[] = {
    CONFIRMATION_PROPS,
    {"options", PROP_ARRAY, REQUIRED, .min = 1, .max = 200, .items = &option_item},
    {"defaultSelectedOptionIds", PROP_ARRAY, 0, .max = 200, .items = &key_item},
    {"minSelected", PROP_INT, 0, .bounded = true, .max = 200},
    {"maxSelected", PROP_INT, NULLABLE, .bounded = true, .max = 200},
};
static SCHEMA(REQUEST_CHECKBOX_CONFIRMATION, checkbox_props);

static const struct prop item_props[] = {
    {"id", PROP_STRING, REQUIRED, .min = 1, .max = 120},
    {"label", PROP_STRING, REQUIRED, .min = 1},
    {"description", PROP_TEXT, NULLABLE},
    {"previewMarkdown", PROP_TEXT, NULLABLE},
    {"href", PROP_STRING, NULLABLE, .min = 1},
    {"attachmentId", PROP_UUID, NULLABLE},
};
static SCHEMA(VERDICT_ITEM, item_props);
static const struct prop items_item = {"", PROP_OBJECT, .object = &VERDICT_ITEM};
static const struct prop verdicts_props[] = {
    VERSION,
    {"prompt", PROP_STRING, REQUIRED, .min = 1, .max = 1000},
    {"items", PROP_ARRAY, REQUIRED, .min = 1, .max = 200, .items = &items_item},
    {"verdicts", PROP_ARRAY, 0, .min = 1, .max = 3, .items = &verdict_item},
    {"requireReasonOn", PROP_ARRAY, 0, .max = 3, .items = &verdict_item},
    {"reasonLabel", PROP_STRING, NULLABLE},
    {"allowBulkApprove", PROP_BOOL},
    {"supersedeOnUserComment", PROP_BOOL},
    {"target", PROP_OBJECT, NULLABLE, .object = &INTERACTION_TARGET},
};
static SCHEMA(REQUEST_ITEM_VERDICTS, verdicts_props);

/* ---- creating ---- */

static const struct variant cases[] = {
    {"suggest_tasks", &SUGGEST_TASKS},
    {"ask_user_questions", &ASK_USER_QUESTIONS},
    {"request_confirmation", &REQUEST_CONFIRMATION},
    {"request_checkbox_confirmation", &REQUEST_CHECKBOX_CONFIRMATION},
    {"request_item_verdicts", &REQUEST_ITEM_VERDICTS},
};
static const struct schema_choice by_kind = {
    .tag = "kind", .member = "payload", .cases = cases, .count = INTERACTION_KINDS};
static const char *const kind_names[] = {"suggest_tasks",         "ask_user_questions",
                                         "request_confirmation",  "request_checkbox_confirmation",
                                         "request_item_verdicts", NULL};

/* What the schemas cannot say is asked only of a payload that has its shape. */
static void refine_create(const json_t *body, json_t *problems)
{
    if (json_array_size(problems) > 0) return;
    enum interaction_kind k = interaction_kind_of(json_str(body, "kind"));
    interaction_payload_check(k, interaction_payload(k, json_object_get(body, "payload")), problems);
}

static const struct prop create_props[] = {
    {"kind", PROP_ENUM, REQUIRED, .options = kind_names},
    {"idempotencyKey", PROP_STRING, NULLABLE, .min = 1, .max = 255},
    {"sourceCommentId", PROP_UUID, NULLABLE},
    {"sourceRunId", PROP_UUID, NULLABLE},
    {"title", PROP_STRING, NULLABLE, .max = 240},
    {"summary", PROP_TEXT, NULLABLE, .max = 1000},
    {"continuationPolicy", PROP_ENUM, 0, .options = continuations},
    {"resolverPolicy", PROP_ENUM, 0, .options = resolvers},
    {"addresseeAgentId", PROP_UUID, NULLABLE},
    {"payload", PROP_ANY, REQUIRED}, /* its shape: by the kind */
};
SCHEMA_WITH(INTERACTION_CREATE, create_props, .refine = refine_create, .choice = &by_kind);

/* ---- answers ---- */

static const struct prop accept_props[] = {
    {"selectedClientKeys", PROP_ARRAY, 0, .min = 1, .max = 50, .items = &key_item},
    {"selectedOptionIds", PROP_ARRAY, 0, .max = 200, .items = &key_item},
    {"reason", PROP_TEXT, NULLABLE, .max = 4000},
};
SCHEMA(INTERACTION_ACCEPT_BODY, accept_props);

static const struct prop reason_props[] = {{"reason", PROP_TEXT, NULLABLE, .max = 4000}};
SCHEMA(INTERACTION_REASON, reason_props);

static const struct prop answer_props[] = {
    {"questionId", PROP_STRING, REQUIRED, .min = 1, .max = 120},
    {"optionIds", PROP_ARRAY, REQUIRED, .max = 20, .items = &key_item},
    {"otherText", PROP_TEXT, NULLABLE, .max = 4000},
};
static SCHEMA(QUESTION_ANSWER, answer_props);
static const struct prop answer_item = {"", PROP_OBJECT, .object = &QUESTION_ANSWER};
static const struct prop respond_props[] = {
    {"answers", PROP_ARRAY, REQUIRED, .max = 20, .items = &answer_item},
    {"summaryMarkdown", PROP_TEXT, NULLABLE, .max = 20000},
};
SCHEMA(INTERACTION_RESPOND_BODY, respond_props);

static const struct prop verdict_props[] = {
    {"id", PROP_STRING, REQUIRED, .min = 1, .max = 120},
    {"verdict", PROP_ENUM, REQUIRED, .options = verdict_names},
    {"reason", PROP_TEXT, NULLABLE, .max = 4000},
};
static SCHEMA(ITEM_VERDICT, verdict_props);
static const struct prop submitted_item = {"", PROP_OBJECT, .object = &ITEM_VERDICT};
static const struct prop submit_props[] = {
    {"verdicts", PROP_ARRAY, REQUIRED, .min = 1, .max = 200, .items = &submitted_item},
};
SCHEMA(INTERACTION_VERDICTS_BODY, submit_props);
