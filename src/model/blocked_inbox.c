/* blocked_inbox: loading, ordering and writing stuck work. */
#include "model/blocked_inbox.h"

#include "base/text.h"

#include <string.h>

err_t blocked_inbox_load(struct db *db, const char *company_id, const struct issue *rows, int count,
                         struct blocked_inbox *out)
{
    const struct issue **roots = arena_array(db_arena(db), const struct issue *, count + 1);
    for (int i = 0; i < count; i++) roots[i] = &rows[i];
    return explain_load(db, company_id, roots, count, &out->x);
}

static struct blocked_verdict verdict(const struct blocked_inbox *b, int n)
{
    return blocked_judge(b->x.nodes, b->x.verdicts, n);
}

/* Does node p come before node q? Equal ones keep their order. */
static bool before(const struct blocked_inbox *b, int p, int q)
{
    int x = blocked_severity_rank(verdict(b, p).severity), y = blocked_severity_rank(verdict(b, q).severity);
    return x != y ? x < y : b->x.verdicts[p].since < b->x.verdicts[q].since;
}

int blocked_inbox_sort(const struct blocked_inbox *b, struct issue *rows, int *nodes, int count)
{
    int n = 0;
    for (int i = 0; i < count; i++) {
        if (!verdict(b, i).stuck) continue;
        struct issue row = rows[i];
        int at = n++;
        for (; at > 0 && before(b, i, nodes[at - 1]); at--) {
            rows[at] = rows[at - 1];
            nodes[at] = nodes[at - 1];
        }
        rows[at] = row;
        nodes[at] = i;
    }
    return n;
}

static const char *const actions[][2] = {
    {"blocked_by_unassigned_issue", "Assign the blocker"},
    {"blocked_by_assigned_backlog_issue", "Start the blocker"},
    {"blocked_by_uninvokable_assignee", "Let the assignee work, or give the blocker to another"},
    {"blocked_by_cancelled_issue", "Take the cancelled blocker off"},
    {"blocked_chain_stalled", "Move the blocker"},
    {"in_review_without_action_path", "Choose a reviewer, or close the issue"},
    {"missing_successful_run_disposition", "Say what became of the work"},
    {"pending_board_decision", "Decide"},
    {"pending_user_decision", "Answer"},
    {"external_owner_action", "Wait for the owner, or unblock"},
    {"open_recovery_issue", "Resolve the recovery action"},
};

static const char *action_of(const char *reason)
{
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (text_is(actions[i][0], reason)) return actions[i][1];
    return "Look at the issue";
}

static void write_ref(struct jw *w, const char *key, const struct issue_ref *ref)
{
    if (ref == NULL) {
        jw_knull(w, key);
        return;
    }
    jw_kobj(w, key);
    issue_ref_write(w, ref);
    jw_obj_end(w);
}

/* Who can move it: the owner of what holds it up, else the board. */
static void write_owner(struct jw *w, const struct explained *x, const struct issue_ref *leaf)
{
    const char *label = "Board";
    for (int i = 0; i < x->agent_count; i++)
        if (text_is(x->agents[i].id, leaf->assignee_agent_id)) label = x->agents[i].name;
    jw_kobj(w, "owner");
    jw_kstr(w, "type", leaf->assignee_agent_id ? "agent" : leaf->assignee_user_id ? "user" : "board");
    jw_kstr(w, "agentId", leaf->assignee_agent_id);
    jw_kstr(w, "userId", leaf->assignee_user_id);
    jw_kstr(w, "label", label);
    jw_obj_end(w);
}

static const char *named_id(const struct blocked_inbox *b, int n, enum explain_named which)
{
    return b->x.verdicts[n].named == (int)which ? b->x.evidence[n].named[which].id : NULL;
}

void blocked_inbox_write(struct arena *a, struct jw *w, const struct blocked_inbox *b, int n)
{
    const struct blocked_verdict v = verdict(b, n);
    if (!v.stuck) {
        jw_knull(w, "blockedInboxAttention");
        return;
    }
    const struct issue_ref *leaf = &b->x.map.refs[v.leaf];
    jw_kobj(w, "blockedInboxAttention");
    jw_kstr(w, "kind", "blocked");
    jw_kstr(w, "state", v.state);
    jw_kstr(w, "reason", v.reason);
    jw_kstr(w, "severity", v.severity);
    jw_ktime(w, "stoppedSinceAt", b->x.verdicts[n].since);
    write_owner(w, &b->x, leaf);
    jw_kobj(w, "action");
    jw_kstr(w, "label", action_of(v.reason));
    jw_kstr(w, "detail", explain_sentence(a, &b->x, n));
    jw_obj_end(w);
    write_ref(w, "sourceIssue", &b->x.map.refs[n]);
    write_ref(w, "leafIssue", v.leaf == n ? NULL : leaf);
    jw_knull(w, "recoveryIssue");
    jw_kstr(w, "approvalId", named_id(b, n, NAMED_APPROVAL));
    jw_kstr(w, "interactionId", named_id(b, n, NAMED_INTERACTION));
    jw_kstr(w, "sampleIssueIdentifier", leaf->identifier);
    jw_kobj(w, "redaction");
    jw_kbool(w, "externalDetailsRedacted", false);
    jw_kbool(w, "secretFieldsOmitted", true);
    jw_obj_end(w);
    jw_obj_end(w);
}
