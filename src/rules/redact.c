/* redact: patterns of secrets in JSON and text. */
#include "rules/redact.h"

#include <ctype.h>
#include <string.h>

/* Substrings of a name, compared without case, '-' and '_' (AR-20). */
static const char *const names[] = {
    "apikey", "accesstoken",      "auth",        "token",      "authorization", "bearer",
    "secret", "passwd",           "password",    "credential", "jwt",           "privatekey",
    "cookie", "connectionstring", "browsercode", "logincode",  "loginurl",
};

bool redact_is_sensitive(const char *key)
{
    if (strcmp(key, "authorizationReason") == 0) return false;
    char flat[128];
    size_t n = 0;
    for (const char *p = key; *p && n < sizeof flat - 1; p++)
        if (*p != '-' && *p != '_') flat[n++] = (char)tolower((unsigned char)*p);
    flat[n] = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], "auth") == 0) { /* only as the whole name: "author" is no secret */
            if (strcmp(flat, "auth") == 0) return true;
        } else if (strstr(flat, names[i])) {
            return true;
        }
    }
    return false;
}

static bool b64url(char c) { return isalnum((unsigned char)c) || c == '-' || c == '_'; }

/* Length of a JWT at s (three or four parts, the first beginning eyJ), else 0. */
static size_t jwt_length(const char *s)
{
    if (strncmp(s, "eyJ", 3) != 0) return 0;
    size_t i = 0;
    int parts = 1;
    size_t part = 0;
    for (;; i++) {
        if (b64url(s[i])) {
            part++;
        } else if (s[i] == '.' && part > 0 && b64url(s[i + 1]) && parts < 4) {
            parts++;
            part = 0;
        } else {
            break;
        }
    }
    return parts >= 3 ? i : 0;
}

static bool looks_like_jwt(const char *s)
{
    size_t n = jwt_length(s);
    return n > 0 && s[n] == 0;
}

/* Length of a known token (prefix and at least 16 token characters), else 0. */
static size_t token_length(const char *s)
{
    static const char *const prefixes[] = {"sk-", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "pcp_"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t p = strlen(prefixes[i]), n = p;
        if (strncmp(s, prefixes[i], p) != 0) continue;
        while (b64url(s[n])) n++;
        if (n - p >= 16) return n;
    }
    return 0;
}

static bool name_char(char c) { return isalnum((unsigned char)c) || c == '_' || c == '-'; }

/* At a name: the length up to and including the separator of name=value or
 * "name":"value" when the name is sensitive, else 0. *quote: the closing quote of the value. */
static size_t pair_head(struct arena *a, const char *s, char *quote)
{
    size_t n = 0;
    while (name_char(s[n])) n++;
    if (n == 0 || n > 100) return 0;
    size_t i = n;
    if (s[i] == '"') i++;
    if (s[i] == ':' && s[n] == '"') {
        i++;
        while (s[i] == ' ') i++;
        if (s[i] != '"') return 0;
    } else if (s[i] == '=') {
        i++;
    } else {
        return 0;
    }
    if (!redact_is_sensitive(arena_strndup(a, s, n))) return 0;
    *quote = 0;
    if (s[i] == '"' || s[i] == '\'') *quote = s[i++];
    return i;
}

const char *redact_text(struct arena *a, const char *s)
{
    if (s == NULL) return NULL;
    struct buf b = {0};
    bool boundary = true;
    while (*s) {
        char quote = 0;
        size_t n;
        if (boundary && (n = jwt_length(s)) + token_length(s) > 0) {
            buf_puts(&b, REDACTED);
            s += n ? n : token_length(s);
        } else if (boundary && strncasecmp(s, "bearer ", 7) == 0 && b64url(s[7])) {
            buf_append(&b, s, 7);
            buf_puts(&b, REDACTED);
            for (s += 7; b64url(*s) || *s == '.'; s++) {}
        } else if (boundary && (n = pair_head(a, s, &quote)) > 0) {
            buf_append(&b, s, n);
            s += n;
            const char *value = s;
            while (*s && (quote ? *s != quote : !isspace((unsigned char)*s) && *s != '&' && *s != ';'))
                s += *s == '\\' && s[1] ? 2 : 1;
            if (s > value) buf_puts(&b, REDACTED);
        } else {
            boundary = !name_char(*s);
            buf_putc(&b, *s++);
            continue;
        }
        boundary = true;
    }
    return buf_finish(&b, a);
}

static bool is_binding(const json_t *v, const char *type)
{
    const char *t = json_str(v, "type");
    return json_is_object(v) && t && strcmp(t, type) == 0;
}

static bool is_command_key(const char *key)
{
    static const char *const keys[] = {"command", "cmd", "commandLine", "resolvedCommand"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcasecmp(key, keys[i]) == 0) return true;
    return false;
}

static json_t *redact_args(struct arena *a, const json_t *args)
{
    json_t *out = json_array(), *v;
    size_t i;
    bool hide = false;
    json_array_foreach (args, i, v) {
        const char *s = json_string_value(v);
        if (hide) json_array_append_new(out, json_string(REDACTED));
        else json_array_append_new(out, s ? json_string(redact_text(a, s)) : redact_json(a, v));
        hide = s && strncmp(s, "--", 2) == 0 && strchr(s, '=') == NULL && redact_is_sensitive(s + 2);
    }
    return out;
}

static json_t *redact_member(struct arena *a, const char *key, json_t *v)
{
    if (redact_is_sensitive(key) && !json_is_null(v)) {
        if (is_binding(v, "secret_ref") || is_binding(v, "user_secret_ref")) return v;
        if (is_binding(v, "plain")) return json_pack("{s:s, s:s}", "type", "plain", "value", REDACTED);
        return json_string(REDACTED);
    }
    if (is_command_key(key) && json_is_string(v)) return json_string(redact_text(a, json_string_value(v)));
    if ((strcmp(key, "commandArgs") == 0 || strcmp(key, "command_args") == 0 || strcmp(key, "argv") == 0) &&
        json_is_array(v))
        return redact_args(a, v);
    if (strcmp(key, "surface") == 0 && json_is_string(v)) return v;
    return redact_json(a, v);
}

json_t *redact_json(struct arena *a, const json_t *v)
{
    const char *key;
    json_t *m;
    size_t i;
    switch (v ? json_typeof(v) : JSON_NULL) {
    case JSON_OBJECT: {
        json_t *out = json_object();
        json_object_foreach ((json_t *)(uintptr_t)v, key, m) json_object_set_new(out, key, redact_member(a, key, m));
        return out;
    }
    case JSON_ARRAY: {
        json_t *out = json_array();
        json_array_foreach (v, i, m) json_array_append_new(out, redact_json(a, m));
        return out;
    }
    case JSON_STRING: return looks_like_jwt(json_string_value(v)) ? json_string(REDACTED) : (json_t *)(uintptr_t)v;
    case JSON_NULL: return json_null();
    case JSON_INTEGER:
    case JSON_REAL:
    case JSON_TRUE:
    case JSON_FALSE: break;
    }
    return (json_t *)(uintptr_t)v;
}

const char *redact_find_marker(const json_t *v)
{
    const char *key;
    json_t *m;
    size_t i;
    if (json_is_object(v)) {
        json_object_foreach ((json_t *)(uintptr_t)v, key, m) {
            const char *s = json_is_object(m) ? json_str(m, "value") : json_string_value(m);
            if (redact_is_sensitive(key) && s && strcmp(s, REDACTED) == 0) return key;
            const char *deep = redact_find_marker(m);
            if (deep) return deep;
        }
    } else if (json_is_array(v)) {
        json_array_foreach (v, i, m) {
            const char *deep = redact_find_marker(m);
            if (deep) return deep;
        }
    }
    return NULL;
}
