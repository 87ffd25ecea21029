/*
 * command: a child process with a limit on everything: time, output, and how
 * long a cancel takes. Argument vectors only; its environment is given whole.
 * Blocks: job threads only.
 */
#ifndef BULLDOG_WORKSPACE_COMMAND_H
#define BULLDOG_WORKSPACE_COMMAND_H

#include "base/err.h"

#include <stdatomic.h>
#include <stdint.h>

struct command {
    const char *const *argv; /* NULL-terminated; found in PATH */
    const char *const *env;
    const char *cwd; /* NULL: where the server is */
    int64_t timeout_ms;
    size_t output_max;  /* per stream; what is more is dropped */
    bool keep_tail;     /* the end is kept, not the beginning */
    atomic_bool *abort; /* set: it is ended; may be NULL */
};

struct command_result {
    int exit_code; /* -1: a signal, or it never started */
    bool timed_out, aborted, truncated;
    const char *out, *err;
    size_t out_len;
};
/* ERR_UNAVAILABLE: it could not be started. Its whole process group is gone when this returns. */
err_t command_run(struct arena *a, const struct command *c, struct command_result *out) MUST_CHECK;

#endif
