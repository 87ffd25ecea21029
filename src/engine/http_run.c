/* http_run: an outbound request as a run. */
#include "engine/http_run.h"

#include "adapter/http_agent.h"
#include "engine/engine_internal.h"

#include <stdlib.h>
#include <string.h>

struct http_run {
    struct engine *engine;
    struct engine_mail *mail;
    atomic_bool abort;
    struct http_agent_call call;
    struct http_agent_result result;
};

static void on_answer(struct engine *e, struct engine_mail *m)
{
    struct http_run *h = m->data;
    struct live_run *run = live_find(e, m->run_id);
    if (run) live_drop(run);
    collect_http(e, m->run_id, &h->result);
}

static void invoke_job(void *arg)
{
    struct http_run *h = arg;
    json_arena(&h->mail->arena);
    h->call.context = json_read(json_string_value(h->call.context));
    http_agent_invoke(&h->mail->arena, &h->call, &h->result);
    json_arena(NULL);
    engine_mail_send(h->engine, h->mail);
}

err_t http_run_start(struct engine *e, const struct launch *l)
{
    struct engine_mail *m = engine_mail_new(on_answer);
    struct arena *a = &m->arena; /* everything the job touches lives here */
    struct http_run *h = arena_new(a, struct http_run);
    h->engine = e;
    h->mail = m;
    struct live_run *r = live_add(e, l->run);
    r->resolving = true; /* the job answers for it */
    r->abort = &h->abort;
    m->run_id = arena_strdup(a, l->run->id);
    m->data = h;
    const char *context = json_text(&e->arena, l->context);
    json_arena(a);
    h->call = (struct http_agent_call){
        .adapter_config = arena_strdup(a, l->agent.adapter_config), .context = json_string(context), .agent_id = arena_strdup(a, l->agent.id),
        .run_id = m->run_id, .company_id = arena_strdup(a, l->agent.company_id), .run_token = arena_strdup(a, l->token), .abort = &h->abort};
    json_arena(&e->arena);
    if (jobs_submit(e->opt.jobs, invoke_job, h)) return OK;
    live_drop(r);
    arena_free(a);
    free(m);
    return err_with(&e->arena, ERR_UNAVAILABLE, "setup_failed", NULL, "Too many outbound requests wait already");
}
