/* issue_guard: who may write issues, and what request bodies name. */
#include "api/issue_guard.h"

#include "base/id.h"
#include "base/text.h"
#include "model/activity.h"
#include "model/assignee.h"
#include "model/checkout.h"
#include "model/influence.h"
#include "model/issue.h"
#include "model/recovery_resolve.h"
#include "model/relation.h"

#include <ctype.h>

static err_t denied(struct req *r, enum access verdict)
{
    const struct access_denial *d = access_denial(verdict);
    json_t *details =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:s?}", "code", d->code, "boundary", d->boundary, "whoCanAct",
                  d->who_can_act, "sanctionedPath", d->sanctioned_path, "issueId", r->issue.id, "assigneeAgentId",
                  r->issue.assignee_agent_id, "actorAgentId", r->actor.agent_id);
    return err_with(r->arena, verdict == ACCESS_RUN_LOCK ? ERR_CONFLICT : ERR_FORBIDDEN, d->code,
                    json_text(r->arena, details), "%s. Boundary: %s. Who can act: %s. Try: %s.", d->title, d->boundary,
                    d->who_can_act, d->sanctioned_path);
}

static err_t facts_of(struct req *r, struct access_facts *f)
{
    const struct issue *i = &r->issue;
    bool own = is_agent(r) && text_is(i->assignee_agent_id, r->actor.agent_id);
    *f = (struct access_facts){.board = is_board(r),
                               .has_run = r->actor.run_id != NULL,
                               .agent_owned = i->assignee_agent_id != NULL,
                               .own = own,
                               .in_progress = text_is(i->status, "in_progress")};
    if (f->board || own || !f->agent_owned) return OK;
    return assignee_managed_by(r->db, &r->self, i->assignee_agent_id, &f->manages);
}

err_t issue_may_write(struct req *r, enum access_class c, const char **reason)
{
    struct access_facts f;
    TRY(facts_of(r, &f));
    *reason = access_reason(&f);
    enum access verdict = access_decide(c, &f);
    switch (verdict) {
    case ACCESS_ALLOWED: return OK;
    case ACCESS_CHECKOUT: return checkout_assert_owner(r->db, &r->actor, &r->issue);
    case ACCESS_NO_RUN: return err_new(r->arena, ERR_UNAUTHORIZED, "Agent run id required");
    case ACCESS_RUN_LOCK:
    case ACCESS_NOT_OWNER: break;
    }
    return denied(r, verdict);
}

void issue_may_comment(struct req *r, const char **reason)
{
    bool own = is_agent(r) && text_is(r->issue.assignee_agent_id, r->actor.agent_id);
    *reason = access_reason(&(struct access_facts){.board = is_board(r), .own = own});
}

static bool moves_issue(const struct req *r)
{
    static const char *const keys[] = {"status",          "assigneeAgentId", "assigneeUserId", "blockedByIssueIds",
                                       "executionPolicy", "reviewPolicy",    "unblockDescriptor"};
    bool moves = json_bool(r->body, "reopen", false) || json_bool(r->body, "resume", false);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) moves |= has(r, keys[i]);
    return moves;
}

err_t issue_may_recover(struct req *r)
{
    struct recovery_action a;
    bool found, yes;
    if (!is_agent(r) || !moves_issue(r)) return OK;
    TRY(recovery_action_open(r->db, r->issue.id, &a, &found));
    if (!found) return OK;
    TRY(recovery_may_decide(r->db, &r->self, &a, &r->issue, &yes));
    return yes ? OK : forbidden(r, "Agent cannot resolve another owner's recovery action");
}

/* ---- influence (IS-10) ---- */

err_t refuse_recorded(struct req *r, const struct activity_entry *e, err_t refusal)
{
    db_rollback(r->db);
    TRY(db_begin(r->db, r->company_id));
    TRY(activity_log(r->db, &r->actor, e));
    TRY(db_commit(r->db));
    return refusal;
}

static err_t no_run_context(struct req *r)
{
    const char *details = json_text(
        r->arena, json_pack("{s:s, s:s, s:s, s:s}", "code", "cross_issue_influence_run_context_required", "boundary",
                            "Run context", "whoCanAct", "an agent inside a run that was started for an issue",
                            "sanctionedPath", "send X-Paperclip-Run-Id with the id of your current run"));
    return err_with(
        r->arena, ERR_FORBIDDEN, "cross_issue_influence_run_context_required", details,
        "This write needs a run that works on an issue. Boundary: run context. Who can act: an agent inside such a run."
        " Try: send X-Paperclip-Run-Id with the id of your current run.");
}

static err_t over_cap(struct req *r, int count)
{
    json_t *d = json_pack("{s:s, s:i, s:i, s:s, s:n, s:s, s:s, s:s}", "code", "cross_issue_influence_cap_exceeded",
                          "cap", INFLUENCE_MAX, "count", count, "mode", "enforce", "enforceAt", "boundary",
                          "Cross-issue influence of one run", "whoCanAct", "the run's own issue stays open to it",
                          "sanctionedPath", "finish this run's issue; ask the board for the rest");
    err_t refusal = err_with(
        r->arena, ERR_TOO_MANY, "cross_issue_influence_cap_exceeded", json_text(r->arena, d),
        "This run has written to other issues %d times, the most a run may. Boundary: cross-issue influence. Who can act:"
        " this run on its own issue. Try: finish that, and leave the rest to the issues' assignees.",
        INFLUENCE_MAX);
    return refuse_recorded(r,
                           &(struct activity_entry){.company_id = r->company_id,
                                                    .action = "issue.cross_issue_influence_cap_rejected",
                                                    .entity_type = "issue",
                                                    .entity_id = r->issue.id,
                                                    .details = d},
                           refusal);
}

err_t issue_influence(struct req *r)
{
    enum influence verdict;
    int count;
    if (!is_agent(r)) return OK;
    TRY(influence_observe(r->db, &r->actor, &r->issue, &verdict, &count));
    switch (verdict) {
    case INFLUENCE_OK: return OK;
    case INFLUENCE_NO_RUN: return no_run_context(r);
    case INFLUENCE_OVER: return over_cap(r, count);
    }
    return OK;
}

/* ---- what bodies name ---- */

static const char *lower(struct arena *a, const char *s)
{
    char *out = arena_strdup(a, s);
    for (char *p = out; *p; p++) *p = (char)tolower((unsigned char)*p);
    return out;
}

const struct id_list *body_ids(struct req *r, const char *key)
{
    const json_t *v = json_object_get(r->body, key);
    json_t *item;
    size_t i;
    if (!json_is_array(v)) return NULL;
    struct id_list *out = arena_new(r->arena, struct id_list);
    out->ids = arena_array(r->arena, const char *, json_array_size(v) + 1);
    json_array_foreach (v, i, item) {
        const char *id = lower(r->arena, json_string_value(item));
        if (!id_list_has(out, id)) out->ids[out->count++] = id;
    }
    return out;
}

err_t company_issue(struct req *r, const char *ref, struct issue *out, bool *found)
{
    TRY(issue_resolve(r->db, ref, out, found));
    *found = *found && text_is(out->company_id, r->company_id);
    return OK;
}

err_t body_issue_ids(struct req *r, const char *key, const struct id_list **out)
{
    const struct id_list *given = body_ids(r, key);
    *out = given;
    if (given == NULL) return OK;
    struct id_list *ids = arena_new(r->arena, struct id_list);
    ids->ids = arena_array(r->arena, const char *, given->count + 1);
    for (int i = 0; i < given->count; i++) {
        struct issue row;
        bool found;
        TRY(company_issue(r, given->ids[i], &row, &found));
        if (!found) return unprocessable(r, "Blocked-by issues must belong to the same company");
        if (!id_list_has(ids, row.id)) ids->ids[ids->count++] = row.id;
    }
    *out = ids;
    return OK;
}

bool issue_ref_valid(const char *ref)
{
    if (ref == NULL) return false;
    if (id_valid(ref)) return true;
    ref += strspn(ref, " \t");
    size_t n = 0;
    if (!isalpha((unsigned char)*ref)) return false;
    while (isalnum((unsigned char)ref[n])) n++;
    size_t digits = ref[n] == '-' ? strspn(ref + n + 1, "0123456789") : 0;
    const char *rest = ref + n + 1 + digits;
    return digits > 0 && rest[strspn(rest, " \t")] == 0;
}

static void invalid_uuid(json_t *problems, json_t *path)
{
    json_array_append_new(problems, json_pack("{s:s, s:s, s:s, s:o}", "validation", "uuid", "code", "invalid_string",
                                              "message", "Invalid uuid", "path", path));
}

void refine_issue_ref(const json_t *body, const char *key, json_t *problems)
{
    const char *ref = json_str(body, key);
    if (ref && !issue_ref_valid(ref)) invalid_uuid(problems, json_pack("[s]", key));
}

void refine_issue_refs(const json_t *body, const char *key, json_t *problems)
{
    json_t *item;
    size_t i;
    json_array_foreach (json_object_get(body, key), i, item)
        if (json_is_string(item) && !issue_ref_valid(json_string_value(item)))
            invalid_uuid(problems, json_pack("[s, I]", key, (json_int_t)i));
}
