/* phrases: looking for words. */
#include "rules/phrases.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const struct {
    enum phrase kind;
    const char *text;
} phrases[] = {
#define PHRASE(kind, text) {PHRASE_##kind, text},
#include "tables/run_phrases.def"
#undef PHRASE
};
#define PHRASES (sizeof phrases / sizeof *phrases)

static bool word_char(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* At `at` of `text`, with no letter on either side. */
static bool stands(const char *text, const char *at, const char *phrase)
{
    size_t n = strlen(phrase);
    if (strncasecmp(at, phrase, n) != 0) return false;
    if (at > text && word_char(at[-1]) && word_char(*phrase)) return false;
    return !(word_char(at[n]) && word_char(phrase[n - 1]));
}

bool phrase_in(const char *text, enum phrase kind)
{
    for (const char *at = text; at && *at; at++)
        for (size_t i = 0; i < PHRASES; i++)
            if (phrases[i].kind == kind && stands(text, at, phrases[i].text)) return true;
    return false;
}

bool phrase_begins(const char *text, enum phrase kind)
{
    if (text) text += strspn(text, " \t\r\n*_#>-");
    for (size_t i = 0; text && i < PHRASES; i++)
        if (phrases[i].kind == kind && stands(text, text, phrases[i].text)) return true;
    return false;
}

/* One line from `from`, without list marks and blanks; NULL when it is empty. */
static const char *line_at(struct arena *a, const char *from)
{
    from += strspn(from, " \t*_#>-");
    size_t n = strcspn(from, "\r\n");
    if (n > NEXT_ACTION_MAX) n = NEXT_ACTION_MAX;
    while (n > 0 && n == NEXT_ACTION_MAX && ((unsigned char)from[n] & 0xc0) == 0x80) n--; /* whole characters */
    while (n > 0 && strchr(" \t*_", from[n - 1])) n--;
    return n ? arena_strndup(a, from, n) : NULL;
}

/* Where the text says what comes next: behind the mark, or at the sentence that plans. */
static const char *marked(const char *text, size_t *len, enum phrase kind)
{
    for (const char *at = text; *at; at++)
        for (size_t i = 0; i < PHRASES; i++)
            if (phrases[i].kind == kind && stands(text, at, phrases[i].text)) {
                *len = strlen(phrases[i].text);
                return at;
            }
    return NULL;
}

const char *phrase_next_action(struct arena *a, const char *text)
{
    size_t len;
    if (text == NULL) return NULL;
    const char *at = marked(text, &len, PHRASE_NEXT);
    if (at) {
        const char *line = line_at(a, at + len), *rest = at + len;
        rest += strcspn(rest, "\n");
        rest += strspn(rest, "\r\n");
        return line ? line : line_at(a, rest);
    }
    at = marked(text, &len, PHRASE_PLANNING);
    return at ? line_at(a, at) : NULL;
}
