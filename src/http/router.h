/*
 * router: matches a method and path against a route table. Literal segments
 * win over parameters; parameters are whole segments (":id").
 */
#ifndef BULLDOG_HTTP_ROUTER_H
#define BULLDOG_HTTP_ROUTER_H

#include "base/arena.h"

#include <stdbool.h>

#define ROUTE_PARAMS_MAX 4

struct router;
/* One entry: index (>= 0) is the caller's. Methods and patterns live as long as the router. */
struct router *router_new(void);
void router_add(struct router *r, const char *method, const char *pattern, int index);
void router_free(struct router *r);

struct route_match {
    int index;                            /* -1: nothing matched */
    bool path_known;                      /* the path exists, perhaps under another method only */
    const char *params[ROUTE_PARAMS_MAX]; /* values in pattern order, in the arena */
    int param_count;
};
/* path is percent-decoded; a trailing slash is ignored. HEAD falls back to GET.
 * HTTP_ESCAPED_SLASH stands for a slash within a segment (%2F) and is one in params.
 * A literal that has no route for the method gives way to a parameter that has. */
struct route_match router_match(const struct router *r, struct arena *a, const char *method, const char *path);

/* The value of an Allow header for this path: "GET, HEAD, PATCH, OPTIONS". NULL: unknown path (AO-25). */
const char *router_allow(const struct router *r, struct arena *a, const char *path);

#endif
