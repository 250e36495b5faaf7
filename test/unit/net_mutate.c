/* See net_mutate.h. */
#include "test/unit/net_mutate.h"
#include "test/unit/good_frames.h"
#include "test/unit/net_parsed.h"

#define HEADER_BYTES 100u /* the changes fall into the first so many bytes */

static uint32_t
below(uint64_t *random, uint32_t n)
{
	return (uint32_t)(spx_random(random) % n);
}

/* Moves a 16-bit field by -4...4, or sets it to anything. */
static void
move16(struct frame *f, uint32_t at, uint64_t *random)
{
	uint16_t value;

	if (at + 2 > f->length)
		return;
	value = (uint16_t)(f->bytes[at] << 8 | f->bytes[at + 1]);
	if (below(random, 4) == 0)
		value = (uint16_t)spx_random(random);
	else
		value = (uint16_t)(value + below(random, 9) - 4);
	frame_put16(f, at, value);
}

static void
set8(struct frame *f, uint32_t at, uint8_t value)
{
	if (at < f->length)
		f->bytes[at] = value;
}

/* A byte that means something to some parser: protocols and next headers, types of ICMP. */
static uint8_t
telling_byte(uint64_t *random)
{
	static const uint8_t bytes[] = {0, 1, 3, 4, 6, 8, 13, 17, 41, 42, 43, 44, 47, 50, 51, 58, 59, 60, 128,
		129, 132, 135, 139, 140, 160, 255};

	return bytes[below(random, RTE_DIM(bytes))];
}

static uint16_t
telling_type(uint64_t *random)
{
	static const uint16_t types[] = {
		TYPE_IPV4, TYPE_IPV6, TYPE_ARP, TYPE_VLAN, TYPE_QINQ, 0x9100, 0x8847};

	return types[below(random, RTE_DIM(types))];
}

static void
mutate(struct frame *f, uint64_t *random)
{
	uint32_t headers = RTE_MIN(f->length, HEADER_BYTES), proto;

	if (headers == 0)
		return;
	proto = f->ip + (f->ip < f->length && f->bytes[f->ip] >> 4 == 6 ? 6 : 9);
	switch (below(random, 12)) {
	case 0:
		f->bytes[below(random, headers)] ^= (uint8_t)(1 << below(random, 8));
		break;
	case 1:
		f->bytes[below(random, headers)] = (uint8_t)spx_random(random);
		break;
	case 2:
		f->bytes[below(random, headers)] = telling_byte(random);
		break;
	case 3:
		f->length = below(random, f->length + 1);
		break;
	case 4:
		f->length -= RTE_MIN(f->length, 1 + below(random, 8));
		break;
	case 5:
		frame_data(f, 1 + below(random, 60));
		break;
	case 6:
		move16(f, f->ip + (below(random, 2) ? 2 : 4), random); /* length of IPv4, of IPv6 */
		break;
	case 7:
		move16(f, f->udp + 4, random);
		break;
	case 8:
		set8(f, proto, telling_byte(random));
		break;
	case 9: /* fragment field of IPv4: all bits, or near the largest offset */
		if (f->ip + 8 <= f->length)
			frame_put16(f, f->ip + 6,
				(uint16_t)(spx_random(random) | (below(random, 2) ? 0x1ff0 : 0)));
		break;
	case 10: /* header lengths of IPv4, of TCP */
		set8(f, below(random, 2) ? f->ip : f->ip + 32,
			(uint8_t)(below(random, 2) ? 0x40 | below(random, 16) : below(random, 16) << 4));
		break;
	case 11:
		if (f->length >= 18)
			frame_put16(f, below(random, 2) ? 12 : 16, telling_type(random));
		break;
	}
}

void
mutated_frame(struct frame *f, uint64_t *random)
{
	uint32_t changes = below(random, 5);

	good_frames[below(random, GOOD_FRAMES)](f);
	if (f->ip != 0) {
		for (unsigned i = 0; i < 16; i++)
			f->bytes[f->ip + (f->bytes[f->ip] >> 4 == 4 ? 12 : 8) + i % 8] =
				(uint8_t)spx_random(random);
	}
	for (uint32_t i = 0; i < changes; i++)
		mutate(f, random);
	if (below(random, 2) && f->ip != 0 && f->ip + (f->bytes[f->ip] & 0xfu) * 4 <= f->length &&
		f->bytes[f->ip] >= 0x45 && f->bytes[f->ip] <= 0x4f)
		frame_checksum(f);
}

struct rte_mbuf *
mutated_mbuf(const struct frame *f, uint64_t *random)
{
	struct rte_mbuf *m = below(random, 6) == 0
				     ? frame_mbuf_split(f->bytes, f->length, below(random, f->length + 1))
				     : frame_mbuf(f->bytes, f->length);

	switch (below(random, 16)) {
	case 0:
		m->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_BAD;
		break;
	case 1:
		m->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD;
		break;
	case 2:
		m->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_NONE; /* both bits: not the same as bad */
		break;
	}
	return m;
}

struct spx_net_options
mutated_options(uint64_t *random)
{
	struct spx_net_options options = parsed_options;

	options.verify_checksum = below(random, 3) == 0;
	if (below(random, 16) == 0)
		options.max_frame = 40 + below(random, 60);
	return options;
}
