/* The slow-path lcore. Exceptions are counted by class and end here; so do records of ended flows. */
#include <time.h>

#include "app/sphex/slowpath.h"

#define IDLE_NS 50000 /* between looks at empty rings */

void
spx_slowpath_inject(struct spx_slowpath *s, uint16_t worker, struct rte_mbuf *m, enum spx_stage stage)
{
	spx_meta(m)->stage = (uint8_t)stage;
	if (rte_ring_sp_enqueue(s->inject[worker], m) != 0) {
		if (spx_watched(&s->watcher))
			spx_watch_drop(&s->watcher, spx_meta(m)->in_port, &m, 1, SPX_DROP_inject_ring_full);
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
	if (spx_watched(&s->watcher))
		spx_watch_consume(&s->watcher, pkts, n);
	if (n > 0)
		rte_pktmbuf_free_bulk(pkts, n);
	atomic_store(&s->idle, n == 0);
	return n;
}

unsigned
spx_slowpath_turn(struct spx_slowpath *s)
{
	unsigned n;

	spx_watch_turn(&s->watcher);
	n = take_exceptions(s);
	for (uint16_t i = 0; i < s->n_flow_rings; i++)
		n += spx_flow_collect(s->flow_ring[i], &s->flow_totals);
	spx_count(&s->counters.polls, 1);
	return n;
}

void
spx_slowpath_run(struct spx_slowpath *s)
{
	const struct timespec nap = {.tv_nsec = IDLE_NS};

	rte_rcu_qsbr_thread_register(s->qsbr, SPX_WATCH_SLOWPATH);
	rte_rcu_qsbr_thread_online(s->qsbr, SPX_WATCH_SLOWPATH);
	while (!atomic_load(&s->stop)) {
		unsigned n = spx_slowpath_turn(s);

		rte_rcu_qsbr_quiescent(s->qsbr, SPX_WATCH_SLOWPATH);
		if (n == 0)
			nanosleep(&nap, NULL);
	}
	rte_rcu_qsbr_thread_offline(s->qsbr, SPX_WATCH_SLOWPATH);
	rte_rcu_qsbr_thread_unregister(s->qsbr, SPX_WATCH_SLOWPATH);
}
