/*
 * client: one HTTP call, blocking: for job threads and the command line, never
 * for an HTTP thread. Speaks http and https only, verifies certificates, raises
 * no signals. Connections are kept per thread and reused.
 */
#ifndef BULLDOG_HTTP_CLIENT_H
#define BULLDOG_HTTP_CLIENT_H

#include "base/arena.h"
#include "base/err.h"

#include <stdatomic.h>

#define HTTP_CALL_TIMEOUT_MS 30000
#define HTTP_CALL_RESPONSE_MAX ((size_t)16 << 20)

struct http_call {
    const char *method; /* default GET, POST when there is a body */
    const char *url;
    const char *const *headers; /* "Name: value", NULL at the end; may be NULL */
    const void *body;           /* sent as application/json unless a header says otherwise */
    size_t body_len;
    int timeout_ms;           /* for the whole call; 0: HTTP_CALL_TIMEOUT_MS, negative: none (following a log) */
    int idle_timeout_ms;      /* give up when no byte moves for so long (looked at each second); 0: never */
    size_t response_max;      /* decompressed bytes; 0: HTTP_CALL_RESPONSE_MAX; ignored with a callback */
    int redirects_max;        /* default 0; only within the scheme of the url. Headers go along (Authorization
                                   and Cookie not to another host) */
    const char *ca_file;      /* trust these certificates instead of the system's */
    const atomic_bool *abort; /* set by another thread: the call ends within a second */
    /* Instead of collecting the body: the bytes as they come, or line by line without the line end (a line over
     * 1 MiB comes in pieces). false ends the call, which then succeeds. Only for 2xx: an error's body is collected. */
    bool (*on_data)(void *ctx, const char *data, size_t n);
    bool (*on_line)(void *ctx, const char *line, size_t n);
    void *ctx;
};

struct http_response {
    int status;
    const char *headers; /* of the last answer, as received */
    const char *body;    /* NUL-terminated; "" with a callback */
    size_t body_len;
};

/* Any status is a success here. ERR_UNAVAILABLE when there is no answer, with a code: connect_failed, timeout,
 * tls_failed, aborted, connection_broken; ERR_TOO_LARGE response_too_large; ERR_BAD_REQUEST bad_url. Messages name
 * scheme, host and port only: the rest of a url may be secret. */
err_t http_call(struct arena *a, const struct http_call *call, struct http_response *out) MUST_CHECK;
const char *http_response_header(struct arena *a, const struct http_response *r, const char *name); /* NULL: absent */

#endif
