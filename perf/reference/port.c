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

static int
load(const struct packets_flows *flows, const struct reference_port *port)
{
	struct rte_mbuf *pkt[PACKETS_MBUFS];
	unsigned sent = 0;

	if (packets_alloc(flows, port->pool, pkt, PACKETS_MBUFS) != 0)
		return -ENOMEM;
	while (sent < PACKETS_MBUFS) {
		uint16_t n = rte_eth_tx_burst(port->id, 0, pkt + sent, (uint16_t)(PACKETS_MBUFS - sent));

		if (n == 0) {
			rte_pktmbuf_free_bulk(pkt + sent, PACKETS_MBUFS - sent);
			return -ENOSPC;
		}
		sent += n;
	}
	return 0;
}

int
reference_port_open(const char *name, unsigned private, const struct packets_flows *flows,
	struct reference_port *port, struct spx_error *err)
{
	int rc;

	/* One mbuf more than a power of two wastes least; no cache: alloc and free are not on the way. */
	port->pool = rte_pktmbuf_pool_create(
		name, PACKETS_MBUFS * 2 - 1, 0, (uint16_t) private, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (port->pool == NULL)
		return spx_error(err, -rte_errno, "no mbufs for %s: %s", name, rte_strerror(rte_errno));
	rc = rte_eal_hotplug_add("vdev", name, "");
	if (rc != 0) {
		rte_mempool_free(port->pool);
		return spx_error(err, rc, "no port %s: %s", name, rte_strerror(-rc));
	}
	rc = rte_eth_dev_get_port_by_name(name, &port->id);
	if (rc == 0)
		rc = start(port->id, port->pool);
	if (rc == 0)
		rc = load(flows, port);
	if (rc != 0) {
		spx_error(err, rc, "port %s does not start: %s", name, rte_strerror(-rc));
		reference_port_close(port);
	}
	return rc;
}

void
reference_port_close(struct reference_port *port)
{
	struct rte_mbuf *pkt[REFERENCE_BURST];
	char name[RTE_ETH_NAME_MAX_LEN];
	uint16_t n;

	while ((n = rte_eth_rx_burst(port->id, 0, pkt, REFERENCE_BURST)) > 0)
		rte_pktmbuf_free_bulk(pkt, n);
	rte_eth_dev_stop(port->id);
	rte_eth_dev_get_name_by_port(port->id, name);
	rte_eth_dev_close(port->id);
	rte_eal_hotplug_remove("vdev", name);
	rte_mempool_free(port->pool);
}
