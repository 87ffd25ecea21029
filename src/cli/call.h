/*
 * call: from a row of the command table to a request: path, query and body are
 * made from the arguments and options as the tables say.
 */
#ifndef BULLDOG_CLI_CALL_H
#define BULLDOG_CLI_CALL_H

#include "cli/command.h"

/* The path with its places filled in from the arguments; NULL on failure. */
const char *call_path(struct cli *c, enum cli_end *end);
/* {wire name: value} of the options given, on top of --payload-json; NULL on failure. */
json_t *call_body(struct cli *c, enum cli_end *end);
/* The path with these values as its query: ?status=todo&limit=5 */
const char *call_query(struct cli *c, const char *path, const json_t *values);
/* Makes the request with this body (NULL: none) and prints the answer. */
int call_and_print(struct cli *c, const char *path, const json_t *body);
/* All of standard input as text; NULL when it is more than 8 MiB. */
const char *call_stdin(struct cli *c);

#endif
