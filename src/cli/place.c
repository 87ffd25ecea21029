/* place: the data directory as `serve` would take it. */
#include "cli/place.h"

#include "base/settings.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *place_data_dir(struct cli *c)
{
    const char *dir = c->value[OPT_data_dir] ? c->value[OPT_data_dir] : settings.data_dir, *home = getenv("HOME");
    if (strncmp(dir, "~/", 2) == 0) return arena_printf(c->arena, "%s/%s", home ? home : "/tmp", dir + 2);
    char here[PATH_MAX];
    return *dir != '/' && getcwd(here, sizeof here) ? arena_printf(c->arena, "%s/%s", here, dir) : dir;
}
