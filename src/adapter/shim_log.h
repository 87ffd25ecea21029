/*
 * shim_log: what a run's log tells when no exit record does, because the
 * supervisor was killed: the excerpts and counts the run is finished with, so
 * that a lost run loses nothing that was written (AR-69, AR-71).
 */
#ifndef BULLDOG_ADAPTER_SHIM_LOG_H
#define BULLDOG_ADAPTER_SHIM_LOG_H

#include "adapter/shim_record.h"

/* Fill `output` and the excerpts of *out from the log's end, and cut off a
 * torn last line. Only when the shim is dead (shim_tree_probe). A log that is
 * missing is an empty one. */
err_t shim_log_recover(struct arena *a, const char *log_path, struct shim_exit *out) MUST_CHECK;

#endif
