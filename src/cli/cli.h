/*
 * cli: the `bulldog` command's client side. Everything but `serve` starts here:
 * it talks to a server over HTTP and nothing else, so it works the same against
 * this machine and another one.
 */
#ifndef BULLDOG_CLI_CLI_H
#define BULLDOG_CLI_CLI_H

/* Runs one command and gives its exit code (AO-163): 0, or 1 for any error.
 * With PAPERCLIP_CLI_EXIT_CODES=v2: 2 usage, 3 not allowed, 4 not found,
 * 5 conflict, 6 server not reachable. */
int cli_main(int argc, char **argv);

#endif
