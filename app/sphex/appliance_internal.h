/* The parts that spx_appliance_create, spx_appliance_run and spx_appliance_free put together; nobody else
 * calls them. What can fail returns 0 or a negative errno with its text in err; what it made until then is
 * freed with the appliance.
 */
#ifndef SPX_APPLIANCE_INTERNAL_H
#define SPX_APPLIANCE_INTERNAL_H

#include "app/sphex/appliance.h"

/* ---- publish.c --------------------------------------------------------------------------------------- */

/* Rules as the setup has them; the first configuration is in force. */
int spx_appliance_create_rules(struct spx_appliance *app, struct spx_error *err);

/* Routes, addresses and the neighbour table, where the setup asks for any; after the ports are open. */
int spx_appliance_create_routes(struct spx_appliance *app, struct spx_error *err);

/* The neighbours of the setup, to be made by the slow path at its first turn; after the workers. */
int spx_appliance_set_neighbours(struct spx_appliance *app, struct spx_error *err);

void spx_config_free(struct spx_config *config); /* NULL may be given */

/* ---- appliance_ports.c ----------------------------------------------------------------------------- */

/* No capture writes over a trace that is replayed, or over another capture. */
int spx_appliance_check_files(const struct spx_appliance *app, struct spx_error *err);

int spx_appliance_create_pool(struct spx_appliance *app, struct spx_error *err);
int spx_appliance_open_ports(struct spx_appliance *app, struct spx_error *err);

/* The ports that actions send to can send. */
int spx_appliance_check_actions(const struct spx_appliance *app, struct spx_error *err);

/* At the end: every mbuf has come back. */
int spx_appliance_check_pool(const struct spx_appliance *app, struct spx_error *err);

/* ---- appliance_wiring.c ---------------------------------------------------------------------------- */

/* Workers with their rings and flow caches, and the queues that each has. */
int spx_appliance_create_workers(struct spx_appliance *app, struct spx_error *err);

/* ---- appliance_caches.c ---------------------------------------------------------------------------- */

/* A worker's flow cache and the ring of its ended flows. */
int spx_appliance_create_cache(struct spx_appliance *app, struct spx_worker *w, struct spx_error *err);

/* Caches and rings of all workers. */
void spx_appliance_free_caches(struct spx_appliance *app);

/* ---- drain.c --------------------------------------------------------------------------------------- */

/* True when no ring and no port queue holds a packet and nobody has one in hand. */
bool spx_drain_quiet(const struct spx_appliance *app);

/* After everything has stopped: what is still in rings and port queues is dropped with its reason, on the
 * side it belongs to.
 */
void spx_drain_drop_leftovers(struct spx_appliance *app);

#endif
