/* exec: another program, waited for; no shell. For the demo and the doctor. */
#ifndef BULLDOG_CLI_EXEC_H
#define BULLDOG_CLI_EXEC_H

#include "base/arena.h"

#include <stdbool.h>

struct exec_result {
    int code;           /* exit code; -1: could not be started, was killed, or took too long */
    const char *output; /* standard output and error, at most 64 KiB, without newlines at the end */
};

/* argv ends with NULL. The child's standard input is empty. */
struct exec_result exec_wait(struct arena *a, const char *const argv[], int timeout_ms);
/* Is there such a program on the PATH? */
bool exec_exists(const char *name);

#endif
