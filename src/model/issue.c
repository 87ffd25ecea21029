/* issue: the task row. */
#include "model/issue.h"

#include "base/id.h"

#include <ctype.h>
#include <string.h>

err_t issue_get(struct db *db, const char *id, struct issue *out, bool *found)
{
    *found = false;
    if (!id_valid(id)) return OK;
    return entity_one(db, &ENTITY_issue, out, found, "WHERE id = $1", P(V_ID(id)));
}

/* ^[A-Z][A-Z0-9]*-\d+$ after trimming and upper-casing; NULL when it is none. */
static const char *identifier(struct arena *a, const char *ref)
{
    while (isspace((unsigned char)*ref)) ref++;
    size_t n = strlen(ref), i = 0;
    while (n > 0 && isspace((unsigned char)ref[n - 1])) n--;
    char *s = arena_strndup(a, ref, n);
    for (char *p = s; *p; p++) *p = (char)toupper((unsigned char)*p);
    if (!isalpha((unsigned char)s[0])) return NULL;
    while (isalnum((unsigned char)s[i])) i++;
    size_t digits = s[i] == '-' ? strspn(s + i + 1, "0123456789") : 0;
    return digits > 0 && s[i + 1 + digits] == 0 ? s : NULL;
}

err_t issue_resolve(struct db *db, const char *ref, struct issue *out, bool *found)
{
    *found = false;
    if (id_valid(ref)) return issue_get(db, ref, out, found);
    const char *ident = identifier(db_arena(db), ref);
    if (ident == NULL) return OK;
    return entity_one(db, &ENTITY_issue, out, found, "WHERE identifier = $1", P(V_TEXT(ident)));
}
