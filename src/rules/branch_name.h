/*
 * branch_name: what a run's branch is called (WS-57). Pure. A template with
 * {{variables}} becomes a name that git accepts as it is, or nothing.
 */
#ifndef BULLDOG_RULES_BRANCH_NAME_H
#define BULLDOG_RULES_BRANCH_NAME_H

#include "base/arena.h"

#include <stdbool.h>

#define BRANCH_TEMPLATE "{{issue.identifier}}-{{slug}}"

struct branch_vars {
    const char *issue_id, *issue_identifier, *issue_title;
    const char *agent_id, *agent_name, *project_id, *repo_ref;
};
/* Lower case, words joined by "-"; of the identifier when the title has no usable letter. */
const char *branch_slug(struct arena *a, const struct branch_vars *v);
/* template NULL or blank: BRANCH_TEMPLATE. NULL: what comes out is no branch name for git. */
const char *branch_render(struct arena *a, const char *template, const struct branch_vars *v);
/* As `git check-ref-format --branch` has it, for the letters that rendering leaves. */
bool branch_valid(const char *name);
/* name-suffix within the longest allowed. */
const char *branch_with_suffix(struct arena *a, const char *name, const char *suffix);

#endif
