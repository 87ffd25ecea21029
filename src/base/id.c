/* id: UUIDv7, random bytes, hashes. */
#include "base/id.h"

#include "base/clock.h"

#include <ctype.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>

static void (*source)(void *, size_t);
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t last_stamp; /* milliseconds << 12 | counter, so ids made in one ms still sort */

void random_set_source(void (*fill)(void *p, size_t n)) { source = fill; }

void random_bytes(void *p, size_t n)
{
    if (source) source(p, n);
    else randombytes_buf(p, n);
}

const char *id_new(struct arena *a)
{
    unsigned char b[16];
    random_bytes(b, sizeof b);
    pthread_mutex_lock(&lock);
    uint64_t stamp = (uint64_t)clock_now() << 12;
    if (stamp <= last_stamp) stamp = last_stamp + 1;
    last_stamp = stamp;
    pthread_mutex_unlock(&lock);
    uint64_t ms = stamp >> 12;
    for (int i = 0; i < 6; i++) b[i] = (unsigned char)(ms >> (40 - 8 * i));
    b[6] = (unsigned char)(0x70 | ((stamp >> 8) & 0x0f));
    b[7] = (unsigned char)stamp;
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    char *out = arena_alloc(a, 37), *p = out;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *p++ = '-';
        *p++ = "0123456789abcdef"[b[i] >> 4];
        *p++ = "0123456789abcdef"[b[i] & 15];
    }
    return out;
}

bool id_valid(const char *s)
{
    if (s == NULL) return false;
    for (int i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? s[i] != '-' : !isxdigit((unsigned char)s[i])) return false;
    }
    return s[36] == 0;
}

char *random_hex(struct arena *a, size_t nbytes)
{
    unsigned char raw[64];
    if (nbytes > sizeof raw) nbytes = sizeof raw;
    random_bytes(raw, nbytes);
    char *out = arena_alloc(a, nbytes * 2 + 1);
    sodium_bin2hex(out, nbytes * 2 + 1, raw, nbytes);
    sodium_memzero(raw, sizeof raw);
    return out;
}

char *sha256_hex(struct arena *a, const void *p, size_t n)
{
    unsigned char h[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(h, p, n);
    char *out = arena_alloc(a, sizeof h * 2 + 1);
    sodium_bin2hex(out, sizeof h * 2 + 1, h, sizeof h);
    return out;
}
