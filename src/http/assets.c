/* assets: finding an embedded file. The table itself is generated. */
#include "http/assets.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static int compare_path(const void *path, const void *asset)
{
    return strcmp(path, ((const struct asset *)asset)->path);
}

const struct asset *asset_find(const char *path)
{
    assert(path != NULL);
    return bsearch(path, ASSETS, ASSETS_COUNT, sizeof ASSETS[0], compare_path);
}
