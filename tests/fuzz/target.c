/* target: any request target: what comes out is safe text, and the router survives it. */
#include "fuzz.h"

#include "base/utf8.h"
#include "http/router.h"
#include "http/server_internal.h"

#include <string.h>

static void check_param(void *ctx, const char *name, const char *value)
{
    ++*(int *)ctx;
    MUST(utf8_valid(name, strlen(name)) && utf8_valid(value, strlen(value)));
}

static struct router *routes(void)
{
    static struct router *r;
    if (r) return r;
    r = router_new();
    router_add(r, "GET", "/a/:x/b", 0);
    router_add(r, "GET", "/a/b/:y", 1);
    router_add(r, "GET", "/:x/:y/:z/:w", 2);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_req req = {0};
    int params = 0;
    char *target = arena_strndup(&req.arena, (const char *)data, size);
    if (request_target(&req, target)) {
        MUST(req.path[0] == '/' && utf8_valid(req.path, strlen(req.path)));
        struct route_match m = router_match(routes(), &req.arena, "GET", req.path);
        MUST((m.index < 0) == (m.param_count == 0));
        for (int i = 0; i < m.param_count; i++) MUST(m.params[i][0] != 0);
        http_query_each(&req, check_param, &params);
        MUST(params <= (int)size + 1);
    }
    arena_free(&req.arena);
    return 0;
}
