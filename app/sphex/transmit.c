/* transmit: batches to ports, those of shaped ports to the port queues (shaped.c). A port without a queue for
 * this worker is reached through its owner's ring. */
#include <rte_branch_prediction.h>

#include "app/sphex/stages.h"

static __rte_always_inline uint16_t
send(struct spx_worker *w, struct spx_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n,
	uint64_t *bytes)
{
	struct spx_port_counter *counter = &w->counters.port[port->id];
	uint64_t sum = 0;
	uint16_t sent;

	if (spx_watched_at(&w->watcher, SPX_TAP_transmit))
		spx_watch_send(&w->watcher, port->id, pkts, n);
#pragma GCC unroll 4
	for (uint16_t i = 0; i < n; i++)
		sum += pkts[i]->pkt_len; /* now: a packet that is sent is no longer ours to read */
	sent = port->ops->tx_burst(port, queue, pkts, n);
	if (spx_watched_at(&w->watcher, SPX_TAP_transmit))
		spx_watch_sent(&w->watcher, port->id, queue, pkts, sent);
	for (uint16_t i = sent; i < n; i++)
		sum -= pkts[i]->pkt_len;
	spx_count(&w->counters.transmitted, sent);
	spx_count(&counter->tx_packets, sent);
	spx_count(&counter->tx_bytes, sum);
	*bytes = sum;
	return sent;
}

uint16_t
spx_send(struct spx_worker *w, struct spx_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n,
	uint64_t *bytes)
{
	return send(w, port, queue, pkts, n, bytes);
}

void
spx_transmit(struct spx_worker *w, struct spx_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	const bool down = atomic_load_explicit(&port->down, memory_order_relaxed);
	uint64_t bytes;
	uint16_t sent;

	if (unlikely(down)) {
		spx_drop(w, port->id, pkts, n, SPX_DROP_port_down);
		return;
	}
	sent = send(w, port, queue, pkts, n, &bytes);
	spx_drop(w, port->id, pkts + sent, (uint16_t)(n - sent), SPX_DROP_tx_full);
}

static void
hand_over(struct spx_worker *w, const struct spx_worker_tx *tx, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t taken;

	if (spx_watched(&w->watcher))
		spx_watch_hand_over(w, tx->port->id, pkts, n);
	taken = (uint16_t)rte_ring_sp_enqueue_burst(tx->handover, (void *const *)pkts, n, NULL);
	spx_count(&w->counters.handed_in, taken);
	spx_drop(w, tx->port->id, pkts + taken, (uint16_t)(n - taken), SPX_DROP_handover_full);
}

void
spx_stage_transmit(struct spx_worker *w, struct spx_burst *b)
{
	unsigned out;

	(void)b;
	if (unlikely((w->batch_ports & w->shaped) != 0))
		spx_shaped_take_batches(w);
	SPX_FOREACH (out, w->batch_ports) {
		struct spx_tx_batch *batch = &w->batch[out];
		const struct spx_worker_tx *tx = &w->tx[out];

		if (tx->handover != NULL)
			hand_over(w, tx, batch->pkt, batch->n);
		else
			spx_transmit(w, tx->port, tx->queue, batch->pkt, batch->n);
		batch->n = 0;
	}
	w->batch_ports = 0;
}

unsigned
spx_transmit_handed_over(struct spx_worker *w)
{
	struct rte_mbuf *pkts[SPX_BURST_MAX];
	unsigned sum = 0;

	for (uint16_t h = 0; h < w->n_handover; h++) {
		const struct spx_worker_tx *tx = &w->tx[w->handover[h].port];
		unsigned n =
			rte_ring_sc_dequeue_burst(w->handover[h].ring, (void **)pkts, SPX_BURST_MAX, NULL);

		if (n == 0)
			continue;
		spx_count(&w->counters.handed_out, n);
		if (tx->port_queue != NULL)
			spx_shaped_enqueue(w, tx->port->id, pkts, (uint16_t)n);
		else
			spx_transmit(w, tx->port, tx->queue, pkts, (uint16_t)n);
		sum += n;
	}
	return sum;
}
