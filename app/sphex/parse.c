/* parse: headers to flow keys, hashes and layouts; lib/net does the work. */
#include "app/sphex/stages.h"

void
spx_stage_parse(struct spx_worker *w, struct spx_burst *b, const struct spx_net_options *net)
{
	(void)w;
	spx_net_parse(b, net);
	b->edit = b->miss = b->routed = b->resolved = 0;
	b->n_clones = 0;
}
