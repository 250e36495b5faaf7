/* receive: port to burst. */
#include "app/sphex/stages.h"

bool
spx_stage_receive(struct spx_worker *w, struct spx_burst *b, const struct spx_worker_rx *rx)
{
	struct spx_port_counter *counter = &w->counters.port[rx->port->id];
	uint64_t bytes = 0;

	b->n = rx->port->ops->rx_burst(rx->port, rx->queue, b->pkt, w->burst);
	if (b->n == 0)
		return false;
	b->in_port = rx->port->id;
	b->alive = spx_set_first(b->n);
	b->traced = 0;
#pragma GCC unroll 4
	for (uint16_t i = 0; i < b->n; i++)
		bytes += b->pkt[i]->pkt_len;
	spx_count(&w->counters.received, b->n);
	spx_count(&counter->rx_packets, b->n);
	spx_count(&counter->rx_bytes, bytes);
	return true;
}
