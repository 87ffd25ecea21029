/*
 * json: reading with jansson inside the current arena, and a streaming writer.
 *
 * Reading. json_arena() makes `a` the arena from which this thread's jansson
 * allocates; parse trees and built values live there and are never decref'd.
 * One arena is current per thread; the router, the engine and each job set it.
 *
 * Writing. A struct jw streams straight into a buf; it keeps commas and
 * nesting right, asserts balance, and escapes; bytes that are no UTF-8 become
 * U+FFFD, so that what is written is always JSON. No tree is built.
 */
#ifndef BULLDOG_BASE_JSON_H
#define BULLDOG_BASE_JSON_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

#include <jansson.h>

#define JSON_DEPTH_MAX 64

void json_arena(struct arena *a); /* the arena of this thread's jansson; NULL to leave */
/* Installs the allocator; called once at start, before any thread. */
void json_setup(void);

/* Parse text; depth, NUL and duplicate keys are checked. ERR_BAD_REQUEST on failure. */
err_t json_parse(struct arena *a, const char *text, size_t len, json_t **out) MUST_CHECK;
/* Parse text of our own (a json column); NULL or broken text gives JSON null. */
json_t *json_read(const char *text);
/* Compact text in the arena. NULL gives "null". */
const char *json_text(struct arena *a, const json_t *j);
/* Field accessors that tolerate wrong types. */
const char *json_str(const json_t *obj, const char *key);           /* NULL when absent or no string */
int64_t json_int(const json_t *obj, const char *key, int64_t dflt); /* integers and reals */
bool json_bool(const json_t *obj, const char *key, bool dflt);
/* A value in the arena: object from a flat list of key, json_t* pairs is json_pack's job. */

struct jw {
    struct buf *out;
    int depth;
    bool first[JSON_DEPTH_MAX + 8]; /* no comma needed yet at this depth */
    bool after_key;
};

void jw_init(struct jw *w, struct buf *out);
void jw_obj(struct jw *w);     /* { */
void jw_obj_end(struct jw *w); /* } */
void jw_arr(struct jw *w);
void jw_arr_end(struct jw *w);
void jw_key(struct jw *w, const char *key); /* key: plain ASCII of ours, or escaped all the same */
void jw_str(struct jw *w, const char *s);   /* NULL gives null */
void jw_strn(struct jw *w, const char *s, size_t n);
void jw_int(struct jw *w, int64_t v);
void jw_real(struct jw *w, double v);
void jw_bool(struct jw *w, bool v);
void jw_null(struct jw *w);
void jw_time(struct jw *w, instant_t t);     /* RFC 3339, or null */
void jw_raw(struct jw *w, const char *json); /* trusted JSON text, NULL gives null */
void jw_json(struct jw *w, const json_t *j); /* a parsed value, NULL gives null */
/* key and value in one call */
void jw_kstr(struct jw *w, const char *key, const char *s);
void jw_kint(struct jw *w, const char *key, int64_t v);
void jw_kbool(struct jw *w, const char *key, bool v);
void jw_knull(struct jw *w, const char *key);
void jw_ktime(struct jw *w, const char *key, instant_t t);
void jw_kraw(struct jw *w, const char *key, const char *json);
void jw_kobj(struct jw *w, const char *key);
void jw_karr(struct jw *w, const char *key);

#endif
