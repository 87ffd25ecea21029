/*
 * redact: take secrets out of a byte stream, before it is cut into lines.
 *
 * Three things are replaced: exact values (and their JSON-escaped form, since
 * agents print JSON), tokens with a known prefix, and JWTs; and images in
 * base64, which are no secret but nothing for a log either (AR-71). A stream
 * comes in pieces, so what may still become a secret is held back until more is
 * known; a token that is long enough is replaced and the rest of it swallowed.
 * A table of byte pairs lets ordinary text pass at memory speed.
 */
#include "shim/shim.h"

#define PIECE_MAX 4096 /* longer values are matched as several pieces */
#define JWT_HOLD_MAX 8000
#define JWT_PART_MIN 8

struct secret {
    struct secret *next; /* same first byte, longer ones first */
    size_t len;
    char value[];
};
static struct secret *by_first[256];
static unsigned char pairs[65536 / 8]; /* a secret or token may begin with these two bytes */

enum charset { ALNUM = 1, HEX = 2, B64URL = 4, DOT = 8, BASE64 = 16 };
static unsigned char chars[256];

/* Tokens known by their prefix; `word`: only where a word begins. */
static const struct prefix {
    const char *text;
    size_t len, min; /* characters of `set` that must follow */
    unsigned char set;
    bool word;
    const char *instead;
} prefixes[] = {
#define TOKEN_OF(text, min, set, word)                       \
    {                                                        \
        text, sizeof text - 1, min, set, word, SHIM_REDACTED \
    }
#define IMAGE_OF(magic)                                                   \
    {                                                                     \
        magic, sizeof magic - 1, 256, BASE64, true, "[image data elided]" \
    }
    TOKEN_OF("sk-", 20, B64URL, true),
    TOKEN_OF("ghp_", 20, ALNUM, false),
    TOKEN_OF("gho_", 20, ALNUM, false),
    TOKEN_OF("ghu_", 20, ALNUM, false),
    TOKEN_OF("ghs_", 20, ALNUM, false),
    TOKEN_OF("ghr_", 20, ALNUM, false),
    TOKEN_OF("pcp_", 48, HEX, false),
    TOKEN_OF("github_pat_", 20, B64URL, false),
    IMAGE_OF("iVBORw0KGgo"),
    /* PNG */ IMAGE_OF("/9j/"), /* JPEG */
    IMAGE_OF("R0lGOD"),
    /* GIF */ IMAGE_OF("UklGR"), /* WebP */
};
#define N_PREFIXES (sizeof prefixes / sizeof prefixes[0])
static const char jwt_head[] = "eyJ"; /* {" in base64url */

static void pair_add(const char *p)
{
    unsigned i = (unsigned)(unsigned char)p[0] << 8 | (unsigned char)p[1];
    pairs[i / 8] = (unsigned char)(pairs[i / 8] | 1u << i % 8);
}

static void secret_add(const char *p, size_t len)
{
    struct secret *s = malloc(sizeof *s + len);
    if (s == NULL) abort(); /* rather no run than a leak */
    s->len = len;
    memcpy(s->value, p, len);
    struct secret **at = &by_first[(unsigned char)p[0]];
    while (*at && (*at)->len > len) at = &(*at)->next;
    s->next = *at;
    *at = s;
    pair_add(p);
}

static void secret_add_pieces(const char *p, size_t len)
{
    while (len >= SHIM_REDACT_MIN) {
        size_t part = len > PIECE_MAX + SHIM_REDACT_MIN ? PIECE_MAX : len;
        secret_add(p, part);
        p += part;
        len -= part;
    }
}

void redact_setup(const char *const *values, size_t n)
{
    for (int c = 0; c < 256; c++) {
        bool digit = c >= '0' && c <= '9', low = c >= 'a' && c <= 'z', up = c >= 'A' && c <= 'Z';
        unsigned set = 0;
        if (digit || low || up) set |= ALNUM | B64URL;
        if (digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) set |= HEX;
        if (c == '-' || c == '_') set |= B64URL;
        if (c == '.') set |= DOT;
        if (set & ALNUM || c == '+' || c == '/' || c == '=') set |= BASE64;
        chars[c] = (unsigned char)set;
    }
    for (size_t i = 0; i < N_PREFIXES; i++) pair_add(prefixes[i].text);
    pair_add(jwt_head);
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(values[i]);
        secret_add_pieces(values[i], len);
        size_t cap = len * 6 + 1;
        struct text esc = {.p = malloc(cap), .cap = cap, .fd = -1};
        if (esc.p == NULL) abort();
        text_json(&esc, values[i], len);
        if (esc.len != len) secret_add_pieces(esc.p, esc.len);
        free(esc.p);
    }
}

/* The k-th byte before p[i]; 0 where the stream begins. */
static unsigned char byte_before(const struct redact *r, const char *p, size_t i, size_t k)
{
    if (k <= i) return (unsigned char)p[i - k];
    k -= i;
    return k <= sizeof r->before ? r->before[sizeof r->before - k] : 0;
}

/* Does a word begin at p[i]? Behind a letter it does when that letter ends a
 * JSON escape (\n) or a terminal's colour code. */
static bool word_begins(const struct redact *r, const char *p, size_t i)
{
    unsigned char c = byte_before(r, p, i, 1);
    if (!(chars[c] & B64URL)) return true;
    if (strchr("nrtbf", c) && byte_before(r, p, i, 2) == '\\') return true;
    if (c != 'm') return false;
    for (size_t k = 2; k < sizeof r->before; k++) {
        c = byte_before(r, p, i, k);
        if (c == '[') return true;
        if (c != ';' && (c < '0' || c > '9')) return false;
    }
    return false;
}

enum verdict { PLAIN, SECRET, TOKEN, HOLD };

static size_t span(const char *p, size_t n, unsigned set, size_t max)
{
    size_t k = 0;
    while (k < n && k < max && chars[(unsigned char)p[k]] & set) k++;
    return k;
}

/* Header and payload of at least JWT_PART_MIN characters, then the rest. */
static enum verdict match_jwt(const char *p, size_t n, bool final, size_t *len)
{
    size_t at = sizeof jwt_head - 1, dots = 0;
    size_t have = n < at ? n : at;
    if (memcmp(p, jwt_head, have) != 0) return PLAIN;
    while (have == at && dots < 2) {
        size_t k = span(p + at, n - at, B64URL, n);
        if (at + k == n) break; /* it may go on */
        if (k < JWT_PART_MIN || p[at + k] != '.') return PLAIN;
        at += k + 1;
        have = at;
        dots++;
    }
    *len = at;
    if (dots == 2) return TOKEN;
    if (n >= JWT_HOLD_MAX && dots == 1) return TOKEN;
    return final || n >= JWT_HOLD_MAX ? PLAIN : HOLD;
}

static enum verdict match_prefix(const char *p, size_t n, bool final, size_t *len, const struct prefix *x)
{
    if (memcmp(p, x->text, n < x->len ? n : x->len) != 0) return PLAIN;
    if (n < x->len) return final ? PLAIN : HOLD;
    size_t k = span(p + x->len, n - x->len, x->set, x->min);
    *len = x->len + k;
    if (k == x->min) return TOKEN;
    return *len == n && !final ? HOLD : PLAIN;
}

/* What stands at in[i]: how long it is, what goes in its place, and the
 * characters that would continue it. */
struct found {
    size_t len;
    const char *instead;
    unsigned set;
};

static enum verdict match(const struct redact *r, const char *in, size_t i, size_t n, bool final, struct found *f)
{
    const char *p = in + i;
    n -= i;
    *f = (struct found){.instead = SHIM_REDACTED};
    for (const struct secret *s = by_first[(unsigned char)*p]; s; s = s->next) {
        f->len = s->len;
        if (memcmp(p, s->value, n < s->len ? n : s->len) != 0) continue;
        if (n >= s->len) return SECRET;
        if (!final) return HOLD;
    }
    for (size_t k = 0; k < N_PREFIXES; k++) {
        const struct prefix *x = &prefixes[k];
        if (x->text[0] != *p || (x->word && !word_begins(r, in, i))) continue;
        enum verdict v = match_prefix(p, n, final, &f->len, x);
        f->set = x->set;
        f->instead = x->instead;
        if (v != PLAIN) return v;
    }
    if (*p != jwt_head[0] || !word_begins(r, in, i)) return PLAIN;
    f->set = B64URL | DOT;
    f->instead = SHIM_REDACTED;
    return match_jwt(p, n, final, &f->len);
}

static void remember(struct redact *r, const char *p, size_t n)
{
    size_t keep = sizeof r->before;
    if (n >= keep) {
        memcpy(r->before, p + n - keep, keep);
    } else {
        memmove(r->before, r->before + n, keep - n);
        memcpy(r->before + keep - n, p, n);
    }
}

size_t redact_scan(struct redact *r, const char *p, size_t n, bool final, emit_fn *emit, void *ctx)
{
    size_t i = 0, plain = 0; /* plain: start of what is not yet emitted */
    if (r->swallowing) {
        i = plain = span(p, n, (unsigned)r->swallowing, n);
        if (i < n) r->swallowing = 0;
    }
    while (i < n) {
        if (i + 1 < n) {
            unsigned pair = (unsigned)(unsigned char)p[i] << 8 | (unsigned char)p[i + 1];
            if (!(pairs[pair / 8] >> pair % 8 & 1)) {
                i++;
                continue;
            }
        }
        struct found f;
        enum verdict v = match(r, p, i, n, final, &f);
        if (v == HOLD) break;
        if (v == PLAIN) {
            i++;
            continue;
        }
        if (i > plain) emit(ctx, p + plain, i - plain);
        emit(ctx, f.instead, strlen(f.instead));
        i += f.len;
        if (v == TOKEN) {
            i += span(p + i, n - i, f.set, n);
            if (i == n) r->swallowing = (int)f.set;
        }
        plain = i;
    }
    if (i > plain) emit(ctx, p + plain, i - plain);
    remember(r, p, i);
    return i;
}

static void emit_text(void *ctx, const char *p, size_t n) { text_add(ctx, p, n); }

void redact_text(const char *p, size_t n, char *out, size_t cap)
{
    struct redact r = {0};
    struct text t = {.p = out, .cap = cap - 1, .fd = -1};
    redact_scan(&r, p, n, true, emit_text, &t);
    out[utf8_whole(out, t.len)] = '\0';
}
