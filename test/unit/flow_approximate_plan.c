/* The model against brute force, and what a plan promises. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include <criterion/criterion.h>

#include "lib/flow/approximate.h"
#include "test/unit/flow_approximate_measure.h"

/* The chance of a yes in one filter of random bits: throws as the definition says, without the hash. */
static double
simulate(uint64_t blocks, unsigned probes, uint64_t flows, uint64_t *random)
{
	static uint8_t set[64][SPX_FLOW_BLOCK_BITS];
	double sum = 0;

	memset(set, 0, sizeof(set));
	for (uint64_t i = 0; i < flows; i++) {
		uint8_t *block = set[spx_random(random) % blocks];

		for (unsigned probe = 0; probe < probes; probe++)
			block[spx_random(random) % SPX_FLOW_BLOCK_BITS] = 1;
	}
	for (uint64_t b = 0; b < blocks; b++) {
		unsigned bits = 0;

		for (unsigned i = 0; i < SPX_FLOW_BLOCK_BITS; i++)
			bits += set[b][i];
		sum += pow((double)bits / SPX_FLOW_BLOCK_BITS, probes);
	}
	return sum / (double)blocks;
}

Test(flow_approximate_plan, model_is_brute_force)
{
	static const struct {
		uint64_t blocks;
		unsigned probes;
		uint64_t flows;
	} cases[] = {{1, 1, 1}, {1, 1, 300}, {1, 16, 20}, {2, 6, 100}, {3, 4, 1}, {8, 8, 300}, {20, 1, 5000},
		{40, 6, 2000}, {64, 3, 5000}, {30, 16, 600}, {5, 16, 1000}, {2, 2, 5000}};
	enum { FILTERS = 2000 };
	static double yes[FILTERS];
	uint64_t random = 1;

	for (unsigned c = 0; c < RTE_DIM(cases); c++) {
		double model = spx_flow_approximate_model(cases[c].blocks, cases[c].probes, cases[c].flows);
		struct measured m;

		for (unsigned i = 0; i < FILTERS; i++)
			yes[i] = simulate(cases[c].blocks, cases[c].probes, cases[c].flows, &random);
		m = measured_mean(yes, FILTERS);
		cr_assert_leq(fabs(m.p - model), m.half_interval + 1e-7,
			"%lu blocks, %u probes, %lu flows: model %.8g, simulated %.8g +- %.2g",
			(unsigned long)cases[c].blocks, cases[c].probes, (unsigned long)cases[c].flows, model,
			m.p, m.half_interval);
	}
}

Test(flow_approximate_plan, keeps_to_p_with_the_fewest_blocks)
{
	static const double p[] = {0.5, 0.1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-9, 1e-11};
	static const uint64_t flows[] = {1, 2, 3, 10, 100, 1000, 65536, 1 << 20, 1 << 26, UINT64_C(1) << 29};

	for (unsigned i = 0; i < RTE_DIM(p); i++) {
		for (unsigned k = 0; k < RTE_DIM(flows); k++) {
			struct spx_flow_approximate_plan plan;
			double model;

			cr_assert_eq(spx_flow_approximate_plan(p[i], flows[k], &plan, NULL), 0);
			cr_assert(plan.probes >= 1 && plan.probes <= SPX_FLOW_PROBES_MAX);
			cr_assert(plan.p > 0 && plan.p <= p[i]);
			cr_assert(plan.entered >= flows[k] && plan.entered <= 2 * flows[k]);
			model = spx_flow_approximate_model(plan.blocks, plan.probes, plan.entered);
			cr_assert_lt(fabs(model / plan.p - 1), 1e-6);
			/* For larger p fewer blocks would also count fewer of those that enter. */
			if (plan.blocks > 1 && p[i] <= 1e-2)
				cr_assert_gt(spx_flow_approximate_model(
						     plan.blocks - 1, plan.probes, plan.entered + 1),
					p[i], "p %g, %lu flows", p[i], (unsigned long)flows[k]);
		}
	}
}

/* No number of probes needs 2 % less memory. */
Test(flow_approximate_plan, no_other_probes_are_much_better)
{
	static const double p[] = {0.3, 0.03, 1e-3, 1e-5, 1e-9, 1e-11};

	for (unsigned i = 0; i < RTE_DIM(p); i++) {
		struct spx_flow_approximate_plan plan;

		cr_assert_eq(spx_flow_approximate_plan(p[i], 1000000, &plan, NULL), 0);
		for (unsigned probes = 1; probes <= SPX_FLOW_PROBES_MAX; probes++)
			cr_assert_gt(spx_flow_approximate_model(
					     (uint64_t)((double)plan.blocks / 1.021), probes, plan.entered),
				p[i], "p %g with %u probes", p[i], probes);
	}
}

Test(flow_approximate_plan, refuses_and_says_why)
{
	static const double p[] = {0, 9e-12, 0.51, 1, -0.01, NAN, INFINITY};
	struct spx_flow_approximate_plan plan;
	struct spx_error err;

	for (unsigned i = 0; i < RTE_DIM(p); i++) {
		cr_assert_eq(spx_flow_approximate_plan(p[i], 1000, &plan, &err), -EINVAL);
		cr_assert_not_null(strstr(err.text, "it must be 1e-11 to 0.5"), "%s", err.text);
	}
	cr_assert_eq(spx_flow_approximate_plan(0.01, 0, &plan, &err), -EINVAL);
	cr_assert_not_null(strstr(err.text, "at least one"), "%s", err.text);
	cr_assert_eq(spx_flow_approximate_plan(0.01, UINT64_MAX, &plan, &err), -EINVAL);
	cr_assert_not_null(strstr(err.text, "fewer flows"), "%s", err.text);
	cr_assert_eq(spx_flow_approximate_plan(0.01, 0, &plan, NULL), -EINVAL);
}
