/* workspace_choice: issue, then policy, then agent, then the default. */
#include "rules/workspace_choice.h"

#include "base/text.h"

static const struct {
    const char *word;
    enum workspace_mode mode;
} words[] = {
    {"shared_workspace", MODE_SHARED},         {"project_primary", MODE_SHARED},
    {"isolated_workspace", MODE_ISOLATED},     {"isolated", MODE_ISOLATED},
    {"operator_branch", MODE_OPERATOR_BRANCH}, {"agent_default", MODE_AGENT_HOME},
    {"adapter_default", MODE_AGENT_HOME},
};

static bool read_mode(const char *word, enum workspace_mode *mode)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!text_is(word, words[i].word)) continue;
        *mode = words[i].mode;
        return true;
    }
    return false; /* inherit, reuse_existing, or nothing */
}

static bool enabled(const json_t *policy) { return json_bool(policy, "enabled", false); }

bool workspace_policy_allows_override(const json_t *policy)
{
    return !enabled(policy) || json_bool(policy, "allowIssueOverride", true);
}

/* A strategy without a valid type is treated as absent (WS §4.1). */
static const json_t *strategy_in(const json_t *holder)
{
    static const char *const types[] = {"project_primary", "git_worktree", "adapter_managed", "cloud_sandbox"};
    const json_t *s = json_object_get(holder, "workspaceStrategy");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (text_is(json_str(s, "type"), types[i])) return s;
    return NULL;
}

static const char *filled(const json_t *o, const char *key)
{
    const char *s = json_str(o, key);
    return s && s[strspn(s, " \t\r\n")] ? s : NULL;
}

static void use_strategy(struct workspace_choice *c, const json_t *s)
{
    c->worktree = s == NULL || text_is(json_str(s, "type"), "git_worktree");
    c->base_ref = filled(s, "baseRef");
    c->branch_template = filled(s, "branchTemplate");
    c->parent_dir = filled(s, "worktreeParentDir");
    c->provision_command = filled(s, "provisionCommand");
    c->teardown_command = filled(s, "teardownCommand");
}

/* WS-34 */
static void choose_mode(struct workspace_choice *c, const struct workspace_wish *w, const json_t *issue)
{
    if (read_mode(json_str(issue, "mode"), &c->mode)) {
        c->why = "issue";
    } else if (enabled(w->policy)) {
        if (!read_mode(json_str(w->policy, "defaultMode"), &c->mode)) c->mode = MODE_SHARED;
        c->why = "project policy";
    } else if (w->agent_home) {
        c->mode = MODE_AGENT_HOME;
        c->why = "agent";
    } else {
        if (w->policy != NULL || !read_mode(w->default_mode, &c->mode)) c->mode = MODE_SHARED;
        c->if_git = true;
        c->why = "default";
    }
}

struct workspace_choice workspace_choose(const struct workspace_wish *w)
{
    struct workspace_choice c = {.mode = MODE_SHARED, .why = "default", .concurrency = "auto"};
    const json_t *issue = workspace_policy_allows_override(w->policy) ? w->settings : NULL;
    const json_t *asked = strategy_in(issue), *policy = enabled(w->policy) ? strategy_in(w->policy) : NULL;
    if (!w->isolated) {
        c.ignored = enabled(w->policy) || json_object_size(w->settings) > 0;
        c.why = "isolated workspaces are switched off";
        return c;
    }
    c.ignored = issue != w->settings && (json_str(w->settings, "mode") || strategy_in(w->settings));
    choose_mode(&c, w, issue);
    bool controlled =
        enabled(w->policy) || asked || json_str(issue, "mode") || json_object_get(issue, "workspaceRuntime");
    if (c.mode == MODE_ISOLATED || c.mode == MODE_OPERATOR_BRANCH) {
        const json_t *agent = w->agent_strategy && json_str(w->agent_strategy, "type") ? w->agent_strategy : NULL;
        use_strategy(&c, asked ? asked : policy ? policy : agent);
        if (c.mode == MODE_OPERATOR_BRANCH) c.worktree = true; /* WS-30 BETTER */
    } else if (!controlled && text_is(json_str(w->agent_strategy, "type"), "git_worktree")) {
        use_strategy(&c, w->agent_strategy); /* WS-35: nothing else rules, the agent's own stands */
        c.mode = MODE_ISOLATED;
        c.if_git = false;
        c.why = "agent";
    }
    const char *own = json_str(issue, "sharedWorkspaceConcurrency");
    if (own == NULL && enabled(w->policy)) own = json_str(w->policy, "sharedWorkspaceConcurrency");
    if (own) c.concurrency = own;
    return c;
}

const char *workspace_mode_name(enum workspace_mode mode)
{
    static const char *const names[] = {"shared_workspace", "isolated_workspace", "operator_branch", "agent_default"};
    return names[mode];
}

const char *workspace_mode_stored(enum workspace_mode mode)
{
    return mode == MODE_AGENT_HOME ? "adapter_managed" : workspace_mode_name(mode);
}

const char *workspace_policy_mode(const json_t *policy)
{
    enum workspace_mode mode = MODE_SHARED;
    if (!enabled(policy)) return NULL;
    read_mode(json_str(policy, "defaultMode"), &mode);
    return workspace_mode_name(mode);
}

int64_t workspace_retain_minutes(const json_t *policy, int64_t dflt)
{
    int64_t n = json_int(json_object_get(policy, "cleanupPolicy"), "retainMinutes", dflt);
    return n < 0 ? dflt : n;
}
