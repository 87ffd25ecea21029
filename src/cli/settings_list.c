/* settings_list: every setting with its value here and now. */
#include "base/buf.h"
#include "base/json.h"
#include "base/settings.h"
#include "cli/call.h"
#include "cli/print.h"

#include <string.h>

int cmd_settings(struct cli *c)
{
    struct buf out BUF_AUTO = {0};
    err_t wrong = settings_load(c->arena);
    if (wrong) return usage_error("%s", wrong->message);
    json_t *list = json_array();
    for (int i = 0; i < SETTINGS_COUNT; i++) {
        const struct setting_info *s = &SETTINGS[i];
        json_t *item = json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", s->key, "value", settings_text(c->arena, s),
                                 "default", s->dflt, "variables", s->env, "help", s->help);
        if (strcmp(s->kind, "INT") == 0) {
            json_object_set_new(item, "min", json_integer(s->min));
            json_object_set_new(item, "max", json_integer(s->max));
        }
        json_array_append_new(list, item);
    }
    if (c->value[OPT_json]) {
        print_json(&out, list);
        return print_out(&out) ? 0 : 1;
    }
    for (int i = 0; i < SETTINGS_COUNT; i++) {
        const struct setting_info *s = &SETTINGS[i];
        const char *value = settings_text(c->arena, s);
        buf_printf(&out, "%s = %s%s\n    %s (%s", s->key, *value ? value : "(not set)",
                   strcmp(s->dflt, value) == 0 || strcmp(s->kind, "BOOL") == 0 ? "" : "  *", s->help, s->env);
        if (strcmp(s->kind, "INT") == 0) buf_printf(&out, "; %lld to %lld", (long long)s->min, (long long)s->max);
        buf_puts(&out, ")\n");
    }
    return print_out(&out) ? 0 : 1;
}
