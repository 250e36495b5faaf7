#include <math.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "lib/flow/approximate.h"
#include "test/unit/flow_approximate_measure.h"

struct measured
measured_mean(const double value[], unsigned n)
{
	double sum = 0, squares = 0;

	for (unsigned i = 0; i < n; i++)
		sum += value[i];
	for (unsigned i = 0; i < n; i++)
		squares += (value[i] - sum / n) * (value[i] - sum / n);
	return (struct measured){sum / n, 1.96 * sqrt(squares / (n - 1) / n)};
}

static void
draw(uint64_t hash[], unsigned n, uint64_t *random)
{
	for (unsigned i = 0; i < n; i++)
		hash[i] = spx_random(random);
}

double
measure_strangers(struct spx_flow_approximate *f, uint64_t n, uint64_t *random)
{
	uint64_t hash[SPX_BURST_MAX], yes = 0;

	for (uint64_t done = 0; done < n; done += SPX_BURST_MAX) {
		draw(hash, SPX_BURST_MAX, random);
		yes += spx_set_count(spx_flow_approximate_lookup(f, hash, UINT64_MAX));
	}
	return (double)yes / (double)RTE_ALIGN_MUL_CEIL(n, SPX_BURST_MAX);
}

void
enter_random(struct spx_flow_approximate *f, uint64_t n, uint64_t *random)
{
	uint64_t hash[SPX_BURST_MAX];

	while (n > 0) {
		unsigned burst = (unsigned)RTE_MIN(n, SPX_BURST_MAX);

		draw(hash, burst, random);
		spx_flow_approximate_insert(f, hash, spx_set_first(burst));
		cr_assert_eq(
			spx_flow_approximate_lookup(f, hash, spx_set_first(burst)), spx_set_first(burst));
		n -= burst;
	}
}

static uint64_t
counted(const struct spx_flow_approximate *f)
{
	struct spx_flow_approximate_stats stats;

	spx_flow_approximate_stats(f, &stats);
	return stats.flows;
}

void
fill_random(struct spx_flow_approximate *f, uint64_t flows, uint64_t *random)
{
	uint64_t hash[SPX_BURST_MAX];

	while (counted(f) < flows) {
		unsigned burst = (unsigned)RTE_MIN(flows - counted(f), SPX_BURST_MAX);

		draw(hash, burst, random);
		spx_flow_approximate_insert(f, hash, spx_set_first(burst));
	}
}

struct spx_flow_approximate *
create_filter(double p, uint64_t flows, enum spx_flow_ageing ageing, uint64_t seed)
{
	struct spx_flow_approximate_options options = {
		.p = p, .flows = flows, .ageing = ageing, .seed = seed, .socket = SOCKET_ID_ANY};
	struct spx_flow_approximate *f;
	struct spx_error err;

	cr_assert_eq(spx_flow_approximate_create(&options, &f, &err), 0, "%s", err.text);
	return f;
}

/* The expected value lies in the interval. Seeds are fixed, so what passes once passes always. */
static void
check_interval(const char *what, double p, uint64_t flows, struct measured m, double expected)
{
	cr_log_info("%s p %g flows %lu: measured %.4g +- %.2g, expected %.4g: %+.2f intervals", what, p,
		(unsigned long)flows, m.p, m.half_interval, expected, (m.p - expected) / m.half_interval);
	cr_assert_lt(fabs(m.p - expected), m.half_interval,
		"%s p %g flows %lu: measured %.6g +- %.2g, expected %.6g", what, p, (unsigned long)flows, m.p,
		m.half_interval, expected);
	cr_assert_leq(m.p, p + m.half_interval);
}

/* Fills a cold filter, whatever it held. */
typedef void (*fill_way)(struct spx_flow_approximate *f, uint64_t flows, uint64_t *random);

static void
fill_with_entered(struct spx_flow_approximate *f, uint64_t flows, uint64_t *random)
{
	spx_flow_approximate_clear(f);
	enter_random(f, flows, random);
}

/* One that is full is cleared by the next flow that it does not know. More than one flow. */
static void
fill_until_full(struct spx_flow_approximate *f, uint64_t flows, uint64_t *random)
{
	while (counted(f) == flows)
		spx_flow_approximate_insert(f, &(uint64_t){spx_random(random)}, 1);
	fill_random(f, flows, random);
}

static struct measured
measure_fills(struct spx_flow_approximate *f, fill_way fill, uint64_t flows, unsigned fills,
	uint64_t strangers, uint64_t seed)
{
	double *yes = malloc(fills * sizeof(*yes));
	struct measured m;

	cr_assert_not_null(yes);
	for (unsigned i = 0; i < fills; i++) {
		fill(f, flows, &seed);
		yes[i] = measure_strangers(f, strangers, &seed);
	}
	m = measured_mean(yes, fills);
	free(yes);
	return m;
}

void
check_measured_model(double p, uint64_t flows, unsigned fills, uint64_t strangers, uint64_t seed)
{
	struct spx_flow_approximate *f = create_filter(p, flows, SPX_FLOW_COLD, seed);

	check_interval("entered", p, flows,
		measure_fills(f, fill_with_entered, flows, fills, strangers, seed),
		spx_flow_approximate_model(f->plan.blocks, f->plan.probes, flows));
	spx_flow_approximate_free(f);
}

void
check_measured_full(double p, uint64_t flows, unsigned fills, uint64_t strangers, uint64_t seed)
{
	struct spx_flow_approximate *f = create_filter(p, flows, SPX_FLOW_COLD, seed);

	check_interval("full", p, flows, measure_fills(f, fill_until_full, flows, fills, strangers, seed),
		f->plan.p);
	cr_assert_eq(f->clears, fills - 1);
	spx_flow_approximate_free(f);
}

/* n flows have entered both halves, after a switch when `active` is active no more. */
static void
count_entered(const struct spx_flow_approximate *f, unsigned active, unsigned n, uint64_t entered[2])
{
	if (f->active != active)
		entered[active] = 0;
	entered[0] += n;
	entered[1] += n;
}

void
check_measured_double_buffered(double p, uint64_t flows, unsigned fills, uint64_t seed)
{
	struct spx_flow_approximate *f = create_filter(p, flows, SPX_FLOW_DOUBLE_BUFFERED, seed);
	double *yes = malloc(fills * sizeof(*yes)), sum = 0;
	uint64_t entered[2] = {0, 0}; /* since the half was cleared */

	cr_assert_not_null(yes);
	for (unsigned i = 0; i < fills;) {
		unsigned active = f->active;

		spx_flow_approximate_insert(f, &(uint64_t){spx_random(&seed)}, 1);
		count_entered(f, active, 1, entered);
		if (f->filter[!f->active].flows < f->takes_over || entered[f->active] < flows)
			continue; /* the next new flow does not switch, or this is the first filling */
		active = f->active;
		sum += (double)entered[active];
		yes[i] = measure_strangers(f, SPX_BURST_MAX, &seed);
		/* Strangers that it takes for known enter the other half, which takes over. */
		count_entered(f, active, (unsigned)lround(yes[i++] * SPX_BURST_MAX), entered);
	}
	check_interval("double-buffered", p, flows, measured_mean(yes, fills),
		spx_flow_approximate_model(f->plan.blocks, f->plan.probes, (uint64_t)lround(sum / fills)));
	free(yes);
	spx_flow_approximate_free(f);
}
