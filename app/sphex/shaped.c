/* Shaped ports: from enqueue to the queue of the port, and from there to transmit when the port's rate allows
 * it.
 *
 * A shaped port has one owner among the workers. It fills the queue, with packets of its own bursts and those
 * of hand-over rings, and once a turn it sends what is due. What the port does not take stays in the queue.
 *
 * The queues' time is nanoseconds of a clock that is corrected as it goes: EAL's idea of the TSC's rate may
 * be off by more than a thousandth, and the rate of every port with it.
 */
#include <rte_cycles.h>

#include "app/sphex/stages.h"

#define BURSTS_A_TURN   4u  /* from one queue, so that no queue keeps the worker from receiving */
#define SYNC_CYCLES_LOG 31u /* the clock is corrected every 2^31 cycles, about once a second */

static uint64_t
now_ns(const struct spx_worker *w)
{
	return spx_clock_ns(&w->clock, rte_rdtsc());
}

void
spx_shaped_enqueue(struct spx_worker *w, uint16_t port, struct rte_mbuf **pkts, uint16_t n)
{
	uint16_t refused = spx_queue_enqueue(w->tx[port].port_queue, now_ns(w), pkts, n);

	spx_drop(w, port, pkts, refused, SPX_DROP_queue_full);
}

void
spx_shaped_take_batches(struct spx_worker *w)
{
	unsigned out;

	SPX_FOREACH (out, w->batch_ports & w->shaped) {
		struct spx_tx_batch *batch = &w->batch[out];

		spx_shaped_enqueue(w, (uint16_t)out, batch->pkt, batch->n);
		batch->n = 0;
	}
	w->batch_ports &= ~w->shaped;
}

/* One burst. Returns packets that left the queue. */
static uint16_t
send_due(struct spx_worker *w, const struct spx_worker_tx *tx, uint64_t now)
{
	struct rte_mbuf *pkts[SPX_BURST_MAX];
	uint64_t bytes;
	uint16_t n;

	if (unlikely(atomic_load_explicit(&tx->port->down, memory_order_relaxed))) {
		n = spx_queue_remove(tx->port_queue, pkts, SPX_BURST_MAX);
		spx_drop(w, tx->port->id, pkts, n, SPX_DROP_port_down);
		return n;
	}
	n = spx_queue_due(tx->port_queue, now, pkts, SPX_BURST_MAX);
	if (n == 0)
		return 0;
	n = spx_send(w, tx->port, tx->queue, pkts, n, &bytes);
	spx_queue_sent(tx->port_queue, n, bytes);
	return n;
}

unsigned
spx_shaped_transmit(struct spx_worker *w)
{
	unsigned out, sum = 0;

	SPX_FOREACH (out, w->shaped) {
		const struct spx_worker_tx *tx = &w->tx[out];
		uint16_t n = SPX_BURST_MAX;
		uint64_t now;

		if (spx_queue_depth(tx->port_queue) == 0)
			continue;
		now = now_ns(w);
		for (unsigned i = 0; i < BURSTS_A_TURN && n == SPX_BURST_MAX; i++) {
			n = send_due(w, tx, now);
			sum += n;
		}
	}
	return sum;
}

uint64_t
spx_shaped_wait(struct spx_worker *w)
{
	uint64_t now = now_ns(w), first = UINT64_MAX;
	unsigned out;

	SPX_FOREACH (out, w->shaped)
		first = RTE_MIN(first, spx_queue_wait(w->tx[out].port_queue, now));
	return first;
}

void
spx_shaped_housekeep(struct spx_worker *w)
{
	if (w->shaped != 0 && (rte_rdtsc() - w->clock.tsc) >> SYNC_CYCLES_LOG != 0)
		spx_clock_sync(&w->clock);
}
