/* in_list: SQL lists of ids. */
#include "model/in_list.h"

#include <string.h>

/* v in digits at s; where they end. */
static char *decimal(char *s, int v)
{
    char digits[12];
    int n = 0;
    assert(v >= 0 && v < 1000000);
    do digits[n++] = (char)('0' + v % 10);
    while (v /= 10);
    while (n > 0) *s++ = digits[--n];
    return s;
}

struct in_list in_list_make(struct arena *a, const struct dbv *head, int head_count, const char *const *ids, int count)
{
    int slots = 1;
    assert(count > 0);
    while (slots < count) slots *= 4;
    struct dbv *v = arena_array(a, struct dbv, head_count + slots);
    if (head_count) memcpy(v, head, sizeof *v * (size_t)head_count);
    char *sql = arena_alloc(a, (size_t)slots * 8 + 2), *end = sql; /* ",$65535": the engines take no more */
    for (int i = 0; i < slots; i++) {
        v[head_count + i] = V_ID(ids[i < count ? i : count - 1]);
        *end++ = i ? ',' : '(';
        *end++ = '$';
        end = decimal(end, head_count + i + 1);
    }
    *end = ')';
    return (struct in_list){sql, v, head_count + slots};
}
