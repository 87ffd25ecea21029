/*
 * print: what a command shows. JSON alone when asked (AO-162); lists as a table
 * on a terminal and as key=value lines elsewhere, so that scripts may grep them.
 */
#ifndef BULLDOG_CLI_PRINT_H
#define BULLDOG_CLI_PRINT_H

#include "base/buf.h"
#include "base/clock.h"
#include "cli/command.h"

enum { PRINT_CELL_MAX = 90 };

/* The answer of a command, in the form that the options and the terminal ask for.
 * names: object id → name for columns of agents, or NULL. */
void print_answer(struct cli *c, const json_t *answer, const json_t *names);

/* The parts, each pure, appended to out. */
void print_json(struct buf *out, const json_t *j);                      /* pretty, two spaces, one newline at the end */
void print_lines(struct buf *out, struct arena *a, const json_t *list); /* AO-162 */
void print_table(struct buf *out, struct arena *a, const json_t *list, const char *columns, const json_t *names,
                 instant_t now, int width, bool colour);
/* One value as a cell: whitespace collapsed, cut at max characters with "...". */
const char *print_cell(struct arena *a, const json_t *value, size_t max);
const char *print_age(struct arena *a, instant_t then, instant_t now); /* "3m ago", "in 2h" */
const char *print_duration(struct arena *a, int64_t ms);               /* "0.42 s", "3 min 05 s" */
const char *status_colour(const char *status);                         /* escape sequence, "" for none */
int print_width(const char *text); /* columns on a terminal, escape sequences not counted */

/* To stdout at once; false when it is closed. */
bool print_out(const struct buf *b);

#endif
