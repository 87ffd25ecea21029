/* log: one line per event on stderr. */
#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum log_level min_level = LOG_INFO;
static int as_json;

void log_setup(enum log_level min, int json)
{
    min_level = min;
    as_json = json < 0 ? !isatty(STDERR_FILENO) : json;
}

enum log_level log_level_parse(const char *s, enum log_level dflt)
{
    static const char *const names[] = {"debug", "info", "warn", "error", "silent"};
    for (int i = 0; s && i < 5; i++)
        if (strcmp(s, names[i]) == 0) return (enum log_level)i;
    return dflt;
}

void log_event(enum log_level level, const char *event, const char *fields, ...)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    if (level < min_level || level >= LOG_SILENT) return;
    char text[2048], ts[INSTANT_TEXT_SIZE];
    va_list ap;
    va_start(ap, fields);
    vsnprintf(text, sizeof text, fields, ap);
    va_end(ap);
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20) *p = ' '; /* one line, whatever a message brings */
    instant_format(clock_now(), ts);
    struct buf b BUF_AUTO = {0};
    if (as_json) {
        struct jw w;
        jw_init(&w, &b);
        jw_obj(&w);
        jw_kstr(&w, "ts", ts);
        jw_kstr(&w, "level", names[level]);
        jw_kstr(&w, "event", event);
        jw_kstr(&w, "msg", text);
        jw_obj_end(&w);
        buf_putc(&b, '\n');
    } else {
        buf_printf(&b, "%s %-5s %s %s\n", ts, names[level], event, text);
    }
    ssize_t n = write(STDERR_FILENO, b.data, b.len); /* one write: lines of threads do not mix */
    (void)n;
}
