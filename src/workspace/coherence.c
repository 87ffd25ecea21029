/* coherence: evidence, one verdict of rules/branch_coherence, one repair. */
#include "workspace/coherence.h"

#include "base/id.h"
#include "base/text.h"
#include "rules/branch_coherence.h"

#include <time.h>

struct evidence {
    struct coherence_facts facts;
    const char *recorded_sha;
};

static err_t gather(const struct git *g, const struct coherence_wish *w, const struct tree_facts *t, struct evidence *e)
{
    bool forward, known;
    e->facts = (struct coherence_facts){.same_branch = text_is(t->branch, w->recorded),
                                        .detached = t->branch == NULL,
                                        .clean = t->dirty == 0 && t->untracked == 0,
                                        .interrupted = t->interrupted != NULL,
                                        .registered = w->registered,
                                        .contended = w->contended,
                                        .forward_allowed = w->forward,
                                        .quarantine_allowed = w->quarantine};
    if (e->facts.same_branch) return OK;
    TRY(git_commit_of(g, arena_printf(g->arena, "refs/heads/%s", w->recorded), &e->recorded_sha));
    e->facts.recorded_exists = e->recorded_sha != NULL;
    if (e->recorded_sha == NULL || t->head_sha == NULL) return OK;
    if (text_is(e->recorded_sha, t->head_sha)) {
        e->facts.actual = ANCESTRY_SAME;
        return OK;
    }
    TRY(git_is_ancestor(g, e->recorded_sha, t->head_sha, &forward, &known));
    e->facts.actual = !known ? ANCESTRY_UNKNOWN : forward ? ANCESTRY_FORWARD : ANCESTRY_DIVERGED;
    return OK;
}

static const char *fingerprint_of(const struct git *g, const struct coherence_wish *w, const struct tree_facts *t)
{
    const char *text = arena_printf(g->arena, "%s\n%s\n%s\n%s", g->dir, w->recorded, t->branch ? t->branch : "",
                                    t->head_sha ? t->head_sha : "");
    return arena_printf(g->arena, "workspace_incoherence:v1:sha256:%s", sha256_hex(g->arena, text, strlen(text)));
}

static json_t *told(const struct coherence_wish *w, const struct tree_facts *t, const struct evidence *e,
                    const char *fingerprint)
{
    static const char *const words[] = {"unknown", "ancestor", "ancestor", "diverged"};
    return json_pack("{s:s, s:s?, s:s?, s:s?, s:s, s:s, s:s?, s:b, s:b, s:s}", "expectedBranchName", w->recorded,
                     "actualBranchName", t->branch, "expectedHeadSha", e->recorded_sha, "actualHeadSha", t->head_sha,
                     "ancestry", words[e->facts.actual], "cleanliness", e->facts.clean ? "clean" : "dirty",
                     "interruptedOperation", t->interrupted, "registered", e->facts.registered, "contended",
                     e->facts.contended, "fingerprint", fingerprint);
}

static const char *rescue_name(struct arena *a, const char *identifier)
{
    time_t now = (time_t)(clock_now() / 1000);
    char stamp[32];
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
    return arena_printf(a, "paperclip/rescue/%s/%s", identifier ? identifier : "workspace", stamp);
}

/* Forgets a begun merge, rebase …; what it left in the tree is committed by then. */
static err_t quit_interrupted(const struct git *g, const char *what)
{
    struct git_output o;
    if (text_is(what, "rebase")) return git_run(g, &o, "rebase", "--quit");
    if (text_is(what, "merge")) return git_run(g, &o, "merge", "--quit");
    if (text_is(what, "cherry_pick")) return git_run(g, &o, "cherry-pick", "--quit");
    if (text_is(what, "revert")) return git_run(g, &o, "revert", "--quit");
    return text_is(what, "bisect") ? git_run(g, &o, "bisect", "reset", "HEAD") : OK;
}

err_t quarantine(const struct git *g, const struct coherence_wish *w, const struct tree_facts *t,
                 const char *fingerprint, const char **rescue)
{
    struct arena *a = g->arena;
    const char *message = arena_printf(
        a,
        "Put aside uncommitted work\n\nSource-Issue: %s\nRun-Id: %s\nRecorded-Branch: %s\nLive-Branch: %s\nFingerprint: %s\n",
        w->identifier ? w->identifier : "", w->run_id ? w->run_id : "", w->recorded ? w->recorded : "",
        t->branch ? t->branch : "(detached)", fingerprint);
    *rescue = rescue_name(a, w->identifier);
    TRY(git_ok(g, NULL, "checkout", "--quiet", "-b", *rescue));
    TRY(git_ok(g, NULL, "add", "--all"));
    TRY(git_ok(g, NULL, "-c", "user.name=Bulldog", "-c", "user.email=bulldog@localhost", "-c", "commit.gpgsign=false",
               "commit", "--quiet", "--no-verify", "--allow-empty", "-m", message));
    return quit_interrupted(g, t->interrupted);
}

static err_t repair(const struct git *g, const struct coherence_wish *w, const struct tree_facts *t,
                    enum coherence_action action, const char *fingerprint, struct repair *r)
{
    *r = (struct repair){.attempted = true, .from = t->branch, .to = w->recorded};
    switch (action) {
    case COHERENCE_ADOPT:
        r->mode = "forward";
        r->to = t->branch;
        return OK;
    case COHERENCE_CHECKOUT: r->mode = "checkout"; return git_ok(g, NULL, "checkout", "--quiet", w->recorded, "--");
    case COHERENCE_RESET_BRANCH:
        r->mode = "reset_branch";
        return git_ok(g, NULL, "checkout", "--quiet", "-B", w->recorded);
    case COHERENCE_QUARANTINE:
        r->mode = "quarantine";
        TRY(quarantine(g, w, t, fingerprint, &r->rescue_branch));
        return git_ok(g, NULL, "checkout", "--quiet", w->recorded, "--");
    case COHERENT:
    case COHERENCE_FAIL: break;
    }
    return OK;
}

err_t coherence_restore(const struct git *g, const struct coherence_wish *w, struct tree_facts *facts,
                        struct coherence_result *out)
{
    struct evidence e = {.recorded_sha = NULL};
    *out = (struct coherence_result){.branch = w->recorded};
    TRY(gather(g, w, facts, &e));
    enum coherence_action action = coherence_judge(&e.facts);
    out->coherent = action == COHERENT;
    if (out->coherent) return OK;
    const char *fingerprint = fingerprint_of(g, w, facts);
    out->evidence = told(w, facts, &e, fingerprint);
    if (action == COHERENCE_FAIL) return OK;
    err_t err = repair(g, w, facts, action, fingerprint, &out->repair);
    if (err) {
        json_object_set_new(out->evidence, "repairError", json_string(err->message));
        return OK; /* the caller fails with all the evidence */
    }
    TRY(git_facts(g, facts));
    out->branch = out->repair.to;
    out->coherent = text_is(facts->branch, out->branch) && (action != COHERENCE_QUARANTINE || facts->dirty == 0);
    out->repair.succeeded = out->coherent;
    return OK;
}
