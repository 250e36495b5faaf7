/* Where packets lie: the mbuf pool. */
#include <string.h>

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

/* Frees the memory that populate got, when the pool goes. */
static void
free_memory(struct rte_mempool_memhdr *chunk, void *zone)
{
	(void)chunk;
	rte_memzone_free(zone);
}

/* Mbufs side by side, as AF_XDP wants them: it knows the pool as one piece of memory of so many mbufs. DPDK's
 * own way leaves gaps, so that no mbuf lies across two pages; the flag says that they may. */
static int
populate(struct rte_mempool *pool)
{
	size_t size = (size_t)pool->size * (pool->header_size + pool->elt_size + pool->trailer_size);
	const struct rte_memzone *zone = rte_memzone_reserve_aligned(
		POOL_NAME, size, SOCKET_ID_ANY, RTE_MEMZONE_IOVA_CONTIG, RTE_MEMPOOL_ALIGN);
	int n;

	if (zone == NULL)
		return -rte_errno;
	n = rte_mempool_populate_iova(
		pool, zone->addr, zone->iova, size, free_memory, (void *)(uintptr_t)zone);
	if (n < 0)
		rte_memzone_free(zone);
	return n < 0 ? n : n == (int)pool->size ? 0 : -ENOMEM;
}

/* RTS: threads that share a CPU do not wait for one that lost it in the middle of a put. */
static struct rte_mempool *
create(const struct spx_setup *setup, uint16_t room, unsigned flags)
{
	struct rte_pktmbuf_pool_private sizes = {
		.mbuf_data_room_size = room, .mbuf_priv_size = sizeof(struct spx_meta)};
	struct rte_mempool *pool = rte_mempool_create_empty(POOL_NAME, setup->mbufs,
		(unsigned)(sizeof(struct rte_mbuf) + sizeof(struct spx_meta)) + room, cache_size(setup),
		sizeof(sizes), SOCKET_ID_ANY, flags);
	int r;

	if (pool == NULL)
		return NULL;
	r = rte_mempool_set_ops_byname(pool, "ring_mt_rts", NULL);
	if (r == 0) {
		rte_pktmbuf_pool_init(pool, &sizes);
		r = flags != 0 ? populate(pool) : RTE_MIN(rte_mempool_populate_default(pool), 0);
	}
	if (r < 0) {
		rte_mempool_free(pool);
		rte_errno = -r;
		return NULL;
	}
	rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	return pool;
}

/* The pool stays for the next run of this process, where it mostly fits: filling one takes longer than many a
 * trace; but not one that a device has kept mbufs of. */
int
spx_appliance_create_pool(struct spx_appliance *app, struct spx_error *err)
{
	uint32_t room = RTE_MBUF_DEFAULT_DATAROOM;
	unsigned flags = 0;
	uint16_t size;

	/* One byte more than the largest frame: a replay marks an oversize packet with it. */
	for (uint16_t i = 0; i < app->setup->n_ports; i++) {
		bool xdp = strcmp(app->setup->port[i].driver, "xdp") == 0;

		room = RTE_MAX(room, app->setup->port[i].max_frame + 1 + (xdp ? SPX_XDP_HEADROOM : 0));
		flags |= xdp ? RTE_MEMPOOL_F_NO_IOVA_CONTIG : 0;
	}
	size = (uint16_t)RTE_MIN(RTE_ALIGN_CEIL(room + RTE_PKTMBUF_HEADROOM, 64u), (uint32_t)UINT16_MAX);
	app->pool = rte_mempool_lookup(POOL_NAME);
	if (app->pool != NULL && app->pool->size == app->setup->mbufs &&
		rte_mempool_in_use_count(app->pool) == 0 && rte_pktmbuf_data_room_size(app->pool) == size &&
		(app->pool->flags & RTE_MEMPOOL_F_NO_IOVA_CONTIG) == flags)
		return 0;
	rte_mempool_free(app->pool);
	app->pool = create(app->setup, size, flags);
	if (app->pool == NULL)
		return spx_error(err, -ENOMEM,
			"no memory for %u mbufs of %u bytes (%s); raise memory.megabytes or lower "
			"memory.mbufs",
			app->setup->mbufs, size, rte_strerror(rte_errno));
	return 0;
}

/* Every packet has been sent or freed by now: what is missing in the pool, and is not with a device, has been
 * lost without a count. */
int
spx_appliance_check_pool(const struct spx_appliance *app, struct spx_error *err)
{
	unsigned missing = app->pool == NULL ? 0 : rte_mempool_in_use_count(app->pool), kept = 0;

	for (uint16_t i = 0; i < app->n_ports; i++)
		kept += app->port[i].kept;
	return missing <= kept
		       ? 0
		       : spx_error(err, -EPROTO, "%u mbufs did not come back to the pool", missing - kept);
}
