/* branch_name: rendering, sanitising, checking. */
#include "rules/branch_name.h"

#include "base/buf.h"
#include "base/text.h"

#include <ctype.h>
#include <string.h>

#define BRANCH_CHARS_MAX 120
#define BRANCH_NAMELESS "paperclip-work"

static bool wordly(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}
static bool branchly(char c) { return wordly(c) || c == '.' || c == '/'; }

/* Runs of other characters become one "-", as do runs of "-". */
static char *squeezed(struct arena *a, const char *s, bool (*keep)(char))
{
    char *out = arena_alloc(a, strlen(s) + 1), *p = out;
    for (; *s; s++) {
        char c = keep(*s) ? *s : '-';
        if (c == '-' && p > out && p[-1] == '-') continue;
        *p++ = c;
    }
    return out;
}

static char *trimmed(char *s, const char *front, const char *back)
{
    s += strspn(s, front);
    size_t n = strlen(s);
    while (n && strchr(back, s[n - 1])) n--;
    s[n] = 0;
    return s;
}

static const char *slug_of(struct arena *a, const char *text)
{
    char *lower = arena_strdup(a, text ? text : "");
    for (char *p = lower; *p; p++) *p = (char)tolower((unsigned char)*p);
    return trimmed(squeezed(a, lower, wordly), "-_", "-_");
}

const char *branch_slug(struct arena *a, const struct branch_vars *v)
{
    const char *s = slug_of(a, v->issue_title);
    if (*s == 0) s = slug_of(a, v->issue_identifier);
    return *s ? s : "issue";
}

static const char *value_of(struct arena *a, const char *name, const struct branch_vars *v)
{
    const struct {
        const char *name, *value;
    } all[] = {
        {"issue.id", v->issue_id},          {"issue.identifier", v->issue_identifier},
        {"issue.title", v->issue_title},    {"agent.id", v->agent_id},
        {"agent.name", v->agent_name},      {"project.id", v->project_id},
        {"workspace.repoRef", v->repo_ref},
    };
    if (text_is(name, "slug")) return branch_slug(a, v);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (text_is(name, all[i].name)) return all[i].value ? all[i].value : "";
    return "";
}

static const char *filled(struct arena *a, const char *template, const struct branch_vars *v)
{
    struct buf b = {0};
    const char *end;
    buf_puts(&b, "");
    for (const char *p = template; *p;) {
        if (p[0] != '{' || p[1] != '{' || (end = strstr(p, "}}")) == NULL) {
            buf_putc(&b, *p++);
            continue;
        }
        char *name = trimmed(arena_strndup(a, p + 2, (size_t)(end - p - 2)), " \t", " \t");
        buf_puts(&b, value_of(a, name, v));
        p = end + 2;
    }
    return buf_finish(&b, a);
}

static char *sanitized(struct arena *a, const char *s)
{
    char *out = trimmed(squeezed(a, s, branchly), "-/.", "-/.");
    if (strlen(out) > BRANCH_CHARS_MAX) {
        out[BRANCH_CHARS_MAX] = 0;
        out = trimmed(out, "", "-/."); /* the cut may have left a bad end */
    }
    return out;
}

bool branch_valid(const char *name)
{
    if (*name == 0 || *name == '-' || strstr(name, "..") || strstr(name, "//") || text_is(name, "HEAD")) return false;
    for (const char *part = name; part; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL) {
        size_t n = strcspn(part, "/");
        if (n == 0 || part[0] == '.' || part[n - 1] == '.') return false;
        if (n >= 5 && memcmp(part + n - 5, ".lock", 5) == 0) return false;
    }
    for (const char *p = name; *p; p++)
        if (!branchly(*p)) return false;
    return true;
}

const char *branch_render(struct arena *a, const char *template, const struct branch_vars *v)
{
    bool blank = template == NULL || template[strspn(template, " \t\r\n")] == 0;
    const char *name = sanitized(a, filled(a, blank ? BRANCH_TEMPLATE : template, v));
    if (*name == 0) return BRANCH_NAMELESS;
    return branch_valid(name) ? name : NULL;
}

const char *branch_with_suffix(struct arena *a, const char *name, const char *suffix)
{
    size_t room = BRANCH_CHARS_MAX - 1 - strlen(suffix);
    char *head = trimmed(arena_strndup(a, name, strnlen(name, room)), "", "-/.");
    return arena_printf(a, "%s-%s", head, suffix);
}
