/* The flow cache of the whole way: made, brought into the state that is measured, and counted up. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <rte_cycles.h>

#include "perf/end_to_end/path.h"

#define ENTRIES_MIN 1024
#define ENTRIES6    64 /* no packet is IPv6 */
#define WAYS        16
#define P           0.001
#define FILTER_SEED 8
#define PASSES      2 /* of the warm-up over each group: the first is seen by the filter, the second enters */
#define GROUP       4096 /* flows: a small part of what any filter here remembers */
#define TURNS       128  /* between two housekeepings, as in spx_worker_run with one queue */

/* Of the flows that should be resident, at least this share is. 16 ways filled to a half on average (entries
 * = 2 x flows): the number of flows of a set is Poisson with mean 8, above 16 with 0.4 %, and 0.08 % of the
 * flows find no place; filled completely (attack: entries = flows of the warm-up), mean 16, it is 10 %. */
#define RESIDENT_HALF_FULL 0.99
#define RESIDENT_FULL      0.85

/* Of the measured packets of path.forward.*, at least this share is answered by the cache. In sets with more
 * flows than ways all flows miss when they come round in turn, 0.8 % of the packets by the same model. */
#define HITS 0.98

uint64_t
path_cache_entries(const struct path *p)
{
	return p->attack ? PATH_ATTACKED : RTE_MAX(2 * (uint64_t)p->flows.n, (uint64_t)ENTRIES_MIN);
}

static void
count_ended(void *arg, const struct spx_flow_record *record)
{
	struct path_ended *ended = arg;

	ended->flows++;
	ended->packets += record->packets;
}

int
path_cache_create(struct path *p, struct spx_error *err)
{
	struct spx_flow_options options = {.mode = p->mode,
		.entries = path_cache_entries(p),
		.entries6 = ENTRIES6,
		.ways = WAYS,
		.p = P,
		.flows = 2 * path_cache_entries(p),
		.ageing = p->mode == SPX_FLOW_MODE_approximate ? SPX_FLOW_COLD : SPX_FLOW_DOUBLE_BUFFERED,
		.idle_ms = 60000,
		.n_actions = p->config->n_actions,
		.seed = FILTER_SEED,
		.socket = SOCKET_ID_ANY,
		.ended = count_ended,
		.arg = &p->ended};
	struct spx_net_options *net = &p->worker->rx[0].net;
	int rc;

	p->start = rte_rdtsc();
	rc = spx_flow_create(&options, &p->worker->cache, err);
	if (rc == 0)
		net->table4 = spx_flow_lines4(p->worker->cache, &net->lines4);
	return rc;
}

static uint32_t
now_ms(const struct path *p)
{
	return (uint32_t)((rte_rdtsc() - p->start) / (rte_get_tsc_hz() / MS_PER_S));
}

void
path_cache_turn(struct path *p)
{
	if (++p->turns % TURNS == 0)
		spx_flow_housekeep(p->worker->cache, now_ms(p));
}

/* ---- the state measured ---------------------------------------------------------------------------- */

static bool
has_exact(const struct path *p)
{
	return p->mode == SPX_FLOW_MODE_exact || p->mode == SPX_FLOW_MODE_layered;
}

static struct spx_flow_exact_stats
exact_stats(const struct path *p, struct spx_flow_approximate_stats *approximate)
{
	struct spx_flow_exact_stats exact[SPX_FLOW_FAMILIES];

	spx_flow_stats(p->worker->cache, exact, approximate);
	return exact[SPX_FLOW_IPV4];
}

/* Passes over n flows from `first` on. */
static void
forward_round(struct path *p, uint32_t first, uint32_t n, unsigned passes)
{
	p->round = (struct packets_flows){.flow = p->flows.flow + first, .n = n};
	p->next = 0;
	path_ours(p, passes * RTE_ALIGN_CEIL((uint64_t)n, BENCH_BURST));
}

int
path_cache_warm(struct path *p, struct spx_error *err)
{
	double share = p->attack ? RESIDENT_FULL : RESIDENT_HALF_FULL;
	uint32_t n = (uint32_t)RTE_MIN(p->flows.n, path_cache_entries(p));
	struct spx_flow_approximate_stats approximate;
	uint64_t resident;

	for (uint32_t first = 0; first < n; first += GROUP)
		forward_round(p, first, RTE_MIN(n - first, (uint32_t)GROUP), PASSES);
	forward_round(p, 0, n, 1);
	resident = exact_stats(p, &approximate).resident;
	if (has_exact(p) && (double)resident < share * n)
		return spx_error(
			err, -EINVAL, "%" PRIu64 " of %u flows are resident after the warm-up", resident, n);
	p->round = p->flows;
	p->next = n % p->flows.n;
	p->warm_offered = p->offered;
	p->warm = *spx_flow_counters(p->worker->cache);
	return 0;
}

/* ---- what has to add up ---------------------------------------------------------------------------- */

/* Ends all flows, so that what they counted can be added up. */
static int
check_counters(struct path *p, struct spx_error *err)
{
	const struct spx_flow_counters *c = spx_flow_counters(p->worker->cache);
	struct spx_flow_approximate_stats approximate;
	uint64_t packets = has_exact(p)
				   ? c->exact_hits + c->exact_misses
				   : c->approximate_hits + c->approximate_misses + c->approximate_several +
					     c->approximate_syn + c->approximate_repeats;
	uint64_t inserted = exact_stats(p, &approximate).inserted;

	if (packets != p->offered)
		return spx_error(err, -EIO, "the cache looked up %" PRIu64 " of %" PRIu64 " packets offered",
			packets, p->offered);
	spx_flow_flush(p->worker->cache);
	if (p->ended.flows != inserted || p->ended.packets != c->counted)
		return spx_error(err, -EIO,
			"%" PRIu64 " flows entered, %" PRIu64 " ended; counted %" PRIu64
			" packets, over the flows %" PRIu64,
			inserted, p->ended.flows, c->counted, p->ended.packets);
	return 0;
}

int
path_cache_check(struct path *p, struct spx_error *err)
{
	const struct spx_flow_counters *c = spx_flow_counters(p->worker->cache);
	uint64_t hits = c->exact_hits - p->warm.exact_hits;
	size_t length = strlen(p->context->note);
	double share;
	int rc;

	if (p->mode == SPX_FLOW_MODE_none)
		return 0;
	rc = check_counters(p, err);
	if (rc < 0)
		return rc;
	if (p->mode == SPX_FLOW_MODE_approximate)
		hits = c->approximate_hits - p->warm.approximate_hits + c->approximate_repeats -
		       p->warm.approximate_repeats;
	share = (double)hits / (double)RTE_MAX(p->offered - p->warm_offered, 1u);
	if (!p->attack && share < HITS)
		return spx_error(err, -EINVAL, "%.2f %% of the packets hit, at least %.0f %% should",
			100 * share, 100 * HITS);
	snprintf(p->context->note + length, sizeof(p->context->note) - length, "; hits %.1f %%", 100 * share);
	return 0;
}

double
path_cache_bytes_per_flow(const struct path *p)
{
	struct spx_flow_approximate_stats approximate;
	uint64_t bytes = exact_stats(p, &approximate).bytes;

	return (double)(bytes + approximate.bytes) / (double)RTE_MIN(p->flows.n, path_cache_entries(p));
}
