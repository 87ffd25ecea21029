/* provision: sh -c, with limits. */
#include "workspace/provision.h"

#include "base/id.h"
#include "base/text.h"
#include "workspace/command.h"
#include "workspace/op_log.h"

#include <unistd.h>

#define LIMIT_MS (30 * 60 * 1000)
#define OUTPUT_MAX ((size_t)256 << 10)

/* "./script …", perhaps after a shell's name: a script of the repository runs there (WS-66). */
static bool script_of_repo(struct arena *a, const char *text, const char *repo_root)
{
    static const char *const shells[] = {"bash ", "sh ", "zsh "};
    text += strspn(text, " \t");
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (strncmp(text, shells[i], strlen(shells[i])) == 0) text += strlen(shells[i]);
    if (repo_root == NULL || strncmp(text, "./", 2) != 0) return false;
    const char *file = arena_strndup(a, text + 2, strcspn(text + 2, " \t;&|<>"));
    return access(arena_printf(a, "%s/%s", repo_root, file), F_OK) == 0;
}

err_t project_command(const struct workspace_job *j, const char *dir, const char *repo_root, const char *text,
                      const char *const *env, struct provision_outcome *out)
{
    const char *argv[] = {"sh", "-c", text, NULL};
    struct command_result r;
    *out = (struct provision_outcome){.ran = true, .command = text, .hash = sha256_hex(j->arena, text, strlen(text))};
    if (j->log) op_log_write(j->log, "system", arena_printf(j->arena, "$ %s\n", text));
    TRY(command_run(j->arena,
                    &(struct command){.argv = argv,
                                      .env = env,
                                      .cwd = script_of_repo(j->arena, text, repo_root) ? repo_root : dir,
                                      .timeout_ms = LIMIT_MS,
                                      .output_max = OUTPUT_MAX,
                                      .keep_tail = true,
                                      .abort = j->abort},
                    &r));
    out->exit_code = r.exit_code;
    out->failed = r.exit_code != 0;
    out->out = r.truncated ? arena_printf(j->arena, "[the beginning was cut]\n%s", r.out) : r.out;
    out->err = r.err;
    if (j->log) op_log_write(j->log, "stdout", out->out);
    if (j->log) op_log_write(j->log, "stderr", out->err);
    return OK;
}

static const char *const *with_facts(struct arena *a, const struct prepare_request *q, const struct prepare_result *out)
{
    int n = 0;
    while (q->provision_env && q->provision_env[n]) n++;
    const char **env = arena_array(a, const char *, n + 8);
    for (int i = 0; i < n; i++) env[i] = q->provision_env[i];
    env[n++] = arena_printf(a, "PAPERCLIP_WORKSPACE_CWD=%s", out->cwd);
    env[n++] = arena_printf(a, "PAPERCLIP_WORKSPACE_PATH=%s", out->cwd);
    env[n++] = arena_printf(a, "PAPERCLIP_WORKSPACE_WORKTREE_PATH=%s", out->cwd);
    env[n++] = arena_printf(a, "PAPERCLIP_WORKSPACE_BRANCH=%s", out->branch);
    env[n++] = arena_printf(a, "PAPERCLIP_WORKSPACE_BASE_CWD=%s", q->base_cwd);
    env[n++] = arena_printf(a, "PAPERCLIP_WORKSPACE_REPO_ROOT=%s", out->repo_root);
    env[n++] = arena_printf(a, "PAPERCLIP_WORKSPACE_CREATED=%s", out->created || out->restored ? "true" : "false");
    return env;
}

err_t provision(const struct workspace_job *j, const struct prepare_request *q, struct prepare_result *out)
{
    if (q->provision_command == NULL) return OK;
    const char *hash = sha256_hex(j->arena, q->provision_command, strlen(q->provision_command));
    if (!out->created && !out->restored && text_is(hash, q->provision_done)) return OK;
    TRY(project_command(j, out->cwd, out->repo_root, q->provision_command, with_facts(j->arena, q, out),
                        &out->provision));
    if (!out->provision.failed) return OK;
    out->reason = "workspace_provision_failed";
    out->message = arena_printf(j->arena, "The provision command ended with code %d; see the log of the operation.",
                                out->provision.exit_code);
    return OK;
}
