/* show.*: shapes as doc/control.md has them, and the numbers of the report. What grows while the appliance
 * runs is compared with a report from before and one from after. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "test/unit/methods_running.h"

TestSuite(methods_show, .timeout = 60);

static uint64_t
number(const json_t *object, const char *key)
{
	return (uint64_t)running_number(object, key);
}

/* The keys are those, in this order, and no others. */
static void
expect_keys(const json_t *object, const char *expected)
{
	char keys[256] = "";
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)object, key, value) {
		strncat(keys, keys[0] == '\0' ? "" : " ", sizeof(keys) - strlen(keys) - 1);
		strncat(keys, key, sizeof(keys) - strlen(keys) - 1);
	}
	cr_expect_str_eq(keys, expected);
}

static void
expect_between(uint64_t value, uint64_t before, uint64_t after, const char *what)
{
	cr_expect(value >= before && value <= after, "%s: %lu is not between %lu and %lu", what, value,
		before, after);
}

struct reports {
	struct spx_report before, after;
};

/* The result of a method, between two reports. */
static json_t *
ask(struct running *r, running_method run, struct reports *reports)
{
	json_t *result;

	spx_report_take(r->app, &reports->before);
	result = running_call(r, run, NULL);
	spx_report_take(r->app, &reports->after);
	cr_expect_geq(json_real_value(json_object_get(result, "seconds")), reports->before.seconds);
	cr_expect_leq(json_real_value(json_object_get(result, "seconds")), reports->after.seconds);
	return result;
}

static void
check_version(struct running *r)
{
	json_t *result = running_call(r, spx_method_show_version, "{}");

	expect_keys(result, "version protocol dpdk");
	cr_expect_eq(number(result, "protocol"), SPX_PROTOCOL);
	cr_expect_eq(strncmp(running_word(result, "dpdk"), "DPDK ", 5), 0);
	json_decref(result);
	running_refuses(r, spx_method_show_version, "{\"x\": 1}", -EINVAL, "takes no parameters");
	running_refuses(r, spx_method_show_ports, "[]", -EINVAL, "takes no parameters");
}

static void
check_ports(struct running *r)
{
	struct reports reports;
	json_t *result = ask(r, spx_method_show_ports, &reports), *ports = json_object_get(result, "ports");

	expect_keys(result, "seconds ports");
	cr_assert_eq(json_array_size(ports), 3);
	for (uint16_t p = 0; p < 3; p++) {
		const struct spx_port_counter *before = &reports.before.workers.port[p];
		const struct spx_port_counter *after = &reports.after.workers.port[p];
		const json_t *port = json_array_get(ports, p);

		expect_keys(port,
			"name driver link rx_packets rx_bytes tx_packets tx_bytes missed no_mbuf errors");
		cr_expect_str_eq(running_word(port, "name"), r->setup.port[p].name);
		cr_expect_str_eq(running_word(port, "driver"), r->setup.port[p].driver);
		cr_expect_str_eq(running_word(port, "link"), "up");
		expect_between(
			number(port, "rx_packets"), before->rx_packets, after->rx_packets, "rx_packets");
		expect_between(number(port, "rx_bytes"), before->rx_bytes, after->rx_bytes, "rx_bytes");
		expect_between(
			number(port, "tx_packets"), before->tx_packets, after->tx_packets, "tx_packets");
		expect_between(number(port, "tx_bytes"), before->tx_bytes, after->tx_bytes, "tx_bytes");
		cr_expect_gt(number(port, p == 0 ? "rx_packets" : "tx_packets"), 0);
		cr_expect_eq(number(port, "errors"), 0);
	}
	json_decref(result);
}

static void
check_stages(struct running *r)
{
	struct reports reports;
	json_t *result = ask(r, spx_method_show_stages, &reports);
	const json_t *stages = json_object_get(result, "stages"),
		     *workers = json_object_get(result, "workers");
	uint64_t received = 0;

	expect_keys(result, "seconds stages workers");
	cr_assert_eq(json_array_size(stages), SPX_STAGE_COUNT);
	for (unsigned s = 0; s < SPX_STAGE_COUNT; s++) {
		const struct spx_stage_counter *before = &reports.before.workers.stage[s];
		const struct spx_stage_counter *after = &reports.after.workers.stage[s];
		const json_t *stage = json_array_get(stages, s);

		expect_keys(stage, "name packets sampled_packets sampled_cycles");
		cr_expect_str_eq(running_word(stage, "name"), spx_stage_name(s));
		expect_between(number(stage, "packets"), before->packets, after->packets, "packets");
		expect_between(number(stage, "sampled_packets"), before->sampled_packets,
			after->sampled_packets, "sampled_packets");
		expect_between(number(stage, "sampled_cycles"), before->sampled_cycles, after->sampled_cycles,
			"sampled_cycles");
		cr_expect_gt(number(stage, "sampled_cycles"), 0);
	}
	cr_assert_eq(json_array_size(workers), 2);
	for (unsigned w = 0; w < 2; w++) {
		const json_t *worker = json_array_get(workers, w);

		expect_keys(worker, "id polls idle_polls received stalls");
		cr_expect_eq(number(worker, "id"), w);
		cr_expect_gt(number(worker, "polls"), number(worker, "idle_polls"));
		cr_expect_gt(number(worker, "received"), 0);
		received += number(worker, "received");
	}
	expect_between(received, reports.before.workers.received, reports.after.workers.received, "received");
	json_decref(result);
}

/* Every reason is there; those of the slow path are added to those of the workers. */
static void
check_reasons(const json_t *drops, const struct reports *reports)
{
	cr_assert_eq(json_array_size(drops), SPX_DROP_COUNT);
	for (unsigned d = 0; d < SPX_DROP_COUNT; d++) {
		const struct spx_report *b = &reports->before, *a = &reports->after;
		const json_t *drop = json_array_get(drops, d);

		expect_keys(drop, "reason stage text packets");
		cr_expect_str_eq(running_word(drop, "reason"), spx_drop_name(d));
		cr_expect_str_eq(running_word(drop, "stage"), spx_drop_stage(d));
		cr_expect_str_eq(running_word(drop, "text"), spx_drop_text(d));
		expect_between(number(drop, "packets"), b->workers.drops[d] + b->slowpath.drops[d],
			a->workers.drops[d] + a->slowpath.drops[d], spx_drop_name(d));
	}
	cr_expect_gt(number(json_array_get(drops, SPX_DROP_ipv4_version), "packets"), 0);
}

/* The exception ring may be full of one worker's when the other's come; so wait for some of every kind. */
static void
wait_for_exceptions(const struct running *r)
{
	struct spx_report report;

	do {
		running_wait(r);
		spx_report_take(r->app, &report);
	} while (report.workers.exceptions[SPX_EXCEPTION_rule] == 0 ||
		 report.workers.exceptions[SPX_EXCEPTION_ttl] == 0);
}

static void
check_drops(struct running *r)
{
	uint64_t *slow = &r->app->slowpath.counters.drops[SPX_DROP_inject_ring_full];
	struct reports reports;
	const json_t *packets, *exceptions;
	json_t *result;

	wait_for_exceptions(r);
	spx_count(slow, 1000000); /* nothing is ever injected here: nobody else counts this */
	result = ask(r, spx_method_show_drops, &reports);
	spx_count(slow, (uint64_t)-1000000);
	expect_keys(result, "seconds drops packets exceptions lost");
	check_reasons(json_object_get(result, "drops"), &reports);
	packets = json_object_get(result, "packets");
	expect_keys(packets, "received injected cloned transmitted punted");
	expect_between(number(packets, "received"), reports.before.workers.received,
		reports.after.workers.received, "received");
	expect_between(number(packets, "transmitted"), reports.before.workers.transmitted,
		reports.after.workers.transmitted, "transmitted");
	expect_between(number(packets, "punted"), reports.before.workers.punted, reports.after.workers.punted,
		"punted");
	exceptions = json_object_get(result, "exceptions");
	cr_assert_eq(json_array_size(exceptions), SPX_EXCEPTION_COUNT);
	for (unsigned e = 0; e < SPX_EXCEPTION_COUNT; e++) {
		const json_t *exception = json_array_get(exceptions, e);

		expect_keys(exception, "reason text packets");
		cr_expect_str_eq(running_word(exception, "reason"), spx_exception_name(e));
		if (e == SPX_EXCEPTION_rule || e == SPX_EXCEPTION_ttl) /* the others come from routing */
			cr_expect_gt(number(exception, "packets"), 0, "%s", spx_exception_name(e));
	}
	cr_expect_eq(number(json_object_get(result, "lost"), "mirror_copies"), 0);
	json_decref(result);
}

static void
check_cache(struct running *r)
{
	struct reports reports;
	json_t *result = ask(r, spx_method_show_cache, &reports), *cache = json_object_get(result, "cache");
	const json_t *exact = json_object_get(cache, "exact");

	expect_keys(result, "seconds cache");
	expect_keys(cache, "mode exact approximate guard ended");
	cr_expect_str_eq(running_word(cache, "mode"), "exact");
	expect_between(number(exact, "hits"), reports.before.cache.counters.exact_hits,
		reports.after.cache.counters.exact_hits, "hits");
	cr_expect_eq(number(exact, "resident"), 2 * TRACE_FLOWS + 1);
	json_decref(result);
}

Test(methods_show, counters)
{
	struct running r;

	running_start(&r);
	check_version(&r);
	check_ports(&r);
	check_stages(&r);
	check_drops(&r);
	check_cache(&r);
	running_end(&r);
}
