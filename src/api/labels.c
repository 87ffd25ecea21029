/* labels: coloured names on issues (IS-139). */
#include "api/handlers.h"
#include "api/schemas.h"
#include "model/label.h"

#include <string.h>

#define NAME_MAX_CHARS 48

static void refine_label(const json_t *body, json_t *problems)
{
    const char *color = json_str(body, "color"), *name = json_str(body, "name");
    if (name && *name && name[strspn(name, " \t\r\n")] == 0) /* the length counts without blanks around it */
        json_array_append_new(problems, json_pack("{s:s, s:i, s:s, s:b, s:b, s:s, s:[s]}", "code", "too_small",
                                                  "minimum", 1, "type", "string", "inclusive", 1, "exact", 0, "message",
                                                  "String must contain at least 1 character(s)", "path", "name"));
    if (color == NULL || (*color == '#' && strlen(color) == 7 && strspn(color + 1, "0123456789abcdefABCDEF") == 6))
        return;
    json_array_append_new(problems, json_pack("{s:s, s:s, s:s, s:[s]}", "validation", "regex", "code", "invalid_string",
                                              "message", "Color must be a 6-digit hex value", "path", "color"));
}

static const struct prop create_props[] = {
    {"name", PROP_STRING, REQUIRED, .min = 1, .max = NAME_MAX_CHARS},
    {"color", PROP_STRING, REQUIRED},
};
SCHEMA_WITH(LABEL_CREATE, create_props, .refine = refine_label);

static const char *trimmed(struct arena *a, const char *s)
{
    static const char blank[] = " \t\r\n";
    s += strspn(s, blank);
    size_t n = strlen(s);
    while (n > 0 && strchr(blank, s[n - 1])) n--;
    return arena_strndup(a, s, n);
}

err_t labels_list(struct req *r)
{
    struct label *rows;
    int n;
    TRY(label_list(r->db, r->company.id, &rows, &n));
    jw_arr(&r->w);
    for (int i = 0; i < n; i++) label_write(&r->w, &rows[i]);
    jw_arr_end(&r->w);
    return OK;
}

err_t label_create_route(struct req *r)
{
    struct label label;
    entity_init(&ENTITY_label, &label);
    label.company_id = r->company.id;
    label.name = trimmed(r->arena, json_str(r->body, "name"));
    label.color = json_str(r->body, "color");
    TRY(label_create(r->db, &r->actor, &label));
    label_write(&r->w, &label);
    return OK;
}

err_t label_remove(struct req *r)
{
    TRY(label_delete(r->db, &r->actor, &r->label));
    label_write(&r->w, &r->label);
    return OK;
}
