/* branch_coherence: the table of WS §8. */
#include "rules/branch_coherence.h"

#include "unit.h"

static const struct coherence_facts strayed = {.clean = true,
                                               .registered = true,
                                               .recorded_exists = true,
                                               .actual = ANCESTRY_FORWARD,
                                               .forward_allowed = true,
                                               .quarantine_allowed = true};

static void test_same(void **state)
{
    (void)state;
    struct coherence_facts f = strayed;
    f.same_branch = true;
    f.clean = false;
    assert_int_equal(coherence_judge(&f), COHERENT);
}

static void test_forward(void **state)
{
    (void)state;
    struct coherence_facts f = strayed;
    assert_int_equal(coherence_judge(&f), COHERENCE_ADOPT);
    f.forward_allowed = false;
    assert_int_equal(coherence_judge(&f), COHERENCE_FAIL);
    f = strayed;
    f.recorded_exists = false;
    f.actual = ANCESTRY_UNKNOWN;
    assert_int_equal(coherence_judge(&f), COHERENCE_ADOPT);
    f = strayed;
    f.actual = ANCESTRY_SAME;
    assert_int_equal(coherence_judge(&f), COHERENCE_CHECKOUT);
    f.actual = ANCESTRY_DIVERGED;
    assert_int_equal(coherence_judge(&f), COHERENCE_FAIL);
}

static void test_detached(void **state)
{
    (void)state;
    struct coherence_facts f = strayed;
    f.detached = true;
    assert_int_equal(coherence_judge(&f), COHERENCE_RESET_BRANCH);
    f.actual = ANCESTRY_SAME;
    assert_int_equal(coherence_judge(&f), COHERENCE_CHECKOUT);
    f.actual = ANCESTRY_DIVERGED; /* moving the branch would lose its commits */
    assert_int_equal(coherence_judge(&f), COHERENCE_FAIL);
}

static void test_dirty(void **state)
{
    (void)state;
    struct coherence_facts f = strayed;
    f.clean = false;
    assert_int_equal(coherence_judge(&f), COHERENCE_QUARANTINE);
    f.quarantine_allowed = false;
    assert_int_equal(coherence_judge(&f), COHERENCE_FAIL);
    f = strayed;
    f.interrupted = true;
    assert_int_equal(coherence_judge(&f), COHERENCE_QUARANTINE);
    f.recorded_exists = false;
    assert_int_equal(coherence_judge(&f), COHERENCE_FAIL);
}

static void test_contention_and_strangers(void **state)
{
    (void)state;
    struct coherence_facts f = strayed;
    f.contended = true;
    assert_int_equal(coherence_judge(&f), COHERENCE_FAIL);
    f = strayed;
    f.registered = false;
    assert_int_equal(coherence_judge(&f), COHERENCE_FAIL);
}

UNIT_MAIN(NULL, cmocka_unit_test(test_same), cmocka_unit_test(test_forward), cmocka_unit_test(test_detached),
          cmocka_unit_test(test_dirty), cmocka_unit_test(test_contention_and_strangers))
