/* cgroup: finding our own cgroup, and making room below it. */
#include "workspace/cgroup.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define ROOT "/sys/fs/cgroup"

/* The path after "0::" in /proc/self/cgroup: the unified hierarchy's. */
static const char *own_path(struct arena *a)
{
    char line[1024];
    const char *path = NULL;
    FILE *f = fopen("/proc/self/cgroup", "re");
    if (f == NULL) return NULL;
    while (path == NULL && fgets(line, sizeof line, f))
        if (strncmp(line, "0::/", 4) == 0) path = arena_strndup(a, line + 3, strcspn(line + 3, "\n"));
    fclose(f);
    return path;
}

const char *cgroup_runs_dir(struct arena *a)
{
    struct statfs fs;
    const char *path;
    if (statfs(ROOT, &fs) != 0 || fs.f_type != CGROUP2_SUPER_MAGIC || (path = own_path(a)) == NULL) return NULL;
    const char *dir = arena_printf(a, ROOT "%s/bulldog-runs", strcmp(path, "/") == 0 ? "" : path);
    if (mkdir(dir, 0755) != 0 && errno != EEXIST) return NULL;
    return access(dir, W_OK) == 0 ? dir : NULL;
}
