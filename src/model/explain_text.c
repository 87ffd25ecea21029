/* explain_text: a verdict in words, and the answers of the API. */
#include "base/text.h"
#include "model/explain.h"

#include <string.h>

#define CHAIN_MAX BLOCKER_DEPTH_MAX
#define WAITING_ON_MAX 20

static const char *agent_name(const struct explained *x, const char *id)
{
    for (int i = 0; id && i < x->agent_count; i++)
        if (text_is(x->agents[i].id, id)) return x->agents[i].name;
    return "its agent";
}

static const char *key_of(const struct explained *x, int n)
{
    return x->map.refs[n].identifier ? x->map.refs[n].identifier : x->map.refs[n].id;
}

/* Where the chain ends: the node whose verdict names no further one. */
static int leaf_of(const struct explained *x, int n)
{
    for (int i = 0; i < CHAIN_MAX && x->verdicts[n].next >= 0; i++) n = x->verdicts[n].next;
    return n;
}

/* ---- gates ---- */

static const char *gate_sentence(struct arena *a, const char *gate, const char *agent)
{
    static const struct {
        const char *gate, *text; /* %s: the agent */
    } texts[] = {
        {"operator_paused", "the board has paused execution on this server"},
        {"instance_suppressed", "scheduling is suppressed on this server"},
        {"company_paused", "the company is paused"},
        {"company_archived", "the company is archived"},
        {"agent_missing", "the agent it is assigned to does not exist"},
        {"agent_paused", "%s is paused; resume the agent"},
        {"agent_paused_by_budget", "%s has used up its budget; raise it"},
        {"agent_terminated", "%s was terminated; assign somebody else"},
        {"agent_pending_approval", "%s waits for approval"},
        {"agent_not_invokable", "%s cannot be started in its present state"},
        {"invalid_org_chain", "%s has a broken reporting line; give the agent a working manager"},
        {"wake_on_demand_off", "%s is not started on demand (wakeOnDemand is off)"},
        {"daily_run_limit", "%s has had its runs of the day; it goes on after midnight UTC"},
        {"daily_cost_limit", "%s has spent its budget of the day; it goes on after midnight UTC"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (!text_is(texts[i].gate, gate)) continue;
        const char *at = strstr(texts[i].text, "%s");
        if (at == NULL) return arena_printf(a, "Not started: %s.", texts[i].text);
        return arena_printf(a, "Not started: %s%s.", agent, at + 2);
    }
    return NULL;
}

/* ---- sentences ---- */

static const char *behind_sentence(struct arena *a, const struct explained *x, int n)
{
    const struct explain_verdict *v = &x->verdicts[n];
    const char *verb = v->children ? "Waits for its sub-issue" : "Waits for";
    int leaf = leaf_of(x, n);
    if (leaf == v->next)
        return arena_printf(a, "%s %s. %s: %s", verb, key_of(x, leaf), key_of(x, leaf), explain_sentence(a, x, leaf));
    return arena_printf(a, "%s %s, which waits in turn for %s. %s: %s", verb, key_of(x, v->next), key_of(x, leaf),
                        key_of(x, leaf), explain_sentence(a, x, leaf));
}

/* A path somebody opened by name. */
static const char *named_sentence(struct arena *a, const struct explained *x, int n)
{
    const struct explain_verdict *v = &x->verdicts[n];
    const struct explain_path *p = &x->nodes[n].named[v->named];
    const char *owner = x->evidence[n].named[v->named].owner_id, *text = x->evidence[n].named[v->named].text;
    const char *who = v->mover == MOVER_AGENT  ? agent_name(x, owner)
                      : v->mover == MOVER_USER ? "a person"
                      : v->mover == MOVER_TIME ? "the server"
                                               : "the board";
    switch ((enum explain_named)v->named) {
    case NAMED_HOLD:
        return text ? arena_printf(a, "It is held by a pause: %s", text) : "It is held by a pause; release the hold.";
    case NAMED_ACTION:
        return arena_printf(a, "Being recovered by %s%s%s: %s", who,
                            v->mover != MOVER_BOARD && p->due != INSTANT_NONE ? " until " : "",
                            v->mover != MOVER_BOARD && p->due != INSTANT_NONE ? instant_text(a, p->due) : "",
                            text ? text : "see the recovery action.");
    case NAMED_INTERACTION:
        return text ? arena_printf(a, "Waits for an answer of %s: %s", who, text)
                    : arena_printf(a, "Waits for an answer of %s.", who);
    case NAMED_APPROVAL: return "Waits for an approval of the board.";
    case NAMED_PARTICIPANT: return arena_printf(a, "In review by %s.", who);
    case NAMED_MONITOR:
        return arena_printf(a, "It is looked at again at %s%s%s.", instant_text(a, p->due), text ? ": " : "",
                            text ? text : "");
    case NAMED_COUNT: break;
    }
    return NULL;
}

static const char *waiting_sentence(struct arena *a, const struct explained *x, int n, const char *agent)
{
    const struct explain_node *node = &x->nodes[n];
    const char *reason = x->verdicts[n].reason;
    if (text_is(reason, "wake_deferred"))
        return arena_printf(a, "%s is started as soon as the run of %s on it ends.", agent,
                            agent_name(x, x->evidence[n].run_agent_id));
    if (text_is(reason, "retry_scheduled"))
        return arena_printf(a, "The last run failed; the next try is at %s.", instant_text(a, node->retry_at));
    if (text_is(reason, "human_owner"))
        return text_is(node->status, "in_review") ? "A person has it in review."
                                                  : "A person owns it; agents are not started.";
    if (text_is(reason, "workspace_busy"))
        return arena_printf(a, "Waits until the run on %s leaves the workspace they share.", x->evidence[n].holder);
    if (text_is(reason, "unassigned")) return "Nobody is assigned.";
    if (text_is(reason, "run_cancelled"))
        return "Its last run was cancelled; comment on it or move it to start it again.";
    if (text_is(reason, "rests_after_success"))
        return "Its last run succeeded and left it in todo; comment on it or assign it anew to start another run.";
    if (text_is(reason, "rewake_throttled"))
        return arena_printf(a, "The last runs changed nothing; the next may start at %s.",
                            instant_text(a, node->throttled_until));
    if (text_is(reason, "unblock_requested")) {
        const char *action = json_str(json_read(x->evidence[n].unblock_descriptor), "action");
        return arena_printf(a, "Blocked until somebody acts: %s", action ? action : "no action is named.");
    }
    if (text_is(reason, "blockers_too_many")) return "More stands in its way than is looked at here.";
    return gate_sentence(a, reason, agent);
}

/* "A-1 -> A-2 -> A-1" */
static const char *circle_sentence(struct arena *a, const struct explained *x, int n)
{
    const char *names = key_of(x, x->verdicts[n].circle);
    int at = n;
    for (int i = 0; i < CHAIN_MAX && at >= 0 && at != x->verdicts[n].circle; i++, at = x->verdicts[at].from)
        names = arena_printf(a, "%s -> %s", key_of(x, at), names);
    return arena_printf(a, "Its blockers wait for each other: %s -> %s; take one of them away.",
                        key_of(x, x->verdicts[n].circle), names);
}

static const char *dead_sentence(const char *reason)
{
    if (text_is(reason, "stalled_at_dispatch"))
        return "It should have been started and was not; the recovery pass starts it again.";
    if (text_is(reason, "todo_without_path"))
        return "Its last run left it in todo and nothing is on its way; the recovery pass starts it again.";
    if (text_is(reason, "in_progress_without_path"))
        return "It is in progress and nobody works on it; the recovery pass starts it again.";
    if (text_is(reason, "review_without_path"))
        return "It is in review and nobody is named to review it; assign a person, or move it.";
    return "It is blocked and nothing is named that would free it; name a blocker or move it.";
}

const char *explain_sentence(struct arena *a, const struct explained *x, int n)
{
    const struct explain_verdict *v = &x->verdicts[n];
    const char *agent = agent_name(x, x->map.refs[n].assignee_agent_id),
               *runner = agent_name(x, x->evidence[n].run_agent_id);
    if (v->next >= 0) return behind_sentence(a, x, n);
    if (v->named >= 0) return named_sentence(a, x, n);
    if (v->circle >= 0) return circle_sentence(a, x, n);
    switch (v->state) {
    case EXPLAIN_LIVE:
        if (text_is(v->reason, "run_running")) return arena_printf(a, "%s works on it.", runner);
        return arena_printf(a, "%s is about to start.", x->evidence[n].run_id ? runner : agent);
    case EXPLAIN_PARKED:
        return x->nodes[n].hidden ? "It is hidden." : "It is parked in backlog; move it to todo to start it.";
    case EXPLAIN_TERMINAL:
        if (x->nodes[n].finalize_failed)
            return "It is done, but its workspace could not be finalized; repair the workspace or accept it as it is.";
        if (x->nodes[n].finalizing) return "It is done, and its workspace is being finalized.";
        return text_is(v->reason, "done") ? "It is done." : "It is cancelled.";
    case EXPLAIN_DEAD: return dead_sentence(v->reason);
    case EXPLAIN_RECOVERING:
    case EXPLAIN_HELD:
    case EXPLAIN_WAITING:
    case EXPLAIN_STATES: break;
    }
    const char *text = waiting_sentence(a, x, n, agent);
    return text ? text : v->reason;
}

/* ---- the answer for one issue ---- */

static void link_write(struct arena *a, struct jw *w, const struct explained *x, int n)
{
    const struct explain_verdict *v = &x->verdicts[n];
    jw_obj(w);
    issue_ref_write(w, &x->map.refs[n]);
    jw_kstr(w, "state", explain_state_name(v->state));
    jw_kstr(w, "reason", v->reason);
    jw_ktime(w, "since", v->since);
    jw_kstr(w, "sentence", explain_sentence(a, x, n));
    jw_obj_end(w);
}

static void owner_write(struct jw *w, const struct explained *x, int n)
{
    const json_t *owner = json_object_get(json_read(x->evidence[n].unblock_descriptor), "owner");
    const char *agent = json_str(owner, "agentId"), *user = json_str(owner, "userId");
    jw_kstr(w, "type", agent ? "agent" : user ? "user" : "board");
    jw_kstr(w, "id", agent ? agent : user);
    jw_kstr(w, "name", agent ? agent_name(x, agent) : NULL);
}

/* Whose move it is at node n, where a chain ends. */
static void mover_write(struct jw *w, const struct explained *x, int n)
{
    static const char *const types[] = {[MOVER_AGENT] = "agent",
                                        [MOVER_USER] = "user",
                                        [MOVER_BOARD] = "board",
                                        [MOVER_RUN] = "run",
                                        [MOVER_TIME] = "time"};
    const struct explain_verdict *v = &x->verdicts[n];
    const struct explain_evidence *e = &x->evidence[n];
    jw_obj(w);
    if (v->mover == MOVER_OWNER) {
        owner_write(w, x, n);
    } else if (v->named >= 0) {
        const char *id = e->named[v->named].owner_id;
        jw_kstr(w, "type", types[v->mover]);
        jw_kstr(w, "id", id);
        jw_kstr(w, "name", v->mover == MOVER_AGENT ? agent_name(x, id) : NULL);
        jw_kstr(w, "action", e->named[v->named].text);
        jw_ktime(w, "until", x->nodes[n].named[v->named].due);
    } else {
        jw_kstr(w, "type", types[v->mover]);
        jw_kstr(w, "id",
                v->mover == MOVER_USER  ? x->map.refs[n].assignee_user_id
                : v->mover == MOVER_RUN ? e->run_id
                                        : NULL);
        jw_kstr(w, "name", v->mover == MOVER_RUN ? agent_name(x, e->run_agent_id) : NULL);
    }
    if (v->mover == MOVER_TIME && v->named < 0)
        jw_ktime(w, "until",
                 text_is(v->reason, "retry_scheduled") ? x->nodes[n].retry_at : x->nodes[n].throttled_until);
    jw_ktime(w, "since", v->since);
    jw_obj_end(w);
}

/* The issues at the ends of all chains, each once; without any, whose move it is. */
static void waiting_on_write(struct arena *a, struct jw *w, const struct explained *x, int n)
{
    const struct explain_verdict *v = &x->verdicts[n];
    int ends[WAITING_ON_MAX], count = 0;
    for (int i = 0; v->next >= 0 && i < x->nodes[n].count && count < WAITING_ON_MAX; i++) {
        const struct blocker_edge *e = &x->map.edges[x->nodes[n].first + i];
        bool known = e->child != v->children;
        int leaf = leaf_of(x, e->to);
        for (int k = 0; k < count; k++) known |= ends[k] == leaf;
        if (known) continue;
        ends[count++] = leaf;
        jw_obj(w);
        jw_kstr(w, "type", "issue");
        jw_kstr(w, "id", x->map.refs[leaf].id);
        jw_kstr(w, "name", key_of(x, leaf));
        jw_kstr(w, "state", explain_state_name(x->verdicts[leaf].state));
        jw_kstr(w, "reason", x->verdicts[leaf].reason);
        jw_kstr(w, "sentence", explain_sentence(a, x, leaf));
        jw_ktime(w, "since", x->verdicts[leaf].since);
        jw_obj_end(w);
    }
    bool waits = v->state == EXPLAIN_WAITING || v->state == EXPLAIN_RECOVERING || v->state == EXPLAIN_HELD;
    if (v->next < 0 && waits && v->mover > MOVER_NONE && v->mover != MOVER_ISSUE) mover_write(w, x, n);
}

static void evidence_write(struct jw *w, const struct explained *x, int n)
{
    const struct explain_evidence *e = &x->evidence[n];
    const struct explain_node *node = &x->nodes[n];
    jw_kobj(w, "evidence");
    jw_kstr(w, "primitive", x->verdicts[n].path);
    jw_kstr(w, "status", node->status);
    jw_kstr(w, "gate", node->gate);
    jw_kstr(w, "runId", e->run_id);
    jw_kstr(w, "runStatus", node->run_status);
    jw_kstr(w, "runAgentId", e->run_agent_id);
    jw_kstr(w, "wakeId", e->wake_id);
    jw_kstr(w, "wakeStatus", e->wake_status);
    jw_kstr(w, "wakeReason", e->wake_reason);
    jw_kint(w, "runCount", e->run_count);
    jw_kstr(w, "lastRunId", e->last_run_id);
    jw_kstr(w, "lastRunStatus", node->last_status);
    jw_kstr(w, "lastRunErrorCode", e->last_error_code);
    jw_ktime(w, "lastRunFinishedAt", node->last_finished);
    jw_kstr(w, "lastSkipWakeId", e->skip_id);
    jw_kstr(w, "lastSkipReason", e->skip_reason);
    jw_ktime(w, "lastSkipAt", e->skip_at);
    jw_ktime(w, "dispatchExpectedSince", node->expected_since);
    jw_kraw(w, "unblockDescriptor", e->unblock_descriptor);
    for (int i = 0; i < NAMED_COUNT; i++) {
        if (!node->named[i].there) continue;
        jw_kobj(w, explain_named_key((enum explain_named)i));
        jw_kstr(w, "id", e->named[i].id);
        jw_kstr(w, "ownerId", e->named[i].owner_id);
        jw_kstr(w, "text", e->named[i].text);
        jw_ktime(w, "since", node->named[i].since);
        jw_ktime(w, "due", node->named[i].due);
        jw_obj_end(w);
    }
    jw_obj_end(w);
}

void explain_write(struct arena *a, struct jw *w, const struct explained *x, int n)
{
    const struct explain_verdict *v = &x->verdicts[n];
    jw_obj(w);
    jw_kstr(w, "issueId", x->map.refs[n].id);
    jw_kstr(w, "identifier", x->map.refs[n].identifier);
    jw_kstr(w, "state", explain_state_name(v->state));
    jw_kstr(w, "reason", v->reason);
    jw_ktime(w, "since", v->since);
    jw_kbool(w, "needsAttention", v->attention);
    jw_kstr(w, "sentence", explain_sentence(a, x, n));
    jw_karr(w, "waitingOn");
    waiting_on_write(a, w, x, n);
    jw_arr_end(w);
    jw_karr(w, "chain");
    int at = v->next;
    for (int i = 0; i < CHAIN_MAX && at >= 0; i++, at = x->verdicts[at].next) link_write(a, w, x, at);
    jw_arr_end(w);
    evidence_write(w, x, n);
    jw_obj_end(w);
}
