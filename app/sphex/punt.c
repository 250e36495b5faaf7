/* punt: exceptions to the slow path, with what it has to know in the mbuf's private area. */
#include <string.h>

#include <rte_cycles.h>

#include "app/sphex/stages.h"

/* Whose MAC address is wanted: the gateway's, or that of the destination itself. */
static void
write_gateway(const struct spx_worker *w, const struct spx_burst *b, unsigned i, struct spx_meta *meta)
{
	const struct spx_next_hop *hop = &w->now->next_hop[b->next_hop[i]];

	if (hop->kind == SPX_NEXT_HOP_KIND_gateway)
		memcpy(meta->gateway, hop->gateway, sizeof(meta->gateway));
	else if (b->ipv4 & spx_set_one(i))
		memcpy(meta->gateway, b->key4[i].dip, sizeof(b->key4[i].dip));
	else
		memcpy(meta->gateway, b->key6[i].dip, sizeof(b->key6[i].dip));
}

static void
write_meta(const struct spx_worker *w, const struct spx_burst *b, unsigned i, uint64_t now)
{
	*spx_meta(b->pkt[i]) = (struct spx_meta){
		.time = now,
		.action = b->action[i],
		.in_port = b->in_port,
		.out_port = b->out_port[i],
		.layout = b->layout[i],
		.exception = b->exception[i],
		.stage = SPX_STAGE_punt,
		.trace = spx_meta(b->pkt[i])->trace,
	};
	if (b->exception[i] == SPX_EXCEPTION_neighbour)
		write_gateway(w, b, i, spx_meta(b->pkt[i]));
}

void
spx_stage_punt(struct spx_worker *w, struct spx_burst *b)
{
	struct rte_mbuf *pkts[SPX_BURST_MAX];
	uint8_t exception[SPX_BURST_MAX];
	unsigned i, n = 0, taken;
	uint64_t now;

	if (b->punt == 0)
		return;
	if (spx_watched(&w->watcher))
		spx_watch_punt(w, b);
	now = rte_rdtsc();
	SPX_FOREACH (i, b->punt) {
		write_meta(w, b, i, now);
		exception[n] = b->exception[i];
		pkts[n++] = b->pkt[i];
	}
	taken = rte_ring_enqueue_burst(w->exception, (void *const *)pkts, n, NULL);
	spx_count(&w->counters.punted, taken);
	for (i = 0; i < taken; i++)
		spx_count(&w->counters.exceptions[exception[i]], 1);
	spx_drop(w, b->in_port, pkts + taken, (uint16_t)(n - taken), SPX_DROP_punt_ring_full);
}
