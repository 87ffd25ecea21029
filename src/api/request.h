/*
 * request: what a route handler gets, and the few things it does with it.
 *
 * The dispatcher has already matched the route, resolved the actor, validated
 * the body, loaded the entity the path names, checked the table's right to call,
 * and (RW routes) opened the write transaction, which it commits after the
 * handler returned OK. So a handler reads r->…, calls the model, and writes its
 * answer to r->w. An error undoes everything.
 */
#ifndef BULLDOG_API_REQUEST_H
#define BULLDOG_API_REQUEST_H

#include "api/schema.h"
#include "base/json.h"
#include "http/server.h"
#include "model/actor.h"
#include "store/entity.h"

/* Who may call a route at all; finer rules stand in the handler. */
enum who {
    WHO_PUBLIC, /* no credential needed */
    WHO_ANY,    /* board with access, or an agent, of the company */
    WHO_BOARD,
    WHO_ADMIN, /* instance admin */
    WHO_AGENT, /* agent only: 401 otherwise */
};

/* What the path's first parameter names; decides the company. */
enum scope {
    SCOPE_NONE,
    SCOPE_COMPANY, /* :companyId, loaded into r->company */
    SCOPE_AGENT,   /* :id uuid or shortname → r->agent (AR-6) */
    SCOPE_ISSUE,   /* :id uuid or identifier → r->issue (IS-2) */
    SCOPE_RUN,     /* → r->run */
    SCOPE_GOAL,    /* → r->goal */
    SCOPE_PROJECT, /* uuid or url key → r->project */
    SCOPE_LABEL,   /* → r->label */
    SCOPE_APPROVAL, /* → r->approval */
    SCOPE_WORK_PRODUCT, /* → r->work_product, r->issue */
    SCOPE_WORKSPACE, /* an execution workspace → r->workspace */
    SCOPE_OPERATION, /* a workspace operation → r->operation */
};

enum route_flags {
    ROUTE_0 = 0,
    RW = 1,    /* runs in a write transaction */
    SNAP = 2,  /* runs in a read transaction: one snapshot */
    SLOW = 4,  /* may block: job pool */
    ETAG = 8,  /* strong ETag and 304 */
    KEEP = 16, /* made of the database and the caller's name alone: the answer may be kept until the next commit */
    WORK = 32, /* writes a deliverable: closed to status-only runs (EX-75) */
};

struct req;
struct route {
    const char *method, *path;
    err_t (*handler)(struct req *r);
    const char *handler_name; /* OpenAPI operationId */
    enum scope scope;
    enum who who;
    unsigned flags;
    const struct schema *body; /* NULL: no JSON body is read */
    int status;                /* of success */
    const char *tag, *summary;
};

struct app;
struct req {
    struct app *app;
    struct http_req *http;
    const struct route *route;
    struct arena *arena;
    struct db *db;
    struct actor actor;
    const char *params[4]; /* path parameters in order */
    const char *company_id;
    json_t *body;            /* validated object, or NULL */
    struct jw w;             /* the answer's JSON */
    err_t refusal;           /* answered instead, though what was written is kept */
    int status;              /* preset to the route's */
    bool again;              /* answered with what was kept */
    const char *etag_prefix; /* set: a strong ETag "<prefix>:<hash>" and 304, as for routes flagged ETAG */

    struct company company; /* SCOPE_COMPANY and every company-bound scope */
    struct agent agent;     /* SCOPE_AGENT */
    struct issue issue;     /* SCOPE_ISSUE */
    struct run run;         /* SCOPE_RUN */
    struct goal goal;
    struct project project;
    struct label label;
    struct approval approval;
    struct work_product work_product;
    struct execution_workspace workspace;
    struct workspace_operation operation;
    struct agent self; /* the acting agent, when the actor is one */
};

static inline bool is_board(const struct req *r) { return r->actor.type == ACTOR_BOARD; }
static inline bool is_agent(const struct req *r) { return r->actor.type == ACTOR_AGENT; }
const char *query(const struct req *r, const char *name); /* NULL when absent; empty counts as absent */
bool query_bool(const struct req *r, const char *name);   /* true, 1 */
/* Clamped limit; non-numbers give dflt. */
int query_limit(const struct req *r, const char *name, int dflt, int max);

/* The usual refusals. */
err_t not_found(struct req *r, const char *what) MUST_CHECK; /* "Issue not found" */
err_t forbidden(struct req *r, const char *fmt, ...) MUST_CHECK __attribute__((format(printf, 2, 3)));
err_t unprocessable(struct req *r, const char *fmt, ...) MUST_CHECK __attribute__((format(printf, 2, 3)));
/* 422 {"error":"<field> not found in company","details":{field,id}} (IS-7 BETTER) */
err_t dangling(struct req *r, const char *field, const char *id) MUST_CHECK;

/* A handler that must refuse but keep its writes (a wake's record, a stop that
 * takes time) returns this: the transaction is committed, then e is answered. */
err_t refuse(struct req *r, err_t e) MUST_CHECK;

/* Body members: present at all (even null)? */
static inline bool has(const struct req *r, const char *key) { return json_object_get(r->body, key) != NULL; }
/* Copies every body member that the entity has under the same wire name. */
void body_apply(const struct req *r, const struct entity *e, void *row, const char *const *names);

#endif
