/* Where packets come from, go to and lie: the mbuf pool, the files of ports, and the ports. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <rte_errno.h>

#include "app/sphex/appliance_internal.h"

#define POOL_CACHE 256u /* most mbufs an lcore keeps for itself */
#define POOL_NAME  "sphex_pool"

/* Mbufs an lcore keeps for itself: so few that all lcores together cannot hold back half the pool (a cache
 * grows to one and a half times its size). */
static unsigned
cache_size(const struct spx_setup *setup)
{
	return RTE_MIN(setup->mbufs / (4u * (setup->workers + 1u)), POOL_CACHE);
}

/* The pool stays for the next run of this process, where it mostly fits: filling one takes longer than many a
 * trace. */
int
spx_appliance_create_pool(struct spx_appliance *app, struct spx_error *err)
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
int
spx_appliance_check_pool(const struct spx_appliance *app, struct spx_error *err)
{
	unsigned missing = app->pool == NULL ? 0 : rte_mempool_in_use_count(app->pool);

	return missing == 0 ? 0 : spx_error(err, -EPROTO, "%u mbufs did not come back to the pool", missing);
}

/* A capture must not write over a trace that is replayed, or over another capture, by whatever name. */
int
spx_appliance_check_files(const struct spx_appliance *app, struct spx_error *err)
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

int
spx_appliance_open_ports(struct spx_appliance *app, struct spx_error *err)
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

/* Every port that an action sends to must be able to send: some devices have no transmit queue. */
int
spx_appliance_check_actions(const struct spx_appliance *app, struct spx_error *err)
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
