/* interaction: kinds, policies, audience and states. */
#include "rules/interaction.h"

#include "base/text.h"

static const char *const kinds[INTERACTION_KINDS] = {"suggest_tasks", "ask_user_questions", "request_confirmation",
                                                     "request_checkbox_confirmation", "request_item_verdicts"};

const char *interaction_kind_name(enum interaction_kind k) { return kinds[k]; }

enum interaction_kind interaction_kind_of(const char *name)
{
    int k = 0;
    while (k < INTERACTION_KINDS - 1 && !text_is(kinds[k], name)) k++;
    return (enum interaction_kind)k;
}

const char *interaction_continuation(enum interaction_kind k)
{
    return k == INTERACTION_CONFIRMATION ? "none" : "wake_assignee";
}

/* ---- policies, from the open to the strict ---- */

static const struct {
    const char *name, *alias;
} policies[] = {{"anyone", "board_or_agents"}, {"not_creator", NULL}, {"human_only", "board_only"}};
#define POLICIES ((int)(sizeof policies / sizeof *policies))

static int policy_rank(const char *name, int dflt)
{
    for (int i = 0; i < POLICIES; i++)
        if (text_is(policies[i].name, name) || text_is(policies[i].alias, name)) return i;
    return dflt;
}

const char *resolver_alias(const char *policy) { return policies[policy_rank(policy, 0)].alias; }

struct resolver_choice resolver_choose(const char *asked, const json_t *governance)
{
    int dflt = policy_rank(json_str(governance, "defaultPolicy"), 0);
    int requested = policy_rank(asked, dflt), cap = policy_rank(json_str(governance, "cap"), 0);
    bool capped = cap > requested;
    return (struct resolver_choice){.requested = policies[requested].name,
                                    .effective = policies[capped ? cap : requested].name,
                                    .provenance = asked ? "explicit" : "inherited",
                                    .source = capped ? "company_cap" : "requested"};
}

const char *interaction_audience(const struct audience *f)
{
    bool others_only = text_is(f->policy, "not_creator");
    bool creator = f->agent_id ? text_is(f->agent_id, f->creator_agent_id) : text_is(f->user_id, f->creator_user_id);
    bool creating_run = f->run_id && text_is(f->run_id, f->source_run_id);
    if (f->agent_id == NULL) return others_only && creator ? "interaction_creator_excluded" : NULL;
    if (text_is(f->policy, "human_only")) return "interaction_human_only";
    if (f->addressee_agent_id && !text_is(f->addressee_agent_id, f->agent_id)) return "interaction_addressee_mismatch";
    return others_only && (creator || creating_run) ? "interaction_creator_excluded" : NULL;
}

/* ---- states ---- */

const char *interaction_state_refusal(const char *status, const json_t *result, bool issue_closed,
                                      const char **sentence)
{
    const char *outcome = json_str(result, "outcome");
    if (outcome == NULL) outcome = json_str(result, "expirationReason");
    bool pending = text_is(status, "pending"), expired = text_is(status, "expired");
    if ((pending && issue_closed) || (expired && text_is(outcome, "issue_closed"))) {
        *sentence = "The issue of this interaction is closed";
        return "interaction_issue_closed";
    }
    if (pending) return NULL;
    if (expired && outcome && strncmp(outcome, "superseded_by_", 14) == 0) {
        *sentence = "Interaction has been superseded";
        return "interaction_superseded";
    }
    if (expired && text_is(outcome, "stale_target")) {
        *sentence = "The document this interaction asks about has changed since";
        return "interaction_stale_target";
    }
    *sentence = "Interaction has already been resolved";
    return "interaction_already_resolved";
}

json_t *interaction_expiry(enum interaction_kind k, const json_t *result, const char *outcome, const json_t *extra)
{
    json_t *out = json_pack("{s:i, s:s}", "version", 1, "outcome", outcome);
    if (k == INTERACTION_QUESTIONS) {
        bool newer = text_is(outcome, "superseded_by_newer_request");
        json_object_set_new(out, "answers", json_array());
        json_object_set_new(out, "summaryMarkdown", json_null());
        json_object_set_new(out, "expirationReason", json_string(newer ? "superseded_by_newer_interaction" : outcome));
    }
    if (k == INTERACTION_VERDICTS) {
        json_t *items = json_object_get(result, "items");
        json_object_set_new(out, "complete", json_false());
        json_object_set(out, "items", json_is_array(items) ? items : json_array());
    }
    if (extra) json_object_update(out, (json_t *)(uintptr_t)extra);
    return out;
}

bool finalize_settled(const struct finalize_facts *f)
{
    if (!f->has_operations || !f->run_live) return true;
    return f->status && !text_is(f->status, "running");
}
