/* retry_policy: kinds, delays, and times told in words. */
#include "rules/retry_policy.h"

#include "base/json.h"
#include "base/text.h"
#include "rules/phrases.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

static bool any(const char *s, const char *const *set)
{
    for (; s && *set; set++)
        if (strcmp(s, *set) == 0) return true;
    return false;
}

/* ---- kinds ---- */

static bool infrastructure(const char *code)
{
    static const char *const codes[] = {"workspace_validation_failed",
                                        "process_lost",
                                        "setup_failed",
                                        "spawn_failed",
                                        "provider_worker_unavailable",
                                        NULL};
    return any(code, codes);
}

enum retry_kind retry_kind(const struct retry_facts *f)
{
    static const char *const transient[] = {"codex_transient_upstream", "claude_transient_upstream",
                                            "codex_harness_crash", NULL};
    if (f->interrupted) return RETRY_PROCESS_LOST;
    if (f->failed && f->answers_interaction && (f->process_lost || infrastructure(f->error_code)))
        return RETRY_INTERACTION;
    if (f->process_lost) return RETRY_PROCESS_LOST;
    if (!f->failed) return RETRY_NONE;
    if (text_is(f->error_code, "max_turns_exhausted") || text_is(f->error_code, "turn_limit_exhausted"))
        return RETRY_MAX_TURNS;
    if (text_is(f->error_family, "provider_quota") || text_is(f->error_code, "provider_quota")) return RETRY_QUOTA;
    bool upstream = text_is(f->error_family, "transient_upstream") || any(f->error_code, transient);
    return upstream ? RETRY_TRANSIENT : RETRY_NONE;
}

enum failure_text failure_text(const char *error_code, const char *text)
{
    static const char *const open_codes[] = {"adapter_failed", "provider_quota", "configuration_incomplete", NULL};
    if (!any(error_code, open_codes)) return FAILURE_PLAIN;
    if (text_is(error_code, "provider_quota") || phrase_in(text, PHRASE_QUOTA)) return FAILURE_QUOTA;
    bool config = text_is(error_code, "configuration_incomplete") || phrase_in(text, PHRASE_CONFIG);
    return config ? FAILURE_CONFIGURATION : FAILURE_PLAIN;
}

/* ---- promotion ---- */

/* The work as it is now; what will pass sets *rearm. */
static const char *issue_gate(const struct promotion_facts *f, bool *rearm)
{
    if (!f->issue_found) return "issue_not_found";
    if (!f->own && !f->by_comment) return "issue_reassigned";
    if (text_is(f->issue_status, "cancelled")) return "issue_cancelled";
    if (text_is(f->issue_status, "done")) return "issue_terminal_status";
    if (f->max_turns && !text_is(f->issue_status, "in_progress")) return "issue_not_in_progress";
    if (f->max_turns && !f->holds_lock) return "issue_execution_lock_changed";
    if (f->stage_elsewhere) return "issue_review_participant_changed";
    *rearm = true;
    if (f->held) return "issue_paused";
    if (!f->dependencies_ready && !f->by_comment) return "issue_dependencies_blocked";
    *rearm = false;
    return NULL;
}

const char *promotion_gate(const struct promotion_facts *f, bool *rearm)
{
    *rearm = false;
    if (!f->agent_found) return "agent_not_found";
    if (!f->agent_invokable && !f->agent_paused) return "agent_not_invokable";
    const char *why = f->issue_scoped ? issue_gate(f, rearm) : NULL;
    if (why && !*rearm) return why; /* for good: no need to wait for anything else */
    *rearm = true;
    if (f->budget_blocked) return "budget_blocked";
    if (f->agent_paused) return "agent_paused";
    if (why) return why;
    *rearm = false;
    return NULL;
}

/* ---- delays ---- */

int64_t retry_transient_delay_ms(int64_t attempt, uint32_t random)
{
    static const int64_t minutes[TRANSIENT_ATTEMPTS_MAX] = {2, 10, 30, 120};
    int64_t at = attempt < 1 ? 1 : attempt > TRANSIENT_ATTEMPTS_MAX ? TRANSIENT_ATTEMPTS_MAX : attempt;
    int64_t base = minutes[at - 1] * MINUTE_MS;
    return base * 3 / 4 + (int64_t)(random % 1000) * (base / 2) / 1000;
}

int64_t retry_rearm_ms(int64_t age_ms)
{
    int64_t wait = age_ms / 2;
    return wait < 30 * SECOND_MS ? 30 * SECOND_MS : wait > 30 * MINUTE_MS ? 30 * MINUTE_MS : wait;
}

struct turn_policy turn_policy(const char *runtime_config_json)
{
    const json_t *h = json_object_get(json_read(runtime_config_json), "heartbeat");
    const json_t *p = json_object_get(h, "maxTurnContinuation");
    int64_t attempts = json_int(p, "maxAttempts", 2), delay = json_int(p, "delayMs", 1000);
    return (struct turn_policy){.enabled = json_bool(p, "enabled", true),
                                .attempts_max = attempts < 0    ? 0
                                                : attempts > 10 ? 10
                                                                : attempts,
                                .delay_ms = delay < 0        ? 0
                                            : delay > 300000 ? 300000
                                                             : delay};
}

/* ---- times in words ---- */

static const char *find(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (; text && *text; text++)
        if (strncasecmp(text, word, n) == 0) return text + n;
    return NULL;
}

static const char *blanks(const char *s) { return s + strspn(s, " \t("); }

/* Minutes east of UTC; what is unknown counts as UTC. */
static int64_t zone(const char *s)
{
    static const struct {
        const char *name;
        int minutes;
    } zones[] = {{"PDT", -420},
                 {"PST", -480},
                 {"MDT", -360},
                 {"MST", -420},
                 {"CDT", -300},
                 {"CST", -360},
                 {"EDT", -240},
                 {"EST", -300},
                 {"CEST", 120},
                 {"CET", 60},
                 {"BST", 60},
                 {"JST", 540},
                 {"America/Los_Angeles", -480},
                 {"America/New_York", -300},
                 {"Europe/London", 0},
                 {"Europe/Berlin", 60}};
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++)
        if (strncasecmp(s, zones[i].name, strlen(zones[i].name)) == 0) return zones[i].minutes;
    return 0;
}

/* "15:04", "3:30 pm", "3pm EST" … */
static bool clock_time(const char *s, instant_t now, instant_t *at)
{
    char *end;
    s = blanks(s);
    if (!isdigit((unsigned char)*s)) return false;
    long hour = strtol(s, &end, 10), minute = 0;
    if (*end == ':' && isdigit((unsigned char)end[1])) minute = strtol(end + 1, &end, 10);
    const char *rest = blanks(end);
    bool pm = strncasecmp(rest, "pm", 2) == 0 || strncasecmp(rest, "p.m", 3) == 0;
    bool am = strncasecmp(rest, "am", 2) == 0 || strncasecmp(rest, "a.m", 3) == 0;
    bool said_minutes = end > s && memchr(s, ':', (size_t)(end - s));
    if (!am && !pm && !said_minutes) return false; /* "at 3" may be anything */
    if ((am || pm) && (hour < 1 || hour > 12)) return false;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return false;
    if (am || pm) {
        rest += 2;
        rest += strspn(rest, ".mM");
        hour = hour % 12 + (pm ? 12 : 0);
    }
    *at = instant_day_start(now) + hour * HOUR_MS + minute * MINUTE_MS - zone(blanks(rest)) * MINUTE_MS;
    while (*at <= now) *at += DAY_MS;
    while (*at > now + DAY_MS) *at -= DAY_MS;
    return true;
}

/* "20 minutes", "2 h" … */
static bool span(const char *s, instant_t now, instant_t *at)
{
    char *end;
    s = blanks(s);
    if (!isdigit((unsigned char)*s)) return false;
    long n = strtol(s, &end, 10);
    int unit = tolower((unsigned char)*blanks(end));
    if (n < 0 || n > 100000 || (unit != 's' && unit != 'm' && unit != 'h')) return false;
    *at = now + n * (unit == 's' ? SECOND_MS : unit == 'm' ? MINUTE_MS : HOUR_MS);
    return true;
}

bool retry_time_in(const char *text, instant_t now, instant_t *at)
{
    static const char *const moments[] = {"try again at", "retry at", "resets at", "reset at", "available at", NULL};
    static const char *const spans[] = {"try again in", "retry in", "resets in", "retry after", NULL};
    for (const char *const *m = moments; *m; m++)
        if (find(text, *m) && clock_time(find(text, *m), now, at)) return true;
    for (const char *const *m = spans; *m; m++)
        if (find(text, *m) && span(find(text, *m), now, at)) return true;
    return false;
}
