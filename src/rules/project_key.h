/* project_key: how a project and its folder are called (WS-11, WS-12, WS-15, WS-25). Pure. */
#ifndef BULLDOG_RULES_PROJECT_KEY_H
#define BULLDOG_RULES_PROJECT_KEY_H

#include "base/arena.h"

/* The url key of a name. A name with other letters than ASCII gets a piece of
 * the id behind it; so does one of which nothing is left. */
const char *project_url_key(struct arena *a, const char *name, const char *id);
/* The last segment of a repository's URL or path without ".git"; NULL for none. */
const char *repo_name(struct arena *a, const char *url);
/* The last segment of a path; NULL for none. */
const char *folder_name(struct arena *a, const char *path);

#endif
