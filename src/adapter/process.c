/* process: commands as agents. */
#include "adapter/process.h"

#include <ctype.h>
#include <string.h>

#define ARGS_MAX 1024

/* A string of arguments, split as a shell would: blanks, single and double quotes, backslash. */
static json_t *split(struct arena *a, const char *s)
{
    json_t *out = json_array();
    struct buf b = {0};
    char quote = 0;
    bool any = false;
    for (; *s; s++) {
        if (quote == 0 && isspace((unsigned char)*s)) {
            if (any) json_array_append_new(out, json_string(b.data ? b.data : ""));
            buf_clear(&b);
            any = false;
            continue;
        }
        any = true;
        if (quote == 0 && (*s == '"' || *s == '\'')) quote = *s;
        else if (*s == quote) quote = 0;
        else if (*s == '\\' && quote != '\'' && s[1]) buf_putc(&b, *++s);
        else buf_putc(&b, *s);
    }
    if (any) json_array_append_new(out, json_string(b.data ? b.data : ""));
    (void)buf_finish(&b, a);
    return out;
}

err_t process_config_parse(struct arena *a, const char *adapter_config, struct process_config *out)
{
    const json_t *c = json_read(adapter_config);
    json_t *args = json_object_get(c, "args"), *v;
    size_t i;
    int n = 0;
    *out = (struct process_config){
        .command = json_str(c, "command"),
        .cwd = json_str(c, "cwd"),
        .timeout_sec = json_int(c, "timeoutSec", 0),
        .grace_sec = json_int(c, "graceSec", 15),
        .kill_group_on_exit = json_bool(c, "killGroupOnExit", true),
        .env = json_object_get(c, "env"),
    };
    if (out->command == NULL || *out->command == 0)
        return err_new(a, ERR_UNPROCESSABLE, "Process adapter missing command");
    if (out->cwd && *out->cwd == 0) out->cwd = NULL;
    if (out->timeout_sec < 0) out->timeout_sec = 0;
    if (out->grace_sec < 1) out->grace_sec = 1;
    if (json_is_string(args)) args = split(a, json_string_value(args));
    const char **argv = arena_array(a, const char *, json_array_size(args) + 2);
    argv[n++] = out->command;
    json_array_foreach (args, i, v) {
        if (n > ARGS_MAX) return err_new(a, ERR_UNPROCESSABLE, "Process adapter has more than %d arguments", ARGS_MAX);
        if (json_is_string(v)) argv[n++] = json_string_value(v);
    }
    out->argv = argv;
    return OK;
}

void process_verdict(struct arena *a, const struct shim_exit *x, const struct process_config *c, const char **error,
                     const char **code)
{
    *error = *code = NULL;
    if (x->spawn_error) {
        *error = x->spawn_error_text
                     ? x->spawn_error_text
                     : arena_printf(a, "Failed to start command \"%s\": %s", c->command, x->spawn_error);
        *code = "adapter_failed";
    } else if (x->timed_out) {
        *error = arena_printf(a, "Timed out after %lds", (long)c->timeout_sec);
        *code = "timeout";
    } else if (x->signal) { /* a death by signal is no success (AR-55 BETTER) */
        *error = arena_printf(a, "Process terminated by signal %s", x->signal);
        *code = "process_signaled";
    } else if (x->exit_code != 0) {
        *error = arena_printf(a, "Process exited with code %d", x->exit_code);
        *code = "adapter_failed";
    }
}
