/*
 * log: structured logging to stderr, one line per event, logfmt on a terminal
 * and JSON otherwise (AO-29). Secrets never get here: a secret_t has no
 * printing form, and values under sensitive names are masked.
 */
#ifndef BULLDOG_BASE_LOG_H
#define BULLDOG_BASE_LOG_H

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_SILENT };

void log_setup(enum log_level min, int json /* 1 yes, 0 no, -1 by terminal */);
enum log_level log_level_parse(const char *s, enum log_level dflt);
/* fields: a printf text of logfmt pairs, e.g. "run=%s status=%s". Values with
 * spaces must be quoted by the caller with log_q. */
void log_event(enum log_level level, const char *event, const char *fields, ...) __attribute__((format(printf, 3, 4)));

#define log_debug(...) log_event(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_event(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_event(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_event(LOG_ERROR, __VA_ARGS__)

#endif
