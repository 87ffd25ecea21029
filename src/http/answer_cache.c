/* answer_cache: a few answers, looked through one after the other. */
#include "http/answer_cache.h"

#include "http/server_internal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SLOTS 64
#define ASKED 256 /* keys remembered as asked for once */

struct kept_answer {
    atomic_int refs; /* the cache's, and one of each answer on its way */
    struct arena arena;
    const char *key, *content_type, *etag;
    struct http_header *headers; /* without ETag and X-Request-Id */
    uint64_t version, used;
    char *data;
    size_t len;
};

struct answer_cache {
    pthread_mutex_t lock;
    struct kept_answer *slots[SLOTS];
    size_t bytes, bytes_max;
    uint64_t clock;
    uint64_t asked[ASKED]; /* hashes of keys, where their low bits point */
};

struct answer_cache *answer_cache_new(size_t bytes_max)
{
    struct answer_cache *c = calloc(1, sizeof *c);
    if (c == NULL) {
        fputs("bulldog: out of memory\n", stderr);
        abort();
    }
    pthread_mutex_init(&c->lock, NULL);
    c->bytes_max = bytes_max;
    return c;
}

void kept_answer_release(void *p)
{
    struct kept_answer *k = p;
    if (atomic_fetch_sub(&k->refs, 1) > 1) return;
    free(k->data);
    arena_free(&k->arena);
    free(k);
}

/* With the lock held. */
static void drop(struct answer_cache *c, int slot)
{
    if (c->slots[slot] == NULL) return;
    c->bytes -= c->slots[slot]->len;
    kept_answer_release(c->slots[slot]);
    c->slots[slot] = NULL;
}

void answer_cache_free(struct answer_cache *c)
{
    for (int i = 0; i < SLOTS; i++) drop(c, i);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static struct kept_answer *find(struct answer_cache *c, const char *key, uint64_t version)
{
    struct kept_answer *found = NULL;
    pthread_mutex_lock(&c->lock);
    for (int i = 0; i < SLOTS && found == NULL; i++) {
        struct kept_answer *k = c->slots[i];
        if (k == NULL || k->version != version || strcmp(k->key, key) != 0) continue;
        found = k;
        k->used = ++c->clock;
        atomic_fetch_add(&k->refs, 1);
    }
    pthread_mutex_unlock(&c->lock);
    return found;
}

/* What is asked for once is not kept: it would drive out what is asked for again, for nothing. */
static bool asked_before(struct answer_cache *c, const char *key)
{
    uint64_t h = 14695981039346656037u;
    for (const char *p = key; *p; p++) h = (h ^ (unsigned char)*p) * 1099511628211u;
    pthread_mutex_lock(&c->lock);
    uint64_t *slot = &c->asked[h % ASKED];
    bool before = *slot == h;
    *slot = h;
    pthread_mutex_unlock(&c->lock);
    return before;
}

bool answer_cache_answer(struct answer_cache *c, struct http_req *r, const char *key, uint64_t version)
{
    if (version == 0 || strcmp(r->method, "GET") != 0) return false;
    key = arena_printf(&r->arena, "%s %s", answer_gzip_accepted(r) ? "gzip" : "plain", key);
    struct kept_answer *k = find(c, key, version);
    if (k == NULL) {
        if (!asked_before(c, key)) return false;
        r->keep_in = c;
        r->keep_key = key;
        r->keep_version = version;
        return false;
    }
    r->kept = k;
    r->status = MHD_HTTP_OK;
    r->content_type = k->content_type;
    bool known = k->etag && http_etag(r, k->etag);
    for (const struct http_header *h = k->headers; h; h = h->next)
        if (!known || strcasecmp(h->name, "Content-Encoding") != 0) http_set_header(r, h->name, h->value);
    if (known) return true;
    r->static_data = k->data;
    r->static_len = k->len;
    return true;
}

/* ---- keeping ---- */

static struct kept_answer *kept_new(struct http_req *r)
{
    struct kept_answer *k = calloc(1, sizeof *k);
    char *data = malloc(r->out.len); /* exactly: the buffer grew by doubling */
    if (k == NULL || data == NULL) {
        free(k);
        free(data);
        return NULL;
    }
    memcpy(data, r->out.data, r->out.len);
    *k = (struct kept_answer){.refs = 2, .version = r->keep_version, .data = data, .len = r->out.len};
    buf_free(&r->out);
    k->key = arena_strdup(&k->arena, r->keep_key);
    k->content_type = arena_strdup(&k->arena, r->content_type);
    for (const struct http_header *h = r->headers; h; h = h->next) {
        if (strcasecmp(h->name, "X-Request-Id") == 0) continue;
        if (strcasecmp(h->name, "ETag") == 0) {
            k->etag = arena_strdup(&k->arena, h->value);
            continue;
        }
        struct http_header *copy = arena_new(&k->arena, struct http_header);
        *copy = (struct http_header){k->headers, arena_strdup(&k->arena, h->name), arena_strdup(&k->arena, h->value)};
        k->headers = copy;
    }
    return k;
}

/* The slot for a new answer: an older version's of the same key, a free one, or the one unused the longest. */
static int choose(const struct answer_cache *c, const char *key)
{
    int best = 0;
    for (int i = 0; i < SLOTS; i++) {
        const struct kept_answer *k = c->slots[i], *b = c->slots[best];
        if (k && strcmp(k->key, key) == 0) return i;
        if (b && (k == NULL || k->used < b->used)) best = i;
    }
    return best;
}

static int oldest(const struct answer_cache *c)
{
    int best = -1;
    for (int i = 0; i < SLOTS; i++)
        if (c->slots[i] && (best < 0 || c->slots[i]->used < c->slots[best]->used)) best = i;
    return best;
}

void answer_keep(struct http_req *r)
{
    struct answer_cache *c = r->keep_in;
    if (c == NULL || r->status != MHD_HTTP_OK || r->static_data || r->out.len == 0 || r->out.len > c->bytes_max / 4)
        return;
    struct kept_answer *k = kept_new(r);
    if (k == NULL) return;
    r->kept = k;
    r->static_data = k->data;
    r->static_len = k->len;
    pthread_mutex_lock(&c->lock);
    drop(c, choose(c, k->key));
    while (c->bytes + k->len > c->bytes_max) drop(c, oldest(c));
    k->used = ++c->clock;
    c->slots[choose(c, k->key)] = k;
    c->bytes += k->len;
    pthread_mutex_unlock(&c->lock);
}
