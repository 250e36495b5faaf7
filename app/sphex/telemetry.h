/* Counters on the socket of DPDK's telemetry, beside those that DPDK itself has there. */
#ifndef SPX_TELEMETRY_H
#define SPX_TELEMETRY_H

#include "app/sphex/appliance.h"

/* From here on /sphex/ports, /sphex/stages, /sphex/drops and /sphex/cache answer for this appliance, of which
 * there is one at a time. Where EAL runs without telemetry nobody asks. Main thread. */
void spx_telemetry_begin(struct spx_appliance *app);

/* Nobody answers for it any more, and no answer is on its way. Before the appliance is freed. Main thread. */
void spx_telemetry_end(void);

#endif
