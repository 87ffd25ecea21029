/*
 * api: calls to the server from a command: where it is, who we are, what it
 * answered (AO-161, AO-163).
 */
#ifndef BULLDOG_CLI_API_H
#define BULLDOG_CLI_API_H

#include "cli/command.h"

/* Base URL without a slash at the end; never NULL. */
const char *api_base(struct cli *c);
const char *api_key(struct cli *c);    /* NULL: none */
const char *api_run_id(struct cli *c); /* NULL: none */

/* What came back. A status of 400 or more is an answer here, not an err_t. */
struct api_answer {
    int status;   /* 0: the server could not be reached, message says why */
    json_t *json; /* NULL when the body is empty or no JSON */
    const char *text;
    const char *message; /* of an error: the server's own words */
};
/* body: NULL for none. path begins with /api. */
struct api_answer api_request(struct cli *c, const char *method, const char *path, const json_t *body);

/* The usual way: makes the call; on failure prints why to stderr, sets *end and gives NULL. */
json_t *api_call(struct cli *c, const char *method, const char *path, const json_t *body, enum cli_end *end);
/* Prints a failed answer to stderr and says which end it is. */
enum cli_end api_report(struct cli *c, const char *method, const char *path, const struct api_answer *answer);
/* One path segment or query value, percent-encoded. */
const char *api_encode(struct arena *a, const char *text);

#endif
