/* handlers: declarations of every route handler, from the route table. A room
 * includes it so that its definitions are checked against the table. */
#ifndef BULLDOG_API_HANDLERS_H
#define BULLDOG_API_HANDLERS_H

#include "api/request.h"

#define ROUTE(method, path, handler, scope, who, flags, body, status, tag, summary) \
    err_t handler(struct req *r) MUST_CHECK;
#include "tables/routes.def"
#undef ROUTE

#endif
