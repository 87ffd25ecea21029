/* mention: names of agents and issues in markdown. */
#include "rules/mention.h"

#include "base/text.h"

#include <ctype.h>
#include <strings.h>

static bool word_char(char c) { return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80; }

static void blank(char *from, const char *to)
{
    for (; from < to; from++)
        if (*from != '\n') *from = ' ';
}

static size_t run_of(const char *p, char c)
{
    size_t n = 0;
    while (p[n] == c) n++;
    return n;
}

/* The end of a fenced block whose opening line starts at p, or NULL: no fence here. */
static char *fence_end(char *p)
{
    size_t indent = strspn(p, " ");
    char c = p[indent];
    size_t n = indent <= 3 && (c == '`' || c == '~') ? run_of(p + indent, c) : 0;
    if (n < 3) return NULL;
    char *line = strchr(p, '\n');
    while (line) {
        char *start = line + 1, *at = start + strspn(start, " ");
        line = strchr(start, '\n');
        if (at - start > 3 || run_of(at, c) < n) continue;
        const char *rest = at + run_of(at, c);
        rest += strspn(rest, " \t\r");
        if (*rest == '\n' || *rest == 0) return line ? line : start + strlen(start);
    }
    return p + strlen(p); /* never closed: code to the end */
}

/* The end of the code span that starts at p (a run of backticks), or NULL. */
static char *span_end(char *p)
{
    size_t n = run_of(p, '`');
    for (char *q = p + n; *q;) {
        size_t m = run_of(q, '`');
        if (m == n) return q + m;
        q += m ? m : 1;
    }
    return NULL;
}

char *markdown_outside_code(struct arena *a, const char *text)
{
    char *out = arena_strdup(a, text);
    bool line_start = true;
    for (char *p = out; *p;) {
        char *end = line_start ? fence_end(p) : NULL;
        if (end == NULL && *p == '`') end = span_end(p);
        if (end) {
            blank(p, end);
            p = end;
            line_start = false;
            continue;
        }
        size_t step = *p == '`' ? run_of(p, '`') : 1;
        line_start = *p == '\n';
        p += step;
    }
    return out;
}

/* ---- agents ---- */

/* [text](agent://ID) or [text](agent://ID?i=icon) */
static void scan_links(const char *text, const struct mention_agent *agents, int count, bool *hit)
{
    static const char scheme[] = "](agent://";
    for (const char *p = strstr(text, scheme); p; p = strstr(p + 1, scheme)) {
        const char *id = p + sizeof scheme - 1;
        size_t n = strcspn(id, "?)# \t\n");
        if (id[n] != ')' && id[n] != '?') continue;
        for (int i = 0; i < count; i++)
            if (strlen(agents[i].id) == n && strncasecmp(agents[i].id, id, n) == 0) hit[i] = true;
    }
}

static size_t name_at(const char *p, const char *name)
{
    size_t n = name ? strlen(name) : 0;
    bool whole = n > 0 && strncasecmp(p, name, n) == 0 && !word_char(p[n]);
    /* "@ada-lovelace" is not "@ada" */
    if (whole && p[n] == '-' && word_char(p[n + 1])) whole = false;
    return whole ? n : 0;
}

/* The longest name that stands here; two agents with it cancel each other out. */
static int agent_at(const char *p, const struct mention_agent *agents, int count)
{
    size_t best = 0;
    int which = -1;
    for (int i = 0; i < count; i++) {
        size_t by_name = name_at(p, agents[i].name), by_key = name_at(p, agents[i].url_key);
        size_t n = by_name > by_key ? by_name : by_key;
        if (n > best) which = i;
        else if (n > 0 && n == best) which = -1;
        if (n > best) best = n;
    }
    return which;
}

void mention_scan(struct arena *a, const char *text, const struct mention_agent *agents, int count, bool *hit)
{
    const char *plain = markdown_outside_code(a, text);
    scan_links(plain, agents, count, hit);
    for (const char *p = strchr(plain, '@'); p; p = strchr(p + 1, '@')) {
        bool starts_word = p == plain || !(word_char(p[-1]) || strchr("@/.-", p[-1]));
        int i = starts_word ? agent_at(p + 1, agents, count) : -1;
        if (i >= 0) hit[i] = true;
    }
}

/* ---- issues ---- */

/* Length of an identifier at p: letter, letters and digits, '-', digits, end of word; else 0. */
static size_t identifier_at(const char *p)
{
    size_t n = 0;
    if (!isalpha((unsigned char)*p)) return 0;
    while (isalnum((unsigned char)p[n])) n++;
    size_t digits = p[n] == '-' ? strspn(p + n + 1, "0123456789") : 0;
    if (digits == 0 || digits > 9 || n > 32) return 0;
    n += 1 + digits;
    bool ends = !word_char(p[n]) && !(p[n] == '-' && word_char(p[n + 1]));
    return ends ? n : 0;
}

int mention_issues(struct arena *a, const char *text, struct issue_mention out[ISSUE_MENTIONS_MAX])
{
    int count = 0;
    if (text == NULL || strchr(text, '-') == NULL) return 0;
    const char *plain = markdown_outside_code(a, text);
    for (const char *p = plain; *p;) {
        bool starts_word = p == plain || !(word_char(p[-1]) || p[-1] == '-');
        size_t n = starts_word ? identifier_at(p) : 0;
        if (n == 0) {
            p++;
            continue;
        }
        char *up = arena_strndup(a, p, n);
        for (char *q = up; *q; q++) *q = (char)toupper((unsigned char)*q);
        int i = 0;
        while (i < count && strcmp(out[i].identifier, up) != 0) i++;
        if (i == count && count < ISSUE_MENTIONS_MAX)
            out[count++] = (struct issue_mention){up, arena_strndup(a, p, n), 0};
        if (i < count) out[i].count++;
        p += n;
    }
    return count;
}

const char *title_key(struct arena *a, const char *title)
{
    char *out = arena_strdup(a, title), *q = out;
    bool space = false;
    for (const char *p = title; *p; p++) {
        if (isspace((unsigned char)*p)) {
            space = q > out;
            continue;
        }
        if (space) *q++ = ' ';
        space = false;
        *q++ = (char)tolower((unsigned char)*p);
    }
    *q = 0;
    return out;
}
