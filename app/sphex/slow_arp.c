/* ARP (RFC 826): answers for addresses of this node, questions for neighbours, and what others say; see
 * slowpath.h. */
#include <string.h>

#include <rte_arp.h>

#include "app/sphex/slow_internal.h"

#define FRAME 60u /* shortest frame without FCS */

static void
fill(struct rte_arp_hdr *arp, uint16_t operation, const uint8_t sender_mac[6], const uint8_t sender[4],
	const uint8_t *target_mac, const uint8_t target[4])
{
	static const uint8_t nobody[6];

	arp->arp_hardware = RTE_BE16(RTE_ARP_HRD_ETHER);
	arp->arp_protocol = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	arp->arp_hlen = RTE_ETHER_ADDR_LEN;
	arp->arp_plen = 4;
	arp->arp_opcode = rte_cpu_to_be_16(operation);
	memcpy(&arp->arp_data.arp_sha, sender_mac, 6);
	memcpy(&arp->arp_data.arp_sip, sender, 4);
	memcpy(&arp->arp_data.arp_tha, target_mac == NULL ? nobody : target_mac, 6);
	memcpy(&arp->arp_data.arp_tip, target, 4);
}

/* The EtherType stays, and with it a priority tag. */
static void
fill_macs(struct rte_ether_hdr *ethernet, const uint8_t *to, const uint8_t from[6])
{
	static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	memcpy(&ethernet->dst_addr, to == NULL ? everybody : to, 6);
	memcpy(&ethernet->src_addr, from, 6);
}

void
spx_slow_ask4(struct spx_slowpath *s, uint16_t port, const uint8_t address[4], const uint8_t *mac)
{
	uint8_t toward[SPX_ROUTE_ADDRESS_BYTES] = {0};
	const struct spx_address *own;
	struct rte_mbuf *m;
	uint8_t *frame;

	memcpy(toward, address, 4);
	own = spx_address_source(&s->now->addresses, SPX_ROUTE_IPV4, port, toward);
	if (own == NULL || (m = spx_slow_new(s, FRAME)) == NULL)
		return; /* asked again at the next tick */
	frame = rte_pktmbuf_mtod(m, uint8_t *);
	memset(frame, 0, FRAME);
	fill_macs((struct rte_ether_hdr *)frame, mac, s->now->port[port].mac);
	((struct rte_ether_hdr *)frame)->ether_type = RTE_BE16(RTE_ETHER_TYPE_ARP);
	fill((struct rte_arp_hdr *)(frame + sizeof(struct rte_ether_hdr)), RTE_ARP_OP_REQUEST,
		s->now->port[port].mac, own->address, NULL, address);
	spx_slow_send(s, m, port);
}

/* The question becomes the answer. */
static void
answer(struct spx_slowpath *s, struct rte_mbuf *m, uint8_t *frame, struct rte_arp_hdr *arp)
{
	const struct spx_config_port *port = &s->now->port[spx_meta(m)->in_port];
	uint8_t asker_mac[6], asker[4], ours[4];

	memcpy(asker_mac, &arp->arp_data.arp_sha, 6);
	memcpy(asker, &arp->arp_data.arp_sip, 4);
	memcpy(ours, &arp->arp_data.arp_tip, 4);
	fill_macs((struct rte_ether_hdr *)frame, asker_mac, port->mac);
	fill(arp, RTE_ARP_OP_REPLY, port->mac, ours, asker_mac, asker);
	spx_slow_send(s, m, spx_meta(m)->in_port);
}

/* parse has seen that the message is whole and of Ethernet and IPv4. */
void
spx_slow_arp(struct spx_slowpath *s, struct rte_mbuf *m)
{
	const struct spx_meta *meta = spx_meta(m);
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
	struct rte_arp_hdr *arp = (struct rte_arp_hdr *)(frame + meta->layout.l3);
	uint8_t sender[SPX_ROUTE_ADDRESS_BYTES] = {0}, target[SPX_ROUTE_ADDRESS_BYTES] = {0};
	unsigned flags = SPX_NEIGHBOUR_OVERRIDE;
	const bool plain = !spx_layout_in_vlan(&meta->layout);
	bool for_us;

	memcpy(sender, &arp->arp_data.arp_sip, 4);
	memcpy(target, &arp->arp_data.arp_tip, 4);
	if ((frame[6] & 1) != 0 || (arp->arp_data.arp_sha.addr_bytes[0] & 1) != 0) {
		spx_slow_drop(s, m, SPX_DROP_martian_source); /* an answer would go to a group */
		return;
	}
	for_us = plain && spx_slow_is_ours(s, SPX_ROUTE_IPV4, meta->in_port, target);
	if (for_us && arp->arp_opcode == RTE_BE16(RTE_ARP_OP_REPLY))
		flags |= SPX_NEIGHBOUR_SOLICITED;
	if (plain && !spx_slow_is_ours(s, SPX_ROUTE_IPV4, meta->in_port, sender))
		spx_slow_heard(
			s, SPX_ROUTE_IPV4, meta->in_port, sender, arp->arp_data.arp_sha.addr_bytes, flags);
	if (for_us && arp->arp_opcode == RTE_BE16(RTE_ARP_OP_REQUEST))
		answer(s, m, frame, arp);
	else
		spx_slow_consume(s, m);
}
