/* shim_redact: however a stream is cut, the same comes out, and no secret. */
#include "fuzz.h"

#include "shim/shim.h"

struct collected {
    char text[1 << 16];
    size_t n;
};

static void collect(void *ctx, const char *p, size_t n)
{
    struct collected *c = ctx;
    MUST(c->n + n < sizeof c->text);
    memcpy(c->text + c->n, p, n);
    c->n += n;
    c->text[c->n] = '\0';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const secrets[] = {"hunter22", "hunter22hunter", "a\"b\nc", "zzzzy"};
    static struct collected whole, cut;
    static int ready;
    if (!ready) redact_setup(secrets, 4);
    ready = 1;
    if (size < 2 || size > 4000) return 0;
    const char *in = (const char *)data + 1;
    size_t n = size - 1, step = data[0] % 64 + 1u, from = 0;
    struct redact r = {0};
    whole.n = cut.n = 0;
    MUST(redact_scan(&r, in, n, true, collect, &whole) == n);
    r = (struct redact){0};
    for (size_t to = step; to < n; to += step) from += redact_scan(&r, in + from, to - from, false, collect, &cut);
    MUST(redact_scan(&r, in + from, n - from, true, collect, &cut) == n - from);
    MUST(whole.n == cut.n && memcmp(whole.text, cut.text, cut.n) == 0);
    MUST(memmem(cut.text, cut.n, "hunter22", 8) == NULL && memmem(cut.text, cut.n, "zzzzy", 5) == NULL);
    return 0;
}
