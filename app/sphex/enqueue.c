/* enqueue: the living and the mirror copies to the batches of their output ports. */
#include "app/sphex/stages.h"

void
spx_stage_enqueue(struct spx_worker *w, struct spx_burst *b)
{
	unsigned i;

	SPX_FOREACH (i, b->alive)
		spx_batch_add(w, b->out_port[i], b->pkt[i]);
	for (i = 0; i < b->n_clones; i++)
		spx_batch_add(w, b->clone_port[i], b->clone[i]);
	b->n_clones = 0;
}
