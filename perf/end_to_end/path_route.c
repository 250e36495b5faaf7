/* The routes of the whole way: the same 10,000 on both sides, by 64 gateways that are resolved.
 *
 * A /8 for every first byte of a unicast address, so that each flow has a route, and prefixes of 16 to 24
 * bits, three of four around the destination of a flow, the others anywhere.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ethdev.h>

#include "perf/end_to_end/path.h"
#include "test/common/rule_sets.h"

#define ROUTE_SEED 9
#define MTU        1500

/* ---- flows ----------------------------------------------------------------------------------------- */

static bool
is_unicast(unsigned first)
{
	return first > 0 && first < 224 && first != 127;
}

static bool
is_routed(const uint8_t ip[4])
{
	return is_unicast(ip[0]) && !(ip[0] == 169 && ip[1] == 254);
}

void
path_route_draw(void *arg, uint64_t *random, struct spx_key4 *key)
{
	const struct spx_rule_list *list = arg;

	do
		rule_sets_key4(&list->rule[spx_random(random) % list->n], random, key);
	while (!is_routed(key->sip) || !is_routed(key->dip));
}

/* ---- routes ---------------------------------------------------------------------------------------- */

/* Nobody reads while the bench changes routes. */
static void
publish(void *arg, struct spx_routes *routes)
{
	((struct path *)arg)->config->routes = routes;
}

static struct reference_route
draw_route(const struct path *p, uint64_t *random)
{
	struct reference_route route = {.length = (uint8_t)(16 + spx_random(random) % 9),
		.next_hop = (uint8_t)(1 + spx_random(random) % REFERENCE_NEXT_HOPS)};
	uint32_t flow = (uint32_t)(spx_random(random) % p->flows.n);

	if (spx_random(random) % 4 != 0) {
		memcpy(&route.ip, p->flows.flow[flow].dip, sizeof(route.ip));
		route.ip = rte_be_to_cpu_32(route.ip);
	} else {
		route.ip = (uint32_t)spx_random(random);
	}
	route.ip &= UINT32_MAX << (32 - route.length);
	return route;
}

/* The gateway's last byte is its number. */
static int
add_route(struct path *p, const struct reference_route *route, struct spx_error *err)
{
	const uint32_t ip = rte_cpu_to_be_32(route->ip);
	struct spx_route_change change = {.operation = SPX_ROUTE_ADD,
		.route = {.family = SPX_ROUTE_IPV4,
			.length = route->length,
			.n_paths = 1,
			.path = {{.kind = SPX_NEXT_HOP_KIND_gateway,
				.gateway = {10, 0, 0, route->next_hop}}}}};

	memcpy(change.route.address, &ip, sizeof(ip));
	return spx_route_table_change(p->table, &change, 1, err);
}

static int
add_routes(struct path *p, struct spx_error *err)
{
	uint64_t random = ROUTE_SEED;
	uint32_t n = 0;

	for (unsigned first = 0; first < 256; first++) {
		if (!is_unicast(first))
			continue;
		p->routes[n] = (struct reference_route){.ip = first << 24,
			.length = 8,
			.next_hop = (uint8_t)(1 + first % REFERENCE_NEXT_HOPS)};
		if (add_route(p, &p->routes[n++], err) < 0)
			return -EINVAL;
	}
	while (n < PATH_ROUTES) {
		int rc;

		p->routes[n] = draw_route(p, &random);
		rc = add_route(p, &p->routes[n], err);
		if (rc == 0)
			n++;
		else if (rc != -EEXIST) /* drawn before */
			return rc;
	}
	return 0;
}

/* As the slow path does it when a gateway answers. */
static int
resolve(struct path *p, struct spx_error *err)
{
	for (unsigned i = 1; i <= REFERENCE_NEXT_HOPS; i++) {
		const uint8_t gateway[SPX_ROUTE_ADDRESS_BYTES] = {10, 0, 0, (uint8_t)i};
		const struct rte_ether_addr mac = reference_next_hop_mac(i);
		uint64_t word = spx_neighbour_word(SPX_NEIGHBOUR_permanent, mac.addr_bytes);

		if (spx_route_resolve(p->config->routes, SPX_ROUTE_IPV4, 0, gateway, word) != 1)
			return spx_error(err, -EINVAL, "no route goes by gateway %u", i);
	}
	return 0;
}

int
path_route_create(struct path *p, struct spx_error *err)
{
	static const struct spx_action route = {
		.verdict = SPX_VERDICT_ROUTE, .flags = SPX_ACTION_COUNT, .mirror = SPX_NO_PORT};
	const struct spx_route_options options = {
		.routes4 = PATH_ROUTES, .tbl8_4 = 64, .socket = SOCKET_ID_ANY};
	struct spx_config_port *port = &p->config->port[0];
	int rc;

	for (uint32_t i = 0; i < p->config->n_actions; i++)
		p->config->action[i] = route;
	memset(port->mac, PACKETS_ROUTER, sizeof(port->mac));
	port->mtu = MTU;
	port->addressed = true;
	p->routes = calloc(PATH_ROUTES, sizeof(*p->routes));
	if (p->routes == NULL)
		return spx_error(err, -ENOMEM, "no memory for %d routes", PATH_ROUTES);
	rc = spx_route_table_create(&options, publish, p, &p->table, err);
	if (rc == 0)
		rc = add_routes(p, err);
	if (rc < 0)
		return rc;
	p->config->next_hop = spx_route_next_hops(p->config->routes);
	return resolve(p, err);
}

void
path_route_free(struct path *p)
{
	spx_route_table_destroy(p->table);
	free(p->routes);
}

/* ---- check ----------------------------------------------------------------------------------------- */

/* The frame of either side against what both sides say about its destination. */
static int
check_frame(struct path *p, struct rte_mbuf *m, struct spx_error *err)
{
	const struct rte_ether_hdr *ethernet = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(ethernet + 1);
	const uint64_t hash = 0;
	struct spx_key4 key;
	uint32_t id;
	unsigned ours, theirs;

	memcpy(key.dip, &ip->dst_addr, sizeof(key.dip));
	spx_route_lookup4(p->config->routes, &key, &hash, 1, UINT64_MAX, &id);
	ours = p->config->next_hop[id].gateway[3];
	theirs = (unsigned)reference_next_hop_to(p->reference, key.dip);
	if (ours == theirs && ours == ethernet->dst_addr.addr_bytes[5])
		return 0;
	return spx_error(err, -EIO,
		"%u.%u.%u.%u: ours says gateway %u, the reference %u, the frame went to %u", key.dip[0],
		key.dip[1], key.dip[2], key.dip[3], ours, theirs, ethernet->dst_addr.addr_bytes[5]);
}

static int
check_port(struct path *p, uint16_t id, struct spx_error *err)
{
	struct rte_mbuf *pkt[REFERENCE_BURST];
	unsigned n, packets = 0;
	int rc = 0;

	while ((n = rte_eth_rx_burst(id, 0, pkt, REFERENCE_BURST)) > 0) {
		for (unsigned i = 0; i < n && rc == 0; i++)
			rc = check_frame(p, pkt[i], err);
		rte_pktmbuf_free_bulk(pkt, n);
		packets += n;
	}
	if (rc == 0 && packets != PACKETS_MBUFS)
		rc = spx_error(err, -EIO, "%u of %u packets are left", packets, PACKETS_MBUFS);
	return rc;
}

int
path_route_check(struct path *p, struct spx_error *err)
{
	uint16_t id;
	int rc = rte_eth_dev_get_port_by_name(p->our_device, &id);

	if (rc == 0)
		rc = check_port(p, id, err);
	return rc == 0 ? check_port(p, p->their_port.id, err) : rc;
}
