/* in_list: SQL lists of ids. */
#include "model/in_list.h"

#include "base/buf.h"

#include <string.h>

struct in_list in_list_make(struct arena *a, const struct dbv *head, int head_count, const char *const *ids, int count)
{
    int slots = 1;
    struct buf b = {0};
    assert(count > 0);
    while (slots < count) slots *= 4;
    struct dbv *v = arena_array(a, struct dbv, head_count + slots);
    if (head_count) memcpy(v, head, sizeof *v * (size_t)head_count);
    for (int i = 0; i < slots; i++) {
        v[head_count + i] = V_ID(ids[i < count ? i : count - 1]);
        buf_printf(&b, "%c$%d", i ? ',' : '(', head_count + i + 1);
    }
    buf_putc(&b, ')');
    return (struct in_list){buf_finish(&b, a), v, head_count + slots};
}
