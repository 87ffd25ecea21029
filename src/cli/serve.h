/* serve: `bulldog serve`, the server. */
#ifndef BULLDOG_CLI_SERVE_H
#define BULLDOG_CLI_SERVE_H

/* argv: what follows "serve". Returns the exit code. */
int serve_main(int argc, char **argv);

#endif
