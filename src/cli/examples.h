/* examples: the files of examples/agents, embedded so that an installed binary has them. */
#ifndef BULLDOG_CLI_EXAMPLES_H
#define BULLDOG_CLI_EXAMPLES_H

struct example {
    const char *name, *text;
};
extern const struct example EXAMPLE_AGENTS[]; /* ended by a NULL name */

#endif
