/*
 * settings: the table src/tables/settings.def drives parsing, bounds, --help and
 * the docs. Read once at start from the environment and the command line; the
 * result is constant afterwards.
 */
#ifndef BULLDOG_BASE_SETTINGS_H
#define BULLDOG_BASE_SETTINGS_H

#include "base/err.h"

#include <stdint.h>

#define SETTING_TYPE_TEXT const char *
#define SETTING_TYPE_SECRET const char *
#define SETTING_TYPE_INT int64_t
#define SETTING_TYPE_BOOL bool
struct settings {
#define SETTING(id, key, kind, dflt, min, max, env, help) SETTING_TYPE_##kind id;
#include "tables/settings.def"
#undef SETTING
};

extern struct settings settings;

struct setting_info {
    const char *id, *key, *kind, *dflt, *env, *help;
    int64_t min, max;
};
extern const struct setting_info SETTINGS[];
extern const int SETTINGS_COUNT;

/* Defaults, then the environment (the first set name wins; NAME_FILE reads a
 * file for secrets). A bad value is ERR_BAD_REQUEST naming the variable. */
err_t settings_load(struct arena *a) MUST_CHECK;
/* Set one by key or id, with the same checks. */
err_t settings_set(struct arena *a, const char *key, const char *value) MUST_CHECK;
/* Current value as text; a secret gives "set" or "". */
const char *settings_text(struct arena *a, const struct setting_info *s);

#endif
