/* enqueue: the living and the mirror copies to the batches of their output ports. Of shaped ports they go on
 * from there to the port queues (shaped.c). */
#include <string.h>

#include "app/sphex/stages.h"

/* The whole burst goes out by one port, as between two ports it does. */
static bool
enqueue_all(struct spx_worker *w, const struct spx_burst *b)
{
	const uint16_t out = b->out_port[0];
	struct spx_tx_batch *batch;
	uint16_t others = 0;

	if (b->alive != spx_set_first(b->n))
		return false;
	for (unsigned i = 0; i < b->n; i++)
		others |= b->out_port[i] ^ out;
	if (others != 0)
		return false;
	batch = &w->batch[out];
	memcpy(&batch->pkt[batch->n], b->pkt, b->n * sizeof(struct rte_mbuf *));
	batch->n += b->n;
	w->batch_ports |= spx_set_one(out);
	return true;
}

/* Packets of one port mostly come in a row: its batch is opened once for each row. */
static void
enqueue_rows(struct spx_worker *w, const struct spx_burst *b)
{
	struct spx_tx_batch *batch = &w->batch[0]; /* any */
	uint16_t out = SPX_NO_PORT, n = batch->n;
	unsigned i;

	SPX_FOREACH (i, b->alive) {
		if (unlikely(b->out_port[i] != out)) {
			batch->n = n;
			out = b->out_port[i];
			batch = &w->batch[out];
			n = batch->n;
			w->batch_ports |= spx_set_one(out);
		}
		batch->pkt[n++] = b->pkt[i];
	}
	batch->n = n;
}

void
spx_stage_enqueue(struct spx_worker *w, struct spx_burst *b)
{
	unsigned i;

	if (b->alive != 0 && !enqueue_all(w, b))
		enqueue_rows(w, b);
	for (i = 0; i < b->n_clones; i++)
		spx_batch_add(w, b->clone_port[i], b->clone[i]);
	b->n_clones = 0;
}
