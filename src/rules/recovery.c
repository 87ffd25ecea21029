/* recovery: tables of kinds and causes, and the verdicts over them. */
#include "rules/recovery.h"

#include "base/text.h"
#include "rules/issue_status.h"

enum recovery_mode recovery_mode(const char *setting)
{
    static const char *const names[RECOVERY_MODES] = {"full", "surface_only", "off"};
    int m = 0;
    while (m < RECOVERY_MODES && !text_is(setting, names[m])) m++;
    return (enum recovery_mode)m;
}

/* ---- causes ---- */

struct cause {
    const char *cause, *kind, *next_action;
    bool same_agent;
};
static const struct cause causes[] = {
    {"stranded_assigned_issue", "stranded_assigned_issue",
     "Restore a live execution path: read the last run, repair what made it fail, then move the issue to todo, hand it to"
     " somebody else, or close it.",
     false},
    {"process_lost", "stranded_assigned_issue",
     "The agent's process went away twice. Go on from what is saved on the issue, or say what keeps the process from living.",
     true},
    {"stalled_at_dispatch", "stranded_assigned_issue",
     "The agent was woken and never started. Check the agent and its adapter, then move the issue to todo.", false},
    {"assignee_not_invokable", "stranded_assigned_issue",
     "The assignee cannot run any more. Assign the issue to an agent that can, or repair the assignee's reporting line.",
     false},
    {"liveness_exhausted", "stranded_assigned_issue",
     "Runs end without moving the issue on. Say what is missing, then move the issue to todo, or close it.", false},
    {"incident_budget_exhausted", "stranded_assigned_issue",
     "Automatic runs changed nothing. Read the runs, say what is missing, then move the issue to todo.", false},
    {"provider_quota", "stranded_assigned_issue", "Wait until the provider's quota is available again.", false},
    {"successful_run_missing_state", "missing_disposition",
     "The run succeeded and left no next step. Mark the issue done, send it to review, name what blocks it, or go on.",
     true},
    {"codex_output_inactivity_monitor", "active_run_watchdog",
     "The run fell silent and was ended. Go on from what is saved.", true},
    {"execution_review_participant_recovery", "stranded_assigned_issue",
     "The reviewer's runs ended without a decision. Decide the review, or name another reviewer.", false},
    {"workspace_validation_failed", "workspace_validation",
     "Repair the workspace named in the evidence, then move the issue to todo.", false},
    {"configuration_incomplete", "configuration_validation",
     "Complete the configuration named in the evidence, then move the issue to todo.", false},
    {"adapter_heartbeat_stale", "active_run_watchdog",
     "Check or restart the agent's adapter: work waits for it and it gives no sign of life.", false},
    {"run_output_silence", "active_run_watchdog",
     "The run says nothing. Look at its log, then let it go on, snooze this, or cancel the run.", false},
    {"in_review_without_action_path", "issue_graph_liveness",
     "Nobody is named to review this. Name a reviewer, or move the issue.", false},
};

static const struct cause *cause_of(const char *name)
{
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++)
        if (text_is(causes[i].cause, name)) return &causes[i];
    return &causes[0];
}

const char *recovery_kind(const char *cause) { return cause_of(cause)->kind; }
const char *recovery_next_action(const char *cause) { return cause_of(cause)->next_action; }
bool recovery_by_same_agent(const char *cause) { return cause_of(cause)->same_agent; }

bool recovery_by_hand(const char *kind)
{
    return text_is(kind, "configuration_validation") || text_is(kind, "workspace_validation");
}

/* ---- upsert ---- */

static int gravity(const char *kind)
{
    static const char *const order[] = {"issue_graph_liveness", "active_run_watchdog",  "stranded_assigned_issue",
                                        "missing_disposition",  "workspace_validation", "configuration_validation"};
    int i = 0;
    while (i < 6 && !text_is(kind, order[i])) i++;
    return i;
}

enum recovery_merge recovery_merge(const char *open_kind, const char *new_kind)
{
    return gravity(new_kind) < gravity(open_kind) ? MERGE_APPEND : MERGE_UPDATE;
}

/* ---- turns ---- */

instant_t recovery_next_attempt(int64_t attempts, instant_t last)
{
    return last + (attempts <= 1 ? 5 * MINUTE_MS : 30 * MINUTE_MS);
}

enum recovery_turn recovery_turn(const struct recovery_turn_facts *f, instant_t now)
{
    if (f->escalated) return TURN_REST; /* with the board, for as long as it takes */
    if (f->timeout_at != INSTANT_NONE && now >= f->timeout_at) return TURN_ESCALATE;
    if (!f->agent_owned || f->owner_at_work) return TURN_REST;
    if (!f->owner_can) return TURN_NEW_OWNER;
    if (!f->wakes) return TURN_REST;
    if (f->attempts >= f->attempts_max) return TURN_ESCALATE;
    return now >= recovery_next_attempt(f->attempts, f->last_attempt_at) ? TURN_WAKE : TURN_REST;
}

/* ---- folding ---- */

const char *recovery_fold(const struct recovery_claim *c, const struct recovery_source *s)
{
    bool open = text_is(s->status, "todo") || text_is(s->status, "in_progress");
    bool waits_for_time = text_is(c->cause, "provider_quota"); /* its monitor is part of it */
    if (status_terminal(s->status)) return "source_terminal";
    if (s->user_owned) return "source_user_owned";
    if (c->blocks_source && open && s->agent_owned) return "source_restarted";
    if (s->reassigned && s->agent_owned) return "source_reassigned";
    if (!s->changed) return NULL;
    if (open && s->agent_owned && !text_is(c->cause, "assignee_not_invokable")) return "source_restarted";
    if (text_is(s->status, "in_review") && s->review_path) return "source_in_review";
    if (text_is(s->status, "blocked") && s->blockers_open) return "source_blocked";
    return s->monitored && !waits_for_time ? "source_monitored" : NULL;
}

const char *recovery_fold_note(const char *reason)
{
    static const struct {
        const char *reason, *note;
    } notes[] = {
        {"source_terminal", "The issue was closed."},
        {"source_user_owned", "A person owns the issue now."},
        {"source_restarted", "The issue was started again."},
        {"source_reassigned", "The issue was given to another agent."},
        {"source_in_review", "The issue waits for its review."},
        {"source_blocked", "The issue waits for its blockers."},
        {"source_monitored", "The issue waits for a scheduled check."},
        {"agent_invokable", "The assignee can run again."},
        {"demand_gone", "Nothing waits for the agent any more."},
        {"run_over", "The run has ended."},
    };
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
        if (text_is(notes[i].reason, reason)) return notes[i].note;
    return reason;
}

bool recovery_fold_keeps_count(const char *reason) { return text_is(reason, "source_restarted"); }
