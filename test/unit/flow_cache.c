/* The flow cache's modes: what enters when, who asks the rules, what is counted. */
#include <string.h>

#include <criterion/criterion.h>

#include "test/unit/eal.h"
#include "test/unit/flow_driver.h"

static struct driver d;

static void
setup(void)
{
	test_eal_start_with("256");
	d = (struct driver){.n_actions = 7};
}

static void
teardown(void)
{
	driver_free(&d);
}

TestSuite(flow_cache, .init = setup, .fini = teardown);

static struct spx_flow_options
options(enum spx_flow_mode mode)
{
	return (struct spx_flow_options){.mode = mode,
		.entries = 1024,
		.entries6 = 256,
		.ways = 16,
		.p = 0.001,
		.flows = 1024,
		.ageing = SPX_FLOW_DOUBLE_BUFFERED,
		.n_actions = 7,
		.seed = 3};
}

Test(flow_cache, exact_enters_at_the_first_packet)
{
	struct spx_flow_options o = options(SPX_FLOW_MODE_exact);

	driver_init(&d, &o);
	for (unsigned family = 0; family < SPX_FLOW_FAMILIES; family++) {
		cr_assert(driver_packet(&d, family, 5));
		cr_assert(!driver_packet(&d, family, 5));
	}
	cr_assert_eq(spx_flow_counters(d.cache)->exact_hits, 2);
	cr_assert_eq(spx_flow_counters(d.cache)->exact_misses, 2);
	cr_assert_eq(d.wrong, 0);
	driver_check_sums(&d);
}

Test(flow_cache, layered_enters_at_the_second_packet)
{
	struct spx_flow_options o = options(SPX_FLOW_MODE_layered);

	driver_init(&d, &o);
	for (unsigned family = 0; family < SPX_FLOW_FAMILIES; family++) {
		cr_assert(driver_packet(&d, family, 5 + family));
		cr_assert(driver_packet(&d, family, 5 + family));
		cr_assert(!driver_packet(&d, family, 5 + family));
	}
	cr_assert_eq(d.wrong, 0);
	driver_check_sums(&d);
}

/* A second packet in the same burst is a second packet: the flow enters with both. */
Test(flow_cache, repeats_ask_once_and_count_as_hits)
{
	static const uint32_t flow[] = {8, 9, 8, 8, 10, 9};
	struct spx_flow_options o = options(SPX_FLOW_MODE_layered);
	struct spx_flow_record top[4];

	driver_init(&d, &o);
	for (unsigned i = 0; i < RTE_DIM(flow); i++)
		driver_add(&d, flow[i]);
	cr_assert_eq(driver_burst(&d, SPX_FLOW_IPV4, 0), 0x13, "the first packet of each flow");
	cr_assert_eq(d.wrong, 0);
	cr_assert_eq(spx_flow_counters(d.cache)->exact_hits, 3);
	cr_assert_eq(spx_flow_counters(d.cache)->exact_misses, 3);
	cr_assert_eq(spx_flow_counters(d.cache)->counted, 5);
	cr_assert_eq(spx_flow_top((const struct spx_flow_cache *const *)&d.cache, 1, 4, top), 2,
		"flow 10 had one packet");
	cr_assert_eq(top[0].packets, 3);
	cr_assert_eq(top[0].bytes, 3 * 68);
	cr_assert_eq(top[1].packets, 2);
	cr_assert(!driver_packet(&d, SPX_FLOW_IPV4, 8));
	cr_assert(driver_packet(&d, SPX_FLOW_IPV4, 10));
}

/* Different flows of one hash are no repeats. */
Test(flow_cache, equal_hashes_are_different_flows)
{
	struct spx_flow_options o = options(SPX_FLOW_MODE_exact);

	d.collide = 1;
	driver_init(&d, &o);
	for (uint32_t i = 0; i < 10; i++)
		driver_add(&d, i % 5);
	cr_assert_eq(driver_burst(&d, SPX_FLOW_IPV4, 0), 0x1f);
	for (uint32_t i = 0; i < 5; i++)
		driver_add(&d, i);
	cr_assert_eq(driver_burst(&d, SPX_FLOW_IPV4, 0), 0);
	cr_assert_eq(d.wrong, 0);
}

Test(flow_cache, none_always_asks)
{
	struct spx_flow_options o = options(SPX_FLOW_MODE_none);

	driver_init(&d, &o);
	for (unsigned turn = 0; turn < 3; turn++) {
		driver_add(&d, 5);
		driver_add(&d, 5);
		cr_assert_eq(driver_burst(&d, SPX_FLOW_IPV4, 0), 3);
	}
	cr_assert_eq(d.wrong, 0);
}

Test(flow_cache, new_rules_answer_at_once_and_the_flow_goes_on_counting)
{
	struct spx_flow_options o = options(SPX_FLOW_MODE_exact);
	struct spx_flow_record top;

	driver_init(&d, &o);
	cr_assert(driver_packet(&d, SPX_FLOW_IPV4, 5));
	cr_assert(!driver_packet(&d, SPX_FLOW_IPV4, 5));
	while (driver_rule(&d, 5) == driver_rule(&(struct driver){.n_actions = 7, .generation = 1}, 5))
		spx_flow_set_generation(d.cache, (uint32_t)++d.generation);
	cr_assert(driver_packet(&d, SPX_FLOW_IPV4, 5));
	cr_assert(!driver_packet(&d, SPX_FLOW_IPV4, 5));
	cr_assert_eq(d.wrong, 0);
	cr_assert_eq(spx_flow_top((const struct spx_flow_cache *const *)&d.cache, 1, 1, &top), 1);
	cr_assert_eq(top.packets, 4);
	cr_assert_eq(top.action, driver_rule(&d, 5));
	driver_check_sums(&d);
}

Test(flow_cache, idle_flows_expire_and_busy_ones_stay)
{
	struct spx_flow_options o = options(SPX_FLOW_MODE_exact);

	o.idle_ms = 1000;
	d.now_ms = UINT32_MAX - 500; /* the clock wraps on the way */
	driver_init(&d, &o);
	for (uint32_t flow = 0; flow < 100; flow++)
		driver_packet(&d, SPX_FLOW_IPV4, flow);
	for (unsigned i = 0; i < 300; i++) {
		d.now_ms += 10;
		spx_flow_housekeep(d.cache, d.now_ms);
		cr_assert(!driver_packet(&d, SPX_FLOW_IPV4, 7));
	}
	cr_assert_eq(d.ended_flows[SPX_FLOW_END_expired], 99);
	driver_check_sums(&d);
	spx_flow_flush(d.cache);
	cr_assert_eq(d.ended_flows[SPX_FLOW_END_stopped], 1);
	cr_assert_eq(d.ended_packets, d.packets);
	driver_check_sums(&d);
}

Test(flow_cache, guard_holds_a_flood_off_and_ends_by_itself)
{
	struct spx_flow_options o = options(SPX_FLOW_MODE_exact);
	const struct spx_flow_counters *c;
	uint32_t flow = 1000;

	o.flood_rate = 10000; /* 10 a millisecond, 200 at once */
	driver_init(&d, &o);
	c = spx_flow_counters(d.cache);
	driver_packet(&d, SPX_FLOW_IPV4, 1);
	for (unsigned ms = 1; ms <= 100; ms++) { /* 100 new flows a millisecond */
		for (unsigned i = 0; i < 100; i++)
			driver_packet(&d, SPX_FLOW_IPV4, flow++);
		spx_flow_housekeep(d.cache, ++d.now_ms);
		cr_assert(!driver_packet(&d, SPX_FLOW_IPV4, 1), "a resident flow stays");
	}
	cr_assert_eq(c->guard_on, 1);
	cr_assert_eq(c->guard_off, 0);
	/* Empty places, a full bucket, what comes back while those fill, and a sixteenth of the rate. */
	cr_assert_leq(10000 - c->guarded, 1024 + 200 + 100 + 63, "%lu of 10,000 entered", 10000 - c->guarded);
	for (unsigned ms = 0; ms < 60; ms++) { /* 5 a millisecond */
		for (unsigned i = 0; i < 5; i++)
			driver_packet(&d, SPX_FLOW_IPV4, flow++);
		spx_flow_housekeep(d.cache, ++d.now_ms);
	}
	cr_assert_eq(c->guard_off, 1);
	driver_packet(&d, SPX_FLOW_IPV4, flow);
	cr_assert(!driver_packet(&d, SPX_FLOW_IPV4, flow), "flows enter again");
	cr_assert_eq(d.wrong, 0);
}

/* Many flows that are here to stay ask with every packet, and look like a flood: into an empty cache they get
 * at once, and into a cache that is full of others in time. */
Test(flow_cache, guard_lets_flows_in_that_stay)
{
	struct spx_flow_options o = options(SPX_FLOW_MODE_layered);
	const struct spx_flow_counters *c;
	uint64_t hits = 0;

	o.flood_rate = 10000;
	driver_init(&d, &o);
	c = spx_flow_counters(d.cache);
	for (uint32_t generation = 0; generation < 2; generation++) {
		for (unsigned ms = 0; ms < 1500; ms++) { /* 1,000 packets a millisecond */
			hits = c->exact_hits;
			for (unsigned i = 0; i < 1000; i++)
				driver_packet(&d, SPX_FLOW_IPV4,
					1000 * generation + (uint32_t)(spx_random(&d.random) % 600));
			spx_flow_housekeep(d.cache, ++d.now_ms);
			if (generation == 0 && ms == 10)
				cr_assert_gt(c->exact_hits - hits, 950, "%lu hits in the tenth",
					c->exact_hits - hits);
		}
		cr_assert_gt(
			c->exact_hits - hits, 980, "%lu hits in the last millisecond", c->exact_hits - hits);
		cr_assert_eq(c->guard_on, generation);
		cr_assert_eq(c->guard_off, generation);
	}
}

/* New rules: the flows that are resident get their new answers at once, in their places, guard or not. */
Test(flow_cache, new_rules_are_no_flood)
{
	struct spx_flow_options o = options(SPX_FLOW_MODE_layered);
	const struct spx_flow_counters *c;
	uint64_t misses;

	o.flood_rate = 1000;
	driver_init(&d, &o);
	c = spx_flow_counters(d.cache);
	for (unsigned i = 0; i < 600; i++) {
		driver_packet(&d, SPX_FLOW_IPV4, i % 300);
		spx_flow_housekeep(d.cache, d.now_ms += 10);
	}
	misses = c->exact_misses;
	for (unsigned change = 0; change < 5; change++) {
		spx_flow_set_generation(d.cache, (uint32_t)++d.generation);
		for (unsigned i = 0; i < 600; i++)
			driver_packet(&d, SPX_FLOW_IPV4, i % 300);
	}
	cr_assert_eq(c->exact_misses - misses, 5 * 300);
	cr_assert_eq(c->guarded, 0);
	cr_assert_eq(d.wrong, 0);
	driver_check_sums(&d);
}

Test(flow_cache, approximate_answers_and_forgets_with_the_rules)
{
	struct spx_flow_options o = options(SPX_FLOW_MODE_approximate);

	driver_init(&d, &o);
	cr_assert(driver_packet(&d, SPX_FLOW_IPV4, 5));
	cr_assert(!driver_packet(&d, SPX_FLOW_IPV4, 5));
	cr_assert(driver_packet(&d, SPX_FLOW_IPV6, 6));
	cr_assert(!driver_packet(&d, SPX_FLOW_IPV6, 6));
	spx_flow_set_generation(d.cache, (uint32_t)++d.generation);
	cr_assert(driver_packet(&d, SPX_FLOW_IPV4, 5));
	cr_assert_eq(d.wrong, 0);
}

/* A SYN asks the rules although its flow is known, and its answer is remembered. */
Test(flow_cache, approximate_sends_syn_to_the_rules)
{
	struct spx_flow_options o = options(SPX_FLOW_MODE_approximate);

	driver_init(&d, &o);
	for (unsigned i = 0; i < 2; i++) {
		driver_add(&d, 5);
		cr_assert_eq(driver_burst(&d, SPX_FLOW_IPV4, 1), 1);
	}
	cr_assert(!driver_packet(&d, SPX_FLOW_IPV4, 5));
	cr_assert_eq(spx_flow_counters(d.cache)->approximate_syn, 2);
	cr_assert_eq(spx_flow_counters(d.cache)->approximate_hits, 1);
}

/* Flows of one action come and go, hundreds of generations of a filter; those of the other stay. What the
 * busy filter says of them by mistake must not stick. */
Test(flow_cache, approximate_mistakes_do_not_pile_up)
{
	struct spx_flow_options o = options(SPX_FLOW_MODE_approximate);
	const uint32_t stay = 100;
	uint64_t wrong;

	o.p = 0.01;
	o.flows = 1000;
	o.n_actions = d.n_actions = 2;
	driver_init(&d, &o);
	for (uint32_t flow = 0; flow < 500000; flow++) {
		wrong = d.wrong;
		if (driver_rule(&d, flow) == 1)
			driver_packet(&d, SPX_FLOW_IPV4, 1000000 + flow); /* of either action */
		d.wrong = wrong;
		for (uint32_t k = 0; k < stay && flow % 100 == 0; k++)
			driver_packet(&d, SPX_FLOW_IPV4, k);
	}
	cr_assert_lt(spx_flow_counters(d.cache)->approximate_several, 500000 / 20,
		"%lu asked for several yes", spx_flow_counters(d.cache)->approximate_several);
	cr_assert_lt(d.wrong, 500000 / 20, "%lu of 500,000 answers to those that stay are wrong", d.wrong);
}

Test(flow_cache, approximate_takes_so_many_actions)
{
	struct spx_flow_options o = options(SPX_FLOW_MODE_approximate);
	struct spx_error err = {0};

	o.n_actions = SPX_FLOW_ACTIONS_MAX + 1;
	cr_assert_lt(spx_flow_create(&o, &d.cache, &err), 0);
	cr_assert_not_null(strstr(err.text, "at most 64"), "%s", err.text);
	o.n_actions = SPX_FLOW_ACTIONS_MAX;
	d.n_actions = SPX_FLOW_ACTIONS_MAX;
	driver_init(&d, &o);
	for (uint32_t flow = 0; flow < 500; flow++)
		driver_packet(&d, SPX_FLOW_IPV4, flow);
	cr_assert_eq(d.wrong, 0);
}

/* One set, and one flow more than it has ways, in turn: LRU would throw each out before it comes again. */
Test(flow_cache, layered_keeps_flows_in_use)
{
	struct spx_flow_options o = options(SPX_FLOW_MODE_layered);
	const struct spx_flow_counters *c;

	o.entries = 16;
	driver_init(&d, &o);
	c = spx_flow_counters(d.cache);
	for (uint32_t i = 0; i < 17000; i++)
		driver_packet(&d, SPX_FLOW_IPV4, i % 17);
	cr_assert_gt(c->exact_hits, 15 * 1000, "%lu hits of 17,000", c->exact_hits);
	for (uint32_t i = 0; i < 16000; i++) /* others take their places */
		driver_packet(&d, SPX_FLOW_IPV4, 100 + i % 16);
	cr_assert_gt(c->exact_hits, 15 * 1000 + 15 * 1000, "%lu hits of 33,000", c->exact_hits);
	cr_assert_eq(d.wrong, 0);
	driver_check_sums(&d);
}
