/* http_agent: agents behind a URL. */
#include "adapter/http_agent.h"

#include "http/client.h"

#include <string.h>

#define TIMEOUT_DEFAULT_MS 300000
#define RESPONSE_MAX ((size_t)1 << 20)
#define CODE_MAX 64
#define HEADERS_MAX 64

/* {{a.b.c}} from the data: missing gives nothing, objects give JSON (AR-57). */
static const char *render(struct arena *a, const char *s, const json_t *data)
{
    struct buf b = {0};
    while (*s) {
        const char *open = strstr(s, "{{"), *close = open ? strstr(open, "}}") : NULL;
        if (close == NULL) break;
        buf_append(&b, s, (size_t)(open - s));
        const char *p = open + 2;
        const json_t *v = data;
        while (*p == ' ') p++;
        while (p < close) {
            size_t n = strcspn(p, ".} ");
            v = json_object_get(v, arena_strndup(a, p, n));
            p += n;
            if (*p != '.') break;
            p++;
        }
        if (json_is_string(v)) buf_puts(&b, json_string_value(v));
        else if (v && !json_is_null(v)) buf_puts(&b, json_text(a, v));
        s = close + 2;
    }
    buf_puts(&b, s);
    return buf_finish(&b, a);
}

static json_t *render_all(struct arena *a, json_t *v, const json_t *data)
{
    const char *key;
    json_t *m;
    size_t i;
    if (json_is_string(v)) return json_string(render(a, json_string_value(v), data));
    if (json_is_array(v)) {
        json_t *out = json_array();
        json_array_foreach (v, i, m) json_array_append_new(out, render_all(a, m, data));
        return out;
    }
    if (!json_is_object(v)) return v;
    json_t *out = json_object();
    json_object_foreach (v, key, m) json_object_set_new(out, key, render_all(a, m, data));
    return out;
}

static const char *body_of(struct arena *a, const struct http_agent_call *c, const json_t *config)
{
    json_t *data = json_pack("{s:{s:s}, s:{s:s}, s:s, s:s, s:s, s:{s:s}, s:O}", "agent", "id", c->agent_id, "company",
                             "id", c->company_id, "runId", c->run_id, "agentId", c->agent_id, "companyId",
                             c->company_id, "run", "id", c->run_id, "context", c->context);
    json_t *template = json_object_get(config, "payloadTemplate");
    json_t *body = json_is_object(template) ? render_all(a, template, data) : json_object();
    json_object_set_new(body, "agentId", json_string(c->agent_id));
    json_object_set_new(body, "runId", json_string(c->run_id));
    json_object_set(body, "context", c->context);
    return json_text(a, body);
}

static const char *const *headers_of(struct arena *a, const struct http_agent_call *c, const json_t *config)
{
    const char **out = arena_array(a, const char *, HEADERS_MAX + 3), *name;
    json_t *v;
    int n = 0;
    bool typed = false;
    json_object_foreach (json_object_get(config, "headers"), name, v) {
        if (!json_is_string(v) || n >= HEADERS_MAX || strpbrk(name, "\r\n:") || strpbrk(json_string_value(v), "\r\n"))
            continue;
        typed |= strcasecmp(name, "content-type") == 0;
        out[n++] = arena_printf(a, "%s: %s", name, json_string_value(v));
    }
    if (!typed) out[n++] = "content-type: application/json";
    if (json_bool(config, "sendRunToken", false) && c->run_token)
        out[n++] = arena_printf(a, "X-Paperclip-Run-Token: %s", c->run_token);
    return out;
}

static void read_answer(struct arena *a, const struct http_response *r, struct http_agent_result *out)
{
    static const char *const keys[] = {"summary", "result", "message", NULL};
    json_t *j;
    if (json_parse(a, r->body, r->body_len, &j) != OK || !json_is_object(j)) return;
    for (const char *const *k = keys; *k && out->summary == NULL; k++) out->summary = json_str(j, *k);
    if (out->summary) out->result = j;
}

static bool code_shaped(const char *s)
{
    size_t n = s ? strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_.") : 0;
    return n > 0 && n <= CODE_MAX && s[n] == 0;
}

/* A refusal may say what kind of failure it is, so that a passing one is tried again (EX-61). */
static void read_refusal(struct arena *a, const struct http_response *r, struct http_agent_result *out)
{
    json_t *j;
    out->error = arena_printf(a, "HTTP invoke failed with status %d", r->status);
    out->error_code = "adapter_failed";
    if (json_parse(a, r->body, r->body_len, &j) != OK || !json_is_object(j)) return;
    const char *code = json_str(j, "errorCode"), *family = json_str(j, "errorFamily");
    if (code_shaped(code)) out->error_code = code;
    if (code_shaped(family)) out->error_family = family;
    out->retry_not_before = json_str(j, "retryNotBefore");
}

void http_agent_invoke(struct arena *a, const struct http_agent_call *c, struct http_agent_result *out)
{
    const json_t *config = json_read(c->adapter_config);
    const char *url = json_str(config, "url"), *method = json_str(config, "method");
    int64_t ms = json_int(config, "timeoutMs", 0), sec = json_int(config, "timeoutSec", 0);
    struct http_response r;
    *out = (struct http_agent_result){.timeout_ms = ms > 0    ? ms
                                                    : sec > 0 ? sec * 1000
                                                              : TIMEOUT_DEFAULT_MS,
                                      .timeout_configured = ms > 0 || sec > 0};
    if (method == NULL || *method == 0) method = "POST";
    if (url == NULL || *url == 0) {
        out->error = "HTTP adapter missing url";
        out->error_code = "adapter_failed";
        return;
    }
    const char *body = body_of(a, c, config);
    err_t e =
        http_call(a,
                  &(struct http_call){.method = method,
                                      .url = url,
                                      .headers = headers_of(a, c, config),
                                      .body = body,
                                      .body_len = strlen(body),
                                      .timeout_ms = (int)(out->timeout_ms > 86400000 ? 86400000 : out->timeout_ms),
                                      .response_max = RESPONSE_MAX,
                                      .abort = c->abort},
                  &r);
    out->timed_out = e && e->code && strcmp(e->code, "timeout") == 0;
    if (out->timed_out) {
        out->error = arena_printf(a, "HTTP %s %s timed out after %ldms", method, url, (long)out->timeout_ms);
        out->error_code = "timeout";
    } else if (e) {
        out->error = e->message;
        out->error_code = "adapter_failed";
    } else if (r.status < 200 || r.status > 299) {
        read_refusal(a, &r, out);
    } else {
        read_answer(a, &r, out);
    }
}
