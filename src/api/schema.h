/*
 * schema: request bodies as tables. One table per body validates it (IS-5: all
 * problems at once, in schema order, in the shapes clients know), names the
 * fields it ignored (X-Ignored-Fields), and becomes its OpenAPI schema.
 */
#ifndef BULLDOG_API_SCHEMA_H
#define BULLDOG_API_SCHEMA_H

#include "base/json.h"

enum prop_kind {
    PROP_STRING,
    PROP_TEXT, /* multiline: literal \n escapes become newlines (IS-8) */
    PROP_UUID,
    PROP_ENUM,
    PROP_INT,
    PROP_NUMBER,
    PROP_BOOL,
    PROP_TIME,
    PROP_OBJECT,  /* props: its own schema; without one any object */
    PROP_ARRAY,   /* items */
    PROP_LITERAL, /* exactly the integer min */
    PROP_ANY,
    PROP_NEVER, /* must be absent */
};

enum prop_flags {
    REQUIRED = 1,
    NULLABLE = 2,
    READ_ONLY = 4, /* clients send it, nothing comes of it: named as ignored */
};

struct schema;
struct prop {
    const char *name;
    enum prop_kind kind;
    unsigned flags;
    int64_t min, max; /* length, items or value; max 0: none. PROP_INT and PROP_NUMBER: min only when bounded */
    bool bounded;     /* min applies to a number even when 0 */
    const char *const *options;  /* PROP_ENUM, NULL-terminated */
    const struct schema *object; /* PROP_OBJECT */
    const struct prop *items;    /* PROP_ARRAY */
};

/* One kind of a union, by the value of its tag. */
struct variant {
    const char *value;
    const struct schema *schema; /* without the tag */
};

/* What one member must look like, by the value of another beside it (kind → payload). */
struct schema_choice {
    const char *tag, *member;
    const struct variant *cases;
    int count;
};

struct schema {
    const char *name; /* OpenAPI component name */
    const struct prop *props;
    int count;
    bool strict;     /* unknown keys are 400 unrecognized_keys */
    const char *tag; /* set: a union, told apart by this member; the variants say the rest */
    const struct variant *variants;
    int variant_count;
    /* Cross-field rules: adds problems with schema_custom. Not asked when a member is of a wrong type. */
    void (*refine)(const json_t *body, json_t *problems);
    const struct schema_choice *choice; /* or NULL */
};
#define SCHEMA_WITH(n, p, ...) \
    const struct schema n = {.name = #n, .props = (p), .count = (int)(sizeof(p) / sizeof *(p)), __VA_ARGS__}
#define SCHEMA(n, p) SCHEMA_WITH(n, p, .strict = false)
#define SCHEMA_UNION(n, t, v) \
    const struct schema n = {.name = #n, .tag = (t), .variants = (v), .variant_count = (int)(sizeof(v) / sizeof *(v))}

/* Checks body (NULL: no body at all). *ignored: comma list of the unknown and
 * read-only top-level keys, or NULL; as a header may carry it: other bytes than
 * plain ASCII are %-escaped, long names and lists end in "...". Text properties
 * of the body are rewritten in place (IS-8).
 * ERR_BAD_REQUEST "Validation error" with all problems in details. */
err_t schema_check(struct arena *a, const struct schema *s, json_t *body, const char **ignored) MUST_CHECK;
void schema_custom(json_t *problems, const char *path, const char *message);
/* One custom problem as a whole error. path may be dotted. */
err_t schema_problem(struct arena *a, const char *path, const char *message) MUST_CHECK;
/* OpenAPI (JSON Schema) form of the schema, into an open value position. */
void schema_write(struct jw *w, const struct schema *s);

#endif
