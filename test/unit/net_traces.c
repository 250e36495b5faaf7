/* Prints what the parse stage says of the packets of captures, for net_traces.py to compare.
 *
 * Usage: net_traces PACKETS FILE...: of each file the first PACKETS packets that are captured whole, one line
 * each: file number, packet number, frame in hexadecimal, then "other", or "drop" and the reason, or
 * "ipv4"/"ipv6" with two addresses, two ports, protocol, fragment bit and VLAN id. Raw IP gets an
 * Ethernet header. Files that cannot be read are passed over: test/unit/trace_data.c minds them.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/net/net.h"
#include "lib/trace/trace.h"

#define FRAME_LARGEST 65535u

struct line {
	uint8_t frame[14 + FRAME_LARGEST];
	uint32_t length;
	char hex[2 * (14 + FRAME_LARGEST) + 1];
};

static void
print_hex(const uint8_t *bytes, uint32_t n, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (uint32_t i = 0; i < n; i++) {
		*text++ = digits[bytes[i] >> 4];
		*text++ = digits[bytes[i] & 15];
	}
	*text = '\0';
}

/* The frame as a port would have received it. False when it was cut, or is longer than any mbuf. */
static bool
load_frame(struct line *line, const struct spx_trace_packet *packet)
{
	uint32_t header = packet->ethertype != 0 ? 14 : 0;

	if (packet->captured != packet->length || packet->length > FRAME_LARGEST - 14)
		return false;
	memset(line->frame, 0, header);
	if (header != 0) {
		line->frame[12] = (uint8_t)(packet->ethertype >> 8);
		line->frame[13] = (uint8_t)packet->ethertype;
	}
	memcpy(line->frame + header, packet->data, packet->length);
	line->length = header + packet->length;
	return true;
}

static void
print_key(const struct spx_burst *b)
{
	bool v4 = b->ipv4 != 0;
	const uint8_t *key = v4 ? b->key4[0].sip : b->key6[0].sip;
	unsigned address = v4 ? 4 : 16;
	const uint8_t *tail = key + 2 * address;
	char sip[INET6_ADDRSTRLEN], dip[INET6_ADDRSTRLEN];

	inet_ntop(v4 ? AF_INET : AF_INET6, key, sip, sizeof(sip));
	inet_ntop(v4 ? AF_INET : AF_INET6, key + address, dip, sizeof(dip));
	printf("%s %s %s %u %u %u %u %u\n", v4 ? "ipv4" : "ipv6", sip, dip, tail[0] << 8 | tail[1],
		tail[2] << 8 | tail[3], tail[4], tail[6] >> 3 & 1, tail[5] << 4 | tail[6] >> 4);
}

static void
print_packet(struct line *line, struct spx_burst *b)
{
	const struct spx_net_options options = {.max_frame = sizeof(line->frame)};
	struct rte_mbuf m = {.buf_addr = line->frame, .nb_segs = 1};

	m.data_len = (uint16_t)line->length;
	m.pkt_len = line->length;
	b->n = 1;
	b->pkt[0] = &m;
	b->alive = 1;
	spx_net_parse(b, &options);
	print_hex(line->frame, line->length, line->hex);
	printf("%s ", line->hex);
	if (b->drop)
		printf("drop %s\n", spx_drop_name(b->reason[0]));
	else if (b->other)
		printf("other\n");
	else
		print_key(b);
}

int
main(int argc, char **argv)
{
	static struct spx_burst burst;
	static struct line line;
	unsigned packets = argc > 1 ? (unsigned)atoi(argv[1]) : 0;

	for (int file = 2; file < argc; file++) {
		struct spx_trace_packet packet;
		struct spx_trace *trace;

		if (spx_trace_open(argv[file], &trace, NULL) != 0)
			continue;
		for (unsigned i = 0; i < packets && spx_trace_next(trace, &packet, NULL) == 1; i++) {
			if (!load_frame(&line, &packet))
				continue;
			printf("%d %u ", file - 2, i + 1);
			print_packet(&line, &burst);
		}
		spx_trace_close(trace);
	}
	return 0;
}
