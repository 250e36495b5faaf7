/* enqueue: the living and the mirror copies to the batches of their output ports. Of shaped ports they go on
 * from there to the port queues (shaped.c). */
#include "app/sphex/stages.h"

/* Packets of one port mostly come in a row: its batch is opened once for each row. */
void
spx_stage_enqueue(struct spx_worker *w, struct spx_burst *b)
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
	for (i = 0; i < b->n_clones; i++)
		spx_batch_add(w, b->clone_port[i], b->clone[i]);
	b->n_clones = 0;
}
