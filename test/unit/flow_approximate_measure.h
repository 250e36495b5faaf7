/* How often a filter says yes to strangers: measured over many fills, with the interval that those give. */
#ifndef SPX_TEST_FLOW_APPROXIMATE_MEASURE_H
#define SPX_TEST_FLOW_APPROXIMATE_MEASURE_H

#include "lib/flow/flow.h"

static inline struct spx_flow_approximate_stats
stats_of(const struct spx_flow_approximate *f)
{
	struct spx_flow_approximate_stats stats;

	spx_flow_approximate_stats(f, &stats);
	return stats;
}

static inline bool
found(struct spx_flow_approximate *f, uint64_t hash)
{
	return spx_flow_approximate_lookup(f, &hash, 1) == 1;
}

static inline void
insert(struct spx_flow_approximate *f, uint64_t hash)
{
	spx_flow_approximate_insert(f, &hash, 1);
}

struct measured {
	double p;
	double half_interval; /* 95 %: the truth lies within p +- this in 19 of 20 measurements */
};

/* Mean and interval of n values. */
struct measured measured_mean(const double value[], unsigned n);

/* Looks n strangers up in a cold filter, drawn from *random. Returns the share of yes. */
double measure_strangers(struct spx_flow_approximate *f, uint64_t n, uint64_t *random);

/* Enters n flows drawn from *random; every one of them is found then. */
void enter_random(struct spx_flow_approximate *f, uint64_t n, uint64_t *random);

/* Enters random flows until the filter counts `flows`. */
void fill_random(struct spx_flow_approximate *f, uint64_t flows, uint64_t *random);

struct spx_flow_approximate *
create_filter(double p, uint64_t flows, enum spx_flow_ageing ageing, uint64_t seed);

/* Exactly `flows` flows enter after each clear; strangers each time. p at that is the model's. */
void check_measured_model(double p, uint64_t flows, unsigned fills, uint64_t strangers, uint64_t seed);

/* The same when the filter counts `flows`, at the moment before it is cleared: the plan's p, at most p. */
void check_measured_full(double p, uint64_t flows, unsigned fills, uint64_t strangers, uint64_t seed);

/* The active half at the moment before the other takes over. 64 strangers for each fill, as
 * a yes enters the other half. */
void check_measured_double_buffered(double p, uint64_t flows, unsigned fills, uint64_t seed);

#endif
