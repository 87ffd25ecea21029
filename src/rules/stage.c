/* stage: starting, approving, sending back, overriding and repairing stages. */
#include "rules/stage.h"

#include "base/text.h"
#include "rules/issue_status.h"

#include <ctype.h>

#define NOBODY ((struct principal){PRINCIPAL_NONE, NULL})

struct machine {
    const struct stage_facts *f;
    struct stage_outcome *out;
    const json_t *stored; /* the state to go on from */
    int current;          /* stage of the stored state, or -1 */
};

/* ---- the state ---- */

bool stage_pending(const json_t *state) { return text_is(json_str(state, "status"), "pending"); }

static json_t *blank(const char *status)
{
    return json_pack("{s:s, s:n, s:n, s:n, s:n, s:n, s:n, s:[], s:n, s:n, s:n, s:i}", "status", status,
                     "currentStageId", "currentStageIndex", "currentStageType", "currentParticipant", "returnAssignee",
                     "reviewRequest", "completedStageIds", "lastDecisionId", "lastDecisionOutcome", "monitor",
                     "changesRequestedCount", 0);
}

/* The stored state with another status; its fields are all there whatever wrote it. */
static json_t *next_state(const json_t *stored, const char *status)
{
    json_t *s = blank(status);
    if (json_is_object(stored)) json_object_update_existing(s, (json_t *)(uintptr_t)stored);
    json_object_set_new(s, "status", json_string(status));
    return s;
}

/* The stages are over with; a monitor stays (it is not theirs). */
static json_t *cleared(const json_t *stored)
{
    const json_t *monitor = json_object_get(stored, "monitor");
    if (!json_is_object(monitor)) return NULL;
    json_t *s = blank("idle");
    json_object_set_new(s, "monitor", json_deep_copy(monitor));
    return s;
}

static void set_stage(json_t *state, const struct execution_policy *p, int i)
{
    json_object_set_new(state, "currentStageId", i < 0 ? json_null() : json_string(p->stages[i].id));
    json_object_set_new(state, "currentStageIndex", i < 0 ? json_null() : json_integer(i));
    json_object_set_new(state, "currentStageType", i < 0 ? json_null() : json_string(stage_type(&p->stages[i])));
}

static bool completed(const json_t *state, const char *stage_id)
{
    json_t *id;
    size_t i;
    json_array_foreach (json_object_get(state, "completedStageIds"), i, id)
        if (text_is(json_string_value(id), stage_id)) return true;
    return false;
}

static void complete(json_t *state, const char *stage_id)
{
    json_t *ids = json_deep_copy(json_object_get(state, "completedStageIds"));
    if (!json_is_array(ids)) ids = json_array();
    if (!completed(state, stage_id)) json_array_append_new(ids, json_string(stage_id));
    json_object_set_new(state, "completedStageIds", ids);
}

/* ---- what is handed out ---- */

static void refuse(struct machine *m, enum stage_verdict v, const struct stage *s)
{
    m->out->verdict = v;
    m->out->stage = s;
}

/* Work goes on: but what has open blockers waits for them. */
static void back_to_work(struct machine *m, struct principal who)
{
    m->out->assignee = who;
    m->out->status = m->f->blockers_open > 0 ? "blocked" : who.kind == PRINCIPAL_NONE ? "todo" : "in_progress";
}

static void pend(struct machine *m, json_t *state, int stage, struct principal who)
{
    const json_t *request = m->f->request;
    set_stage(state, m->f->policy, stage);
    json_object_set_new(state, "currentParticipant", principal_json(who));
    if (m->f->request_sent)
        json_object_set_new(state, "reviewRequest", request ? json_deep_copy(request) : json_null());
    m->out->state = state;
    m->out->stage = &m->f->policy->stages[stage];
    m->out->status = "in_review";
    m->out->assignee = who;
}

/* ---- no stage is pending: does the change start one? ---- */

/* The first stage from `from` on that somebody has to look at; skipped ones count as
 * completed. -1: none is left. insist: a stage without anybody else goes to the person. */
static int next_stage(struct machine *m, json_t *state, int from, struct principal wish, struct principal worker,
                      bool insist, struct principal *who)
{
    const struct execution_policy *p = m->f->policy;
    for (int i = from; i < p->count; i++) {
        const struct stage *s = &p->stages[i];
        if (completed(state, s->id)) continue;
        bool resent = text_is(json_str(state, "currentStageId"), s->id);
        struct principal before = resent ? principal_read(json_object_get(state, "currentParticipant")) : NOBODY;
        *who = stage_choose(s, stage_names(s, wish) ? wish : before, worker, m->f->person);
        if (who->kind != PRINCIPAL_NONE) return i;
        if (!s->approval && text_is(m->f->to, "done")) { /* nobody reviews one's own work */
            complete(state, s->id);
            continue;
        }
        if (insist) *who = m->f->person;
        else refuse(m, STAGE_NOBODY, s);
        return i;
    }
    return -1;
}

static void start(struct machine *m)
{
    const struct stage_facts *f = m->f;
    struct principal who = NOBODY;
    json_t *state = next_state(m->stored, "pending");
    int stage = next_stage(m, state, 0, f->assignee_sent ? f->asked : NOBODY, f->assignee, false, &who);
    if (m->out->verdict != STAGE_OK) return;
    if (stage < 0) {
        if (text_is(f->to, "in_review")) return; /* all have looked already */
        json_object_set_new(state, "status", json_string("completed"));
        set_stage(state, f->policy, -1);
        json_object_set_new(state, "currentParticipant", json_null());
        m->out->state = state;
        return;
    }
    json_object_set_new(state, "returnAssignee", principal_json(f->assignee));
    json_object_set_new(state, "reviewRequest", json_null());
    pend(m, state, stage, who);
    m->out->wake = STAGE_WAKE_PARTICIPANT;
}

static void decide_open(struct machine *m)
{
    const struct stage_facts *f = m->f;
    bool asks = f->status_sent && (text_is(f->to, "done") || text_is(f->to, "in_review"));
    /* what was closed begins anew (its state goes); what all have approved is done */
    bool over = status_terminal(f->from) ? text_is(f->to, "done") : text_is(json_str(m->stored, "status"), "completed");
    if (asks && !over && f->policy->count > 0) start(m);
    if (m->out->verdict == STAGE_OK && json_is_object(f->request) && !stage_pending(m->out->state))
        refuse(m, STAGE_NO_REQUEST, NULL);
}

/* ---- a stage is pending ---- */

static json_t *decided(struct machine *m, const char *decision, const char *status)
{
    json_t *state = next_state(m->f->state, status);
    m->out->decision = decision;
    m->out->decided = &m->f->policy->stages[m->current];
    json_object_set_new(state, "lastDecisionId", json_string(m->f->decision_id));
    json_object_set_new(state, "lastDecisionOutcome", json_string(decision));
    json_object_set_new(state, "reviewRequest", json_null());
    return state;
}

static struct principal worker_of(const json_t *state)
{
    return principal_read(json_object_get(state, "returnAssignee"));
}

static void approve(struct machine *m)
{
    struct principal who = NOBODY;
    json_t *state = decided(m, "approved", "pending");
    json_object_set_new(state, "changesRequestedCount", json_integer(0));
    complete(state, m->out->decided->id);
    int stage = next_stage(m, state, m->current + 1, NOBODY, worker_of(state), true, &who);
    if (stage >= 0) {
        pend(m, state, stage, who);
        m->out->wake = STAGE_WAKE_PARTICIPANT;
        return;
    }
    json_object_set_new(state, "status", json_string("completed"));
    set_stage(state, m->f->policy, -1);
    json_object_set_new(state, "currentParticipant", json_null());
    m->out->state = state;
    m->out->status = "done";
}

/* EX-137: agents that do not agree after so many rounds leave it to a person. */
static void request_changes(struct machine *m)
{
    bool person = m->f->actor.kind == PRINCIPAL_USER;
    int64_t rounds = person ? 0 : json_int(m->f->state, "changesRequestedCount", 0) + 1;
    bool escalate = !person && rounds >= m->f->policy->max_rounds;
    json_t *state = decided(m, "changes_requested", escalate ? "pending" : "changes_requested");
    json_object_set_new(state, "changesRequestedCount", json_integer(rounds));
    m->out->escalated = escalate;
    if (escalate) {
        pend(m, state, m->current, m->f->person);
        return;
    }
    m->out->state = state;
    m->out->wake = STAGE_WAKE_EXECUTOR;
    back_to_work(m, worker_of(state));
}

/* The board does as it likes: the stage is off. The work goes back to whose it is, unless somebody else was named. */
static void override(struct machine *m)
{
    struct principal worker = worker_of(m->f->state);
    m->out->state = cleared(m->f->state);
    m->out->status = m->f->to;
    m->out->assignee = m->f->asked;
    if (!m->f->assignee_sent && !status_terminal(m->f->to) && worker.kind != PRINCIPAL_NONE) m->out->assignee = worker;
}

static void reassign(struct machine *m)
{
    const struct stage *s = &m->f->policy->stages[m->current];
    if (stage_names(s, m->f->asked) && !principal_same(m->f->asked, worker_of(m->f->state))) {
        pend(m, next_state(m->f->state, "pending"), m->current, m->f->asked);
        m->out->wake = STAGE_WAKE_PARTICIPANT;
        return;
    }
    m->out->state = cleared(m->f->state);
    back_to_work(m, m->f->asked);
}

static void decide_pending(struct machine *m)
{
    const struct stage_facts *f = m->f;
    const struct stage *s = &f->policy->stages[m->current];
    struct principal who = principal_read(json_object_get(f->state, "currentParticipant"));
    bool mine = f->actor.kind != PRINCIPAL_NONE && principal_same(f->actor, who);
    bool says_yes = mine && f->comment_approves && !f->status_sent;
    bool moves = says_yes || (f->status_sent && !text_is(f->to, "in_review"));
    bool reassigned = f->assignee_sent && !principal_same(f->asked, f->assignee);
    bool handed_over =
        who.kind == PRINCIPAL_USER && json_int(f->state, "changesRequestedCount", 0) >= f->policy->max_rounds;
    bool drops = f->board && text_is(f->to, "cancelled"); /* a reviewer of the board may still drop the whole thing */
    if (moves && mine && !drops) {
        if (!f->has_comment) refuse(m, STAGE_NEEDS_COMMENT, s);
        else if (says_yes || text_is(f->to, "done")) approve(m);
        else request_changes(m);
    } else if (moves && f->board) override(m);
    else if (moves) refuse(m, handed_over ? STAGE_NOT_THE_PERSON : STAGE_NOT_YOURS, s);
    else if (reassigned && f->board) reassign(m);
    else pend(m, next_state(f->state, "pending"), m->current, who); /* whatever drifted is put right */
}

/* The policy, or its stage, was taken away from under a pending one. */
static void dissolve(struct machine *m)
{
    struct principal worker = worker_of(m->f->state);
    m->out->state = cleared(m->f->state);
    if (m->f->status_sent || !text_is(m->f->from, "in_review")) return;
    back_to_work(m, m->f->assignee_sent || worker.kind == PRINCIPAL_NONE ? m->f->asked : worker);
}

void stage_decide(const struct stage_facts *f, struct stage_outcome *out)
{
    struct machine m = {
        .f = f, .out = out, .current = execution_policy_find(f->policy, json_str(f->state, "currentStageId"))};
    json_t *stored = json_is_object(f->state) ? (json_t *)(uintptr_t)f->state : NULL;
    *out = (struct stage_outcome){.status = f->to, .assignee = f->asked, .state = stored};
    bool pending = stage_pending(f->state);
    m.stored = status_terminal(f->from) ? cleared(f->state) : f->state;
    if (f->override) {
        if (pending) out->state = cleared(f->state);
    } else if (pending && m.current < 0) dissolve(&m);
    else if (pending) decide_pending(&m);
    else decide_open(&m);
    if (json_equal(out->state, stored)) out->state = stored; /* nothing changed: leave the stored text alone */
}

json_t *stage_move_on(const struct execution_policy *p, const json_t *state, struct principal person,
                      struct principal *participant)
{
    int i = execution_policy_find(p, json_str(state, "currentStageId"));
    json_t *next = next_state(state, "pending");
    *participant = i < 0 ? person : stage_choose(&p->stages[i], NOBODY, worker_of(state), person);
    if (participant->kind == PRINCIPAL_NONE) *participant = person;
    json_object_set_new(next, "currentParticipant", principal_json(*participant));
    return next;
}

/* ---- comments that approve (IS-87) ---- */

static bool has_word(const char *line, size_t n, const char *word)
{
    size_t w = strlen(word);
    for (size_t i = 0; i + w <= n; i++) {
        bool inside = i > 0 && isalpha((unsigned char)line[i - 1]);
        bool goes_on = i + w < n && isalpha((unsigned char)line[i + w]);
        if (strncasecmp(line + i, word, w) == 0 && !inside && !goes_on) return true;
    }
    return false;
}

static bool heading_approves(const char *line, size_t n)
{
    static const char *const against[] = {"NOT",    "REJECT", "REJECTED", "DENY",
                                          "DENIED", "BLOCK",  "BLOCKED",  "CHANGES REQUESTED"};
    size_t at = 0;
    while (at < n && line[at] == '#') at++;
    if (at != 2) return false;
    while (at < n && line[at] == ' ') at++;
    if (n - at < 7 || strncasecmp(line + at, "review:", 7) != 0) return false;
    for (size_t i = 0; i < sizeof against / sizeof *against; i++)
        if (has_word(line, n, against[i])) return false;
    return has_word(line, n, "APPROVED");
}

static bool line_is(const char *line, size_t n, const char *key, const char *value)
{
    size_t k = strlen(key), v = strlen(value);
    while (n > 0 && isspace((unsigned char)line[n - 1])) n--;
    while (n > 0 && isspace((unsigned char)*line)) line++, n--;
    if (n < k + v || strncasecmp(line, key, k) != 0) return false;
    for (line += k, n -= k; n > 0 && isspace((unsigned char)*line);) line++, n--;
    return n == v && strncasecmp(line, value, v) == 0;
}

bool stage_comment_approves(const char *body)
{
    bool kind = false;
    while (body && *body) {
        size_t n = strcspn(body, "\n");
        if (heading_approves(body, n) || (kind && line_is(body, n, "decision:", "approved"))) return true;
        kind = line_is(body, n, "kind:", "review");
        body += n + (body[n] == '\n');
    }
    return false;
}

/* ---- what the woken one is told ---- */

static bool is_approval(const json_t *state) { return text_is(json_str(state, "currentStageType"), "approval"); }

const char *stage_wake_reason(const json_t *state, bool executor)
{
    if (executor) return "execution_changes_requested";
    return is_approval(state) ? "execution_approval_requested" : "execution_review_requested";
}

json_t *stage_context(const json_t *state, bool executor)
{
    static const char *const told[] = {"currentParticipant", "returnAssignee", "reviewRequest", "lastDecisionOutcome"};
    json_t *actions = executor ? json_pack("[s, s]", "address_changes", "resubmit")
                               : json_pack("[s, s]", "approve", "request_changes");
    json_t *o =
        json_pack("{s:s, s:s?, s:s?}", "wakeRole",
                  executor             ? "executor"
                  : is_approval(state) ? "approver"
                                       : "reviewer",
                  "stageId", json_str(state, "currentStageId"), "stageType", json_str(state, "currentStageType"));
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        json_t *v = json_object_get(state, told[i]);
        json_object_set_new(o, told[i], v ? json_deep_copy(v) : json_null());
    }
    json_object_set_new(o, "allowedActions", actions);
    return o;
}
