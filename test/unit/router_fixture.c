#include "test/unit/router_fixture.h"

#include <arpa/inet.h>
#include <string.h>

#include <criterion/criterion.h>
#include <rte_cycles.h>
#include <rte_ip.h>

static const char text[] =
	"{\"memory\": {\"hugepages\": \"off\", \"megabytes\": 768, \"mbufs\": 4096}, \"hash_seed\": 1,"
	" \"workers\": {\"count\": 1}, \"cache\": {\"mode\": \"none\"}, \"ports\": ["
	"  {\"name\": \"in\", \"driver\": \"ethdev\", \"device\": \"net_null0,no-rx=1\","
	"   \"addresses\": [\"10.9.0.1/24\", \"2001:db8:9::1/64\"]},"
	"  {\"name\": \"side\", \"driver\": \"ethdev\", \"device\": \"net_null1,no-rx=1\","
	"   \"addresses\": [\"10.8.0.1/24\", \"2001:db8:8::1/64\"]},"
	"  {\"name\": \"plain\", \"driver\": \"ethdev\", \"device\": \"net_null2,no-rx=1\"}],"
	" \"neighbours\": [{\"address\": \"10.8.0.2\", \"port\": \"side\", \"mac\": \"02:00:00:00:08:02\"},"
	"  {\"address\": \"2001:db8:8::2\", \"port\": \"side\", \"mac\": \"02:00:00:00:08:02\"}],"
	" \"actions\": {\"route\": {\"verdict\": \"route\"}}, \"rules\": {\"default\": \"route\"}}";

static const uint8_t anybody[6] = {2, 0, 0, 0, 0, 2}; /* of frame_start */

struct spx_appliance *router;
struct router_sent router_sent[ROUTER_PORTS];

static struct spx_setup setup;
static struct rte_mbuf *coming[ROUTER_PORTS];

static uint16_t
rx(struct spx_port *p, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	(void)queue;
	(void)n;
	if (coming[p->id] == NULL)
		return 0;
	pkts[0] = coming[p->id];
	coming[p->id] = NULL;
	return 1;
}

static uint16_t
tx(struct spx_port *p, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct router_sent *sent = &router_sent[p->id];

	(void)queue;
	for (uint16_t i = 0; i < n; i++) {
		sent->it.length = rte_pktmbuf_pkt_len(pkts[i]);
		memcpy(sent->it.bytes, rte_pktmbuf_mtod(pkts[i], const uint8_t *), pkts[i]->data_len);
		sent->id[sent->n % RTE_DIM(sent->id)] =
			(uint16_t)(sent->it.bytes[18] << 8 | sent->it.bytes[19]);
		sent->n++;
	}
	rte_pktmbuf_free_bulk(pkts, n);
	return n;
}

static void
turn(void)
{
	for (unsigned i = 0; i < 3; i++) {
		router->worker[0]->errors_left = 100; /* a worker that runs fills them up itself */
		spx_worker_turn(router->worker[0]);
		spx_slowpath_turn(&router->slowpath);
	}
	spx_worker_turn(router->worker[0]);
}

void
router_start(void)
{
	static struct spx_port_ops ops;
	struct spx_error err = {""};

	cr_assert_eq(spx_setup_init(&setup), 0);
	cr_assert_eq(spx_setup_parse(&setup, "text", text, strlen(text), &err), 0, "%s", err.text);
	cr_assert_eq(spx_eal_start(&setup, &err), 0, "%s", err.text);
	cr_assert_eq(spx_appliance_create(&setup, &router, &err), 0, "%s", err.text);
	ops = *router->port[IN].ops;
	ops.rx_burst = rx;
	ops.tx_burst = tx;
	for (unsigned p = 0; p < ROUTER_PORTS; p++)
		router->port[p].ops = &ops;
	router->ports_up = UINT64_MAX;
	turn();
}

void
router_stop(void)
{
	struct spx_error err = {""};

	spx_drain_drop_leftovers(router);
	cr_assert_eq(spx_appliance_free(router, &err), 0, "%s", err.text);
	spx_setup_free(&setup);
	spx_eal_stop();
}

static void
put(unsigned port, const struct frame *f)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(router->pool);
	uint8_t *bytes;

	cr_assert_not_null(m);
	bytes = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)f->length);
	cr_assert_not_null(bytes);
	memcpy(bytes, f->bytes, f->length);
	if (memcmp(bytes, anybody, sizeof(anybody)) == 0)
		memcpy(bytes, router->port[port].mac, 6);
	coming[port] = m;
}

void
router_give(unsigned port, const struct frame *f)
{
	put(port, f);
	turn();
}

void
router_give_worker(unsigned port, const struct frame *f)
{
	put(port, f);
	spx_worker_turn(router->worker[0]);
}

void
router_wait(unsigned ms)
{
	router->slowpath.tsc_zero -= rte_get_tsc_hz() / 1000 * ms;
	turn();
}

uint64_t
router_drops(enum spx_drop reason)
{
	return router->worker[0]->counters.drops[reason] + router->slowpath.counters.drops[reason];
}

void
router_between4(struct frame *f, const char *from, const char *to)
{
	cr_assert_eq(inet_pton(AF_INET, from, f->bytes + f->ip + 12), 1);
	cr_assert_eq(inet_pton(AF_INET, to, f->bytes + f->ip + 16), 1);
	frame_checksum(f);
}

void
router_between6(struct frame *f, const char *from, const char *to)
{
	struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)(f->bytes + f->ip);
	uint16_t checksum;

	cr_assert_eq(inet_pton(AF_INET6, from, ip->src_addr), 1);
	cr_assert_eq(inet_pton(AF_INET6, to, ip->dst_addr), 1);
	if (ip->proto != IPPROTO_ICMPV6)
		return;
	frame_put16(f, f->ip + 42, 0);
	checksum = rte_ipv6_udptcp_cksum(ip, ip + 1);
	memcpy(f->bytes + f->ip + 42, &checksum, sizeof(checksum));
}

void
router_udp4(struct frame *f, uint32_t data)
{
	frame_udp4(f, data);
	router_between4(f, "10.9.0.2", "10.8.0.2");
}

void
router_udp6(struct frame *f, uint32_t data)
{
	frame_udp6(f, data);
	router_between6(f, "2001:db8:9::2", "2001:db8:8::2");
}
