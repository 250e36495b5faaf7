/* The workers, which of them receives and sends by which queue of a port, or by which ring, and the queues of
 * shaped ports. */
#include <errno.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_malloc.h>

#include "app/sphex/appliance_internal.h"

#define HANDOVER_RING 2048u /* packets between two workers */

static struct rte_ring *
create_ring(const char *what, unsigned a, unsigned b, uint32_t size, unsigned flags, struct spx_error *err)
{
	char name[RTE_RING_NAMESIZE];
	struct rte_ring *ring;

	snprintf(name, sizeof(name), "%s_%u_%u", what, a, b);
	ring = rte_ring_create(name, size, SOCKET_ID_ANY, flags | RING_F_EXACT_SZ);
	if (ring == NULL)
		spx_error(err, -rte_errno,
			"no memory for the ring %s of %u packets (%s); raise memory.megabytes", name, size,
			rte_strerror(rte_errno));
	return ring;
}

/* The options parse needs for a worker's packets of a port. */
static struct spx_net_options
net_options(const struct spx_appliance *app, const struct spx_worker *w, const struct spx_port *port)
{
	struct spx_net_options options = {
		.seed = app->seed,
		.max_frame = port->options.max_frame,
		.verify_checksum = port->options.verify_checksum && !port->checksum_done,
	};

	options.table4 = spx_flow_lines4(w->cache, &options.lines4);
	return options;
}

/* Receive queues are dealt round-robin, so ports with one queue do not all end up with the first worker. */
static void
wire_receive(struct spx_appliance *app, struct spx_port *port)
{
	if (port->ops->rx_burst == NULL)
		return;
	for (uint16_t q = 0; q < port->rx_queues; q++) {
		struct spx_worker *w = app->worker[(port->id + q) % app->n_workers];

		w->rx[w->n_rx++] =
			(struct spx_worker_rx){.port = port, .queue = q, .net = net_options(app, w, port)};
	}
}

/* The queue of a port, on its owner's clock. */
static int
create_queue(struct spx_appliance *app, const struct spx_port *port, struct spx_error *err)
{
	const struct spx_setup_queue *wanted = &app->setup->port[port->id].queue;
	struct spx_worker *owner = app->worker[port->id % app->n_workers];
	int r;

	if (owner->shaped == 0)
		spx_clock_init(&owner->clock);
	r = spx_queue_create(&wanted->options, NS_PER_S, owner->clock.ns, &app->queue[port->id], err);
	if (r < 0)
		return spx_error_at(err, r, "port %s", port->options.name);
	owner->shaped |= spx_set_one(port->id);
	return 0;
}

/* Transmit queue q belongs to the worker that receive queue q belongs to. Where the port has fewer queues
 * than there are workers, the others hand over to one that has. A shaped port has one owner, and uses one. */
static int
wire_transmit(struct spx_appliance *app, struct spx_port *port, struct spx_error *err)
{
	const bool shaped = port->tx_queues > 0 && app->setup->port[port->id].queue.wanted;
	const uint16_t queues = shaped ? 1 : port->tx_queues;
	int r = shaped ? create_queue(app, port, err) : 0;

	if (r < 0)
		return r;
	for (uint16_t i = 0; i < app->n_workers && queues > 0; i++) {
		uint16_t queue = i % queues;
		struct spx_worker *w = app->worker[(port->id + i) % app->n_workers];
		struct spx_worker *owner = app->worker[(port->id + queue) % app->n_workers];
		struct rte_ring *ring = NULL;

		if (owner != w) {
			ring = create_ring("handover", w->id, port->id, HANDOVER_RING,
				RING_F_SP_ENQ | RING_F_SC_DEQ, err);
			if (ring == NULL)
				return -ENOMEM;
			app->handover[w->id][port->id] = ring;
			owner->handover[owner->n_handover++] =
				(struct spx_worker_handover){.ring = ring, .port = port->id};
		}
		w->tx[port->id] = (struct spx_worker_tx){
			.port = port, .queue = queue, .handover = ring, .port_queue = app->queue[port->id]};
	}
	return 0;
}

static int
no_memory(uint16_t worker, struct spx_error *err)
{
	return spx_error(err, -ENOMEM, "no memory for worker %u; raise memory.megabytes", worker);
}

static int
create_worker(struct spx_appliance *app, uint16_t id, struct spx_error *err)
{
	struct spx_worker *w = rte_zmalloc("worker", sizeof(*w), RTE_CACHE_LINE_SIZE);
	int r;

	if (w == NULL)
		return no_memory(id, err);
	app->worker[app->n_workers++] = w;
	w->id = id;
	w->burst = app->setup->burst;
	w->sleeps = app->setup->worker_idle == SPX_IDLE_SLEEP;
	w->pool = app->pool;
	w->qsbr = app->qsbr;
	w->config = &app->config;
	w->phase = &app->phase;
	w->exception = app->exception;
	w->tsc_zero = app->tsc_zero;
	w->ports_up = &app->ports_up;
	w->neighbours = app->neighbours;
	w->errors_left = SPX_ERRORS_A_SECOND;
	w->watcher.published = &app->watching.now;
	w->watcher.thread = id;
	w->ms_per_tsc = (uint64_t)(((unsigned __int128)1000 << 64) / rte_get_tsc_hz());
	w->action_counter = rte_calloc("actions", app->setup->n_actions, sizeof(*w->action_counter), 0);
	if (w->action_counter == NULL)
		return no_memory(id, err);
	w->inject = create_ring("inject", id, 0, app->setup->inject_ring, RING_F_SP_ENQ | RING_F_SC_DEQ, err);
	if (w->inject == NULL)
		return -ENOMEM;
	app->slowpath.inject[id] = w->inject;
	r = spx_appliance_create_cache(app, w, err);
	for (uint16_t p = 0; p < app->n_ports && r == 0; p++)
		w->inject_net[p] = net_options(app, w, &app->port[p]);
	return r;
}

/* A queue that fills takes its packets from all ports. */
static void
warn_of_few_mbufs(const struct spx_appliance *app)
{
	uint64_t sum = 0;

	for (uint16_t p = 0; p < app->n_ports; p++)
		if (app->queue[p] != NULL)
			sum += app->setup->port[p].queue.options.limit_packets;
	if (sum > app->setup->mbufs / 2)
		spx_log(SPX_LOG_WARNING,
			"the port queues may hold %lu of the %u mbufs; raise memory.mbufs to twice that, or "
			"lower "
			"limit_packets",
			sum, app->setup->mbufs);
}

int
spx_appliance_create_workers(struct spx_appliance *app, struct spx_error *err)
{
	int r = 0;

	app->exception = create_ring(
		"exception", 0, 0, app->setup->exception_ring, RING_F_MP_RTS_ENQ | RING_F_SC_DEQ, err);
	if (app->exception == NULL)
		return -ENOMEM;
	app->slowpath.exception = app->exception;
	app->slowpath.qsbr = app->qsbr;
	app->slowpath.watcher.published = &app->watching.now;
	app->slowpath.watcher.thread = SPX_WATCH_SLOWPATH;
	app->slowpath.n_workers = app->setup->workers;
	app->slowpath.local_port = app->setup->local_port;
	app->slowpath.config = &app->config;
	app->slowpath.neighbours = app->neighbours;
	app->slowpath.pool = app->pool;
	app->slowpath.tsc_zero = app->tsc_zero;
	app->slowpath.ms_per_tsc = (uint64_t)(((unsigned __int128)1000 << 64) / rte_get_tsc_hz());
	r = spx_slowpath_create(&app->slowpath, err);
	for (uint16_t i = 0; i < app->setup->workers && r == 0; i++)
		r = create_worker(app, i, err);
	for (uint16_t p = 0; p < app->n_ports && r == 0; p++) {
		wire_receive(app, &app->port[p]);
		if (app->port[p].tx_queues == 0)
			app->slowpath.mute |= spx_set_one(p);
		r = wire_transmit(app, &app->port[p], err);
	}
	if (r == 0)
		warn_of_few_mbufs(app);
	return r;
}
