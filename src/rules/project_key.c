/* project_key: names of projects and folders. */
#include "rules/project_key.h"

#include "rules/shortname.h"

#include <stdbool.h>
#include <string.h>

#define ID_PIECE 8

static bool ascii(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s >= 0x80) return false;
    return true;
}

const char *project_url_key(struct arena *a, const char *name, const char *id)
{
    const char *base = shortname(a, name);
    /* the last digits: the first ones of our ids are the time, alike for neighbours */
    const char *piece = strlen(id) > ID_PIECE ? id + strlen(id) - ID_PIECE : id;
    if (base && ascii(name)) return base;
    return base ? arena_printf(a, "%s-%s", base, piece) : arena_strdup(a, piece);
}

const char *folder_name(struct arena *a, const char *path)
{
    size_t end = path ? strlen(path) : 0;
    while (end > 0 && path[end - 1] == '/') end--;
    size_t start = end;
    while (start > 0 && path[start - 1] != '/' && path[start - 1] != ':') start--;
    return end > start ? arena_strndup(a, path + start, end - start) : NULL;
}

const char *repo_name(struct arena *a, const char *url)
{
    if (url == NULL) return NULL;
    const char *slashes = strstr(url, "://"), *name = folder_name(a, arena_strndup(a, url, strcspn(url, "?#")));
    if (name == NULL || (slashes && strchr(slashes + 3, '/') == NULL)) return NULL; /* a host alone */
    size_t n = strlen(name);
    if (n > 4 && strcmp(name + n - 4, ".git") == 0) n -= 4;
    return arena_strndup(a, name, n);
}
