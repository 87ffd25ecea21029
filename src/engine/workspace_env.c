/* workspace_env: where the logs of operations are, and what the project's own commands see of the server: nothing secret. */
#include "base/settings.h"
#include "engine/workspace.h"

#include <stdlib.h>

const char *workspace_log_root(const struct engine *e, struct arena *a)
{
    return *settings.workspace_log_dir ? settings.workspace_log_dir
                                       : arena_printf(a, "%s/data/workspace-operation-logs", e->opt.data_dir);
}

const char *const *workspace_command_env(struct arena *a, const char *const *more)
{
    static const char *const names[] = {"PATH", "HOME", "USER",   "LOGNAME",      "SHELL",
                                        "LANG", "TZ",   "TMPDIR", "SSH_AUTH_SOCK"};
    int n = 0;
    while (more && more[n]) n++;
    const char **env = arena_array(a, const char *, n + 16);
    n = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (getenv(names[i])) env[n++] = arena_printf(a, "%s=%s", names[i], getenv(names[i]));
    for (; more && *more; more++) env[n++] = *more;
    return env;
}
