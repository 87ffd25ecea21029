/*
 * workspace_choice: what kind of workspace a run gets (WS §4, WS-34, WS-35).
 * Pure: the project's policy, the settings and the agent's configuration
 * go in; mode, strategy and the reason for the log come out.
 */
#ifndef BULLDOG_RULES_WORKSPACE_CHOICE_H
#define BULLDOG_RULES_WORKSPACE_CHOICE_H

#include "base/json.h"

enum workspace_mode { MODE_SHARED, MODE_ISOLATED, MODE_OPERATOR_BRANCH, MODE_AGENT_HOME };

struct workspace_wish {
    const json_t *policy;         /* projects.executionWorkspacePolicy, object or NULL */
    const json_t *settings;       /* issues.executionWorkspaceSettings, object or NULL */
    const json_t *agent_strategy; /* adapterConfig.workspaceStrategy, object or NULL */
    bool agent_home;              /* assigneeAdapterOverrides.useProjectWorkspace === false */
    bool isolated;                /* the instance honours isolation at all (WS-8) */
    const char *default_mode;     /* of a project that never said (settings) */
};

struct workspace_choice {
    enum workspace_mode mode;
    bool worktree;   /* a git worktree of its own, else the base directory */
    bool if_git;     /* nobody asked for it: a base that is no git checkout is used as it is */
    bool ignored;    /* a stored wish is not honoured: the run says so */
    const char *why; /* who decided the mode */
    const char *base_ref, *branch_template, *parent_dir, *provision_command, *teardown_command; /* or NULL */
    const char *concurrency; /* auto, serialize, allow */
};
struct workspace_choice workspace_choose(const struct workspace_wish *w);

/* The words of the wire: "shared_workspace" …; of the row: agent home is adapter_managed (WS-30). */
const char *workspace_mode_name(enum workspace_mode mode);
const char *workspace_mode_stored(enum workspace_mode mode);
/* The mode an enabled policy gives to a new issue (4.3 step 4), or NULL. */
const char *workspace_policy_mode(const json_t *policy);
/* May others than the board set modes and strategies of issues (WS §4.1 BETTER)? */
bool workspace_policy_allows_override(const json_t *policy);
/* How long a finished workspace is kept (WS-125). */
int64_t workspace_retain_minutes(const json_t *policy, int64_t dflt);

#endif
