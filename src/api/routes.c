/* routes: the route table and the schema declarations it needs. */
#include "api/app.h"
#include "api/handlers.h"
#include "api/schemas.h"

const struct route ROUTES[] = {
#define ROUTE(method, path, handler, scope, who, flags, body, status, tag, summary) \
    {#method, path, handler, #handler, SCOPE_##scope, WHO_##who, flags, body, status, tag, summary},
#include "tables/routes.def"
#undef ROUTE
};
const int ROUTES_COUNT = (int)(sizeof ROUTES / sizeof *ROUTES);
