/* err: operating errors as arena objects. */
#include "base/err.h"

static struct err *make(struct arena *a, enum err_kind kind, const char *fmt, va_list ap)
{
    struct err *e = arena_new(a, struct err);
    e->kind = kind;
    e->message = arena_vprintf(a, fmt, ap);
    return e;
}

/* Names in parentheses: for the analyser both are also macros (err.h). */
err_t(err_new)(struct arena *a, enum err_kind kind, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct err *e = make(a, kind, fmt, ap);
    va_end(ap);
    return e;
}

err_t(err_with)(struct arena *a, enum err_kind kind, const char *code, const char *details, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct err *e = make(a, kind, fmt, ap);
    va_end(ap);
    e->code = code;
    e->details = details;
    return e;
}

int err_status(err_t e)
{
    static const int status[] = {
#define ERR(name, s) [ERR_##name] = s,
#include "tables/errors.def"
#undef ERR
    };
    return status[e->kind];
}
