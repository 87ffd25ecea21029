/*
 * mention: what a text names: agents (IS-92) and issues (IS-93), outside code.
 * Pure; who and what really exists is the caller's to check.
 */
#ifndef BULLDOG_RULES_MENTION_H
#define BULLDOG_RULES_MENTION_H

#include "base/arena.h"

#include <stdbool.h>

/* A copy with code spans and fenced blocks blanked, bytes staying where they were. */
char *markdown_outside_code(struct arena *a, const char *text);

/* Somebody who could be meant. */
struct mention_agent {
    const char *id, *name, *url_key;
};
/* hit[i] is set for agents named by [text](agent://ID) or by an unambiguous
 * @Name or @url-key at the start of a word. */
void mention_scan(struct arena *a, const char *text, const struct mention_agent *agents, int count, bool *hit);

/* An issue identifier found in a text, as it was written and upper-cased. */
struct issue_mention {
    const char *identifier, *matched_text;
    int count;
};
#define ISSUE_MENTIONS_MAX 100
/* Each identifier once, in order of appearance; more than the maximum are left out. */
int mention_issues(struct arena *a, const char *text, struct issue_mention out[ISSUE_MENTIONS_MAX]);

/* The key under which two titles are the same (IS-22): trimmed, white space
 * collapsed, ASCII letters lower-cased. */
const char *title_key(struct arena *a, const char *title);

#endif
