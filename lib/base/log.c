/* The log: lines to standard error, for threads outside the packet loop. */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "lib/base/base.h"

#define LIMIT_BURST 5 /* lines that a call site may write at once */

static enum spx_log_level log_level = SPX_LOG_INFO;

static const char *const level_names[] = {"error", "warning", "info", "debug"};

void
spx_log_set_level(enum spx_log_level level)
{
	log_level = level;
}

/* One write per line, so lines of several threads do not mix. */
static void
write_line(enum spx_log_level level, const char *format, va_list args, uint32_t suppressed)
{
	char text[1536];

	if (level > log_level)
		return;
	vsnprintf(text, sizeof(text), format, args);
	if (suppressed > 0)
		fprintf(stderr, "sphex: %s: %s (%u more like this suppressed)\n", level_names[level], text,
			suppressed);
	else
		fprintf(stderr, "sphex: %s: %s\n", level_names[level], text);
}

void
spx_log(enum spx_log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(level, format, args, 0);
	va_end(args);
}

void
spx_log_limited(struct spx_log_limit *limit, enum spx_log_level level, const char *format, ...)
{
	struct timespec now;
	uint64_t s;
	va_list args;

	clock_gettime(CLOCK_MONOTONIC, &now);
	s = (uint64_t)now.tv_sec;
	if (!limit->started) {
		*limit = (struct spx_log_limit){.tokens = LIMIT_BURST, .last_s = s, .started = true};
	} else if (s > limit->last_s) {
		limit->tokens = (uint32_t)RTE_MIN(limit->tokens + (s - limit->last_s), (uint64_t)LIMIT_BURST);
		limit->last_s = s;
	}
	if (limit->tokens == 0) {
		limit->suppressed++;
		return;
	}
	limit->tokens--;
	va_start(args, format);
	write_line(level, format, args, limit->suppressed);
	va_end(args);
	limit->suppressed = 0;
}
