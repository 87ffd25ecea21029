/* spec: read the order, `key=value` records each ended by a NUL. */
#include "shim/shim.h"

#include <sys/mman.h>
#include <sys/stat.h>

/* What a key is for: a list of pointers, a string or a number of struct spec. */
enum kind { KEY_LIST, KEY_TEXT, KEY_NUMBER };

#define FIELD(f) offsetof(struct spec, f)
static const struct key {
    const char *name;
    enum kind kind;
    size_t at, count_at;
} keys[] = {
    {SHIM_KEY_ARG, KEY_LIST, FIELD(argv), FIELD(n_argv)},
    {SHIM_KEY_ENV, KEY_LIST, FIELD(env), FIELD(n_env)},
    {SHIM_KEY_REDACT, KEY_LIST, FIELD(redact), FIELD(n_redact)},
    {SHIM_KEY_NOTICE, KEY_LIST, FIELD(notice), FIELD(n_notice)},
    {SHIM_KEY_CWD, KEY_TEXT, FIELD(cwd), 0},
    {SHIM_KEY_LOG, KEY_TEXT, FIELD(log), 0},
    {SHIM_KEY_CGROUP, KEY_TEXT, FIELD(cgroup), 0},
    {SHIM_KEY_STDIN, KEY_TEXT, FIELD(stdin_data), 0},
    {SHIM_KEY_TIMEOUT, KEY_NUMBER, FIELD(timeout_ms), 0},
    {SHIM_KEY_GRACE, KEY_NUMBER, FIELD(grace_ms), 0},
    {SHIM_KEY_LOG_MAX, KEY_NUMBER, FIELD(log_max), 0},
};
#define N_KEYS (sizeof keys / sizeof keys[0])

static void *field(struct spec *s, size_t at) { return (char *)s + at; }

static bool number(const char *text, int64_t *out)
{
    char *end = NULL;
    *out = strtoll(text, &end, 10);
    return *text != '\0' && *end == '\0';
}

/* The two keys that are no plain field, and those we do not know. */
static bool other_key(struct spec *s, const char *record, size_t key_len, const char *value)
{
    int64_t v;
    bool kill = key_len == strlen(SHIM_KEY_KILL) && memcmp(record, SHIM_KEY_KILL, key_len) == 0;
    bool nice = key_len == strlen(SHIM_KEY_NICE) && memcmp(record, SHIM_KEY_NICE, key_len) == 0;
    if (!kill && !nice) return true;
    if (!number(value, &v) || v < -20 || v > 19) return false;
    if (kill) s->keep_stragglers = v == 0;
    if (nice) s->nice = (int)v;
    return true;
}

/* One pass over the records; with `lists` it fills them, without it counts. */
static bool pass(struct spec *s, bool fill)
{
    size_t used[N_KEYS] = {0};
    for (char *p = s->base, *end = s->base + s->size; p < end; p += strlen(p) + 1) {
        char *eq = strchr(p, '=');
        if (eq == NULL) return false;
        size_t key_len = (size_t)(eq - p), k = 0;
        while (k < N_KEYS && (strlen(keys[k].name) != key_len || memcmp(keys[k].name, p, key_len) != 0)) k++;
        if (k == N_KEYS) {
            if (!other_key(s, p, key_len, eq + 1)) return false;
        } else if (keys[k].kind == KEY_TEXT) {
            *(const char **)field(s, keys[k].at) = eq + 1;
        } else if (keys[k].kind == KEY_NUMBER) {
            if (!number(eq + 1, field(s, keys[k].at))) return false;
        } else if (fill) {
            (*(char ***)field(s, keys[k].at))[used[k]] = eq + 1;
        }
        if (k < N_KEYS) used[k]++;
    }
    for (size_t k = 0; k < N_KEYS && !fill; k++)
        if (keys[k].kind == KEY_LIST) *(size_t *)field(s, keys[k].count_at) = used[k];
    return true;
}

const char *spec_parse(struct spec *s, char *base, size_t size)
{
    *s = (struct spec){.base = base, .size = size, .grace_ms = SHIM_GRACE_MIN_MS};
    if (size == 0 || base[size - 1] != '\0') return "the spec does not end with NUL";
    if (!pass(s, false)) return "the spec has a broken record";
    size_t slots = 0;
    for (size_t k = 0; k < N_KEYS; k++)
        if (keys[k].kind == KEY_LIST) slots += *(size_t *)field(s, keys[k].count_at) + 1; /* NULL at the end */
    char **lists = calloc(slots, sizeof *lists);
    if (lists == NULL) return "out of memory";
    s->lists = lists;
    for (size_t k = 0; k < N_KEYS; k++) {
        if (keys[k].kind != KEY_LIST) continue;
        *(char ***)field(s, keys[k].at) = lists;
        lists += *(size_t *)field(s, keys[k].count_at) + 1;
    }
    if (!pass(s, true)) return "the spec has a broken record";
    if (s->n_argv == 0 || s->argv[0][0] == '\0') return "the spec names no command";
    if (s->log == NULL) return "the spec names no log";
    if (s->grace_ms < SHIM_GRACE_MIN_MS) s->grace_ms = SHIM_GRACE_MIN_MS;
    return NULL;
}

const char *spec_load(struct spec *s, int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || st.st_size <= 0) return "there is no spec on fd 3";
    char *base = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (base == MAP_FAILED) return "the spec cannot be mapped";
    return spec_parse(s, base, (size_t)st.st_size);
}

void spec_release(struct spec *s)
{
    free(s->lists);
    if (s->base) munmap(s->base, s->size);
    s->lists = NULL;
    s->base = NULL;
    s->argv = s->env = NULL;
    s->redact = s->notice = NULL;
    s->cwd = s->log = s->cgroup = s->stdin_data = NULL;
}
