/* environment_choice: the first of issue, project, agent, default that speaks. */
#include "rules/environment_choice.h"

#include "base/text.h"

static const char *or_default(const struct environment_facts *f, const char *id) { return id ? id : f->fallback; }

/* WS-48: what came with an inherited workspace is no wish of its own, for an agent without an environment. */
static bool stripped(const struct environment_facts *f)
{
    return f->agent == NULL && f->issue_inherited && f->workspace.present && f->workspace.id &&
           text_is(f->issue.id, f->workspace.id);
}

/* WS-49 */
static struct environment_verdict intended(const struct environment_facts *f)
{
    if (f->issue.present && !stripped(f))
        return (struct environment_verdict){.environment_id = or_default(f, f->issue.id), .source = "issue"};
    if (f->agent == NULL) return (struct environment_verdict){.environment_id = f->fallback, .source = "default"};
    if (f->project.present)
        return (struct environment_verdict){.environment_id = or_default(f, f->project.id), .source = "project"};
    return (struct environment_verdict){.environment_id = f->agent, .source = "agent"};
}

struct environment_verdict environment_choose(const struct environment_facts *f)
{
    struct environment_verdict v = intended(f);
    if (!f->workspace.present) return v;
    const char *workspace = or_default(f, f->workspace.id);
    if (text_is(workspace, v.environment_id)) {
        v.source = "workspace";
        return v;
    }
    v.conflict = true;
    v.workspace_environment_id = workspace;
    v.intended_source = v.source;
    return v;
}
