/* print: cells, lines, tables. */
#include "cli/print.h"

#include "base/json.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BOLD "\x1b[1m"
#define DIM "\x1b[2m"
#define PLAIN "\x1b[0m"

bool print_out(const struct buf *b)
{
    size_t done = b->len ? fwrite(b->data, 1, b->len, stdout) : 0;
    return done == b->len && fflush(stdout) == 0;
}

void print_json(struct buf *out, const json_t *j)
{
    char *text = json_dumps(j, JSON_INDENT(2) | JSON_ENCODE_ANY);
    buf_puts(out, text ? text : "null");
    buf_putc(out, '\n');
}

/* At most max characters, whitespace runs and control bytes as one space. */
static const char *squeeze(struct arena *a, const char *text, size_t max)
{
    char *out = arena_alloc(a, strlen(text) + 4), *to = out, *cut = out;
    size_t chars = 0, left = strlen(text);
    bool space = false;
    for (const char *p = text; *p;) {
        size_t n = utf8_char(p, left);
        if (n == 0) n = 1;
        if ((unsigned char)*p <= ' ' || *p == 0x7f) {
            space = to != out;
        } else {
            if (space) *to++ = ' ', chars++;
            space = false;
            if (chars == max - 3) cut = to;
            memcpy(to, p, n);
            to += n;
            chars++;
        }
        p += n;
        left -= n;
        if (chars > max) {
            if (cut == out) cut = to;
            memcpy(cut, "...", 4);
            return out;
        }
    }
    *to = 0;
    return out;
}

const char *print_cell(struct arena *a, const json_t *value, size_t max)
{
    if (value == NULL || json_is_null(value)) return "-";
    if (json_is_string(value)) {
        const char *text = squeeze(a, json_string_value(value), max);
        return *text ? text : "-";
    }
    return squeeze(a, json_text(a, value), max);
}

const char *print_duration(struct arena *a, int64_t ms)
{
    if (ms < 0) ms = 0;
    if (ms < 10 * SECOND_MS) return arena_printf(a, "%" PRId64 ".%02" PRId64 " s", ms / SECOND_MS, ms % SECOND_MS / 10);
    if (ms < MINUTE_MS) return arena_printf(a, "%" PRId64 ".%" PRId64 " s", ms / SECOND_MS, ms % SECOND_MS / 100);
    if (ms < HOUR_MS)
        return arena_printf(a, "%" PRId64 " min %02" PRId64 " s", ms / MINUTE_MS, ms % MINUTE_MS / SECOND_MS);
    return arena_printf(a, "%" PRId64 " h %02" PRId64 " min", ms / HOUR_MS, ms % HOUR_MS / MINUTE_MS);
}

const char *print_age(struct arena *a, instant_t then, instant_t now)
{
    if (then == INSTANT_NONE) return "-";
    int64_t ms = now - then, away = ms < 0 ? -ms : ms;
    static const struct {
        int64_t unit_ms;
        const char *name;
    } units[] = {{DAY_MS, "d"}, {HOUR_MS, "h"}, {MINUTE_MS, "m"}, {SECOND_MS, "s"}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (away >= units[i].unit_ms)
            return arena_printf(a, ms < 0 ? "in %" PRId64 "%s" : "%" PRId64 "%s ago", away / units[i].unit_ms,
                                units[i].name);
    return "now";
}

const char *status_colour(const char *status)
{
    static const struct {
        const char *status, *escape;
    } colours[] = {
        {"done", "\x1b[32m"},
        {"succeeded", "\x1b[32m"},
        {"active", "\x1b[32m"},
        {"running", "\x1b[34m"},
        {"in_progress", "\x1b[34m"},
        {"todo", "\x1b[33m"},
        {"queued", "\x1b[33m"},
        {"paused", "\x1b[33m"},
        {"in_review", "\x1b[35m"},
        {"blocked", "\x1b[31m"},
        {"failed", "\x1b[31m"},
        {"timed_out", "\x1b[31m"},
        {"error", "\x1b[31m"},
        {"interrupted", "\x1b[31m"},
        {"cancelled", DIM},
        {"backlog", DIM},
        {"idle", DIM},
        {"terminated", DIM},
        {"archived", DIM},
    };
    for (size_t i = 0; status && i < sizeof colours / sizeof *colours; i++)
        if (strcmp(colours[i].status, status) == 0) return colours[i].escape;
    return "";
}

/* ---- lines (AO-162) ---- */

static const char *const LEADING[] = {"identifier", "id", "name", "status", "priority", "title", "action"};
enum { LEADING_COUNT = sizeof LEADING / sizeof *LEADING };

static bool leads(const char *key)
{
    for (int i = 0; i < LEADING_COUNT; i++)
        if (strcmp(LEADING[i], key) == 0) return true;
    return false;
}

static void pair(struct buf *out, struct arena *a, const char *key, const json_t *value)
{
    if (json_is_object(value) || json_is_array(value)) return;
    if (out->len && out->data[out->len - 1] != '\n') buf_putc(out, ' ');
    buf_printf(out, "%s=%s", key, print_cell(a, value, PRINT_CELL_MAX));
}

void print_lines(struct buf *out, struct arena *a, const json_t *list)
{
    if (json_array_size(list) == 0) buf_puts(out, "(empty)\n");
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i), *value;
        if (!json_is_object(item)) {
            buf_printf(out, "%s\n", print_cell(a, item, PRINT_CELL_MAX));
            continue;
        }
        for (int k = 0; k < LEADING_COUNT; k++)
            if ((value = json_object_get(item, LEADING[k])) != NULL) pair(out, a, LEADING[k], value);
        const char *key;
        json_object_foreach (item, key, value)
            if (!leads(key)) pair(out, a, key, value);
        buf_putc(out, '\n');
    }
}

/* ---- tables ---- */

enum { COLUMNS_MAX = 12 };
struct column {
    char form; /* '*' status, '~' age, '@' agent, 0 plain */
    const char *field, *title;
    int width;
};

/* "identifier=ISSUE *status @assigneeAgentId=AGENT" */
static int parse_columns(struct arena *a, const char *text, struct column out[COLUMNS_MAX])
{
    int n = 0;
    char *save = NULL;
    for (char *w = strtok_r(arena_strdup(a, text), " ", &save); w && n < COLUMNS_MAX; w = strtok_r(NULL, " ", &save)) {
        struct column *col = &out[n++];
        *col = (struct column){0};
        if (strchr("*~@", *w)) col->form = *w++;
        char *equals = strchr(w, '=');
        if (equals) *equals = 0;
        col->field = w;
        col->title = equals ? equals + 1 : w;
        if (!equals) {
            char *upper = arena_strdup(a, w);
            for (char *p = upper; *p; p++)
                if (*p >= 'a' && *p <= 'z') *p = (char)(*p - 'a' + 'A');
            col->title = upper;
        }
    }
    return n;
}

static const char *cell_of(struct arena *a, const struct column *col, const json_t *item, const json_t *names,
                           instant_t now)
{
    const json_t *value = json_object_get(item, col->field);
    const char *text = json_string_value(value);
    instant_t at;
    if (col->form == '~' && text && instant_parse(text, &at)) return print_age(a, at, now);
    if (col->form == '@' && text && json_str(names, text)) return print_cell(a, json_object_get(names, text), 24);
    return print_cell(a, value, PRINT_CELL_MAX);
}

int print_width(const char *text)
{
    int width = 0;
    size_t left = strlen(text);
    while (*text) {
        if (*text == '\x1b') {
            size_t skip = strcspn(text, "m");
            skip += text[skip] == 'm';
            text += skip;
            left -= skip;
            continue;
        }
        size_t n = utf8_char(text, left);
        if (n == 0) n = 1;
        text += n;
        left -= n;
        width++;
    }
    return width;
}

static void pad(struct buf *out, const char *text, int width)
{
    buf_puts(out, text);
    for (int w = print_width(text); w < width; w++) buf_putc(out, ' ');
}

/* The widest column gives way until the table fits. */
static void fit(struct column *cols, int n, int width)
{
    for (;;) {
        int total = 2 * (n - 1), widest = 0;
        for (int i = 0; i < n; i++) {
            total += cols[i].width;
            if (cols[i].width > cols[widest].width) widest = i;
        }
        if (total <= width || cols[widest].width <= 10) return;
        int give = total - width;
        cols[widest].width -= give < cols[widest].width - 10 ? give : cols[widest].width - 10;
        if (cols[widest].width <= 10) return;
    }
}

void print_table(struct buf *out, struct arena *a, const json_t *list, const char *columns, const json_t *names,
                 instant_t now, int width, bool colour)
{
    struct column cols[COLUMNS_MAX];
    int n = parse_columns(a, columns, cols);
    size_t rows = json_array_size(list);
    const char **cells = arena_array(a, const char *, rows *(size_t)n + 1);
    for (int k = 0; k < n; k++) cols[k].width = print_width(cols[k].title);
    for (size_t i = 0; i < rows; i++)
        for (int k = 0; k < n; k++) {
            const char *text = cells[i * (size_t)n + (size_t)k] =
                cell_of(a, &cols[k], json_array_get(list, i), names, now);
            if (print_width(text) > cols[k].width) cols[k].width = print_width(text);
        }
    fit(cols, n, width);
    if (colour) buf_puts(out, BOLD);
    for (int k = 0; k < n; k++) {
        pad(out, cols[k].title, k < n - 1 ? cols[k].width : 0);
        if (k < n - 1) buf_puts(out, "  ");
    }
    buf_puts(out, colour ? PLAIN "\n" : "\n");
    for (size_t i = 0; i < rows; i++) {
        for (int k = 0; k < n; k++) {
            const char *text = squeeze(a, cells[i * (size_t)n + (size_t)k], (size_t)cols[k].width);
            const char *tint = colour && cols[k].form == '*' ? status_colour(text) : "";
            buf_puts(out, tint);
            pad(out, text, k < n - 1 ? cols[k].width : 0);
            if (*tint) buf_puts(out, PLAIN);
            if (k < n - 1) buf_puts(out, "  ");
        }
        buf_putc(out, '\n');
    }
    if (rows == 0) buf_puts(out, "(empty)\n");
}

static int terminal_width(void)
{
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 100;
}

void print_answer(struct cli *c, const json_t *answer, const json_t *names)
{
    struct buf out BUF_AUTO = {0};
    if (c->value[OPT_json] || !json_is_array(answer)) {
        print_json(&out, answer);
    } else if (c->wide && c->command->columns) {
        print_table(&out, c->arena, answer, c->command->columns, names, clock_now(), terminal_width(), c->colour);
    } else {
        print_lines(&out, c->arena, answer);
    }
    (void)print_out(&out); /* a closed pipe ends us soon enough */
}
