/*
 * router: a trie over path segments. Matching walks it depth first, literals
 * before the parameter, so the most literal pattern that serves the method
 * wins; nothing is allocated but the parameter values of a match.
 */
#include "http/router.h"

#include "base/buf.h"
#include "http/server.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

struct route {
    struct route *next;
    const char *method;
    int index;
};

struct node {
    struct node *next;     /* sibling literals */
    struct node *literals; /* children by text */
    struct node *param;    /* child that takes any segment */
    struct route *routes;
    const char *text;
    size_t len;
    uint32_t hash;
};

struct router {
    struct arena arena;
    struct node root;
};

struct segment {
    const char *text;
    size_t len;
    uint32_t hash;
};

struct walk {
    const char *method; /* NULL: visit every route of the path */
    struct segment params[ROUTE_PARAMS_MAX];
    int param_count;
    bool path_known;
    const struct route *found;
    struct buf *allow;
};

/* Splits the next segment off *path; false at the end. A trailing slash is no segment. */
static bool next_segment(const char **path, struct segment *out)
{
    const char *s = *path;
    if (s[0] != '/' || s[1] == 0) return false;
    s++;
    uint32_t hash = 2166136261u;
    size_t n = 0;
    for (; s[n] && s[n] != '/'; n++) hash = (hash ^ (unsigned char)s[n]) * 16777619u;
    *out = (struct segment){s, n, hash};
    *path = s + n;
    return true;
}

static struct node *find_literal(const struct node *parent, const struct segment *s)
{
    for (struct node *n = parent->literals; n; n = n->next)
        if (n->hash == s->hash && n->len == s->len && memcmp(n->text, s->text, s->len) == 0) return n;
    return NULL;
}

static struct node *add_literal(struct router *r, struct node *parent, const struct segment *s)
{
    struct node *n = arena_new(&r->arena, struct node);
    n->text = s->text;
    n->len = s->len;
    n->hash = s->hash;
    n->next = parent->literals;
    parent->literals = n;
    return n;
}

struct router *router_new(void)
{
    struct arena a = {0};
    struct router *r = arena_new(&a, struct router);
    r->arena = a;
    return r;
}

void router_add(struct router *r, const char *method, const char *pattern, int index)
{
    assert(pattern[0] == '/' && index >= 0);
    struct node *n = &r->root;
    struct segment s;
    int params = 0;
    for (const char *p = pattern; next_segment(&p, &s);) {
        if (s.text[0] == ':') {
            if (n->param == NULL) n->param = arena_new(&r->arena, struct node);
            n = n->param;
            params++;
        } else {
            struct node *child = find_literal(n, &s);
            n = child ? child : add_literal(r, n, &s);
        }
    }
    assert(params <= ROUTE_PARAMS_MAX);
    struct route **end = &n->routes;
    for (; *end; end = &(*end)->next) assert(strcmp((*end)->method, method) != 0); /* a route is given once */
    *end = arena_new(&r->arena, struct route);
    **end = (struct route){.method = method, .index = index};
}

void router_free(struct router *r)
{
    if (r == NULL) return;
    struct arena a = r->arena; /* the router lives in its own arena */
    arena_free(&a);
}

static const struct route *find_route(const struct node *n, const char *method)
{
    const struct route *get = NULL;
    for (const struct route *t = n->routes; t; t = t->next) {
        if (strcmp(t->method, method) == 0) return t;
        if (strcmp(t->method, "GET") == 0) get = t;
    }
    return strcmp(method, "HEAD") == 0 ? get : NULL;
}

static void allow_add(struct buf *b, const char *method)
{
    const char *at = b->data ? strstr(b->data, method) : NULL;
    if (at) return; /* no method's name is part of another's */
    if (b->len) buf_puts(b, ", ");
    buf_puts(b, method);
    if (strcmp(method, "GET") == 0) buf_puts(b, ", HEAD");
}

/* At the path's last node: is this what is looked for? */
static bool arrive(const struct node *n, struct walk *w)
{
    if (n->routes == NULL) return false;
    w->path_known = true;
    if (w->method == NULL) {
        for (const struct route *t = n->routes; t; t = t->next) allow_add(w->allow, t->method);
        return false; /* go on: other nodes may know the path too */
    }
    w->found = find_route(n, w->method);
    return w->found != NULL;
}

/* As deep as the trie, whatever the path. */
static bool descend(const struct node *n, const char *rest, struct walk *w)
{
    struct segment s;
    if (!next_segment(&rest, &s)) return arrive(n, w);
    const struct node *child = find_literal(n, &s);
    if (child && descend(child, rest, w)) return true;
    if (n->param == NULL || s.len == 0) return false;
    w->params[w->param_count++] = s;
    if (descend(n->param, rest, w)) return true;
    w->param_count--;
    return false;
}

/* A parameter's value: an escaped slash is a slash again. */
static const char *param_value(struct arena *a, const struct segment *s)
{
    char *v = arena_strndup(a, s->text, s->len);
    for (char *p = v; (p = strchr(p, HTTP_ESCAPED_SLASH)) != NULL;) *p = '/';
    return v;
}

struct route_match router_match(const struct router *r, struct arena *a, const char *method, const char *path)
{
    struct walk w = {.method = method};
    struct route_match m = {.index = -1};
    if (descend(&r->root, path, &w)) {
        m.index = w.found->index;
        m.param_count = w.param_count;
        for (int i = 0; i < w.param_count; i++) m.params[i] = param_value(a, &w.params[i]);
    }
    m.path_known = w.path_known;
    return m;
}

const char *router_allow(const struct router *r, struct arena *a, const char *path)
{
    struct buf b = {0};
    struct walk w = {.allow = &b};
    descend(&r->root, path, &w);
    if (!w.path_known) return NULL;
    allow_add(&b, "OPTIONS");
    return buf_finish(&b, a);
}
