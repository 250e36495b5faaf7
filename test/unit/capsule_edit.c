/* Edits against recomputation: each changes what it says and nothing else, and afterwards both checksums are
 * what a computation from scratch yields, by RFC 768's words (capsule_fixture.h) and by DPDK's functions. */
#include <string.h>

#include <criterion/criterion.h>
#include <rte_ip.h>

#include "test/unit/capsule_fixture.h"

/* A capsule on the table: its frame, an mbuf over it, and a copy that is edited the naive way. */
struct bench {
	struct capsule_sample sample;
	struct frame f, expected;
	struct rte_mbuf m;
	struct spx_capsule c;
	uint32_t at; /* of the capsule */
};

/* A random capsule that verifies. */
static void
lay_out(struct bench *b, uint64_t *random)
{
	do {
		capsule_random(&b->sample, random);
	} while (b->sample.envelope.v6 && b->sample.envelope.no_checksum);
	b->sample.content.flags &= (uint8_t) ~(SPX_CAPSULE_RETURNED | SPX_CAPSULE_FAULT);
	b->sample.content.flags |= SPX_CAPSULE_INGRESS;
	capsule_frame(&b->f, &b->sample);
	b->m = (struct rte_mbuf){.buf_addr = b->f.bytes, .nb_segs = 1};
	b->m.data_len = (uint16_t)b->f.length;
	b->m.pkt_len = b->f.length;
	b->at = b->f.udp + 8;
	cr_assert_eq(capsule_parse(&b->m, &b->c), SPX_CAPSULE_READY);
	b->expected.length = b->f.length;
	b->expected.ip = b->f.ip;
	b->expected.udp = b->f.udp;
	memcpy(b->expected.bytes, b->f.bytes, b->f.length);
}

/* DPDK's own view of the UDP checksum, of frames that have one and end with their UDP datagram. */
static bool
dpdk_agrees(const struct frame *f)
{
	const void *ip = f->bytes + f->ip, *udp = f->bytes + f->udp;

	if (f->bytes[f->udp + 6] == 0 && f->bytes[f->udp + 7] == 0)
		return true;
	return f->bytes[f->ip] >> 4 == 6 ? rte_ipv6_udptcp_cksum_verify(ip, udp) == 0
					 : rte_ipv4_udptcp_cksum_verify(ip, udp) == 0;
}

/* The edited frame is the expected one, whose checksums are computed here. */
static void
compare(struct bench *b, const char *what)
{
	if (!b->sample.envelope.v6)
		frame_checksum(&b->expected);
	if (!b->sample.envelope.no_checksum)
		capsule_fix_checksum(&b->expected);
	cr_assert(memcmp(b->f.bytes, b->expected.bytes, b->f.length) == 0, "%s, IPv%c", what,
		b->sample.envelope.v6 ? '6' : '4');
	cr_assert(capsule_checksums_right(&b->f), "%s", what);
	cr_assert(dpdk_agrees(&b->f), "%s", what);
	cr_assert(spx_capsule_verify(&b->m, &b->c), "%s", what);
}

static void
swap(uint8_t *bytes, uint32_t a, uint32_t b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint8_t was = bytes[a + i];

		bytes[a + i] = bytes[b + i];
		bytes[b + i] = was;
	}
}

static void
edit_flags(struct bench *b, uint64_t *random)
{
	uint8_t set = (uint8_t)spx_random(random), clear = (uint8_t)spx_random(random);

	set &= (uint8_t) ~(SPX_CAPSULE_NO_FLAG | SPX_CAPSULE_RETURNED | SPX_CAPSULE_FAULT);
	spx_capsule_set_flags(&b->c, set, clear);
	b->expected.bytes[b->at + 1] = (uint8_t)((b->expected.bytes[b->at + 1] & ~clear) | set);
	cr_assert_eq(b->c.flags, b->expected.bytes[b->at + 1]);
	compare(b, "flags");
}

static void
edit_fault(struct bench *b, uint64_t *random)
{
	uint8_t code = (uint8_t)spx_random(random);

	spx_capsule_set_fault(&b->c, code);
	b->expected.bytes[b->at + 1] |= SPX_CAPSULE_FAULT;
	b->expected.bytes[b->at + 7] = code;
	cr_assert(b->c.fault == code && (b->c.flags & SPX_CAPSULE_FAULT));
	compare(b, "fault");
}

static void
edit_scratch(struct bench *b, uint64_t *random)
{
	uint8_t scratch[SPX_CAPSULE_SCRATCH_MAX];
	uint32_t n = b->c.scratch_words * 8u, begin = b->at + b->c.length - n;

	memcpy(scratch, b->f.bytes + begin, n);
	for (uint32_t i = 0; i < n; i++)
		if (capsule_below(random, 3) == 0)
			scratch[i] = capsule_below(random, 2) ? (uint8_t)spx_random(random)
							      : (uint8_t)(0 - capsule_below(random, 2));
	spx_capsule_commit(&b->c, scratch);
	memcpy(b->expected.bytes + begin, scratch, n);
	compare(b, "scratchpad");
}

static void
edit_return(struct bench *b, uint64_t *random)
{
	uint8_t *bytes = b->expected.bytes;
	uint32_t ip = b->f.ip;

	(void)random;
	spx_capsule_return(&b->c);
	if (b->sample.envelope.v6) {
		swap(bytes, ip + 8, ip + 24, 16);
		bytes[ip + 7] = 64;
	} else {
		swap(bytes, ip + 12, ip + 16, 4);
		bytes[ip + 8] = 64;
	}
	swap(bytes, b->f.udp, b->f.udp + 2, 2);
	bytes[b->at + 1] |= SPX_CAPSULE_RETURNED;
	cr_assert(b->c.flags & SPX_CAPSULE_RETURNED);
	compare(b, "return");
}

static void
edit_destination(struct bench *b, uint64_t *random)
{
	uint8_t address[16];

	for (unsigned i = 0; i < 16; i++)
		address[i] = (uint8_t)spx_random(random);
	spx_capsule_set_destination(&b->c, address);
	if (b->sample.envelope.v6)
		memcpy(b->expected.bytes + b->f.ip + 24, address, 16);
	else
		memcpy(b->expected.bytes + b->f.ip + 16, address, 4);
	compare(b, "destination");
}

static void (*const edits[])(struct bench *b, uint64_t *random) = {
	edit_flags, edit_fault, edit_scratch, edit_return, edit_destination};

/* One to four edits, one after the other, on a packet of its own each time. */
Test(capsule_edit, a_million_packets_equal_recomputation)
{
	static struct bench b;
	uint64_t random = 21;

	for (unsigned round = 0; round < 1000000; round++) {
		lay_out(&b, &random);
		for (unsigned n = 1 + capsule_below(&random, 4); n > 0; n--)
			edits[capsule_below(&random, RTE_DIM(edits))](&b, &random);
	}
}

/* The last scratchpad word leads the UDP checksum through all its values, 0xffff for a computed zero among
 * them. */
Test(capsule_edit, every_checksum)
{
	static struct bench b;
	static bool seen[65536];
	unsigned values = 0;

	for (unsigned v6 = 0; v6 < 2; v6++) {
		capsule_plain(&b.sample, SPX_CAPSULE_ESP);
		b.sample.envelope.v6 = v6;
		capsule_frame(&b.f, &b.sample);
		b.m = (struct rte_mbuf){.buf_addr = b.f.bytes, .nb_segs = 1};
		b.m.data_len = (uint16_t)b.f.length;
		b.m.pkt_len = b.f.length;
		cr_assert_eq(capsule_parse(&b.m, &b.c), SPX_CAPSULE_READY);
		for (unsigned value = 0; value < 65536; value++) {
			uint8_t scratch[24];

			memcpy(scratch, b.c.scratch, sizeof(scratch));
			scratch[22] = (uint8_t)(value >> 8);
			scratch[23] = (uint8_t)value;
			spx_capsule_commit(&b.c, scratch);
			cr_assert(capsule_checksums_right(&b.f), "%#x", value);
			seen[b.f.bytes[b.f.udp + 6] << 8 | b.f.bytes[b.f.udp + 7]] = true;
		}
	}
	for (unsigned i = 0; i < 65536; i++)
		values += seen[i];
	cr_assert_eq(values, 65535, "all but zero");
	cr_assert_not(seen[0]);
}

/* Without a checksum over IPv4 there is none after any edit. */
Test(capsule_edit, none_stays_none)
{
	static struct bench b;
	uint64_t random = 22;

	for (unsigned round = 0; round < 20000; round++) {
		do {
			lay_out(&b, &random);
		} while (!b.sample.envelope.no_checksum);
		edits[round % RTE_DIM(edits)](&b, &random);
		cr_assert(b.f.bytes[b.f.udp + 6] == 0 && b.f.bytes[b.f.udp + 7] == 0);
	}
}

/* A packet that was returned is not a capsule to its own port any more, or one that is on its way back. */
Test(capsule_edit, what_was_returned_never_runs)
{
	static struct bench b;
	uint64_t random = 23;

	for (unsigned round = 0; round < 20000; round++) {
		struct spx_capsule again;

		lay_out(&b, &random);
		if (round % 2 == 0) {
			frame_put16(&b.f, b.f.udp, SPX_CAPSULE_PORT);
			if (!b.sample.envelope.no_checksum)
				capsule_fix_checksum(&b.f);
			b.sample.envelope.sport = SPX_CAPSULE_PORT;
		}
		spx_capsule_return(&b.c);
		if (b.sample.envelope.sport == SPX_CAPSULE_PORT) {
			cr_assert_eq(capsule_parse(&b.m, &again), SPX_CAPSULE_PASS);
			cr_assert_eq(again.why, SPX_CAPSULE_returned);
		} else {
			cr_assert_eq(capsule_parse(&b.m, &again), SPX_CAPSULE_NOT);
		}
	}
}

/* The next node sees a fault and does not run it. */
Test(capsule_edit, what_failed_never_runs_again)
{
	static struct bench b;
	uint64_t random = 24;

	for (unsigned round = 0; round < 1000; round++) {
		struct spx_capsule again;

		lay_out(&b, &random);
		spx_capsule_set_fault(&b.c, SPX_CAPSULE_FAULT_quota);
		cr_assert_eq(capsule_parse(&b.m, &again), SPX_CAPSULE_PASS);
		cr_assert_eq(again.why, SPX_CAPSULE_fault);
		cr_assert_eq(again.fault, 7);
	}
}
