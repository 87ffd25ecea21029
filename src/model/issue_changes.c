/* issue_changes: the difference of two states. */
#include "model/issue_changes.h"

#include "base/text.h"
#include "model/comment.h"

#include <stdlib.h>

#define SHOWN_BYTES_MAX 200

static json_t *value_of(const struct field *f, const void *row)
{
    struct buf b = {0};
    struct jw w;
    json_error_t ignored;
    jw_init(&w, &b);
    entity_write_field(&w, f, row);
    json_t *v = json_loadb(b.data, b.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &ignored);
    buf_free(&b);
    return v ? v : json_null();
}

/* Long texts are named, not repeated. */
static bool shorten(struct arena *a, json_t **v)
{
    const char *s = json_string_value(*v);
    if (s == NULL || strlen(s) <= SHOWN_BYTES_MAX) return false;
    *v = json_string(snippet(a, s, SHOWN_BYTES_MAX));
    return true;
}

static void add(struct arena *a, json_t *changes, json_t *previous, const char *key, json_t *from, json_t *to,
                bool text)
{
    bool from_cut = text && shorten(a, &from), to_cut = text && shorten(a, &to), cut = from_cut || to_cut;
    json_t *entry = json_pack("{s:O, s:o}", "from", from, "to", to);
    if (cut) json_object_set_new(entry, "updated", json_true());
    json_object_set_new(changes, key, entry);
    json_object_set_new(previous, key, from);
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static json_t *sorted(struct arena *a, const struct id_list *l)
{
    struct id_list copy = {arena_array(a, const char *, l->count + 1), l->count};
    for (int i = 0; i < l->count; i++) copy.ids[i] = l->ids[i];
    qsort(copy.ids, (size_t)copy.count, sizeof *copy.ids, by_text);
    return id_list_json(&copy);
}

static void compare_lists(struct arena *a, json_t *changes, json_t *previous, const char *key,
                          const struct id_list *before, const struct id_list *after)
{
    if (before == NULL || after == NULL) return;
    json_t *from = sorted(a, before), *to = sorted(a, after);
    if (!json_equal(from, to)) add(a, changes, previous, key, from, to, false);
}

void issue_changes(struct arena *a, const struct issue_state *before, const struct issue_state *after, json_t **changes,
                   json_t **previous)
{
    *changes = json_object();
    *previous = json_object();
    for (int i = 0; i < ENTITY_issue.count; i++) {
        const struct field *f = &ENTITY_issue.fields[i];
        if ((f->flags & FF_HIDDEN) || text_is(f->name, "updated_at") || entity_same(f, before->row, after->row))
            continue;
        bool text = text_is(f->name, "title") || text_is(f->name, "description");
        json_t *from = value_of(f, before->row), *to = value_of(f, after->row);
        if (json_equal(from, to)) continue; /* the same JSON, spelt differently by the database */
        add(a, *changes, *previous, f->json, from, to, text);
    }
    compare_lists(a, *changes, *previous, "labelIds", before->labels, after->labels);
    compare_lists(a, *changes, *previous, "blockedByIssueIds", before->blockers, after->blockers);
}
