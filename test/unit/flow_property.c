/* Random bursts with repeats, churn, colliding hashes and changing rules: `layered` and `exact` never give a
 * wrong answer, `approximate` keeps to its bound. SPX_LOOKUPS (millions, default 2) says how long. */
#include <math.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "test/unit/eal.h"
#include "test/unit/flow_driver.h"

static struct driver d;

static void
setup(void)
{
	test_eal_start_with("512");
	d = (struct driver){.n_actions = 7, .random = 17};
}

static void
teardown(void)
{
	driver_free(&d);
}

TestSuite(flow_property, .init = setup, .fini = teardown, .timeout = 300);

static uint64_t
lookups(void)
{
	const char *millions = getenv("SPX_LOOKUPS");

	return (millions == NULL ? 2 : strtoull(millions, NULL, 10)) * 1000000;
}

/* Mostly flows of a slowly moving window of twice the table, some from everywhere, some again. */
static uint32_t
draw(uint64_t entries)
{
	uint64_t r = spx_random(&d.random);

	if (d.n > 0 && r % 8 == 0)
		return d.flow[(r >> 8) % d.n];
	if (r % 8 == 1)
		return (uint32_t)(r >> 32);
	return (uint32_t)((r >> 32) % (2 * entries) + d.packets / 64);
}

static void
never_wrong(struct spx_flow_options *o, uint64_t n)
{
	const struct spx_flow_counters *c;

	driver_init(&d, o);
	c = spx_flow_counters(d.cache);
	while (d.packets < n) {
		uint64_t r = spx_random(&d.random);
		unsigned size = 1 + (unsigned)(r % SPX_BURST_MAX);

		while (d.n < size)
			driver_add(&d, draw(o->entries));
		driver_burst(&d, r >> 40 & 1 ? SPX_FLOW_IPV6 : SPX_FLOW_IPV4, 0);
		if (r >> 50 == 0)
			spx_flow_set_generation(d.cache, (uint32_t)++d.generation);
		if (r >> 56 == 1)
			spx_flow_housekeep(d.cache, d.now_ms += (uint32_t)(r >> 20 & 15));
	}
	cr_assert_eq(d.wrong, 0, "%lu of %lu answers are wrong", d.wrong, d.packets);
	cr_assert_eq(c->exact_hits + c->exact_misses, d.packets);
	cr_assert_eq(c->exact_misses, d.asked_flows);
	cr_assert_gt(c->exact_hits, d.packets / 10, "%lu hits of %lu", c->exact_hits, d.packets);
	driver_check_sums(&d);
	spx_flow_flush(d.cache);
	driver_check_sums(&d);
	driver_free(&d);
}

static void
never_wrong_in(enum spx_flow_mode mode)
{
	static const struct {
		uint64_t entries, collide;
		unsigned ways;
	} run[] = {{16, 0, 16}, {4096, 0, 16}, {4096, 700, 16}, {1000, 3, 8}, {512, 100, 1}};

	for (unsigned i = 0; i < RTE_DIM(run); i++) {
		struct spx_flow_options o = {.mode = mode,
			.entries = run[i].entries,
			.entries6 = run[i].entries / 2,
			.ways = run[i].ways,
			.p = 0.01,
			.flows = run[i].entries,
			.ageing = i & 1 ? SPX_FLOW_COLD : SPX_FLOW_DOUBLE_BUFFERED,
			.idle_ms = 100,
			.seed = i};

		d = (struct driver){.n_actions = 1000, .random = i, .collide = run[i].collide};
		never_wrong(&o, lookups() / 2 / RTE_DIM(run));
	}
}

Test(flow_property, exact_is_never_wrong)
{
	never_wrong_in(SPX_FLOW_MODE_exact);
}

Test(flow_property, layered_is_never_wrong)
{
	never_wrong_in(SPX_FLOW_MODE_layered);
}

/* All filters full: a stranger gets some action, unasked, at most with the configured chance. The chance that
 * exactly one of A filters says yes is below A times p/A by about p squared. How flows happen to spread over
 * the blocks moves the chance of filters of this size by some tenths of a per cent of it. */
Test(flow_property, approximate_keeps_to_its_bound)
{
	struct spx_flow_options o = {.mode = SPX_FLOW_MODE_approximate,
		.p = 0.01,
		.flows = 20000,
		.ageing = SPX_FLOW_COLD,
		.n_actions = 7,
		.seed = 5};
	struct spx_flow_approximate_stats filters;
	struct spx_flow_exact_stats exact[SPX_FLOW_FAMILIES];
	uint64_t answered = 0, n = lookups() / 4;
	uint32_t flow = 0, in[7] = {0};
	double measured, interval;

	driver_init(&d, &o);
	for (unsigned full = 0; full < 7; flow++) {
		uint32_t action = driver_rule(&d, flow);

		if (in[action] == o.flows || !driver_packet(&d, SPX_FLOW_IPV4, flow))
			continue;
		full += ++in[action] == o.flows;
	}
	spx_flow_stats(d.cache, exact, &filters);
	cr_assert_eq(filters.clears, 0);
	for (uint64_t strangers = 0; strangers < n; strangers += SPX_BURST_MAX) {
		while (d.n < SPX_BURST_MAX)
			driver_add(&d, (uint32_t)(1u << 31 | (strangers + d.n)));
		answered += SPX_BURST_MAX - spx_set_count(driver_lookup(&d, SPX_FLOW_IPV4, 0));
		d.n = 0;
	}
	measured = (double)answered / (double)n;
	interval = 1.96 * sqrt(o.p * (1 - o.p) / (double)n);
	cr_assert_leq(measured, o.p + interval, "%.5f misclassified", measured);
	cr_assert_geq(measured, 0.97 * filters.plan.p - interval, "%.5f misclassified, model %.5f", measured,
		filters.plan.p);
}
