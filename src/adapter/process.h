/*
 * process: the `process` adapter (AR-55): a command with arguments, no shell.
 * Pure preparation; the shim runs it.
 */
#ifndef BULLDOG_ADAPTER_PROCESS_H
#define BULLDOG_ADAPTER_PROCESS_H

#include "adapter/shim_record.h"
#include "base/json.h"

struct process_config {
    const char *command;
    const char *const *argv; /* command first, NULL-terminated */
    const char *cwd;         /* NULL: the run's workspace */
    int64_t timeout_sec;     /* 0: none */
    int64_t grace_sec;
    bool kill_group_on_exit;
    json_t *env; /* name → {type, value} */
};
/* ERR_UNPROCESSABLE "Process adapter missing command" and such. */
err_t process_config_parse(struct arena *a, const char *adapter_config, struct process_config *out) MUST_CHECK;

/* The end of the process as a run's outcome: error text and code, NULL when it went well. */
void process_verdict(struct arena *a, const struct shim_exit *x, const struct process_config *c, const char **error,
                     const char **code);

#endif
