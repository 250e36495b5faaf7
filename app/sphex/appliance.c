/* Builds and frees what a run needs: pool, ports, rules, workers and the rings between them. */
#include "app/sphex/appliance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_malloc.h>

#define HANDOVER_RING 2048u /* packets between two workers */
#define POOL_CACHE    256u  /* most mbufs an lcore keeps for itself */
#define POOL_NAME     "sphex_pool"

uint64_t
spx_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- configuration --------------------------------------------------------------------------------- */

/* 1, 2, ...: 0 is left out. */
static uint32_t
next_rules_generation(const struct spx_config *old, bool answers_changed)
{
	uint32_t next = old == NULL ? 1 : old->rules_generation + answers_changed;

	return next == 0 ? 1 : next;
}

/* spx_rules_publish: a new generation with these rules takes over; returns when nobody reads the one before.
 * Flow caches go on with what they hold when the answers are the same. */
static void
publish_rules(void *arg, struct spx_rules *rules, bool answers_changed)
{
	struct spx_appliance *app = arg;
	uint32_t n = app->setup->n_actions;
	struct spx_config *old = app->config, *new = malloc(sizeof(*new) + n * sizeof(new->action[0]));

	if (new == NULL)
		abort(); /* a few hundred kilobytes at most; there is nothing sensible to go on with */
	new->generation = old == NULL ? 1 : old->generation + 1;
	new->rules_generation = next_rules_generation(old, answers_changed);
	new->rules = rules;
	new->has_rules = spx_rules_count(rules) > 0;
	new->n_actions = n;
	for (uint32_t i = 0; i < n; i++)
		new->action[i] = app->setup->action[i].action;
	atomic_store_explicit(&app->config, new, memory_order_release);
	rte_rcu_qsbr_synchronize(app->qsbr, RTE_QSBR_THRID_INVALID);
	free(old);
}

static int
create_rules(struct spx_appliance *app, struct spx_error *err)
{
	const struct spx_setup *setup = app->setup;
	size_t size = rte_rcu_qsbr_get_memsize(SPX_WORKERS_MAX);
	int r;

	app->qsbr = aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL(size, RTE_CACHE_LINE_SIZE));
	if (app->qsbr == NULL || rte_rcu_qsbr_init(app->qsbr, SPX_WORKERS_MAX) != 0)
		return spx_error(err, -ENOMEM, "no memory");
	r = spx_rule_table_create(setup->classifier, publish_rules, app, &app->rules, err);
	if (r == 0 && setup->rules.n > 0)
		r = spx_rule_table_set(app->rules, setup->rules.rule, setup->rules.n, err);
	return r;
}

/* ---- ports ----------------------------------------------------------------------------------------- */

/* Mbufs an lcore keeps for itself: so few that all lcores together cannot hold back half the pool (a cache
 * grows to one and a half times its size). */
static unsigned
cache_size(const struct spx_setup *setup)
{
	return RTE_MIN(setup->mbufs / (4u * (setup->workers + 1u)), POOL_CACHE);
}

/* The pool stays for the next run of this process, where it mostly fits: filling one takes longer than many a
 * trace. */
static int
create_pool(struct spx_appliance *app, struct spx_error *err)
{
	uint32_t room = RTE_MBUF_DEFAULT_DATAROOM;
	uint16_t size;

	/* One byte more than the largest frame: a replay marks an oversize packet with it. */
	for (uint16_t i = 0; i < app->setup->n_ports; i++)
		room = RTE_MAX(room, app->setup->port[i].max_frame + 1);
	size = (uint16_t)RTE_MIN(RTE_ALIGN_CEIL(room + RTE_PKTMBUF_HEADROOM, 64u), (uint32_t)UINT16_MAX);
	app->pool = rte_mempool_lookup(POOL_NAME);
	if (app->pool != NULL && app->pool->size == app->setup->mbufs &&
		rte_pktmbuf_data_room_size(app->pool) == size)
		return 0;
	rte_mempool_free(app->pool);
	/* RTS: threads that share a CPU do not wait for one that lost it in the middle of a put. */
	app->pool = rte_pktmbuf_pool_create_by_ops(POOL_NAME, app->setup->mbufs, cache_size(app->setup),
		sizeof(struct spx_meta), size, SOCKET_ID_ANY, "ring_mt_rts");
	if (app->pool == NULL)
		return spx_error(err, -ENOMEM,
			"no memory for %u mbufs of %u bytes (%s); raise memory.megabytes or lower "
			"memory.mbufs",
			app->setup->mbufs, size, rte_strerror(rte_errno));
	return 0;
}

/* Every packet has been sent or freed by now: what is missing in the pool has been lost without a count. */
static int
check_pool(const struct spx_appliance *app, struct spx_error *err)
{
	unsigned missing = app->pool == NULL ? 0 : rte_mempool_in_use_count(app->pool);

	return missing == 0 ? 0 : spx_error(err, -EPROTO, "%u mbufs did not come back to the pool", missing);
}

/* A capture must not write over a trace that is replayed, or over another capture, by whatever name. */
static int
check_files(const struct spx_appliance *app, struct spx_error *err)
{
	const struct spx_setup *setup = app->setup;
	struct stat a, b;

	for (uint16_t i = 0; i < setup->n_ports; i++) {
		if (strcmp(setup->port[i].driver, "capture") != 0 || stat(setup->port[i].file, &a) != 0)
			continue;
		if (!S_ISREG(a.st_mode))
			return spx_error(err, -EINVAL,
				"port %s: %s is no regular file; a file to write expected",
				setup->port[i].name, setup->port[i].file);
		for (uint16_t k = 0; k < setup->n_ports; k++)
			if (k != i && setup->port[k].file != NULL && stat(setup->port[k].file, &b) == 0 &&
				a.st_dev == b.st_dev && a.st_ino == b.st_ino)
				return spx_error(err, -EINVAL,
					"port %s: %s is the file of port %s too; a file of its own expected",
					setup->port[i].name, setup->port[i].file, setup->port[k].name);
	}
	return 0;
}

static int
open_ports(struct spx_appliance *app, struct spx_error *err)
{
	for (uint16_t i = 0; i < app->setup->n_ports; i++) {
		const struct spx_setup_port *wanted = &app->setup->port[i];
		struct spx_port_options options = {
			.driver = wanted->driver,
			.id = i,
			.workers = app->setup->workers,
			.max_frame = wanted->max_frame,
			.verify_checksum = wanted->verify_checksum,
			.pool = app->pool,
			.device = wanted->device,
			.rx_descriptors = wanted->rx_descriptors,
			.tx_descriptors = wanted->tx_descriptors,
			.promiscuous = wanted->promiscuous,
			.file = wanted->file,
			.passes = wanted->passes,
			.speed = wanted->speed,
			.snap = wanted->snap,
			.seed = &app->seed,
		};
		int r;

		memcpy(options.name, wanted->name, sizeof(options.name));
		r = spx_port_open(&app->port[i], &options, err);
		if (r < 0)
			return r;
		app->n_ports++;
	}
	return 0;
}

/* ---- wiring ---------------------------------------------------------------------------------------- */

static struct rte_ring *
create_ring(const char *what, unsigned a, unsigned b, uint32_t size, unsigned flags, struct spx_error *err)
{
	char name[RTE_RING_NAMESIZE];
	struct rte_ring *ring;

	snprintf(name, sizeof(name), "%s_%u_%u", what, a, b);
	ring = rte_ring_create(name, size, SOCKET_ID_ANY, flags | RING_F_EXACT_SZ);
	if (ring == NULL)
		spx_error(err, -rte_errno, "no memory for the ring %s of %u packets (%s)", name, size,
			rte_strerror(rte_errno));
	return ring;
}

/* The options parse needs for packets of a port. */
static struct spx_net_options
net_options(const struct spx_appliance *app, const struct spx_port *port)
{
	return (struct spx_net_options){
		.seed = app->seed,
		.max_frame = port->options.max_frame,
		.verify_checksum = port->options.verify_checksum && !port->checksum_done,
	};
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
			(struct spx_worker_rx){.port = port, .queue = q, .net = net_options(app, port)};
	}
}

/* Transmit queue q belongs to the worker that receive queue q belongs to. Where the port has fewer queues
 * than there are workers, the others hand over to one that has. */
static int
wire_transmit(struct spx_appliance *app, struct spx_port *port, struct spx_error *err)
{
	for (uint16_t i = 0; i < app->n_workers && port->tx_queues > 0; i++) {
		uint16_t queue = i % port->tx_queues;
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
		w->tx[port->id] = (struct spx_worker_tx){.port = port, .queue = queue, .handover = ring};
	}
	return 0;
}

/* Every port that an action sends to must be able to send: some devices have no transmit queue. */
static int
check_actions(const struct spx_appliance *app, struct spx_error *err)
{
	for (uint32_t i = 0; i < app->setup->n_actions; i++) {
		const struct spx_setup_action *a = &app->setup->action[i];
		bool forwards = a->action.verdict == SPX_VERDICT_FORWARD;

		if (forwards && app->port[a->action.port].tx_queues == 0)
			return spx_error(err, -EINVAL, "action %s: port %s cannot send", a->name,
				app->setup->port[a->action.port].name);
		if (a->action.mirror != SPX_NO_PORT && app->port[a->action.mirror].tx_queues == 0)
			return spx_error(err, -EINVAL, "action %s: its mirror port %s cannot send", a->name,
				app->setup->port[a->action.mirror].name);
	}
	return 0;
}

static struct spx_worker *
create_worker(struct spx_appliance *app, uint16_t id, struct spx_error *err)
{
	struct spx_worker *w = rte_zmalloc("worker", sizeof(*w), RTE_CACHE_LINE_SIZE);

	if (w == NULL)
		return NULL;
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
	w->ms_per_tsc = (uint64_t)(((unsigned __int128)1000 << 64) / rte_get_tsc_hz());
	w->action_counter = rte_calloc("actions", app->setup->n_actions, sizeof(*w->action_counter), 0);
	w->inject = create_ring("inject", id, 0, app->setup->inject_ring, RING_F_SP_ENQ | RING_F_SC_DEQ, err);
	app->slowpath.inject[id] = w->inject;
	for (uint16_t p = 0; p < app->n_ports; p++)
		w->inject_net[p] = net_options(app, &app->port[p]);
	if (w->action_counter == NULL || w->inject == NULL)
		return NULL;
	return spx_appliance_create_cache(app, w, err) < 0 ? NULL : w;
}

static int
create_workers(struct spx_appliance *app, struct spx_error *err)
{
	int r = 0;

	app->exception = create_ring(
		"exception", 0, 0, app->setup->exception_ring, RING_F_MP_RTS_ENQ | RING_F_SC_DEQ, err);
	if (app->exception == NULL)
		return -ENOMEM;
	app->slowpath.exception = app->exception;
	for (uint16_t i = 0; i < app->setup->workers; i++) {
		spx_error(err, -ENOMEM, "no memory for worker %u; raise memory.megabytes", i);
		if (create_worker(app, i, err) == NULL)
			return -ENOMEM;
	}
	for (uint16_t p = 0; p < app->n_ports && r == 0; p++) {
		wire_receive(app, &app->port[p]);
		r = wire_transmit(app, &app->port[p], err);
	}
	return r;
}

/* ---- life ------------------------------------------------------------------------------------------ */

int
spx_appliance_create(const struct spx_setup *setup, struct spx_appliance **out, struct spx_error *err)
{
	struct spx_appliance *app = calloc(1, sizeof(*app));
	int r;

	if (app == NULL)
		return spx_error(err, -ENOMEM, "no memory");
	app->setup = setup;
	app->tsc_zero = rte_rdtsc();
	if (setup->hash_seed != 0)
		spx_hash_seed_from(&app->seed, setup->hash_seed);
	else if ((r = spx_hash_seed_draw(&app->seed)) < 0) {
		spx_error(err, r, "the kernel gave no random numbers (%s)", strerror(-r));
		goto failed;
	}
	if ((r = check_files(app, err)) < 0 || (r = create_rules(app, err)) < 0 ||
		(r = create_pool(app, err)) < 0 || (r = open_ports(app, err)) < 0 ||
		(r = check_actions(app, err)) < 0 || (r = create_workers(app, err)) < 0)
		goto failed;
	*out = app;
	return 0;
failed:
	spx_appliance_free(app, NULL);
	return r;
}

int
spx_appliance_free(struct spx_appliance *app, struct spx_error *err)
{
	int first = 0;

	for (uint16_t p = 0; p < app->n_ports; p++) {
		int r = spx_port_close(&app->port[p], first == 0 ? err : NULL);

		first = first == 0 ? r : first;
	}
	spx_appliance_free_caches(app);
	for (uint16_t i = 0; i < app->n_workers; i++) {
		for (uint16_t p = 0; p < app->n_ports; p++)
			rte_ring_free(app->handover[i][p]);
		rte_ring_free(app->worker[i]->inject);
		rte_free(app->worker[i]->action_counter);
		rte_free(app->worker[i]);
	}
	rte_ring_free(app->exception);
	spx_rule_table_destroy(app->rules);
	if (first == 0)
		first = check_pool(app, err);
	free(app->config);
	free(app->qsbr);
	free(app);
	return first;
}
