/* collect: the end of runs, from their exit record or from its absence. */
#include "adapter/http_agent.h"
#include "adapter/process.h"
#include "adapter/shim_log.h"
#include "base/log.h"
#include "engine/ending.h"
#include "engine/workspace.h"
#include "model/agent.h"
#include "model/run.h"
#include "workspace/scratch.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RESULT_TAIL 4096
#define HASH_INLINE_MAX ((int64_t)1 << 20)

/* ---- clean-up, on a job thread ---- */

struct cleanup {
    struct arena arena;
    const char *run_dir, *scratch, *run_id;
};

static void cleanup_job(void *arg)
{
    struct cleanup *c = arg;
    json_arena(&c->arena);
    err_t err = c->scratch ? scratch_remove(&c->arena, c->scratch, c->run_id) : OK;
    if (err) log_warn("run.scratch", "run=%s error=\"%s\"", c->run_id, err->message);
    err = shim_run_dir_remove(&c->arena, c->run_dir);
    if (err) log_warn("run.dir", "run=%s error=\"%s\"", c->run_id, err->message);
    json_arena(NULL);
    arena_free(&c->arena);
    free(c);
}

static void clean_up(struct engine *e, const char *run_id)
{
    struct run_data data;
    struct cleanup *c = calloc(1, sizeof *c);
    if (c == NULL) abort();
    err_t err = run_data_get(e->db, run_id, &data);
    const json_t *scratch = err ? NULL : json_object_get(json_read(data.context_snapshot), "paperclipScratch");
    c->run_id = arena_strdup(&c->arena, run_id);
    c->scratch = arena_strdup(&c->arena, json_str(scratch, "dir"));
    c->run_dir = arena_printf(&c->arena, "%s/runs/%s", e->opt.data_dir, run_id);
    if (jobs_submit(e->opt.jobs, cleanup_job, c)) return;
    arena_free(&c->arena); /* the sweep finds what stays behind */
    free(c);
}

/* Nobody looks after it any more; a run whose end could not be written is found again by the sweep. */
static void release(struct engine *e, const char *run_id, bool ended)
{
    struct live_run *r = live_find(e, run_id);
    if (r == NULL) return;
    r->resolving = false;
    if (ended && r->link.fd >= 0) shim_link_ack(&r->link);
    if (ended) live_drop(r);
    else if (r->link.fd >= 0) shim_link_close(&r->link);
}

/* The workspace first, then the run's row (WS-81). */
static void finish(struct engine *e, struct ending *x, bool synthetic, const struct settle_again *again)
{
    if (!workspace_settled(e, &x->run, &x->outcome, synthetic, again)) return;
    bool ended = ending_write(e, x);
    if (ended) clean_up(e, x->run.id);
    release(e, x->run.id, ended);
}

/* ---- the exit record ---- */

/* The last RESULT_TAIL bytes, from a character's start. */
static json_t *tail_text(const char *s)
{
    size_t n = s ? strlen(s) : 0, from = n > RESULT_TAIL ? n - RESULT_TAIL : 0;
    while (from < n && ((unsigned char)s[from] & 0xc0) == 0x80) from++;
    return json_string(s ? s + from : "");
}

static const char *hash_file(struct arena *a, const char *path, int64_t *size)
{
    crypto_hash_sha256_state st;
    unsigned char block[65536], h[crypto_hash_sha256_BYTES];
    ssize_t n;
    *size = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return NULL;
    crypto_hash_sha256_init(&st);
    *size = 0;
    while ((n = read(fd, block, sizeof block)) > 0) {
        crypto_hash_sha256_update(&st, block, (unsigned long long)n);
        *size += n;
    }
    close(fd);
    crypto_hash_sha256_final(&st, h);
    char *hex = arena_alloc(a, sizeof h * 2 + 1);
    return sodium_bin2hex(hex, sizeof h * 2 + 1, h, sizeof h);
}

static json_t *orphan_list(const struct shim_exit *x)
{
    json_t *list = json_array();
    for (size_t i = 0; i < x->n_orphans; i++) json_array_append_new(list, json_string(x->orphans[i].command));
    return list;
}

static void outcome_of(struct arena *a, const struct shim_exit *x, const struct process_config *c, struct run_outcome *o)
{
    *o = (struct run_outcome){
        .has_exit_code = x->exited, .exit_code = x->exit_code, .signal = x->signal, .timed_out = x->timed_out,
        .stdout_excerpt = x->stdout_excerpt, .stderr_excerpt = x->stderr_excerpt,
        .timeout_sec = c->timeout_sec, .timeout_configured = c->timeout_sec > 0,
        .last_output_at = x->output.last_output_at, .last_output_seq = x->output.last_seq, .last_output_stream = x->output.last_stream,
        .orphans_killed = orphan_list(x),
    };
    process_verdict(a, x, c, &o->error, &o->error_code);
    o->result = json_object();
    if (!x->timed_out) {
        json_object_set_new(o->result, "stdout", tail_text(x->stdout_excerpt));
        json_object_set_new(o->result, "stderr", tail_text(x->stderr_excerpt));
    }
    if (x->stdout_detached) json_object_set_new(o->result, "stdoutDetached", json_true());
    if (x->output.dropped_bytes) json_object_set_new(o->result, "logDroppedBytes", json_integer((json_int_t)x->output.dropped_bytes));
}

struct collection {
    struct live_run *r;
    struct engine *engine;
    struct engine_mail *mail;
};

static void exit_again(struct engine *e, const char *run_id, void *arg)
{
    struct live_run *r = live_find(e, run_id);
    (void)arg;
    if (r) collect_exit(r);
}

static void collect_now(struct live_run *r, const char *sha, int64_t size)
{
    struct engine *e = r->engine;
    struct arena *a = &e->arena;
    struct ending x = {.done = false};
    struct shim_exit exit_record;
    struct process_config c = {.command = "?"};
    struct agent agent;
    bool found;
    err_t err = shim_exit_read(a, r->run_dir, &exit_record, &found);
    if (err == OK && !found) err = err_new(a, ERR_NOT_FOUND, "the exit record is gone");
    if (err == OK) err = run_get(e->db, r->run_id, &x.run, &found);
    if (err == OK && !found) { /* the run was deleted with its agent or company */
        shim_link_ack(&r->link);
        live_drop(r);
        return;
    }
    if (err == OK) err = agent_get(e->db, x.run.agent_id, &agent, &found);
    if (err) {
        engine_failed(e, "collect", err);
        shim_link_close(&r->link); /* the sweep takes it up again */
        return;
    }
    err = found ? process_config_parse(a, agent.adapter_config, &c) : OK;
    if (err) log_debug("collect", "the configuration changed since the start: %s", err->message);
    outcome_of(a, &exit_record, &c, &x.outcome);
    x.outcome.log_sha256 = sha;
    x.outcome.log_bytes = size;
    finish(e, &x, false, &(struct settle_again){.fn = exit_again}); /* the record stays on disk until it is taken in */
}

static void on_hashed(struct engine *e, struct engine_mail *m)
{
    struct live_run *r = live_find(e, m->run_id);
    const struct {
        const char *sha;
        int64_t size;
    } *h = m->data;
    if (r == NULL) return;
    r->resolving = false;
    collect_now(r, arena_strdup(&e->arena, h->sha), h->size);
}

static void hash_job(void *arg)
{
    struct collection *c = arg;
    struct {
        const char *sha;
        int64_t size;
    } *h = arena_alloc(&c->mail->arena, sizeof *h);
    h->sha = hash_file(&c->mail->arena, c->r->log_path, &h->size);
    c->mail->data = h;
    engine_mail_send(c->engine, c->mail);
    free(c);
}

void collect_exit(struct live_run *r)
{
    struct stat st;
    int64_t size;
    if (r->resolving) return;
    if (stat(r->log_path, &st) != 0 || st.st_size <= HASH_INLINE_MAX) {
        const char *sha = hash_file(&r->engine->arena, r->log_path, &size);
        collect_now(r, sha, size);
        return;
    }
    struct collection *c = calloc(1, sizeof *c);
    if (c == NULL) abort();
    c->r = r;
    c->engine = r->engine;
    c->mail = engine_mail_new(on_hashed);
    c->mail->run_id = arena_strdup(&c->mail->arena, r->run_id);
    r->resolving = true;
    if (jobs_submit(r->engine->opt.jobs, hash_job, c)) return;
    r->resolving = false;
    arena_free(&c->mail->arena);
    free(c->mail);
    free(c);
}

/* ---- without a record ---- */

/* What the log tells when no record does: a lost run loses nothing that was written. */
static void recover_log(struct engine *e, const struct run *run, struct run_outcome *o)
{
    struct shim_exit x = {0};
    struct stat st;
    int64_t size;
    const char *path = engine_log_path(e, &e->arena, run);
    if (run->log_ref == NULL) return;
    err_t err = shim_log_recover(&e->arena, path, &x);
    if (err) {
        log_warn("run.log", "run=%s error=\"%s\"", run->id, err->message);
        return;
    }
    o->stdout_excerpt = x.stdout_excerpt;
    o->stderr_excerpt = x.stderr_excerpt;
    o->last_output_at = x.output.last_output_at;
    o->last_output_seq = x.output.last_seq;
    o->last_output_stream = x.output.last_stream;
    if (stat(path, &st) != 0) return;
    o->log_bytes = st.st_size;
    if (st.st_size <= HASH_INLINE_MAX) o->log_sha256 = hash_file(&e->arena, path, &size);
}

static void lost_again(struct engine *e, const char *run_id, void *arg) { collect_lost(e, run_id, arg ? json_deep_copy(arg) : NULL); }

static void *keep_json(struct arena *a, const void *arg)
{
    (void)a; /* the current arena of JSON */
    return arg ? json_deep_copy(arg) : NULL;
}

void collect_lost(struct engine *e, const char *run_id, json_t *orphans)
{
    struct ending x = {.done = false};
    bool found;
    err_t err = run_get(e->db, run_id, &x.run, &found);
    if (err) {
        engine_failed(e, "collect", err);
        return;
    }
    if (!found) return;
    int64_t pid = x.run.process_pid;
    x.outcome = (struct run_outcome){
        .process_lost = true, .error_code = "process_lost", .log_bytes = -1, .last_output_at = INSTANT_NONE, .orphans_killed = orphans,
        .error = pid == INT_NONE ? "Process lost -- its supervisor is gone"
                                 : arena_printf(&e->arena, "Process lost -- child pid %ld is no longer running", (long)pid),
    };
    recover_log(e, &x.run, &x.outcome);
    finish(e, &x, true, &(struct settle_again){.fn = lost_again, .keep = keep_json, .arg = orphans});
}

/* ---- it never started ---- */

struct setup_failure {
    const char *code, *message, *details;
};

static void setup_again(struct engine *e, const char *run_id, void *arg)
{
    const struct setup_failure *f = arg;
    struct run run;
    bool found;
    err_t err = run_get(e->db, run_id, &run, &found);
    if (err) engine_failed(e, "collect", err);
    if (err == OK && found) collect_setup_failure(e, &run, f->code, f->message, f->details);
}

static void *keep_setup(struct arena *a, const void *arg)
{
    const struct setup_failure *f = arg;
    struct setup_failure *copy = arena_new(a, struct setup_failure);
    *copy = (struct setup_failure){arena_strdup(a, f->code), arena_strdup(a, f->message), arena_strdup(a, f->details)};
    return copy;
}

void collect_setup_failure(struct engine *e, const struct run *run, const char *code, const char *message, const char *details)
{
    struct ending x = {.run = *run};
    const struct setup_failure f = {code, message, details};
    x.outcome = (struct run_outcome){.error_code = arena_strdup(&e->arena, code), .error = arena_strdup(&e->arena, message), .log_bytes = -1,
                                     .last_output_at = INSTANT_NONE, .result = json_object()};
    if (details) json_object_set_new(x.outcome.result, "workspaceValidation", json_read(details));
    finish(e, &x, false, &(struct settle_again){.fn = setup_again, .keep = keep_setup, .arg = &f});
}

/* ---- an outbound request ---- */

static void http_again(struct engine *e, const char *run_id, void *arg) { collect_http(e, run_id, arg); }

static void *keep_http(struct arena *a, const void *arg)
{
    const struct http_agent_result *r = arg;
    struct http_agent_result *copy = arena_new(a, struct http_agent_result);
    *copy = *r;
    copy->error = arena_strdup(a, r->error);
    copy->error_code = arena_strdup(a, r->error_code);
    copy->error_family = arena_strdup(a, r->error_family);
    copy->retry_not_before = arena_strdup(a, r->retry_not_before);
    copy->summary = arena_strdup(a, r->summary);
    copy->result = r->result ? json_deep_copy(r->result) : NULL;
    return copy;
}

void collect_http(struct engine *e, const char *run_id, const struct http_agent_result *r)
{
    struct ending x = {.done = false};
    bool found;
    err_t err = run_get(e->db, run_id, &x.run, &found);
    if (err) engine_failed(e, "collect", err);
    if (err || !found) return;
    x.outcome = (struct run_outcome){
        .has_exit_code = r->error == NULL, .error = r->error ? arena_strdup(&e->arena, r->error) : NULL,
        .error_code = arena_strdup(&e->arena, r->error_code), .error_family = arena_strdup(&e->arena, r->error_family),
        .timed_out = r->timed_out, .timeout_sec = (r->timeout_ms + 999) / 1000,
        .timeout_configured = r->timeout_configured, .log_bytes = -1, .last_output_at = INSTANT_NONE,
        .summary = arena_strdup(&e->arena, r->summary), .result = r->result ? json_deep_copy(r->result) : json_object(),
    };
    if (r->retry_not_before && !instant_parse(r->retry_not_before, &x.outcome.retry_not_before)) x.outcome.retry_not_before = 0;
    json_object_set_new(x.outcome.result, "effectiveTimeoutMs", json_integer((json_int_t)r->timeout_ms));
    finish(e, &x, false, &(struct settle_again){.fn = http_again, .keep = keep_http, .arg = r});
}
