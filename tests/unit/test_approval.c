/* approval: how it moves, and masks that are no values (GV-34…36, AR-14c). */
#include "base/text.h"
#include "rules/approval.h"
#include "unit.h"

static void moves(void **state)
{
    (void)state;
    static const char *const statuses[] = {"pending", "revision_requested", "approved", "rejected", "cancelled"};
    /* per verb: + moves, = decided so before, - refused */
    static const char *const expected[] = {[APPROVAL_APPROVE] = "++=--",
                                           [APPROVAL_REJECT] = "++-=-",
                                           [APPROVAL_REVISE] = "+----",
                                           [APPROVAL_RESUBMIT] = "-+---"};
    for (int verb = APPROVAL_APPROVE; verb <= APPROVAL_RESUBMIT; verb++)
        for (int s = 0; s < 5; s++) {
            struct approval_move m = approval_move((enum approval_verb)verb, statuses[s]);
            char got = m.already ? '=' : m.refusal ? '-' : '+';
            if (got != expected[verb][s]) fail_msg("verb %d from %s: %c", verb, statuses[s], got);
        }
    assert_string_equal(approval_move(APPROVAL_APPROVE, "cancelled").refusal,
                        "Only pending or revision requested approvals can be approved");
}

static void masks_keep_what_is_stored(void **state)
{
    (void)state;
    struct arena a ARENA_AUTO = {0};
    json_setup();
    json_arena(&a);
    json_t *
        proposed = json_read(
           "{\"command\":\"/bin/sh\",\"env\":{\"API_KEY\":{\"type\":\"plain\",\"value\":\"***REDACTED***\"},"
           "\"NEW_TOKEN\":{\"type\":\"plain\",\"value\":\"***REDACTED***\"},\"A\":{\"type\":\"plain\",\"value\":\"b\"}},\"args\":[\"x\"]}"),
       *stored =
           json_read("{\"command\":\"/bin/false\",\"env\":{\"API_KEY\":{\"type\":\"plain\",\"value\":\"s3cret\"}}}"),
       *want = json_read("{\"command\":\"/bin/sh\",\"env\":{\"API_KEY\":{\"type\":\"plain\",\"value\":\"s3cret\"},"
                         "\"A\":{\"type\":\"plain\",\"value\":\"b\"}},\"args\":[\"x\"]}");
    assert_true(json_equal(config_unmask(proposed, stored), want));
    json_arena(NULL);
}

UNIT_MAIN(NULL, cmocka_unit_test(moves), cmocka_unit_test(masks_keep_what_is_stored))
