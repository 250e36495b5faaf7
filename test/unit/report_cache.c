/* The flow caches' part of a report: what must add up, and that a packet too many or too few is seen. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/sphex/report_cache.h"

/* A run in mode exact: 10 flows, 3 of them IPv6, with 100 packets entered; 3 were evicted, 1 expired, 4
 * stopped, 2 lost: the caches know how those two ended too. */
static struct spx_cache_report
good_report(void)
{
	return (struct spx_cache_report){
		.mode = SPX_FLOW_MODE_exact,
		.counters = {.exact_hits = 90, .exact_misses = 10, .counted = 100},
		.exact = {{.entries = 32, .inserted = 7, .bytes = 2400, .refused = 5, .ended = {3, 1, 3}},
			{.entries = 16, .inserted = 3, .bytes = 2000, .refused = 6, .ended = {1, 1, 1}}},
		.totals = {.ended = {{3, 30, 3000}, {1, 10, 1000}, {4, 40, 4000}}},
		.lost = {2, 20, 2000},
	};
}

Test(report_cache, what_adds_up_is_good)
{
	const struct spx_cache_report report = good_report(), none = {.mode = SPX_FLOW_MODE_none};
	struct spx_error err = {""};

	cr_expect_eq(spx_cache_report_check(&report, 100, &err), 0, "%s", err.text);
	cr_expect_eq(spx_cache_report_check(&report, 150, &err), 0, "what is not IP is not looked up there");
	cr_expect_eq(spx_cache_report_check(&none, 0, &err), 0, "%s", err.text);
}

Test(report_cache, what_does_not_add_up_is_refused)
{
	struct spx_cache_report report = good_report();
	struct spx_error err = {""};

	cr_expect_eq(spx_cache_report_check(&report, 99, &err), -EPROTO);
	cr_expect_not_null(strstr(err.text, "looked up 100 packets"), "%s", err.text);
	report.counters.counted++;
	cr_expect_eq(spx_cache_report_check(&report, 100, &err), -EPROTO);
	cr_expect_not_null(strstr(err.text, "counted 101 packets of 10 flows"), "%s", err.text);
	report = good_report();
	report.lost.packets--;
	cr_expect_eq(spx_cache_report_check(&report, 100, &err), -EPROTO);
	report = good_report();
	report.totals.ended[SPX_FLOW_END_stopped].flows--;
	cr_expect_eq(spx_cache_report_check(&report, 100, &err), -EPROTO);
}

Test(report_cache, lookups_and_hits_of_each_mode)
{
	struct spx_cache_report report = good_report();
	uint64_t hits;

	cr_expect(spx_cache_lookups(&report, &hits) == 100 && hits == 90);
	report.mode = SPX_FLOW_MODE_layered; /* the filter is asked for misses only */
	report.counters.approximate_hits = 7;
	report.counters.approximate_misses = 3;
	cr_expect(spx_cache_lookups(&report, &hits) == 100 && hits == 90);
	report.mode = SPX_FLOW_MODE_approximate;
	report.counters = (struct spx_flow_counters){.approximate_hits = 1,
		.approximate_repeats = 20,
		.approximate_misses = 300,
		.approximate_several = 4000,
		.approximate_syn = 50000};
	cr_expect(spx_cache_lookups(&report, &hits) == 54321 && hits == 21);
}

static json_int_t
integer(const json_t *json, const char *part, const char *key)
{
	return json_integer_value(json_object_get(json_object_get(json, part), key));
}

static double
real(const json_t *json, const char *key)
{
	return json_real_value(json_object_get(json, key));
}

Test(report_cache, json)
{
	const struct spx_cache_report report = good_report();
	json_t *json = spx_cache_report_json(&report);
	const json_t *ended = json_object_get(json, "ended"), *exact = json_object_get(json, "exact");

	cr_assert_not_null(json);
	cr_expect_str_eq(json_string_value(json_object_get(json, "mode")), "exact");
	cr_expect(integer(json, "exact", "hits") == 90 && integer(json, "exact", "misses") == 10);
	cr_expect(integer(json, "exact", "inserts") == 10 && integer(json, "exact", "evictions") == 4);
	cr_expect(integer(json, "exact", "expired") == 2 && integer(json, "exact", "refused") == 11);
	cr_expect_eq(real(exact, "hit_ratio"), 0.9);
	cr_expect(integer(ended, "evicted", "packets") == 30 && integer(ended, "expired", "flows") == 1);
	cr_expect(integer(ended, "stopped", "bytes") == 4000 && integer(ended, "lost", "flows") == 2);
	cr_expect_eq(json_object_size(json_object_get(json, "guard")), 3);
	cr_expect_eq(json_object_size(json_object_get(json, "approximate")), 9);
	json_decref(json);
}

Test(report_cache, json_of_each_family)
{
	const struct spx_cache_report report = good_report();
	json_t *json = spx_cache_report_json(&report);
	const json_t *exact = json_object_get(json, "exact"), *ipv4 = json_object_get(exact, "ipv4"),
		     *ipv6 = json_object_get(exact, "ipv6");

	cr_assert(ipv4 != NULL && ipv6 != NULL);
	cr_expect_eq(integer(exact, "ipv4", "resident"), 3, "those that the end of the run ended");
	cr_expect(integer(exact, "ipv4", "entries") == 32 && integer(exact, "ipv4", "bytes") == 2400);
	cr_expect_eq(real(ipv4, "bytes_per_flow"), 800);
	cr_expect(integer(exact, "ipv6", "resident") == 1 && integer(exact, "ipv6", "entries") == 16);
	cr_expect(integer(exact, "ipv6", "bytes") == 2000 && real(ipv6, "bytes_per_flow") == 2000);
	cr_expect(integer(json, "exact", "resident") == 4 && integer(json, "exact", "entries") == 48);
	cr_expect(integer(json, "exact", "bytes") == 4400 && real(exact, "bytes_per_flow") == 1100);
	json_decref(json);
}

/* A table without flows is memory, but no flow's. */
Test(report_cache, json_without_ipv6_flows)
{
	struct spx_cache_report report = good_report();
	json_t *json;

	report.exact[SPX_FLOW_IPV6] = (struct spx_flow_exact_stats){.entries = 16, .bytes = 2000};
	json = spx_cache_report_json(&report);
	cr_expect_eq(integer(json, "exact", "bytes"), 4400);
	cr_expect_eq(real(json_object_get(json, "exact"), "bytes_per_flow"), 800);
	cr_expect_eq(real(json_object_get(json_object_get(json, "exact"), "ipv6"), "bytes_per_flow"), 0);
	json_decref(json);
}

/* The text report in a string that the caller frees. */
static char *
text_of(const struct spx_cache_report *report)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	cr_assert_not_null(out);
	spx_cache_report_text(report, out);
	fclose(out);
	return text;
}

Test(report_cache, text_of_each_family)
{
	struct spx_cache_report report = good_report();
	char *text = text_of(&report);

	cr_expect_not_null(strstr(text, "IPv4 flows resident                   3  of 32\n"), "%s", text);
	cr_expect_not_null(strstr(text, "IPv6 flows resident                   1  of 16\n"), "%s", text);
	free(text);
	report.exact[SPX_FLOW_IPV6].inserted = 0;
	text = text_of(&report);
	cr_expect_not_null(strstr(text, "IPv4 flows resident"), "%s", text);
	cr_expect_null(strstr(text, "IPv6"), "%s", text);
	free(text);
}
