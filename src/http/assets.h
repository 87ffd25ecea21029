/*
 * assets: the board's files, embedded in the binary (UI-132, UI-141). The table
 * is made by tools/embed-ui from ui/dist; index.html is the asset "/index.html".
 */
#ifndef BULLDOG_HTTP_ASSETS_H
#define BULLDOG_HTTP_ASSETS_H

#include <stdbool.h>
#include <stddef.h>

struct asset {
    const char *path; /* "/assets/main-ABCDEFGH.js" */
    const char *content_type;
    const char *etag; /* strong, with its quotes */
    const unsigned char *raw, *gz;
    size_t raw_len, gz_len;
    bool immutable; /* the name changes with the content: cache for ever */
};

/* NULL when there is no such file. The path is compared as it is. */
const struct asset *asset_find(const char *path);

/* For asset_find and tests: every file, sorted by path. */
extern const struct asset ASSETS[];
extern const size_t ASSETS_COUNT;

#endif
