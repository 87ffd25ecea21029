/* suppression: two switches of the board beside two of the environment. */
#include "model/suppression.h"

#include "base/settings.h"

#include <stdatomic.h>

static atomic_bool paused, worktree_runs;

const char *scheduling_suppressed(void)
{
    if (settings.restore_in_progress) return "database_restore_in_progress";
    if (settings.in_worktree && !atomic_load(&worktree_runs)) return "worktree_instance";
    return atomic_load(&paused) ? "operator_paused" : NULL;
}

void suppression_take(const struct instance_settings *s)
{
    atomic_store(&paused, s->execution_paused);
    atomic_store(&worktree_runs, instance_experiment(s, "enableWorktreeRunExecution"));
}

err_t suppression_refresh(struct db *db)
{
    struct instance_settings s;
    TRY(instance_settings_get(db, &s));
    suppression_take(&s);
    return OK;
}
