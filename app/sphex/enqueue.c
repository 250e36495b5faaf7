/* enqueue: the living and the mirror copies to the batches of their output ports. */
#include "app/sphex/stages.h"

/* Packets of one port mostly come in a row: the batch is looked up once for each row. */
void
spx_stage_enqueue(struct spx_worker *w, struct spx_burst *b)
{
	struct spx_tx_batch *batch = NULL;
	uint16_t out = SPX_NO_PORT;
	unsigned i;

	SPX_FOREACH (i, b->alive) {
		if (unlikely(b->out_port[i] != out)) {
			out = b->out_port[i];
			batch = &w->batch[out];
			w->batch_ports |= spx_set_one(out);
		}
		batch->pkt[batch->n++] = b->pkt[i];
	}
	for (i = 0; i < b->n_clones; i++)
		spx_batch_add(w, b->clone_port[i], b->clone[i]);
	b->n_clones = 0;
}
