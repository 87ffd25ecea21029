/* api: one request, and what its failure means for a person. */
#include "cli/api.h"

#include "base/json.h"
#include "http/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALL_TIMEOUT_MS = 120000 }; /* cancelling a run may take its grace time */
#define ANSWER_BYTES_MAX ((size_t)64 << 20)

static const char *first_env(const char *const names[])
{
    for (; *names; names++) {
        const char *v = getenv(*names);
        if (v && *v) return v;
    }
    return NULL;
}

const char *api_base(struct cli *c)
{
    const char *url = c->value[OPT_api_url] ? c->value[OPT_api_url] : c->value[OPT_api_base];
    if (url == NULL || *url == 0) url = first_env((const char *const[]){"BULLDOG_API_URL", "PAPERCLIP_API_URL", NULL});
    if (url == NULL) {
        const char *host = first_env((const char *const[]){"PAPERCLIP_SERVER_HOST", NULL});
        const char *port = first_env((const char *const[]){"PAPERCLIP_SERVER_PORT", NULL});
        return arena_printf(c->arena, "http://%s:%s", host ? host : "127.0.0.1", port ? port : "3100");
    }
    size_t len = strlen(url);
    while (len && url[len - 1] == '/') len--;
    return strstr(url, "://") ? arena_strndup(c->arena, url, len)
                              : arena_printf(c->arena, "http://%.*s", (int)len, url);
}

const char *api_key(struct cli *c)
{
    const char *key = c->value[OPT_api_key];
    return key ? key : first_env((const char *const[]){"BULLDOG_API_KEY", "PAPERCLIP_API_KEY", NULL});
}

const char *api_run_id(struct cli *c)
{
    const char *run = c->value[OPT_run_id];
    return run ? run : first_env((const char *const[]){"PAPERCLIP_RUN_ID", NULL});
}

struct api_answer api_request(struct cli *c, const char *method, const char *path, const json_t *body)
{
    struct arena *a = c->arena;
    const char *headers[4], *key = api_key(c), *run = api_run_id(c);
    int n = 0;
    headers[n++] = "Accept: application/json";
    if (key) headers[n++] = arena_printf(a, "Authorization: Bearer %s", key);
    if (run) headers[n++] = arena_printf(a, "X-Paperclip-Run-Id: %s", run);
    headers[n] = NULL;

    const char *text = body ? json_text(a, body) : NULL;
    struct http_call call = {
        .method = method,
        .url = arena_printf(a, "%s%s", api_base(c), path),
        .headers = headers,
        .body = text,
        .body_len = text ? strlen(text) : 0,
        .timeout_ms = CALL_TIMEOUT_MS,
        .response_max = ANSWER_BYTES_MAX,
    };
    struct http_response got;
    err_t failed = http_call(a, &call, &got);
    if (failed) return (struct api_answer){.message = failed->message};

    struct api_answer answer = {.status = got.status, .text = got.body};
    if (got.body_len && json_parse(a, got.body, got.body_len, &answer.json))
        answer.json = NULL; /* no JSON: text remains */
    if (answer.status >= 400) {
        answer.message = json_str(answer.json, "error");
        if (answer.message == NULL) answer.message = *got.body ? got.body : "no message";
    }
    return answer;
}

enum cli_end api_report(struct cli *c, const char *method, const char *path, const struct api_answer *answer)
{
    if (answer->status == 0) {
        fprintf(stderr, "bulldog: %s %s: %s\n", method, path, answer->message);
        fprintf(stderr, "  Is the server running? Start it with: bulldog serve\n");
        fprintf(stderr, "  Is it elsewhere? Name it with --api-url or BULLDOG_API_URL (now %s).\n", api_base(c));
        return END_UNREACHABLE;
    }
    const json_t *details = json_object_get(answer->json, "details");
    fprintf(stderr, "API error %d: %s", answer->status, answer->message);
    if (details && !json_is_null(details)) fprintf(stderr, " details=%s", json_text(c->arena, details));
    fputc('\n', stderr);
    if (answer->json == NULL) fprintf(stderr, "  %s %s%s\n", method, api_base(c), path);
    switch (answer->status) {
    case 401: fprintf(stderr, "  Give a key with --api-key or PAPERCLIP_API_KEY.\n"); return END_DENIED;
    case 403: return END_DENIED;
    case 404: return END_NOT_FOUND;
    case 409: return END_CONFLICT;
    default: return END_ERROR;
    }
}

json_t *api_call(struct cli *c, const char *method, const char *path, const json_t *body, enum cli_end *end)
{
    struct api_answer answer = api_request(c, method, path, body);
    if (answer.status >= 200 && answer.status < 300) {
        *end = END_OK;
        return answer.json ? answer.json : json_null();
    }
    *end = api_report(c, method, path, &answer);
    return NULL;
}

const char *api_encode(struct arena *a, const char *text)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out = arena_alloc(a, 3 * strlen(text) + 1), *to = out;
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        bool plain =
            (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("-._~", *p);
        if (plain) {
            *to++ = (char)*p;
        } else {
            *to++ = '%';
            *to++ = hex[*p >> 4];
            *to++ = hex[*p & 15];
        }
    }
    return out;
}
