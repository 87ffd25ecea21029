/*
 * worktree: what is asked of a workspace driver, and what it found, as plain
 * facts. Written by src/workspace/, judged and stored by the model. Strings live
 * in the arena of the work they belong to; absent ones are NULL.
 */
#ifndef BULLDOG_RULES_WORKTREE_H
#define BULLDOG_RULES_WORKTREE_H

#include "base/json.h"

/* The state of a working tree (WS-80). */
struct tree_facts {
    bool git;
    const char *head_sha, *branch; /* branch NULL: detached */
    const char *base_sha;
    int64_t dirty, untracked; /* entries */
    int64_t ahead, behind;    /* of the base; -1: unknown */
    const char *interrupted;  /* rebase, merge, cherry_pick, revert, bisect: begun and not ended */
};
/* As the wire has it, null for a tree without git. */
json_t *tree_facts_json(const struct tree_facts *t);

/* What is to be there before a run starts (WS §7). */
struct prepare_request {
    const char *base_cwd;    /* the project's checkout, or the agent's home */
    const char *managed_url; /* set: base_cwd is made by cloning this when it is not there (WS-27) */
    bool managed;            /* base_cwd is ours to make */
    bool worktree, if_git;   /* as in workspace_choice */
    const char *branch, *base_ref, *repo_ref, *parent_dir;
    const char *start_at;  /* a ref that goes before the base ref (WS-51), or NULL */
    const char *reuse_dir; /* of the row that is reused */
    bool made_before;      /* the branch was made by us in an earlier run (WS-68) */
    bool forward;          /* a branch that only went forward is adopted (WS §8) */
    bool quarantine;       /* dirt on a wrong branch is put aside (WS §8) */
    bool contended;        /* another open workspace claims the directory or the branch */
    const char *provision_command;
    const char *provision_done;       /* hash of the command that last succeeded here */
    const char *const *provision_env; /* "NAME=value", NULL-terminated */
    const char *issue_identifier, *issue_id, *run_id;
};

struct provision_outcome {
    bool ran, failed;
    int exit_code;
    const char *command, *hash, *out, *err;
};

struct repair {
    bool attempted, succeeded;
    const char *mode; /* forward, checkout, reset_branch, quarantine */
    const char *rescue_branch;
    const char *from, *to; /* branches */
};

struct prepare_result {
    bool git;           /* cwd is a worktree of its own */
    bool created;       /* directory and branch are new */
    bool reused;        /* it was there */
    bool restored;      /* the directory had vanished */
    bool reused_branch; /* the directory is new, the branch is not */
    bool refreshed;     /* an unstarted worktree was moved to the base's newest commit (WS-64) */
    const char *cwd, *repo_root, *branch, *base_ref, *base_sha;
    const char *command; /* the one that made it, for people */
    int exit_code;       /* of the last git command */
    struct tree_facts facts;
    struct repair repair;
    struct provision_outcome provision;
    json_t *warnings; /* array of text */
    /* a failure: reason code (WS-44, WS-45), message, evidence */
    const char *reason, *message;
    json_t *evidence;
};

struct finalize_request {
    const char *cwd, *expected_branch, *base_ref, *repo_root;
    bool worktree;
    bool forward, quarantine, contended;
    const char *issue_identifier, *issue_id, *run_id;
};

struct finalize_result {
    bool ok;
    struct tree_facts facts;
    const char *branch; /* the one the record is to have from now on */
    struct repair repair;
    const char *reason, *message; /* of a failure */
    const char *repo_root;
    json_t *evidence;
};

/* Taking a workspace away (WS-120, WS-124). */
struct cleanup_request {
    const char *cwd, *repo_root, *branch, *base_ref;
    const char *keep_dir; /* the project's own checkout: never removed, nor a directory that holds it */
    bool worktree;
    bool ours;               /* we made the branch */
    bool force;              /* dirt and unmerged commits are put on a rescue branch first (WS-121) */
    const char *commands[3]; /* run before, in this order; NULL: none */
    const char *const *env;
    const char *issue_identifier, *issue_id, *run_id;
};

struct cleanup_result {
    bool cleaned;
    json_t *warnings;
    const char *rescue_branch;
    const char *command;
    struct tree_facts facts;
};

#endif
