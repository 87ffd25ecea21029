/* settings: one table, many uses. */
#include "base/settings.h"

#include "base/buf.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct settings settings;

#define STRING_TEXT(d) d
#define STRING_SECRET(d) d
#define STRING_INT(d) #d
#define STRING_BOOL(d) #d
const struct setting_info SETTINGS[] = {
#define SETTING(id, key, kind, dflt, min, max, env, help) {#id, key, #kind, STRING_##kind(dflt), env, help, min, max},
#include "tables/settings.def"
#undef SETTING
};
const int SETTINGS_COUNT = (int)(sizeof SETTINGS / sizeof *SETTINGS);

static const size_t offsets[] = {
#define SETTING(id, key, kind, dflt, min, max, env, help) offsetof(struct settings, id),
#include "tables/settings.def"
#undef SETTING
};

static err_t parse(struct arena *a, int i, const char *value, const char *where)
{
    const struct setting_info *s = &SETTINGS[i];
    char *at = (char *)&settings + offsets[i];
    if (strcmp(s->kind, "INT") == 0) {
        char *end;
        errno = 0;
        int64_t v = strtoll(value, &end, 10);
        if (errno || end == value || *end || v < s->min || v > s->max)
            return err_new(a, ERR_BAD_REQUEST, "%s: \"%s\" must be a whole number from %" PRId64 " to %" PRId64, where,
                           value, s->min, s->max);
        *(int64_t *)(void *)at = v;
    } else if (strcmp(s->kind, "BOOL") == 0) {
        static const char *const yes[] = {"1", "true", "yes", "on"}, *const no[] = {"0", "false", "no", "off", ""};
        bool v = false, known = false;
        for (size_t k = 0; k < 4; k++)
            if (strcasecmp(value, yes[k]) == 0) v = known = true;
        for (size_t k = 0; k < 5; k++)
            if (strcasecmp(value, no[k]) == 0) known = true;
        if (!known) return err_new(a, ERR_BAD_REQUEST, "%s: \"%s\" must be true or false", where, value);
        *(bool *)(void *)at = v;
    } else {
        *(const char **)(void *)at = arena_strdup(a, value);
    }
    return OK;
}

/* NAME, or the contents of the file NAME_FILE for secrets. */
static const char *from_env(struct arena *a, const char *name, bool secret)
{
    const char *v = getenv(name);
    if (v || !secret) return v;
    const char *path = getenv(arena_printf(a, "%s_FILE", name));
    FILE *f = path ? fopen(path, "re") : NULL;
    if (f == NULL) return NULL;
    char line[4096];
    v = fgets(line, sizeof line, f) ? arena_strndup(a, line, strcspn(line, "\r\n")) : NULL;
    fclose(f);
    return v;
}

err_t settings_load(struct arena *a)
{
    for (int i = 0; i < SETTINGS_COUNT; i++) {
        const struct setting_info *s = &SETTINGS[i];
        TRY(parse(a, i, s->dflt, s->key));
        char *names = arena_strdup(a, s->env), *save = NULL;
        for (char *n = strtok_r(names, " ", &save); n; n = strtok_r(NULL, " ", &save)) {
            const char *v = from_env(a, n, strcmp(s->kind, "SECRET") == 0);
            if (v == NULL || *v == 0) continue;
            TRY(parse(a, i, v, n));
            break;
        }
    }
    return OK;
}

err_t settings_set(struct arena *a, const char *key, const char *value)
{
    for (int i = 0; i < SETTINGS_COUNT; i++)
        if (strcmp(SETTINGS[i].key, key) == 0 || strcmp(SETTINGS[i].id, key) == 0) return parse(a, i, value, key);
    return err_new(a, ERR_BAD_REQUEST, "unknown setting %s", key);
}

const char *settings_text(struct arena *a, const struct setting_info *s)
{
    const char *at = (const char *)&settings + offsets[s - SETTINGS];
    if (strcmp(s->kind, "INT") == 0) return arena_printf(a, "%" PRId64, *(const int64_t *)(const void *)at);
    if (strcmp(s->kind, "BOOL") == 0) return *(const bool *)(const void *)at ? "true" : "false";
    const char *v = *(const char *const *)(const void *)at;
    if (strcmp(s->kind, "SECRET") == 0) return v && *v ? "set" : "";
    return v ? v : "";
}
