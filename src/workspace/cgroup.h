/* cgroup: a place for the runs' cgroups, where the kernel and our rights allow it (cgroup v2). */
#ifndef BULLDOG_WORKSPACE_CGROUP_H
#define BULLDOG_WORKSPACE_CGROUP_H

#include "base/arena.h"

/* Directory under which each run may have its own, beside the server's processes
 * and below the server's cgroup; made when missing. NULL: not permitted here. */
const char *cgroup_runs_dir(struct arena *a);

#endif
