/* The port of the end-to-end benchmarks: net_ring with its queues looped onto themselves, the cheapest port
 * there is (about 1 ns a packet), so that the figure is the forwarder's. */
#include <errno.h>

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "perf/reference/reference.h"

#define DESCRIPTORS 1024 /* net_ring ignores it */

static int
start(uint16_t id, struct rte_mempool *pool)
{
	struct rte_eth_conf none = {0};
	int rc = rte_eth_dev_configure(id, 1, 1, &none);

	if (rc == 0)
		rc = rte_eth_rx_queue_setup(id, 0, DESCRIPTORS, SOCKET_ID_ANY, NULL, pool);
	if (rc == 0)
		rc = rte_eth_tx_queue_setup(id, 0, DESCRIPTORS, SOCKET_ID_ANY, NULL);
	return rc == 0 ? rte_eth_dev_start(id) : rc;
}

struct rte_mempool *
reference_pool(const char *name, uint16_t private_bytes)
{
	/* No cache: nothing is allocated or freed on the way. */
	return rte_pktmbuf_pool_create(
		name, PACKETS_MBUFS, 0, private_bytes, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
}

int
reference_port_load(
	uint16_t id, struct rte_mempool *pool, const struct packets_flows *flows, struct spx_error *err)
{
	struct rte_mbuf *pkt[PACKETS_MBUFS];
	uint16_t sent;

	if (packets_alloc(flows, pool, pkt, PACKETS_MBUFS) != 0)
		return spx_error(err, -ENOMEM, "the pool does not hold %u packets", PACKETS_MBUFS);
	sent = rte_eth_tx_burst(id, 0, pkt, PACKETS_MBUFS);
	if (sent == PACKETS_MBUFS)
		return 0;
	rte_pktmbuf_free_bulk(pkt + sent, PACKETS_MBUFS - sent);
	return spx_error(err, -ENOSPC, "the port took %u of %u packets", sent, PACKETS_MBUFS);
}

void
reference_port_drain(uint16_t id)
{
	struct rte_mbuf *pkt[REFERENCE_BURST];
	uint16_t n;

	while ((n = rte_eth_rx_burst(id, 0, pkt, REFERENCE_BURST)) > 0)
		rte_pktmbuf_free_bulk(pkt, n);
}

int
reference_port_open(const char *name, struct reference_port *port, struct spx_error *err)
{
	int rc;

	port->pool = reference_pool(name, 0);
	if (port->pool == NULL)
		return spx_error(err, -rte_errno, "no mbufs for %s: %s", name, rte_strerror(rte_errno));
	rc = rte_eal_hotplug_add("vdev", name, "");
	if (rc == 0)
		rc = rte_eth_dev_get_port_by_name(name, &port->id);
	if (rc == 0)
		rc = start(port->id, port->pool);
	if (rc != 0) {
		rte_eal_hotplug_remove("vdev", name);
		rte_mempool_free(port->pool);
		*port = (struct reference_port){0};
		return spx_error(err, rc, "port %s does not start: %s", name, rte_strerror(-rc));
	}
	return 0;
}

void
reference_port_close(struct reference_port *port)
{
	char name[RTE_ETH_NAME_MAX_LEN];

	if (port->pool == NULL)
		return;
	reference_port_drain(port->id);
	rte_eth_dev_stop(port->id);
	rte_eth_dev_get_name_by_port(port->id, name);
	rte_eth_dev_close(port->id);
	rte_eal_hotplug_remove("vdev", name);
	rte_mempool_free(port->pool);
	*port = (struct reference_port){0};
}
