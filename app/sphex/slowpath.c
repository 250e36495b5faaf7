/* The slow-path lcore. Exceptions are counted by class and end here; so do records of ended flows. */
#include <time.h>

#include "app/sphex/slowpath.h"

#define IDLE_NS 50000 /* between looks at empty rings */

void
spx_slowpath_inject(struct spx_slowpath *s, uint16_t worker, struct rte_mbuf *m, enum spx_stage stage)
{
	spx_meta(m)->stage = (uint8_t)stage;
	if (rte_ring_sp_enqueue(s->inject[worker], m) != 0) {
		spx_count(&s->counters.drops[SPX_DROP_inject_ring_full], 1);
		rte_pktmbuf_free(m);
	}
}

static unsigned
take_exceptions(struct spx_slowpath *s)
{
	struct rte_mbuf *pkts[SPX_BURST_MAX];
	unsigned n;

	atomic_store(&s->idle, false);
	n = rte_ring_sc_dequeue_burst(s->exception, (void **)pkts, SPX_BURST_MAX, NULL);
	for (unsigned i = 0; i < n; i++)
		spx_count(&s->counters.exceptions[spx_meta(pkts[i])->exception], 1);
	spx_count(&s->counters.consumed, n);
	if (n > 0)
		rte_pktmbuf_free_bulk(pkts, n);
	atomic_store(&s->idle, n == 0);
	return n;
}

unsigned
spx_slowpath_turn(struct spx_slowpath *s)
{
	unsigned n = take_exceptions(s);

	for (uint16_t i = 0; i < s->n_flow_rings; i++)
		n += spx_flow_collect(s->flow_ring[i], &s->flow_totals);
	return n;
}

void
spx_slowpath_run(struct spx_slowpath *s)
{
	const struct timespec nap = {.tv_nsec = IDLE_NS};

	while (!atomic_load(&s->stop))
		if (spx_slowpath_turn(s) == 0)
			nanosleep(&nap, NULL);
}
