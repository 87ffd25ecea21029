/* shortname: the url key of a name. */
#include "rules/shortname.h"

#include <string.h>

const char *shortname(struct arena *a, const char *name)
{
    char *out = arena_alloc(a, strlen(name) + 1), *q = out;
    for (const char *p = name; *p; p++) {
        char c = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) *q++ = c;
        else if (q > out && q[-1] != '-') *q++ = '-';
    }
    while (q > out && q[-1] == '-') q--;
    *q = 0;
    return *out ? out : NULL;
}
