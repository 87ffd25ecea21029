/* blocked_inbox: stuck work in the words of the inbox. */
#include "rules/blocked_inbox.h"

#include "base/text.h"

#define CHAIN_MAX 64

static int leaf_of(const struct explain_verdict *verdicts, int n)
{
    for (int i = 0; i < CHAIN_MAX && verdicts[n].next >= 0 && verdicts[n].next != n; i++) n = verdicts[n].next;
    return n;
}

static struct blocked_verdict stuck(const char *state, const char *reason, const char *severity, int leaf)
{
    return (struct blocked_verdict){true, state, reason, severity, leaf};
}

/* Nothing below it will move before a person acts. */
static const char *chain_reason(const struct explain_node *leaf, const struct explain_verdict *v)
{
    bool owned = leaf->agent_owned || leaf->user_owned;
    if (text_is(leaf->status, "cancelled")) return "blocked_by_cancelled_issue";
    if (!owned) return "blocked_by_unassigned_issue";
    if (v->state == EXPLAIN_PARKED) return "blocked_by_assigned_backlog_issue";
    if (leaf->gate) return "blocked_by_uninvokable_assignee";
    return "blocked_chain_stalled";
}

struct blocked_verdict blocked_judge(const struct explain_node *nodes, const struct explain_verdict *verdicts, int n)
{
    const struct explain_verdict *v = &verdicts[n];
    const char *status = nodes[n].status;
    int leaf = leaf_of(verdicts, n);
    if (v->named == NAMED_ACTION) return stuck("recovery_open", "open_recovery_issue", "high", n);
    if ((v->named == NAMED_INTERACTION || v->named == NAMED_APPROVAL) && v->mover == MOVER_BOARD)
        return stuck("awaiting_decision", "pending_board_decision", "medium", n);
    if ((v->named == NAMED_INTERACTION || v->named == NAMED_APPROVAL) && v->mover == MOVER_USER)
        return stuck("awaiting_decision", "pending_user_decision", "medium", n);
    if (v->mover == MOVER_OWNER) return stuck("external_wait", "external_owner_action", "medium", n);
    if (!v->attention) return (struct blocked_verdict){.leaf = n};
    if (text_is(status, "in_review")) return stuck("needs_attention", "in_review_without_action_path", "high", n);
    if (!text_is(status, "blocked"))
        return stuck("missing_disposition", "missing_successful_run_disposition", "high", n);
    if (leaf == n) return stuck("needs_attention", "blocked_chain_stalled", "high", n);
    return stuck("needs_attention", chain_reason(&nodes[leaf], &verdicts[leaf]), "high", leaf);
}

int blocked_severity_rank(const char *severity)
{
    static const char *const order[] = {"critical", "high", "medium"};
    for (int i = 0; i < 3; i++)
        if (text_is(order[i], severity)) return i;
    return 3;
}
