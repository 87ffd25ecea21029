/*
 * err: operating errors. A fallible function returns err_t; NULL means success.
 * The object lives in the arena given when it was made. Programming errors are
 * not err_t: they assert and crash.
 *
 * On the wire: {"error": msg, "code"?: code, "details"?: details} (AO-21, IS-4).
 */
#ifndef BULLDOG_BASE_ERR_H
#define BULLDOG_BASE_ERR_H

#include "base/arena.h"

#include <assert.h>
#include <stdbool.h>

enum err_kind {
#define ERR(name, status) ERR_##name,
#include "tables/errors.def"
#undef ERR
};

struct err {
    enum err_kind kind;
    const char *message; /* for people: what was wrong and what to do */
    const char *code;    /* machine code or NULL */
    const char *details; /* JSON text or NULL */
    bool retry;          /* the database asks to run the transaction again */
};
typedef const struct err *err_t;
#define OK ((err_t)NULL)
#define MUST_CHECK __attribute__((warn_unused_result))

err_t err_new(struct arena *a, enum err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4), returns_nonnull, warn_unused_result));
/* With a machine code and details (JSON text, may be NULL). */
err_t err_with(struct arena *a, enum err_kind kind, const char *code, const char *details, const char *fmt, ...)
    __attribute__((format(printf, 5, 6), returns_nonnull, warn_unused_result));
int err_status(err_t e); /* HTTP status */

#ifdef __clang_analyzer__ /* which does not take returns_nonnull at its word */
extern const struct err err_some;
#define err_new(...) ((void)(err_new)(__VA_ARGS__), &err_some)
#define err_with(...) ((void)(err_with)(__VA_ARGS__), &err_some)
#endif

/* Return early with the error's trail. */
#define TRY(expr)                      \
    do {                               \
        err_t try_err_ = (expr);       \
        if (try_err_) return try_err_; \
    } while (0)

#endif
