/* What the files of the slow path share; see slowpath.h. */
#ifndef SPX_SLOW_INTERNAL_H
#define SPX_SLOW_INTERNAL_H

#include <rte_ether.h>

#include "app/sphex/slowpath.h"

/* ---- slow_send.c -----------------------------------------------------------------------------------------
 */

/* An mbuf for a frame of `length` bytes of the slow path's own, counted as generated; NULL when none is free.
 */
struct rte_mbuf *spx_slow_new(struct spx_slowpath *s, uint16_t length);

/* A complete frame goes out by a port. */
void spx_slow_send(struct spx_slowpath *s, struct rte_mbuf *m, uint16_t port);

/* The packet ends here for a reason. */
void spx_slow_drop(struct spx_slowpath *s, struct rte_mbuf *m, enum spx_drop reason);

/* The packet ends here, done with. */
void spx_slow_consume(struct spx_slowpath *s, struct rte_mbuf *m);

/* Whether one more answer may be given: takes it from what is left. */
bool spx_slow_take_one(struct spx_slow_budget *budget, uint64_t now_ms);

/* Does an IP packet come from a single station that can be answered? Not from a group's MAC address, a
 * multicast, broadcast or loopback address, nobody's, or one of ours, which the kernel behind the local port
 * has too. */
bool spx_slow_has_sender(const struct spx_slowpath *s, struct rte_mbuf *m);

/* ---- slow_neighbour.c: each takes the packet -------------------------------------------------------------
 */

/* Punted as `neighbour`: waits until spx_meta.gateway on out_port is known. */
void spx_slow_wait(struct spx_slowpath *s, struct rte_mbuf *m);

/* Workers send by themselves to those whom the burst of exceptions found known; or (not now) they go on
 * asking. */
void spx_slow_tell_known(struct spx_slowpath *s, bool now);

/* spx_neighbour_usable: what waits for the neighbour goes on. */
void spx_slow_let_go(void *slowpath, uint32_t index, uint64_t word);

/* A message says that the neighbour on that port has that MAC address (flags as spx_neighbour_heard). */
void spx_slow_heard(struct spx_slowpath *s, enum spx_route_family family, uint16_t port,
	const uint8_t address[SPX_ROUTE_ADDRESS_BYTES], const uint8_t mac[6], unsigned flags);

/* Time goes on: questions again, neighbours that did not answer; changes that control threads wait for. */
void spx_slow_tick(struct spx_slowpath *s);

/* ---- slow_arp.c, slow_nd.c -------------------------------------------------------------------------------
 */

void spx_slow_arp(struct spx_slowpath *s, struct rte_mbuf *m);
void spx_slow_nd(struct spx_slowpath *s, struct rte_mbuf *m); /* ICMPv6 types 133 to 137 */

/* Asks for the MAC address of a neighbour: everybody, or (mac not NULL) the one who should have it. */
void spx_slow_ask4(struct spx_slowpath *s, uint16_t port, const uint8_t address[4], const uint8_t *mac);
void spx_slow_ask6(struct spx_slowpath *s, uint16_t port, const uint8_t address[16], const uint8_t *mac);

/* ---- slow_icmp.c, slow_refuse.c --------------------------------------------------------------------------
 */

#define SPX_SLOW_TTL 64 /* of answers */

/* For an address of this node. Takes the packet. */
void spx_slow_local(struct spx_slowpath *s, struct rte_mbuf *m);

/* Tells the sender that the packet ended here, as RFC 1812 4.3.2 and RFC 4443 2.4 allow, and drops it for the
 * reason. */
void spx_slow_refuse(struct spx_slowpath *s, struct rte_mbuf *m, enum spx_drop reason);

/* ---- ICMPv6 as it lies in frames, at any address ---------------------------------------------------------
 */

struct spx_icmp6 {
	uint8_t type, code;
	uint16_t checksum;
	uint32_t mtu; /* packet too big; otherwise its own or 0 */
} __rte_packed;

/* Neighbour solicitation and advertisement. */
struct spx_nd {
	uint8_t type, code;
	uint16_t checksum;
	uint32_t flags; /* of an advertisement: ND_NA_FLAG_... */
	uint8_t target[16];
} __rte_packed;

/* ---- frames ----------------------------------------------------------------------------------------------
 */

/* The link-local address that a port has from its MAC address (RFC 4291 appendix A). */
static inline void
spx_slow_link_local(const struct spx_config_port *port, uint8_t address[16])
{
	memset(address, 0, 16);
	address[0] = 0xfe;
	address[1] = 0x80;
	memcpy(address + 8, port->mac, 3);
	address[8] ^= 2;
	address[11] = 0xff;
	address[12] = 0xfe;
	memcpy(address + 13, port->mac + 3, 3);
}

/* Is it an address of this node's on that port? */
static inline bool
spx_slow_is_ours(const struct spx_slowpath *s, enum spx_route_family family, uint16_t port,
	const uint8_t address[SPX_ROUTE_ADDRESS_BYTES])
{
	const struct spx_address *own = spx_address_find(&s->now->addresses, family, address);
	uint8_t link_local[16];

	if (own != NULL)
		return own->port == port;
	spx_slow_link_local(&s->now->port[port], link_local);
	return family == SPX_ROUTE_IPV6 && memcmp(address, link_local, sizeof(link_local)) == 0;
}

#endif
