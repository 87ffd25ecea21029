/* agent_config: what configuration becomes when it is written (AR-9, AR-14, AR-14d, AR-18). */
#include "unit.h"

#include "base/json.h"
#include "rules/adapter_types.h"
#include "rules/agent_config.h"

#include <string.h>

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    json_setup();
    json_arena(&arena);
    return 0;
}

static json_t *j(const char *text)
{
    json_t *out;
    assert_null(json_parse(&arena, text, strlen(text), &out));
    return out;
}

static void assert_json(const json_t *got, const char *want)
{
    if (!json_equal(got, j(want))) assert_string_equal(json_text(&arena, got), want);
}

static void a_bare_env_value_becomes_a_plain_binding(void **state)
{
    (void)state;
    assert_json(env_normalize(j("{\"FOO\":\"bar\",\"K\":{\"type\":\"plain\",\"value\":\"\"}}")),
                "{\"FOO\":{\"type\":\"plain\",\"value\":\"bar\"},\"K\":{\"type\":\"plain\",\"value\":\"\"}}");
    assert_json(
        env_normalize(j(
            "{\"S\":{\"type\":\"secret_ref\",\"secretId\":\"0192f0c1-2345-7abc-8def-0123456789ab\",\"version\":\"latest\"}}")),
        "{\"S\":{\"type\":\"secret_ref\",\"secretId\":\"0192f0c1-2345-7abc-8def-0123456789ab\",\"version\":\"latest\"}}");
}

static void a_malformed_env_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "[]",
        "\"x\"",
        "{\"A\":1}",
        "{\"A\":null}",
        "{\"A\":{}}",
        "{\"A\":{\"type\":\"plain\"}}",
        "{\"A\":{\"type\":\"plain\",\"value\":3}}",
        "{\"A\":{\"type\":\"secret_ref\",\"secretId\":\"x\"}}",
        "{\"A\":{\"type\":\"user_secret_ref\"}}",
        "{\"A=B\":\"c\"}",
        "{\"\":\"c\"}",
        "{\"1A\":\"c\"}",
        "{\"A\":{\"type\":\"user_secret_ref\",\"key\":\"k\",\"version\":\"newest\"}}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_null(env_normalize(j(bad[i])));
    assert_null(adapter_config_normalize(j("{\"env\":3}")));
    assert_json(adapter_config_normalize(j("{\"env\":null,\"cwd\":\"/x\"}")), "{\"env\":{},\"cwd\":\"/x\"}");
}

static void a_patch_merges_unless_it_replaces(void **state)
{
    (void)state;
    json_t *stored = j("{\"command\":\"sh\",\"cwd\":\"/a\",\"env\":{},\"args\":[1]}");
    struct config_change c = {.stored = stored, .given = j("{\"cwd\":\"/b\"}")};
    assert_json(adapter_config_merge(&c), "{\"command\":\"sh\",\"cwd\":\"/b\",\"env\":{},\"args\":[1]}");
    c.replace = true;
    assert_json(adapter_config_merge(&c), "{\"cwd\":\"/b\"}");
    c.replace = false;
    c.type_changed = true; /* only what every adapter knows survives */
    assert_json(adapter_config_merge(&c), "{\"cwd\":\"/b\",\"env\":{}}");
    c.given = NULL;
    assert_json(adapter_config_merge(&c), "{\"cwd\":\"/a\",\"env\":{}}");
    assert_json(stored, "{\"command\":\"sh\",\"cwd\":\"/a\",\"env\":{},\"args\":[1]}"); /* untouched */
}

static void a_new_agent_gets_heartbeat_defaults(void **state)
{
    (void)state;
    assert_json(runtime_config_defaults(NULL), "{\"heartbeat\":{\"enabled\":false,\"maxConcurrentRuns\":20}}");
    assert_json(runtime_config_defaults(j("{\"x\":1,\"heartbeat\":{\"enabled\":true,\"intervalSec\":60}}")),
                "{\"x\":1,\"heartbeat\":{\"enabled\":true,\"intervalSec\":60,\"maxConcurrentRuns\":20}}");
    assert_json(runtime_config_defaults(j("{\"heartbeat\":null}")),
                "{\"heartbeat\":{\"enabled\":false,\"maxConcurrentRuns\":20}}");
}

static void permissions_follow_the_role(void **state)
{
    (void)state;
    assert_json(permissions_defaults("ceo", NULL), "{\"canCreateAgents\":true,\"canCreateSkills\":true}");
    assert_json(permissions_defaults("qa", j("{\"canCreateAgents\":true}")),
                "{\"canCreateAgents\":true,\"canCreateSkills\":true}");
    assert_json(permissions_defaults("qa", NULL), "{\"canCreateAgents\":false,\"canCreateSkills\":true}");
}

static void changed_keys_are_named_in_order(void **state)
{
    (void)state;
    assert_json(changed_keys(j("{\"b\":1,\"a\":{\"x\":1},\"gone\":1}"), j("{\"a\":{\"x\":2},\"b\":1,\"Z\":0}")),
                "[\"Z\",\"a\",\"gone\"]");
    assert_json(changed_keys(j("{\"a\":1}"), j("{\"a\":1}")), "[]");
}

static void finds_what_agents_may_not_write(void **state)
{
    (void)state;
    assert_string_equal(config_host_command(&arena, j("{\"workspaceStrategy\":{\"teardownCommand\":null}}")),
                        "adapterConfig.workspaceStrategy.teardownCommand");
    assert_null(config_host_command(&arena, j("{\"workspaceStrategy\":{\"baseRef\":\"main\"}}")));
    assert_null(config_host_command(&arena, j("{}")));
    assert_string_equal(config_bundle_key(j("{\"agentsMdPath\":\"x\"}")), "agentsMdPath");
    assert_string_equal(config_program_key(j("{\"env\":{}}")), "env");
    assert_null(config_program_key(j("{\"timeoutSec\":3}")));
}

static void knows_the_adapters_of_the_protocol(void **state)
{
    (void)state;
    assert_true(adapter_type_find("process")->available);
    assert_true(adapter_type_find("process")->run_tokens);
    assert_false(adapter_type_find("http")->run_tokens);
    assert_false(adapter_type_find("claude_local")->available);
    assert_null(adapter_type_find("nope"));
}

UNIT_MAIN(setup, cmocka_unit_test(a_bare_env_value_becomes_a_plain_binding),
          cmocka_unit_test(a_malformed_env_is_refused), cmocka_unit_test(a_patch_merges_unless_it_replaces),
          cmocka_unit_test(a_new_agent_gets_heartbeat_defaults), cmocka_unit_test(permissions_follow_the_role),
          cmocka_unit_test(changed_keys_are_named_in_order), cmocka_unit_test(finds_what_agents_may_not_write),
          cmocka_unit_test(knows_the_adapters_of_the_protocol))
