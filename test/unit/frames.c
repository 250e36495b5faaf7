/* See frames.h. */
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include "test/unit/frames.h"

static const uint8_t sip4[4] = {192, 0, 2, 1}, dip4[4] = {198, 51, 100, 2};
static const uint8_t sip6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1},
		     dip6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 2};

/* Room for n more bytes, zeroed; their offset. */
static uint32_t
add(struct frame *f, uint32_t n)
{
	uint32_t at = f->length;

	if (n > FRAME_MAX - at)
		abort();
	memset(f->bytes + at, 0, n);
	f->length += n;
	return at;
}

void
frame_put16(struct frame *f, uint32_t at, uint16_t value)
{
	f->bytes[at] = (uint8_t)(value >> 8);
	f->bytes[at + 1] = (uint8_t)value;
}

void
frame_start(struct frame *f, uint16_t ethertype)
{
	static const uint8_t addresses[12] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};

	f->length = f->ip = f->udp = 0;
	add(f, 14);
	memcpy(f->bytes, addresses, sizeof(addresses));
	frame_put16(f, 12, ethertype);
}

void
frame_tag(struct frame *f, uint16_t control, uint16_t ethertype)
{
	uint32_t at = add(f, 4);

	frame_put16(f, at, control);
	frame_put16(f, at + 2, ethertype);
}

void
frame_ipv4(struct frame *f, uint8_t proto, unsigned words)
{
	uint32_t at = add(f, 20 + words * 4);

	f->ip = at;
	f->bytes[at] = (uint8_t)(0x45 + words);
	f->bytes[at + 8] = 64;
	f->bytes[at + 9] = proto;
	memcpy(f->bytes + at + 12, sip4, sizeof(sip4));
	memcpy(f->bytes + at + 16, dip4, sizeof(dip4));
	memset(f->bytes + at + 20, 1, words * 4);
}

void
frame_ipv6(struct frame *f, uint8_t next)
{
	uint32_t at = add(f, 40);

	f->ip = at;
	f->bytes[at] = 0x60;
	f->bytes[at + 6] = next;
	f->bytes[at + 7] = 64;
	memcpy(f->bytes + at + 8, sip6, sizeof(sip6));
	memcpy(f->bytes + at + 24, dip6, sizeof(dip6));
}

void
frame_extension(struct frame *f, uint8_t next, uint8_t field, uint32_t size)
{
	uint32_t at = add(f, size);

	f->bytes[at] = next;
	f->bytes[at + 1] = field;
}

void
frame_fragment(struct frame *f, uint8_t next, uint16_t offset, bool more)
{
	uint32_t at = add(f, 8);

	f->bytes[at] = next;
	frame_put16(f, at + 2, (uint16_t)(offset << 3 | more));
}

void
frame_udp(struct frame *f)
{
	f->udp = add(f, 8);
	frame_put16(f, f->udp, FRAME_SPORT);
	frame_put16(f, f->udp + 2, FRAME_DPORT);
}

void
frame_tcp(struct frame *f, uint8_t flags)
{
	uint32_t at = add(f, 20);

	frame_put16(f, at, FRAME_SPORT);
	frame_put16(f, at + 2, FRAME_DPORT);
	f->bytes[at + 12] = 5 << 4;
	f->bytes[at + 13] = flags;
}

void
frame_icmp(struct frame *f, uint8_t type, uint8_t code, uint16_t identifier)
{
	uint32_t at = add(f, 8);

	f->bytes[at] = type;
	f->bytes[at + 1] = code;
	frame_put16(f, at + 4, identifier);
}

void
frame_arp(struct frame *f)
{
	uint32_t at = add(f, 28);

	frame_put16(f, at, 1);
	frame_put16(f, at + 2, TYPE_IPV4);
	f->bytes[at + 4] = 6;
	f->bytes[at + 5] = 4;
	frame_put16(f, at + 6, 1);
}

void
frame_data(struct frame *f, uint32_t n)
{
	uint32_t at = add(f, n);

	for (uint32_t i = 0; i < n; i++)
		f->bytes[at + i] = (uint8_t)(0xa0 + i);
}

void
frame_checksum(struct frame *f)
{
	uint32_t sum = 0, header = (uint32_t)(f->bytes[f->ip] & 0xf) * 4;

	frame_put16(f, f->ip + 10, 0);
	for (uint32_t i = 0; i < header; i += 2)
		sum += (uint32_t)f->bytes[f->ip + i] << 8 | f->bytes[f->ip + i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	frame_put16(f, f->ip + 10, (uint16_t)~sum);
}

void
frame_close(struct frame *f)
{
	if (f->udp != 0)
		frame_put16(f, f->udp + 4, (uint16_t)(f->length - f->udp));
	if (f->ip == 0)
		return;
	if (f->bytes[f->ip] >> 4 == 6) {
		frame_put16(f, f->ip + 4, (uint16_t)(f->length - f->ip - 40));
		return;
	}
	frame_put16(f, f->ip + 2, (uint16_t)(f->length - f->ip));
	frame_checksum(f);
}

void
frame_udp4(struct frame *f, uint32_t data)
{
	frame_start(f, TYPE_IPV4);
	frame_ipv4(f, IPPROTO_UDP, 0);
	frame_udp(f);
	frame_data(f, data);
	frame_close(f);
}

void
frame_tcp4(struct frame *f, uint8_t flags, uint32_t data)
{
	frame_start(f, TYPE_IPV4);
	frame_ipv4(f, IPPROTO_TCP, 0);
	frame_tcp(f, flags);
	frame_data(f, data);
	frame_close(f);
}

void
frame_udp6(struct frame *f, uint32_t data)
{
	frame_start(f, TYPE_IPV6);
	frame_ipv6(f, IPPROTO_UDP);
	frame_udp(f);
	frame_data(f, data);
	frame_close(f);
}

/* ---- mbufs ----------------------------------------------------------------------------------------- */

struct rte_mbuf *
frame_mbuf(const uint8_t *bytes, uint32_t n)
{
	struct rte_mbuf *m = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*m));
	uint8_t *block = malloc(n);

	if (m == NULL || (block == NULL && n > 0))
		abort();
	memset(m, 0, sizeof(*m));
	if (n > 0)
		memcpy(block, bytes, n);
	m->buf_addr = block;
	m->buf_len = (uint16_t)n;
	m->data_len = (uint16_t)n;
	m->pkt_len = n;
	m->nb_segs = 1;
	return m;
}

struct rte_mbuf *
frame_mbuf_split(const uint8_t *bytes, uint32_t n, uint32_t first)
{
	struct rte_mbuf *m = frame_mbuf(bytes, first);

	m->next = frame_mbuf(bytes + first, n - first);
	m->pkt_len = n;
	m->nb_segs = 2;
	return m;
}

void
frame_mbuf_free(struct rte_mbuf *m)
{
	while (m != NULL) {
		struct rte_mbuf *next = m->next;

		free(m->buf_addr);
		free(m);
		m = next;
	}
}
