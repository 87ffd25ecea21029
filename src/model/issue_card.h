/*
 * issue_card: an issue row with what clients see around it: labels, active run,
 * blockers, attention (IS §2.2). Everything is loaded for many rows at once: a
 * list costs a fixed handful of statements, whatever its length.
 */
#ifndef BULLDOG_MODEL_ISSUE_CARD_H
#define BULLDOG_MODEL_ISSUE_CARD_H

#include "model/blocked_inbox.h"
#include "model/blocker_attention.h"
#include "model/recovery_action.h"
#include "model/inbox_state.h"
#include "store/entity.h"

struct productivity_review;
struct card_run {
    const char *id, *status, *agent_id, *invocation_source, *trigger_detail;
    instant_t started_at, finished_at, created_at;
};

struct issue_card {
    struct issue row;
    struct label *labels; /* by name, then id */
    int label_count;
    struct issue_ref *blocked_by; /* all of them, by title */
    int blocked_by_count;
    struct card_run *active_run; /* NULL: none */
    int graph_root;              /* in the batch's map, -1: not blocked */
    bool review_live, review_wake;
    const char *review_interaction_id, *review_approval_id; /* the oldest that waits, or NULL */
    const char *review_addressee_id;
    instant_t review_interaction_since, review_approval_since;
    const struct watchdog *watchdog;          /* NULL: none */
    const struct productivity_review *review; /* an open one, or NULL */
};

struct issue_cards {
    struct issue_card *items;
    int count;
    struct blocker_map map;
    struct recovery_set recovery; /* open actions of the cards and of their blockers */
};

enum card_parts {
    CARD_LABELS = 1,
    CARD_RUNS = 2,
    CARD_ATTENTION = 4, /* blockerAttention, reviewAttention, productivityReview, activeRecoveryAction */
    CARD_BLOCKED_BY = 8,
};
err_t issue_cards_load(struct db *db, const struct issue *rows, int count, unsigned parts,
                       struct issue_cards *out) MUST_CHECK;

/* "labels" and "labelIds" of every form of an issue. */
void issue_labels_write(struct jw *w, const struct issue_card *c);
/* "blockerAttention", "reviewAttention" (IS-77, IS-78). */
void issue_attention_write(struct jw *w, const struct issue_cards *cards, const struct issue_card *c);

/* "productivityReview": the open one, or null. */
void issue_review_write(struct jw *w, const struct issue_card *c);

/* One object: the stored fields with labels, as create, update, delete answer it. */
void issue_write_full(struct jw *w, const struct issue_card *c);
/* One list row. */
struct row_form {
    enum view view;                /* VIEW_LIST or VIEW_COMPACT */
    bool blocked_by;               /* with blockedBy */
    const struct inbox_mark *mark; /* how the asking person sees it, or NULL */
    struct arena *arena;
    const struct blocked_inbox *blocked; /* with blockedInboxAttention of node `node`, or NULL */
    int node;
    const int64_t *live_below; /* with liveDescendantCount, or NULL */
};
void issue_write_row(struct jw *w, const struct issue_cards *cards, const struct issue_card *c,
                     const struct row_form *form);
/* The compact row with blockedBy as JSON text, for live events (UI-104). */
const char *issue_card_event(struct arena *a, const struct issue_cards *cards, const struct issue_card *c);
err_t issue_event_text(struct db *db, const struct issue *row, const char **out) MUST_CHECK;

/* "blockedBy" and "blocks" of one issue; map: the graph below it, for terminalBlockers, or NULL. */
err_t issue_relations_write(struct db *db, struct jw *w, const char *issue_id,
                            const struct blocker_map *map) MUST_CHECK;

#endif
