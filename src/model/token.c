/* token: run tokens (HS256 JWT) and agent API keys. */
#include "model/token.h"

#include "base/id.h"
#include "base/json.h"
#include "base/settings.h"

#include <inttypes.h>
#include <sodium.h>
#include <string.h>

#define B64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

static const char *encode(struct arena *a, const void *p, size_t n)
{
    size_t size = sodium_base64_encoded_len(n, B64);
    char *out = arena_alloc(a, size);
    sodium_bin2base64(out, size, p, n, B64);
    return out;
}

static void hmac(unsigned char out[crypto_auth_hmacsha256_BYTES], const char *key, const char *text)
{
    crypto_auth_hmacsha256_state st;
    crypto_auth_hmacsha256_init(&st, (const unsigned char *)key, strlen(key));
    crypto_auth_hmacsha256_update(&st, (const unsigned char *)text, strlen(text));
    crypto_auth_hmacsha256_final(&st, out);
    sodium_memzero(&st, sizeof st);
}

static const char *company_key(struct arena *a, const char *secret, const char *company_id)
{
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    hmac(mac, secret, arena_printf(a, "jwt:%s:%s", settings.instance_id, company_id));
    char *hex = arena_alloc(a, sizeof mac * 2 + 1);
    return sodium_bin2hex(hex, sizeof mac * 2 + 1, mac, sizeof mac);
}

static const char *signature(struct arena *a, const char *secret, const char *company_id, const char *signed_part)
{
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    hmac(mac, company_key(a, secret, company_id), signed_part);
    return encode(a, mac, sizeof mac);
}

const char *token_sign(struct arena *a, const char *secret, const struct run_token *t)
{
    struct buf b = {0};
    struct jw w;
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kstr(&w, "sub", t->agent_id);
    jw_kstr(&w, "company_id", t->company_id);
    jw_kstr(&w, "adapter_type", t->adapter_type);
    jw_kstr(&w, "run_id", t->run_id);
    jw_kstr(&w, "responsible_user_id", t->responsible_user_id);
    jw_kint(&w, "iat", t->issued_at / 1000);
    jw_kint(&w, "exp", t->issued_at / 1000 + settings.jwt_ttl_sec);
    jw_kstr(&w, "iss", settings.jwt_issuer);
    jw_kstr(&w, "aud", settings.jwt_audience);
    jw_kstr(&w, "instance_id", settings.instance_id);
    jw_obj_end(&w);
    static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    const char *head = encode(a, header, sizeof header - 1), *claims = encode(a, b.data, b.len);
    buf_free(&b);
    const char *part = arena_printf(a, "%s.%s", head, claims);
    return arena_printf(a, "%s.%s", part, signature(a, secret, t->company_id, part));
}

static json_t *decode(struct arena *a, const char *s, size_t n)
{
    unsigned char *raw = arena_alloc(a, n + 1);
    size_t len;
    json_t *j;
    if (sodium_base642bin(raw, n, s, n, NULL, &len, NULL, B64) != 0) return NULL;
    return json_parse(a, (const char *)raw, len, &j) == OK && json_is_object(j) ? j : NULL;
}

static bool claim_is(const json_t *claims, const char *name, const char *want)
{
    const char *v = json_str(claims, name);
    return json_object_get(claims, name) == NULL || (v && strcmp(v, want) == 0);
}

bool token_verify(struct arena *a, const char *secret, const char *jwt, struct run_token *out)
{
    const char *dot1 = strchr(jwt, '.'), *dot2 = dot1 ? strchr(dot1 + 1, '.') : NULL;
    if (dot2 == NULL || strchr(dot2 + 1, '.') || strlen(jwt) > 8192) return false;
    json_t *head = decode(a, jwt, (size_t)(dot1 - jwt)), *claims = decode(a, dot1 + 1, (size_t)(dot2 - dot1 - 1));
    const char *alg = json_str(head, "alg");
    *out = (struct run_token){
        .agent_id = json_str(claims, "sub"),
        .company_id = json_str(claims, "company_id"),
        .adapter_type = json_str(claims, "adapter_type"),
        .run_id = json_str(claims, "run_id"),
        .responsible_user_id = json_str(claims, "responsible_user_id"),
        .issued_at = json_int(claims, "iat", 0) * 1000,
    };
    if (alg == NULL || strcmp(alg, "HS256") != 0 || out->company_id == NULL) return false;
    const char *want = signature(a, secret, out->company_id, arena_strndup(a, jwt, (size_t)(dot2 - jwt)));
    if (strlen(want) != strlen(dot2 + 1) || sodium_memcmp(want, dot2 + 1, strlen(want)) != 0) return false;
    if (out->agent_id == NULL || out->adapter_type == NULL || out->run_id == NULL) return false;
    if (!id_valid(out->agent_id) || !id_valid(out->company_id) || !id_valid(out->run_id)) return false;
    if (!json_is_number(json_object_get(claims, "iat")) || !json_is_number(json_object_get(claims, "exp")))
        return false;
    if (json_int(claims, "exp", 0) * 1000 < clock_now()) return false;
    return claim_is(claims, "iss", settings.jwt_issuer) && claim_is(claims, "aud", settings.jwt_audience) &&
           claim_is(claims, "instance_id", settings.instance_id);
}

const char *key_generate(struct arena *a) { return arena_printf(a, "pcp_%s", random_hex(a, 24)); }
const char *key_hash(struct arena *a, const char *token) { return sha256_hex(a, token, strlen(token)); }
