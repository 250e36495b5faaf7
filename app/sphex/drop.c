/* Where packets end that are not sent: each is counted by its one reason, shown to who looks, and freed. */
#include "app/sphex/stages.h"

static void
show_marked(struct spx_worker *w, struct spx_burst *b)
{
	unsigned i;

	SPX_FOREACH (i, b->drop)
		spx_watch_drop(&w->watcher, b->in_port, &b->pkt[i], 1, b->reason[i]);
}

void
spx_drop_marked(struct spx_worker *w, struct spx_burst *b)
{
	struct rte_mbuf *pkts[SPX_BURST_MAX];
	unsigned i, n = 0;

	if (b->drop == 0)
		return;
	if (spx_watched(&w->watcher))
		show_marked(w, b);
	SPX_FOREACH (i, b->drop) {
		spx_count(&w->counters.drops[b->reason[i]], 1);
		pkts[n++] = b->pkt[i];
	}
	rte_pktmbuf_free_bulk(pkts, n);
}

void
spx_drop(struct spx_worker *w, uint16_t port, struct rte_mbuf **pkts, uint16_t n, enum spx_drop reason)
{
	if (n == 0)
		return;
	if (spx_watched(&w->watcher))
		spx_watch_drop(&w->watcher, port, pkts, n, reason);
	spx_count(&w->counters.drops[reason], n);
	rte_pktmbuf_free_bulk(pkts, n);
}
