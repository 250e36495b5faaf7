/* The live view: what went on in the last second, as a table on a terminal, as a line elsewhere. */
#ifndef SPX_LIVE_H
#define SPX_LIVE_H

#include "app/sphex/report.h"

struct spx_live {
	struct spx_report before;
	unsigned lines; /* of the table on the screen, to be written over */
	bool terminal;  /* standard output is one */
};

void spx_live_begin(struct spx_live *live);

/* Shows the time since the last call (or the start). Control thread. */
void spx_live_show(struct spx_live *live, const struct spx_appliance *app);

#endif
