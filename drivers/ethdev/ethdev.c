/* Ports that are DPDK devices: a NIC by its PCI address, or a virtual device such as net_null0, net_ring0,
 * net_af_packet0,iface=veth0, net_tap0.
 *
 * What a device lacks is negotiated down and said in the log: fewer queues than workers, no RSS, no checksum
 * offload, a smaller largest frame. What cannot be done without (the device itself, queues, start) is an
 * error.
 *
 * Drivers that are a DPDK device and something more are made of the same parts (ethdev.h).
 */
#include <errno.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_ethdev.h>

#include "drivers/ethdev/ethdev.h"

#define DESCRIPTORS    1024u  /* per queue, where neither the user nor the driver has a wish */
#define DRAIN_MAX      4096u  /* packets freed from a receive queue at the end; a multiple of SPX_BURST_MAX */
#define SEND_OUT_US    10000u /* for frames in a full transmit ring to leave before the device stops */
#define FRAME_OVERHEAD 22u    /* Ethernet header and two VLAN tags: frame = MTU + this */

uint16_t
spx_ethdev_rx_burst(struct spx_port *p, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	const struct spx_ethdev *e = p->state;

	return rte_eth_rx_burst(e->port_id, queue, pkts, n);
}

uint16_t
spx_ethdev_tx_burst(struct spx_port *p, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	const struct spx_ethdev *e = p->state;

	return rte_eth_tx_burst(e->port_id, queue, pkts, n);
}

/* The largest MTU that rte_eth_dev_configure lets through: it counts the link header the way the driver does,
 * as the difference of two limits, and as Ethernet with FCS where the driver names no MTU. */
static uint16_t
largest_mtu(const struct rte_eth_dev_info *info)
{
	uint32_t header = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;

	if (info->max_mtu != UINT16_MAX && info->max_rx_pktlen > info->max_mtu)
		header = info->max_rx_pktlen - info->max_mtu;
	return (uint16_t)RTE_MIN((uint32_t)info->max_mtu, info->max_rx_pktlen - header);
}

/* The configuration both sides can agree on. */
static void
negotiate(struct spx_port *p, const struct rte_eth_dev_info *info, struct rte_eth_conf *conf)
{
	const char *name = p->options.name;

	p->rx_queues = RTE_MIN(p->options.workers, info->max_rx_queues);
	p->tx_queues = RTE_MIN(p->options.workers, info->max_tx_queues);
	if (p->rx_queues < p->options.workers || p->tx_queues < p->options.workers)
		spx_log(SPX_LOG_INFO, "port %s: %u receive and %u transmit queues for %u workers", name,
			p->rx_queues, p->tx_queues, p->options.workers);
	if (p->rx_queues > 1) {
		conf->rx_adv_conf.rss_conf.rss_hf =
			(RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP) & info->flow_type_rss_offloads;
		if (conf->rx_adv_conf.rss_conf.rss_hf != 0)
			conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		else
			spx_log(SPX_LOG_INFO,
				"port %s: no RSS; the device spreads packets over its queues as it likes",
				name);
	}
	if (p->options.verify_checksum && (info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM)) {
		conf->rxmode.offloads |= RTE_ETH_RX_OFFLOAD_IPV4_CKSUM;
		p->checksum_done = true;
	} else if (p->options.verify_checksum) {
		spx_log(SPX_LOG_INFO, "port %s: no checksum offload; IPv4 checksums are verified in software",
			name);
	}
	conf->txmode.offloads = info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	conf->rxmode.mtu = (uint16_t)(p->options.max_frame - FRAME_OVERHEAD);
	conf->rxmode.mtu = RTE_MAX(conf->rxmode.mtu, info->min_mtu); /* parse drops what is too long for us */
	if (conf->rxmode.mtu > largest_mtu(info)) {
		conf->rxmode.mtu = largest_mtu(info);
		p->options.max_frame = conf->rxmode.mtu + FRAME_OVERHEAD;
		spx_log(SPX_LOG_INFO, "port %s: the device takes frames of up to %u bytes", name,
			p->options.max_frame);
	}
}

static int
setup_queues(struct spx_port *p, uint16_t port_id, struct spx_error *err)
{
	uint16_t rx = p->options.rx_descriptors != 0 ? p->options.rx_descriptors : DESCRIPTORS;
	uint16_t tx = p->options.tx_descriptors != 0 ? p->options.tx_descriptors : DESCRIPTORS;
	int socket = rte_eth_dev_socket_id(port_id);
	int r = rte_eth_dev_adjust_nb_rx_tx_desc(port_id, &rx, &tx);

	if (r < 0)
		return spx_error(
			err, r, "the device refuses %u and %u descriptors (%s)", rx, tx, strerror(-r));
	for (uint16_t q = 0; q < p->rx_queues; q++) {
		r = rte_eth_rx_queue_setup(port_id, q, rx, (unsigned)socket, NULL, p->options.pool);
		if (r < 0)
			return spx_error(err, r, "receive queue %u of %u packets: %s; %s", q, rx,
				strerror(-r),
				r == -ENOMEM ? "raise memory.mbufs, of which every receive queue takes as "
					       "many, or lower rx_descriptors or workers"
					     : "fewer workers, fewer rx_descriptors or a smaller max_frame "
					       "may help");
	}
	for (uint16_t q = 0; q < p->tx_queues; q++) {
		r = rte_eth_tx_queue_setup(port_id, q, tx, (unsigned)socket, NULL);
		if (r < 0)
			return spx_error(err, r,
				"transmit queue %u: %s; fewer workers or tx_descriptors may help", q,
				strerror(-r));
	}
	return 0;
}

static int
configure(struct spx_port *p, uint16_t port_id, struct spx_error *err)
{
	struct rte_eth_conf conf = {0};
	struct rte_eth_dev_info info;
	int r = rte_eth_dev_info_get(port_id, &info);

	if (r < 0)
		return spx_error(err, r, "the device does not say what it can do (%s)", strerror(-r));
	negotiate(p, &info, &conf);
	r = rte_eth_dev_configure(port_id, p->rx_queues, p->tx_queues, &conf);
	if (r < 0)
		return spx_error(err, r,
			"the device refuses %u receive and %u transmit queues with frames up to %u "
			"bytes (%s)",
			p->rx_queues, p->tx_queues, p->options.max_frame, strerror(-r));
	r = setup_queues(p, port_id, err);
	if (r < 0)
		return r;
	r = rte_eth_dev_start(port_id);
	if (r < 0)
		return spx_error(err, r, "the device does not start (%s)%s", strerror(-r),
			r == -ENOMEM ? "; raise memory.mbufs or lower rx_descriptors or workers" : "");
	if (p->options.promiscuous && rte_eth_promiscuous_enable(port_id) < 0)
		spx_log(SPX_LOG_INFO, "port %s: no promiscuous mode; only frames to its own address arrive",
			p->options.name);
	return 0;
}

/* Frees what waits in receive queues: a software ring would keep it. Bounded, as some devices never run dry.
 */
static void
drain_receive(const struct spx_port *p, uint16_t port_id)
{
	struct rte_mbuf *pkts[SPX_BURST_MAX];

	for (uint16_t q = 0; q < p->rx_queues; q++)
		for (unsigned left = DRAIN_MAX; left > 0; left -= SPX_BURST_MAX) {
			uint16_t n = rte_eth_rx_burst(port_id, q, pkts, SPX_BURST_MAX);

			if (n == 0)
				break;
			rte_pktmbuf_free_bulk(pkts, n);
		}
}

/* EAL's interrupt thread: a device that can be pulled out was. */
static int
on_removal(uint16_t port_id, enum rte_eth_event_type event, void *arg, void *unused)
{
	struct spx_ethdev *e = arg;

	(void)port_id;
	(void)event;
	(void)unused;
	atomic_store(&e->removed, true);
	return 0;
}

int
spx_ethdev_stop(struct spx_port *p, struct spx_error *err)
{
	struct spx_ethdev *e = p->state;
	struct rte_eth_dev_info info;
	struct rte_device *device = rte_eth_dev_info_get(e->port_id, &info) == 0 ? info.device : NULL;
	int r = 0;

	while (rte_eth_dev_callback_unregister(e->port_id, RTE_ETH_EVENT_INTR_RMV, on_removal, e) == -EAGAIN)
		sched_yield(); /* it is being called: e must be there until it returns */
	if (e->started) {
		rte_delay_us_sleep(SEND_OUT_US);
		drain_receive(p, e->port_id);
		r = rte_eth_dev_stop(e->port_id);
	}
	rte_eth_dev_close(e->port_id);
	if (device != NULL)
		rte_dev_remove(device);
	pthread_mutex_destroy(&e->asking);
	return r < 0 ? spx_error(err, r, "the device did not stop (%s)", strerror(-r)) : 0;
}

/* What routing has to know: the MAC address, and the longest packet that the device and the interface below
 * take. */
static void
learn_link(struct spx_port *p, const struct spx_ethdev *e)
{
	struct rte_ether_addr mac;
	struct ifreq request = {0};
	int fd;

	if (rte_eth_macaddr_get(e->port_id, &mac) == 0)
		memcpy(p->mac, mac.addr_bytes, sizeof(p->mac));
	rte_eth_dev_get_mtu(e->port_id, &p->mtu);
	if (e->if_index == 0 || if_indextoname(e->if_index, request.ifr_name) == NULL)
		return;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && ioctl(fd, SIOCGIFMTU, &request) == 0)
		p->mtu = (uint16_t)RTE_MIN((int)p->mtu, request.ifr_mtu);
	if (fd >= 0)
		close(fd);
}

int
spx_ethdev_start(struct spx_port *p, struct spx_ethdev *e, const char *device, struct spx_error *err)
{
	struct rte_eth_dev_info info;
	int r = spx_ethdev_attach(device, &e->port_id, err);

	if (r < 0)
		return r;
	pthread_mutex_init(&e->asking, NULL);
	p->state = e;
	r = configure(p, e->port_id, err);
	if (r < 0) {
		spx_ethdev_stop(p, NULL);
		return r;
	}
	e->started = true;
	rte_eth_dev_callback_register(e->port_id, RTE_ETH_EVENT_INTR_RMV, on_removal, e);
	if (rte_eth_dev_info_get(e->port_id, &info) == 0) {
		e->tap = strcmp(info.driver_name, "net_tap") == 0;
		e->if_index = e->tap ? 0 : info.if_index;
	}
	learn_link(p, e);
	return 0;
}

static int
ethdev_close(struct spx_port *p, struct spx_error *err)
{
	int r = spx_ethdev_stop(p, err);

	free(p->state);
	return r;
}

static int
ethdev_open(struct spx_port *p, struct spx_error *err)
{
	struct spx_ethdev *e = calloc(1, sizeof(*e));
	int r;

	if (e == NULL)
		return spx_error(err, -ENOMEM, "no memory");
	r = spx_ethdev_start(p, e, p->options.device, err);
	if (r < 0)
		free(e);
	return r;
}

/* Whether the kernel's interface is there, up and with carrier. DPDK's drivers for such interfaces do not
 * notice. */
static bool
interface_up(unsigned if_index)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {0};
	bool up;

	if (fd < 0)
		return true; /* no descriptor left is no news of the interface */
	up = if_indextoname(if_index, request.ifr_name) != NULL && ioctl(fd, SIOCGIFFLAGS, &request) == 0 &&
	     (request.ifr_flags & IFF_UP) != 0 && (request.ifr_flags & IFF_RUNNING) != 0;
	close(fd);
	return up;
}

bool
spx_ethdev_up(const struct spx_port *p)
{
	struct spx_ethdev *e = p->state;
	struct rte_eth_link link;
	bool down;

	if (atomic_load(&e->removed))
		return false;
	if (e->tap)
		return true;
	pthread_mutex_lock(&e->asking);
	down = rte_eth_link_get_nowait(e->port_id, &link) == 0 && link.link_status == RTE_ETH_LINK_DOWN;
	pthread_mutex_unlock(&e->asking);
	if (down)
		return false;
	return e->if_index == 0 || interface_up(e->if_index);
}

void
spx_ethdev_stats(struct spx_port *p, struct spx_port_stats *stats)
{
	struct spx_ethdev *e = p->state;
	struct rte_eth_stats s;
	int r;

	*stats = (struct spx_port_stats){0};
	pthread_mutex_lock(&e->asking);
	r = rte_eth_stats_get(e->port_id, &s);
	pthread_mutex_unlock(&e->asking);
	if (r == 0)
		*stats = (struct spx_port_stats){
			.missed = s.imissed, .no_mbuf = s.rx_nombuf, .errors = s.ierrors + s.oerrors};
}

const struct spx_port_ops spx_ethdev_ops = {
	.name = "ethdev",
	.open = ethdev_open,
	.rx_burst = spx_ethdev_rx_burst,
	.tx_burst = spx_ethdev_tx_burst,
	.stats = spx_ethdev_stats,
	.up = spx_ethdev_up,
	.close = ethdev_close,
};
