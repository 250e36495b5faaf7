/* The log: levels, lines, and the limit of a call site. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "lib/base/base.h"

#define NEVER UINT64_MAX /* a last refill that no clock reaches: no line is earned by time passing */

/* Everything written to standard error since the test began (each test is a process of its own). */
static FILE *captured;

static void
capture(void)
{
	captured = tmpfile();
	cr_assert_not_null(captured);
	fflush(stderr);
	cr_assert_geq(dup2(fileno(captured), STDERR_FILENO), 0);
}

static const char *
log_text(void)
{
	static char text[65536];
	ssize_t n;

	fflush(stderr);
	n = pread(fileno(captured), text, sizeof(text) - 1, 0);
	cr_assert_geq(n, 0);
	text[n] = 0;
	return text;
}

static unsigned
log_lines(void)
{
	unsigned lines = 0;

	for (const char *p = log_text(); (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	return lines;
}

static uint64_t
monotonic_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec;
}

Test(base_log, writes_level_and_text, .init = capture)
{
	spx_log(SPX_LOG_WARNING, "port %s: %d", "p0", 3);
	cr_assert_str_eq(log_text(), "sphex: warning: port p0: 3\n");
}

Test(base_log, level_hides_what_is_above, .init = capture)
{
	spx_log(SPX_LOG_DEBUG, "not by default");
	cr_assert_str_eq(log_text(), "");
	spx_log_set_level(SPX_LOG_ERROR);
	spx_log(SPX_LOG_INFO, "no");
	spx_log(SPX_LOG_ERROR, "yes");
	cr_assert_str_eq(log_text(), "sphex: error: yes\n");
	spx_log_set_level(SPX_LOG_DEBUG);
	spx_log(SPX_LOG_DEBUG, "now");
	cr_assert_str_eq(log_text(), "sphex: error: yes\nsphex: debug: now\n");
}

Test(base_log, limit_passes_five_and_counts_the_rest, .init = capture)
{
	struct spx_log_limit limit = {0};

	spx_log_limited(&limit, SPX_LOG_INFO, "n %d", 0);
	limit.last_s = NEVER;
	for (int i = 1; i < 12; i++)
		spx_log_limited(&limit, SPX_LOG_INFO, "n %d", i);
	cr_assert_eq(log_lines(), 5);
	cr_assert_eq(limit.suppressed, 7);

	limit.last_s = 0; /* long ago: full again, and no more than full */
	spx_log_limited(&limit, SPX_LOG_INFO, "again");
	cr_assert(strstr(log_text(), "sphex: info: again (7 more like this suppressed)\n") != NULL, "%s",
		log_text());
	limit.last_s = NEVER;
	for (int i = 0; i < 12; i++)
		spx_log_limited(&limit, SPX_LOG_INFO, "n %d", i);
	cr_assert_eq(log_lines(), 10);
	cr_assert(strstr(log_text(), "suppressed)\nsphex: info: n 0\n") != NULL, "the count is said once");
	cr_assert_eq(limit.suppressed, 8);
}

Test(base_log, limit_earns_one_line_a_second, .init = capture)
{
	uint64_t s;
	unsigned passed;

	do { /* once more when the second changed meanwhile */
		struct spx_log_limit limit = {.started = true};
		unsigned before = log_lines();

		s = monotonic_s();
		limit.last_s = s - 2;
		for (int i = 0; i < 10; i++)
			spx_log_limited(&limit, SPX_LOG_INFO, "n %d", i);
		passed = log_lines() - before;
	} while (monotonic_s() != s);
	cr_assert_eq(passed, 2);
}

Test(base_log, limits_are_per_call_site, .init = capture)
{
	struct spx_log_limit a = {.started = true, .last_s = NEVER};
	struct spx_log_limit b = {.started = true, .last_s = NEVER, .tokens = 1};

	spx_log_limited(&a, SPX_LOG_INFO, "a");
	spx_log_limited(&b, SPX_LOG_INFO, "b");
	cr_assert_str_eq(log_text(), "sphex: info: b\n");
}
