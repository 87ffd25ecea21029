/* schema: validation of request bodies from tables. */
#include "api/schema.h"

#include "base/id.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define IGNORED_NAME_MAX 64
#define IGNORED_LIST_MAX 1024

struct check {
    struct arena *a;
    json_t *problems;
    json_t *path[JSON_DEPTH_MAX]; /* strings and integers */
    int depth;
};

static void check_prop(struct check *c, const struct prop *p, json_t *owner, json_t *v);
static void check_object(struct check *c, const struct schema *s, json_t *v);

static json_t *problem(struct check *c, json_t *o)
{
    json_t *path = json_array();
    for (int i = 0; i < c->depth; i++) json_array_append(path, c->path[i]);
    json_object_set_new(o, "path", path);
    json_array_append_new(c->problems, o);
    return o;
}

static const char *type_name(const json_t *v)
{
    if (v == NULL) return "undefined";
    switch (json_typeof(v)) {
    case JSON_OBJECT: return "object";
    case JSON_ARRAY: return "array";
    case JSON_STRING: return "string";
    case JSON_INTEGER:
    case JSON_REAL: return "number";
    case JSON_TRUE:
    case JSON_FALSE: return "boolean";
    case JSON_NULL: return "null";
    }
    return "unknown";
}

static void wrong_type(struct check *c, const char *expected, const json_t *v)
{
    const char *got = type_name(v);
    const char *msg = v == NULL ? "Required" : arena_printf(c->a, "Expected %s, received %s", expected, got);
    problem(c, json_pack("{s:s, s:s, s:s, s:s}", "code", "invalid_type", "expected", expected, "received", got,
                         "message", msg));
}

static void too_small(struct check *c, const char *type, int64_t min, const char *fmt)
{
    problem(c, json_pack("{s:s, s:I, s:s, s:b, s:b, s:s}", "code", "too_small", "minimum", (json_int_t)min, "type",
                         type, "inclusive", 1, "exact", 0, "message", fmt));
}

static void too_big(struct check *c, const char *type, int64_t max, const char *msg)
{
    problem(c, json_pack("{s:s, s:I, s:s, s:b, s:b, s:s}", "code", "too_big", "maximum", (json_int_t)max, "type", type,
                         "inclusive", 1, "exact", 0, "message", msg));
}

static void bad_string(struct check *c, const char *validation, const char *msg)
{
    problem(c, json_pack("{s:s, s:s, s:s}", "validation", validation, "code", "invalid_string", "message", msg));
}

/* UTF-16 length, as the clients' languages count. */
static int64_t text_length(const char *s)
{
    int64_t n = 0;
    for (const unsigned char *p = (const unsigned char *)s; *p; p++) {
        if ((*p & 0xc0) != 0x80) n++;
        if (*p >= 0xf0) n++;
    }
    return n;
}

static void check_length(struct check *c, const struct prop *p, const char *s)
{
    int64_t n = text_length(s);
    if (n < p->min)
        too_small(c, "string", p->min,
                  arena_printf(c->a, "String must contain at least %" PRId64 " character(s)", p->min));
    else if (p->max && n > p->max)
        too_big(c, "string", p->max,
                arena_printf(c->a, "String must contain at most %" PRId64 " character(s)", p->max));
}

/* Two-character escapes \r\n, \n, \r become a newline (IS-8). */
static const char *unescape_lines(struct arena *a, const char *s)
{
    if (strstr(s, "\\n") == NULL && strstr(s, "\\r") == NULL) return s;
    struct buf b = {0};
    while (*s) {
        if (strncmp(s, "\\r\\n", 4) == 0) {
            buf_putc(&b, '\n');
            s += 4;
        } else if (s[0] == '\\' && (s[1] == 'n' || s[1] == 'r')) {
            buf_putc(&b, '\n');
            s += 2;
        } else {
            buf_putc(&b, *s++);
        }
    }
    return buf_finish(&b, a);
}

static void check_enum(struct check *c, const struct prop *p, const json_t *v)
{
    if (!json_is_string(v)) {
        struct buf b = {0};
        for (int i = 0; p->options[i]; i++) buf_printf(&b, "%s'%s'", i ? " | " : "", p->options[i]);
        wrong_type(c, buf_finish(&b, c->a), v);
        return;
    }
    const char *s = json_string_value(v);
    struct buf b = {0};
    json_t *options = json_array();
    for (int i = 0; p->options[i]; i++) {
        if (strcmp(p->options[i], s) == 0) {
            buf_free(&b);
            return;
        }
        json_array_append_new(options, json_string(p->options[i]));
        buf_printf(&b, "%s'%s'", i ? " | " : "", p->options[i]);
    }
    const char *msg = arena_printf(c->a, "Invalid enum value. Expected %s, received '%s'", buf_finish(&b, c->a), s);
    problem(c, json_pack("{s:s, s:s, s:o, s:s}", "received", s, "code", "invalid_enum_value", "options", options,
                         "message", msg));
}

static void check_number(struct check *c, const struct prop *p, const json_t *v)
{
    if (!json_is_number(v)) {
        wrong_type(c, "number", v);
        return;
    }
    double n = json_number_value(v);
    if (p->kind == PROP_INT && fabs(n - nearbyint(n)) > 0) {
        problem(c, json_pack("{s:s, s:s, s:s, s:s}", "code", "invalid_type", "expected", "integer", "received", "float",
                             "message", "Expected integer, received float"));
        return;
    }
    if ((p->bounded || p->min) && n < (double)p->min)
        too_small(c, "number", p->min, arena_printf(c->a, "Number must be greater than or equal to %" PRId64, p->min));
    else if (p->max && n > (double)p->max)
        too_big(c, "number", p->max, arena_printf(c->a, "Number must be less than or equal to %" PRId64, p->max));
    else if (fabs(n) > 9007199254740991.0) too_big(c, "number", INT64_C(9007199254740991), "Number is too large");
}

static void check_literal(struct check *c, const struct prop *p, json_t *v)
{
    if (json_is_integer(v) && json_integer_value(v) == p->min) return;
    json_t *o =
        problem(c, json_pack("{s:s, s:I, s:s}", "code", "invalid_literal", "expected", (json_int_t)p->min, "message",
                             arena_printf(c->a, "Invalid literal value, expected %" PRId64, p->min)));
    if (v) json_object_set(o, "received", v);
}

static void check_array(struct check *c, const struct prop *p, json_t *v)
{
    if (!json_is_array(v)) {
        wrong_type(c, "array", v);
        return;
    }
    int64_t n = (int64_t)json_array_size(v);
    if (n < p->min)
        too_small(c, "array", p->min, arena_printf(c->a, "Array must contain at least %" PRId64 " element(s)", p->min));
    else if (p->max && n > p->max)
        too_big(c, "array", p->max, arena_printf(c->a, "Array must contain at most %" PRId64 " element(s)", p->max));
    json_t *item;
    size_t i;
    json_array_foreach (v, i, item) {
        if (p->items == NULL || c->depth >= JSON_DEPTH_MAX) break;
        c->path[c->depth++] = json_integer((json_int_t)i);
        check_prop(c, p->items, NULL, item);
        c->depth--;
    }
}

static void check_string(struct check *c, const struct prop *p, json_t *owner, json_t *v)
{
    if (!json_is_string(v)) {
        wrong_type(c, "string", v);
        return;
    }
    const char *s = json_string_value(v);
    instant_t t;
    switch (p->kind) {
    case PROP_UUID:
        if (!id_valid(s)) bad_string(c, "uuid", "Invalid uuid");
        break;
    case PROP_TIME:
        if (!instant_parse(s, &t)) bad_string(c, "datetime", "Invalid datetime");
        break;
    case PROP_TEXT: {
        const char *plain = unescape_lines(c->a, s);
        if (plain != s && owner) json_object_set_new(owner, p->name, json_string(plain));
        check_length(c, p, plain);
        break;
    }
    default: check_length(c, p, s);
    }
}

static void check_prop(struct check *c, const struct prop *p, json_t *owner, json_t *v)
{
    if (json_is_null(v) && (p->flags & NULLABLE)) return;
    switch (p->kind) {
    case PROP_STRING:
    case PROP_TEXT:
    case PROP_UUID:
    case PROP_TIME: check_string(c, p, owner, v); break;
    case PROP_ENUM: check_enum(c, p, v); break;
    case PROP_INT:
    case PROP_NUMBER: check_number(c, p, v); break;
    case PROP_BOOL:
        if (!json_is_boolean(v)) wrong_type(c, "boolean", v);
        break;
    case PROP_OBJECT:
        if (!json_is_object(v)) wrong_type(c, "object", v);
        else if (p->object) check_object(c, p->object, v);
        break;
    case PROP_ARRAY: check_array(c, p, v); break;
    case PROP_LITERAL: check_literal(c, p, v); break;
    case PROP_ANY:
        if (v == NULL) wrong_type(c, "unknown", v);
        break;
    case PROP_NEVER: wrong_type(c, "never", v); break;
    }
}

static const struct prop *find_prop(const struct schema *s, const char *key)
{
    for (int i = 0; i < s->count; i++)
        if (strcmp(s->props[i].name, key) == 0) return &s->props[i];
    return NULL;
}

static void unknown_keys(struct check *c, const struct schema *s, json_t *v, const char *tag)
{
    const char *key;
    json_t *m, *keys = json_array();
    struct buf b = {0};
    json_object_foreach (v, key, m) {
        if (find_prop(s, key) || (tag && strcmp(tag, key) == 0)) continue;
        buf_printf(&b, "%s'%s'", b.len ? ", " : "", key);
        json_array_append_new(keys, json_string(key));
    }
    const char *names = buf_finish(&b, c->a);
    if (*names == 0) return;
    problem(c, json_pack("{s:s, s:o, s:s}", "code", "unrecognized_keys", "keys", keys, "message",
                         arena_printf(c->a, "Unrecognized key(s) in object: %s", names)));
}

static void check_members(struct check *c, const struct schema *s, json_t *v, const char *tag);

static void unknown_tag(struct check *c, const char *tag, const struct variant *known, int count)
{
    json_t *options = json_array();
    struct buf b = {0};
    for (int i = 0; i < count; i++) {
        json_array_append_new(options, json_string(known[i].value));
        buf_printf(&b, "%s'%s'", i ? " | " : "", known[i].value);
    }
    c->path[c->depth++] = json_string(tag);
    problem(c, json_pack("{s:s, s:o, s:s}", "code", "invalid_union_discriminator", "options", options, "message",
                         arena_printf(c->a, "Invalid discriminator value. Expected %s", buf_finish(&b, c->a))));
    c->depth--;
}

/* The tag chooses the variant; without a known one nothing else can be said. */
static void check_union(struct check *c, const struct schema *s, json_t *v)
{
    const char *value = json_str(v, s->tag);
    for (int i = 0; i < s->variant_count; i++) {
        const struct variant *one = &s->variants[i];
        if (value == NULL || strcmp(one->value, value) != 0) continue;
        check_members(c, one->schema, v, s->tag);
        return;
    }
    unknown_tag(c, s->tag, s->variants, s->variant_count);
}

/* Of the problems from the given one on: does one say that a value is none of its type? */
static bool mistyped(const json_t *problems, size_t from)
{
    for (size_t i = from; i < json_array_size(problems); i++) {
        const char *code = json_str(json_array_get(problems, i), "code");
        if (strcmp(code, "invalid_type") == 0 || strcmp(code, "invalid_enum_value") == 0 ||
            strcmp(code, "invalid_literal") == 0 || strcmp(code, "invalid_union_discriminator") == 0)
            return true;
    }
    return false;
}

static void check_object(struct check *c, const struct schema *s, json_t *v)
{
    if (s->tag) check_union(c, s, v);
    else check_members(c, s, v, NULL);
}

/* The member that the tag decides; an unknown tag is the one problem then (IS-5). */
static bool check_choice(struct check *c, const struct schema_choice *u, json_t *v)
{
    const char *tag = json_str(v, u->tag);
    for (int i = 0; i < u->count; i++) {
        const struct prop p = {u->member, PROP_OBJECT, REQUIRED, .object = u->cases[i].schema};
        if (tag == NULL || strcmp(u->cases[i].value, tag) != 0) continue;
        c->path[c->depth++] = json_string(u->member);
        check_prop(c, &p, v, json_object_get(v, u->member));
        c->depth--;
        return true;
    }
    unknown_tag(c, u->tag, u->cases, u->count);
    return false;
}

static void check_members(struct check *c, const struct schema *s, json_t *v, const char *tag)
{
    if (s->choice && !check_choice(c, s->choice, v)) return;
    size_t before = json_array_size(c->problems);
    for (int i = 0; i < s->count; i++) {
        const struct prop *p = &s->props[i];
        json_t *m = json_object_get(v, p->name);
        if (m == NULL && !(p->flags & REQUIRED)) continue;
        if (s->choice && strcmp(s->choice->member, p->name) == 0) continue; /* checked above */
        c->path[c->depth++] = json_string(p->name);
        check_prop(c, p, v, m);
        c->depth--;
    }
    if (s->strict) unknown_keys(c, s, v, tag);
    if (s->refine && !mistyped(c->problems, before)) s->refine(v, c->problems);
}

static json_t *path_array(const char *path)
{
    json_t *out = json_array();
    while (path && *path) {
        size_t n = strcspn(path, ".");
        json_array_append_new(out, json_stringn(path, n));
        path += n + (path[n] == '.');
    }
    return out;
}

void schema_custom(json_t *problems, const char *path, const char *message)
{
    json_array_append_new(problems,
                          json_pack("{s:s, s:s, s:o}", "code", "custom", "message", message, "path", path_array(path)));
}

static err_t validation_error(struct arena *a, json_t *problems)
{
    return err_with(a, ERR_BAD_REQUEST, NULL, json_text(a, problems), "Validation error");
}

err_t schema_problem(struct arena *a, const char *path, const char *message)
{
    json_t *problems = json_array();
    schema_custom(problems, path, message);
    return validation_error(a, problems);
}

/* One name of the list of ignored fields, fit for a header. */
static void name_ignored(struct buf *b, const char *key)
{
    size_t end = b->len + IGNORED_NAME_MAX;
    if (b->len) buf_puts(b, ", ");
    if (*key == 0) buf_puts(b, "\"\"");
    for (const unsigned char *p = (const unsigned char *)key; *p; p++) {
        if (b->len >= end) {
            buf_puts(b, "...");
            return;
        }
        if (*p > ' ' && *p < 0x7f && *p != ',' && *p != '%') buf_putc(b, (char)*p);
        else buf_printf(b, "%%%02X", *p);
    }
}

static const char *ignored_names(struct arena *a, const struct schema *s, json_t *body)
{
    struct buf b = {0};
    const char *key;
    json_t *m;
    json_object_foreach (body, key, m) {
        const struct prop *p = find_prop(s, key);
        if (p && !(p->flags & READ_ONLY)) continue;
        if (b.len > IGNORED_LIST_MAX) {
            buf_puts(&b, ", ...");
            break;
        }
        name_ignored(&b, key);
    }
    return b.len ? buf_finish(&b, a) : NULL;
}

err_t schema_check(struct arena *a, const struct schema *s, json_t *body, const char **ignored)
{
    struct check c = {.a = a, .problems = json_array()};
    *ignored = NULL;
    if (json_is_object(body)) {
        check_object(&c, s, body);
        *ignored = ignored_names(a, s, body);
    } else {
        wrong_type(&c, "object", body);
    }
    return json_array_size(c.problems) ? validation_error(a, c.problems) : OK;
}

/* ---- OpenAPI ---- */

static void write_object(struct jw *w, const struct schema *s, bool nullable);

static void write_literal(struct jw *w, const struct prop *p)
{
    jw_obj(w);
    jw_kstr(w, "type", "integer");
    jw_karr(w, "enum");
    jw_int(w, p->min);
    jw_arr_end(w);
    jw_obj_end(w);
}

static void write_prop(struct jw *w, const struct prop *p)
{
    static const char *const types[] = {
        [PROP_STRING] = "string", [PROP_TEXT] = "string",   [PROP_UUID] = "string",  [PROP_ENUM] = "string",
        [PROP_INT] = "integer",   [PROP_NUMBER] = "number", [PROP_BOOL] = "boolean", [PROP_TIME] = "string",
        [PROP_OBJECT] = "object", [PROP_ARRAY] = "array",
    };
    if (p->kind == PROP_OBJECT && p->object) {
        write_object(w, p->object, (p->flags & NULLABLE) != 0);
        return;
    }
    if (p->kind == PROP_LITERAL) {
        write_literal(w, p);
        return;
    }
    bool text = p->kind == PROP_STRING || p->kind == PROP_TEXT, number = p->kind == PROP_INT || p->kind == PROP_NUMBER;
    jw_obj(w);
    if (p->kind != PROP_ANY && p->kind != PROP_NEVER) jw_kstr(w, "type", types[p->kind]);
    if (p->flags & NULLABLE) jw_kbool(w, "nullable", true);
    if (p->flags & READ_ONLY) jw_kbool(w, "readOnly", true);
    if (p->kind == PROP_UUID) jw_kstr(w, "format", "uuid");
    if (p->kind == PROP_TIME) jw_kstr(w, "format", "date-time");
    if (text && p->min) jw_kint(w, "minLength", p->min);
    if (text && p->max) jw_kint(w, "maxLength", p->max);
    if (number && (p->bounded || p->min)) jw_kint(w, "minimum", p->min);
    if (number && p->max) jw_kint(w, "maximum", p->max);
    if (p->kind == PROP_ENUM) {
        jw_karr(w, "enum");
        for (int i = 0; p->options[i]; i++) jw_str(w, p->options[i]);
        jw_arr_end(w);
    }
    if (p->kind == PROP_ARRAY) {
        if (p->min) jw_kint(w, "minItems", p->min);
        if (p->max) jw_kint(w, "maxItems", p->max);
        jw_key(w, "items");
        if (p->items) {
            write_prop(w, p->items);
        } else {
            jw_obj(w);
            jw_obj_end(w);
        }
    }
    jw_obj_end(w);
}

static void write_members(struct jw *w, const struct schema *s, bool nullable, const char *tag, const char *value);

static void write_choice(struct jw *w, const struct schema_choice *u)
{
    jw_obj(w);
    jw_karr(w, "oneOf");
    for (int i = 0; i < u->count; i++) write_object(w, u->cases[i].schema, false);
    jw_arr_end(w);
    jw_obj_end(w);
}

static void write_union(struct jw *w, const struct schema *s, bool nullable)
{
    jw_obj(w);
    if (nullable) jw_kbool(w, "nullable", true);
    jw_karr(w, "oneOf");
    for (int i = 0; i < s->variant_count; i++)
        write_members(w, s->variants[i].schema, false, s->tag, s->variants[i].value);
    jw_arr_end(w);
    jw_kobj(w, "discriminator");
    jw_kstr(w, "propertyName", s->tag);
    jw_obj_end(w);
    jw_obj_end(w);
}

static void write_object(struct jw *w, const struct schema *s, bool nullable)
{
    if (s->tag) write_union(w, s, nullable);
    else write_members(w, s, nullable, NULL, NULL);
}

static void write_members(struct jw *w, const struct schema *s, bool nullable, const char *tag, const char *value)
{
    bool any = tag != NULL;
    jw_obj(w);
    jw_kstr(w, "type", "object");
    if (nullable) jw_kbool(w, "nullable", true);
    jw_kobj(w, "properties");
    if (tag) {
        jw_kobj(w, tag);
        jw_kstr(w, "type", "string");
        jw_karr(w, "enum");
        jw_str(w, value);
        jw_arr_end(w);
        jw_obj_end(w);
    }
    for (int i = 0; i < s->count; i++) {
        if (s->props[i].kind == PROP_NEVER) continue;
        jw_key(w, s->props[i].name);
        if (s->choice && strcmp(s->choice->member, s->props[i].name) == 0) write_choice(w, s->choice);
        else write_prop(w, &s->props[i]);
        any |= (s->props[i].flags & REQUIRED) != 0;
    }
    jw_obj_end(w);
    if (any) {
        jw_karr(w, "required");
        if (tag) jw_str(w, tag);
        for (int i = 0; i < s->count; i++)
            if (s->props[i].flags & REQUIRED) jw_str(w, s->props[i].name);
        jw_arr_end(w);
    }
    if (s->strict) jw_kbool(w, "additionalProperties", false);
    jw_obj_end(w);
}

void schema_write(struct jw *w, const struct schema *s) { write_object(w, s, false); }
