/*
 * op_log: the log of one workspace operation (WS-74): NDJSON lines
 * {ts, stream, chunk} in a file, and the last characters of each stream for the
 * row. A log that cannot be written is no reason to stop working.
 */
#ifndef BULLDOG_WORKSPACE_OP_LOG_H
#define BULLDOG_WORKSPACE_OP_LOG_H

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

struct op_log {
    struct arena *arena;
    int fd;          /* -1: no file */
    const char *ref; /* "<company>/<operation>.ndjson" */
    int64_t bytes;
    struct buf out, err; /* excerpts */
};
/* root: the directory of all operation logs. Appends to a log that is there. */
void op_log_open(struct op_log *l, struct arena *a, const char *root, const char *company_id, const char *operation_id);
/* stream: stdout, stderr or system. */
void op_log_write(struct op_log *l, const char *stream, const char *text);
void op_log_close(struct op_log *l);
/* The last 4,096 characters, whole ones. */
const char *op_log_excerpt(struct op_log *l, const struct buf *b);

#endif
