/* Random bursts with repeats, churn, colliding hashes and changing rules: `layered` and `exact` never give a
 * wrong answer, `approximate` keeps to its bound. SPX_LOOKUPS (millions in each of the two,
 * default 2) says how long. */
#include <math.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "lib/flow/approximate.h"
#include "lib/flow/cache.h"
#include "test/unit/eal.h"
#include "test/unit/flow_driver.h"

#define PHASE   32768u /* packets, of quiet and of flood in turn */
#define ACTIONS 7u     /* of mode approximate */

static struct driver d;

static void
setup(void)
{
	test_eal_start_with("512");
	d = (struct driver){.n_actions = ACTIONS, .random = 17};
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

/* Mostly flows of a slowly moving window, as many of each family as the table has entries for IPv4, some from
 * everywhere, some again. */
static uint32_t
draw(uint64_t entries)
{
	uint64_t r = spx_random(&d.random);

	if (d.n > 0 && r % 8 == 0)
		return d.flow[(r >> 8) % d.n];
	if (r % 8 == 1)
		return (uint32_t)(r >> 32);
	return (uint32_t)((r >> 32) % entries + d.packets / 64);
}

/* Packets of both families side by side, and of neither in every other burst; at times one family alone. */
static void
burst(uint64_t entries)
{
	uint64_t r = spx_random(&d.random), ipv4 = spx_random(&d.random), present = UINT64_MAX;
	unsigned size = 1 + (unsigned)(r % SPX_BURST_MAX);

	while (d.n < size)
		driver_add(&d, draw(entries));
	if (r >> 32 & 1)
		present = spx_random(&d.random);
	if ((r >> 33 & 7) == 0)
		ipv4 = r >> 36 & 1 ? UINT64_MAX : 0;
	present &= spx_set_first(size);
	driver_mixed_burst(&d, present & ipv4, present & ~ipv4);
}

/* Rules change every 2,048 bursts or so. Every 64 bursts time goes on: by 277 packets a millisecond, and 15
 * times as many in every other phase, which is a flood; now and then nobody sends for 200 ms. */
static void
between_bursts(void)
{
	uint64_t r = spx_random(&d.random);
	uint32_t ms = (uint32_t)(r & 15);

	if (r >> 53 == 0)
		spx_flow_set_generation(d.cache, (uint32_t)++d.generation);
	if (r >> 58 != 1)
		return;
	if (d.packets / PHASE & 1)
		ms >>= 3;
	if ((r >> 4 & 63) == 0)
		ms += 200;
	spx_flow_housekeep(d.cache, d.now_ms += ms);
}

static void
never_wrong(struct spx_flow_options *o, uint64_t n)
{
	const struct spx_flow_counters *c;

	driver_init(&d, o);
	c = spx_flow_counters(d.cache);
	while (d.packets < n) {
		burst(o->entries);
		between_bursts();
	}
	cr_assert_eq(d.wrong, 0, "%lu of %lu answers are wrong", d.wrong, d.packets);
	cr_assert_eq(d.recalled > d.packets / 1000, d.remembers, "%lu recalled", d.recalled);
	cr_assert_eq(c->exact_hits + c->exact_misses, d.packets);
	cr_assert_eq(c->exact_misses, d.asked_flows);
	cr_assert_gt(c->exact_hits, d.packets / 20, "%lu hits of %lu", c->exact_hits, d.packets);
	cr_assert_eq(
		c->guard_off > 0, o->flood_rate > 0, "%lu floods of %lu ended", c->guard_off, c->guard_on);
	cr_assert_eq(c->guarded > 0, o->flood_rate > 0, "%lu flows were held off", c->guarded);
	cr_assert_eq(d.ended_flows[SPX_FLOW_END_expired] > 0, o->idle_ms > 0);
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
		uint32_t idle_ms;
		bool guard;
	} run[] = {{16, 0, 16, 100, false}, {4096, 0, 16, 100, true}, {4096, 700, 16, 0, false},
		{1000, 3, 8, 100, true}, {512, 100, 1, 0, true}};
	/* Between what wants to enter in a quiet phase and in a flood; layered lets fewer try. */
	const uint64_t flood_rate = mode == SPX_FLOW_MODE_exact ? 300000 : 100000;

	for (unsigned i = 0; i < RTE_DIM(run); i++) {
		struct spx_flow_options o = {.mode = mode,
			.entries = run[i].entries,
			.entries6 = run[i].entries / 2,
			.ways = run[i].ways,
			.p = 0.01,
			.flows = run[i].entries,
			.ageing = i & 1 ? SPX_FLOW_COLD : SPX_FLOW_DOUBLE_BUFFERED,
			.idle_ms = run[i].idle_ms,
			.flood_rate = run[i].guard ? flood_rate : 0,
			.seed = i};

		d = (struct driver){.n_actions = 1000,
			.random = i,
			.collide = run[i].collide,
			.remembers = i > 0,
			.now_ms = UINT32_MAX - 500}; /* the clock comes round on the way */
		never_wrong(&o, lookups() / RTE_DIM(run));
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

static struct spx_flow_options
approximate(uint64_t flows, enum spx_flow_ageing ageing)
{
	return (struct spx_flow_options){.mode = SPX_FLOW_MODE_approximate,
		.p = 0.01,
		.flows = flows,
		.ageing = ageing,
		.n_actions = ACTIONS,
		.seed = 5};
}

/* A stranger gets some action, unasked, at most with the configured chance when the filters are full. The
 * chance that exactly one of A filters says yes is below A times p/A by about p squared. */
static void
check_bound(const struct spx_flow_options *o, uint64_t answered, uint64_t strangers)
{
	const double interval = 1.96 * sqrt(o->p * (1 - o->p) / (double)strangers);
	const double measured = (double)answered / (double)strangers;
	struct spx_flow_exact_stats exact[SPX_FLOW_FAMILIES];
	struct spx_flow_approximate_stats filters;

	spx_flow_stats(d.cache, exact, &filters);
	cr_log_info("%lu strangers: %.5f +- %.5f, model %.5f", strangers, measured, interval, filters.plan.p);
	cr_assert_leq(measured, o->p + interval, "%.5f misclassified", measured);
	cr_assert_geq(measured, 0.97 * filters.plan.p - interval, "%.5f misclassified, model %.5f", measured,
		filters.plan.p);
}

/* Strangers from `first` on, one burst of them, looked up and not learned. Returns how many got an action. */
static unsigned
look_strangers_up(uint32_t first)
{
	uint64_t asked;

	while (d.n < SPX_BURST_MAX)
		driver_add(&d, first + d.n);
	asked = driver_lookup(&d, SPX_FLOW_IPV4, 0);
	d.n = 0;
	return SPX_BURST_MAX - spx_set_count(asked);
}

#define STRANGERS (1u << 31) /* flows from here on are not learned */

/* A look-up changes nothing in a cold filter: all filters are filled once. How flows happen to spread over
 * the blocks moves the chance of filters of this size by some tenths of a per cent of it. */
Test(flow_property, approximate_keeps_to_its_bound_cold)
{
	struct spx_flow_options o = approximate(20000, SPX_FLOW_COLD);
	uint64_t answered = 0, n = lookups() / 4, strangers;
	uint32_t flow = 0, in[ACTIONS] = {0};

	driver_init(&d, &o);
	for (unsigned full = 0; full < ACTIONS; flow++) {
		uint32_t action = driver_rule(&d, flow);

		if (in[action] == o.flows || !driver_packet(&d, SPX_FLOW_IPV4, flow))
			continue;
		full += ++in[action] == o.flows;
	}
	for (unsigned i = 0; i < ACTIONS; i++)
		cr_assert_eq(d.cache->filter[i]->clears, 0);
	for (strangers = 0; strangers < n; strangers += SPX_BURST_MAX)
		answered += look_strangers_up(STRANGERS + (uint32_t)strangers);
	check_bound(&o, answered, strangers);
}

/* The other half has all that it takes over with: a flow more, and it does. */
static bool
about_to_switch(const struct spx_flow_approximate *a)
{
	return a->filter[!a->active].flows >= a->takes_over;
}

/* New flows enter until the halves of each filter have changed places since it had `clears` clears, and it is
 * full again: then its active half has been in use for longest. Each flow's packet is a SYN, which asks no
 * filter, so none says yes to it and lets it into another filter. */
static uint32_t
renew(uint32_t flow, uint64_t clears[])
{
	for (unsigned full = 0; full != (1u << ACTIONS) - 1; flow++) {
		uint32_t action = driver_rule(&d, flow);
		const struct spx_flow_approximate *a = d.cache->filter[action];

		if (full >> action & 1)
			continue;
		driver_add(&d, flow);
		driver_burst(&d, SPX_FLOW_IPV4, 1);
		if (a->clears > clears[action] && about_to_switch(a))
			full |= 1u << action;
	}
	for (unsigned i = 0; i < ACTIONS; i++)
		clears[i] = d.cache->filter[i]->clears;
	return flow;
}

/* A stranger that a double-buffered filter says yes to enters its other half, which then takes over, half
 * full. So one burst is looked up, whose strangers are all answered before any of them enters, and all
 * filters are filled anew for the next one: going on until there is a yes would favour those that seldom
 * say it. */
Test(flow_property, approximate_keeps_to_its_bound_double_buffered)
{
	struct spx_flow_options o = approximate(400, SPX_FLOW_DOUBLE_BUFFERED);
	uint64_t answered = 0, n = lookups() / 100, clears[ACTIONS] = {0}, strangers;
	uint32_t flow = 0;

	driver_init(&d, &o);
	for (strangers = 0; strangers < n; strangers += SPX_BURST_MAX) {
		flow = renew(flow, clears);
		answered += look_strangers_up(STRANGERS + (uint32_t)strangers);
	}
	cr_assert_lt(flow, STRANGERS);
	check_bound(&o, answered, strangers);
}
