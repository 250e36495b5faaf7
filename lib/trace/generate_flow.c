/* The sources of the trace generator: what a web flow, a game flow, the scan, the flood and the others send
 * next, and when.
 *
 * generate.c keeps the sources in a heap by time and calls spx_source_send for the first. Integer arithmetic
 * only, so every machine and compiler makes the same trace.
 */
#include "lib/trace/generate.h"

#define MICROSECOND UINT64_C(1000) /* ns */

#define WEB_BURST      10u /* packets that follow each other closely, then a round trip passes */
#define FLOWS_PER_HOST 8u
#define PORT_FIRST     32768u /* of clients: the range that Linux uses */
#define PORTS          28232u
#define PORT_STRIDE    127u      /* prime and no divisor of PORTS: ports of one client differ */
#define CLIENT_SCATTER 0x9e3779u /* odd: multiplying by it permutes the 24-bit client numbers */
#define CLIENT_MASK    0xffffffu
#define IPV6_ONE_IN    10u
#define VLAN_ONE_IN    20u
#define VLAN_FIRST     100u
#define VLANS          8u

void
spx_source_address(struct spx_source *source, uint32_t id, uint32_t flows, uint64_t *random)
{
	const uint32_t hosts = flows / FLOWS_PER_HOST + 1;
	const uint64_t dice = spx_random(random);
	const uint32_t place = (uint32_t)(dice & 0xfff);

	/* (client, port) is different for every id: id = host + hosts * n, and n goes into the port. */
	source->client = SPX_GENERATE_CLIENTS + ((id % hosts + 1) * CLIENT_SCATTER & CLIENT_MASK);
	source->client_port = (uint16_t)(PORT_FIRST + (id / hosts * PORT_STRIDE + id % hosts) % PORTS);
	source->ipv6 = (dice >> 12) % IPV6_ONE_IN == 0;
	if ((dice >> 24) % VLAN_ONE_IN == 0)
		source->vlan = (uint16_t)(VLAN_FIRST + (dice >> 32) % VLANS);
	source->ttl = (uint8_t)(64 - (dice >> 40) % 16);
	source->sequence[0] = (uint32_t)spx_random(random);
	source->sequence[1] = (uint32_t)spx_random(random);
	if (source->kind == SPX_SOURCE_GAME) {
		source->server = SPX_GENERATE_GAME_SERVERS + place % 64;
		source->server_port = (uint16_t)(27015 + place / 64 % 4);
	} else {
		/* The cube makes few servers popular and many rare. */
		source->server = SPX_GENERATE_WEB_SERVERS + (place * place / 4096) * place / 4096;
		source->server_port = (dice >> 48) % 5 == 0 ? 80 : 443;
	}
}

static struct spx_generate_ends
ends_of(const struct spx_source *source, bool outward)
{
	struct spx_generate_ends ends = {
		.source = outward ? source->client : source->server,
		.destination = outward ? source->server : source->client,
		.sport = outward ? source->client_port : source->server_port,
		.dport = outward ? source->server_port : source->client_port,
		.vlan = source->vlan,
		.ttl = source->ttl,
		.ipv6 = source->ipv6,
		.outward = outward,
	};

	return ends;
}

/* One TCP packet of the flow; `sent` counts it afterwards. */
static void
send_tcp(struct spx_source *source, struct spx_generate_frame *frame, bool outward, uint8_t flags,
	uint32_t payload)
{
	const struct spx_generate_ends ends = ends_of(source, outward);
	uint32_t *sequence = &source->sequence[outward ? 0 : 1];
	uint32_t acknowledgment = (flags & SPX_TCP_ACK) != 0 ? source->sequence[outward ? 1 : 0] : 0;

	spx_frame_tcp(frame, &ends, flags, *sequence, acknowledgment, payload);
	*sequence += payload + ((flags & (SPX_TCP_SYN | SPX_TCP_FIN)) != 0);
}

/* SYN, SYN and ACK, request; then two full segments from the server and one acknowledgment from the client in
 * turn, the last packet with what is left. */
static uint64_t
send_web(struct spx_source *source, struct spx_generate_frame *frame, uint64_t *random)
{
	const uint32_t n = source->sent;

	if (n == 0) {
		send_tcp(source, frame, true, SPX_TCP_SYN, 0);
	} else if (n == 1) {
		send_tcp(source, frame, false, SPX_TCP_SYN | SPX_TCP_ACK, 0);
	} else if (n == 2) {
		send_tcp(source, frame, true, SPX_TCP_PSH | SPX_TCP_ACK,
			150 + (uint32_t)spx_random_below(random, 600));
	} else if (source->left == 1) {
		send_tcp(source, frame, false, SPX_TCP_FIN | SPX_TCP_PSH | SPX_TCP_ACK,
			1 + (uint32_t)spx_random_below(random, SPX_PAYLOAD_FULL));
	} else if (n % 3 == 2) {
		send_tcp(source, frame, true, SPX_TCP_ACK, 0);
	} else {
		send_tcp(source, frame, false, SPX_TCP_ACK,
			source->ipv6 ? SPX_PAYLOAD_FULL : SPX_PAYLOAD_FULL + 20);
	}
	if (n < 2)
		return source->pause / 2;
	if (n % WEB_BURST == 2)
		return source->pause;
	return 12 * MICROSECOND + spx_random_below(random, 100 * MICROSECOND);
}

/* Periodic updates, client and server in turn, the gap within a sixteenth of its mean. */
static uint64_t
send_game(struct spx_source *source, struct spx_generate_frame *frame, uint64_t *random)
{
	const bool outward = source->sent % 2 == 0;
	const struct spx_generate_ends ends = ends_of(source, outward);
	const uint32_t payload = outward ? 18 + (uint32_t)spx_random_below(random, 60)
					 : 40 + (uint32_t)spx_random_below(random, 190);

	spx_frame_udp(frame, &ends, payload);
	return source->pause - source->pause / 16 + spx_random_below(random, source->pause / 8 + 1);
}

/* One host tries port after port at address after address. */
static void
send_scan(struct spx_source *source, struct spx_generate_frame *frame, uint64_t *random)
{
	static const uint16_t ports[] = {
		21, 22, 23, 25, 80, 110, 139, 143, 443, 445, 1433, 3306, 3389, 5900, 8080, 8443};
	const uint32_t n = source->sent;
	const struct spx_generate_ends ends = {
		.source = SPX_GENERATE_SCANNER,
		.destination = SPX_GENERATE_SCANNED + n / RTE_DIM(ports) % (1u << 15),
		.sport = (uint16_t)(40000 + spx_random_below(random, 64)),
		.dport = ports[n % RTE_DIM(ports)],
		.ttl = 52,
		.outward = true,
	};

	spx_frame_tcp(frame, &ends, SPX_TCP_SYN, (uint32_t)spx_random(random), 0, 0);
}

/* Random sources at one host: TCP SYN to its web port, or UDP to any. */
static void
send_flood(struct spx_generate_frame *frame, uint64_t *random)
{
	const bool syn = spx_random_below(random, 2) == 0;
	const struct spx_generate_ends ends = {
		.source = SPX_GENERATE_CLIENTS + (uint32_t)spx_random_below(random, 1u << 24),
		.destination = SPX_GENERATE_VICTIM,
		.sport = (uint16_t)(1024 + spx_random_below(random, 64512)),
		.dport = syn ? 80 : (uint16_t)(1 + spx_random_below(random, 65535)),
		.ttl = (uint8_t)(40 + spx_random_below(random, 24)),
		.outward = true,
	};

	if (syn)
		spx_frame_tcp(frame, &ends, SPX_TCP_SYN, (uint32_t)spx_random(random), 0, 0);
	else
		spx_frame_udp(frame, &ends, 18 + (uint32_t)spx_random_below(random, 400));
}

static void
send_arp(struct spx_source *source, struct spx_generate_frame *frame)
{
	const bool reply = source->sent % 2 == 1;
	const uint32_t host = SPX_GENERATE_WEB_SERVERS + source->sent / 2 % 4096;

	spx_frame_arp(frame, reply ? host : SPX_GENERATE_CLIENTS + 1, reply ? SPX_GENERATE_CLIENTS + 1 : host,
		reply);
}

uint64_t
spx_source_send(struct spx_source *source, struct spx_generate_frame *frame, uint64_t *random)
{
	/* The mean is `pause`, but for web and game flows, which know better. */
	uint64_t gap = spx_random_below(random, 2 * source->pause + 1);

	switch ((enum spx_source_kind)source->kind) {
	case SPX_SOURCE_WEB:
		gap = send_web(source, frame, random);
		break;
	case SPX_SOURCE_GAME:
		gap = send_game(source, frame, random);
		break;
	case SPX_SOURCE_SCAN:
		send_scan(source, frame, random);
		break;
	case SPX_SOURCE_FLOOD:
		send_flood(frame, random);
		break;
	case SPX_SOURCE_MALFORMED:
		spx_frame_malformed(frame, source->sent % spx_malformed_kinds(), random);
		break;
	case SPX_SOURCE_ARP:
		send_arp(source, frame);
		break;
	}
	source->sent++;
	source->left--;
	return gap;
}
