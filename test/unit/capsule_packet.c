/* Packets around a capsule: which are recognised, fragments, segments, and the UDP checksum. */
#include <netinet/in.h>
#include <string.h>

#include <criterion/criterion.h>

#include "test/unit/capsule_fixture.h"

Test(capsule_packet, other_packets)
{
	struct frame f;
	uint32_t at;

	capsule_plain_frame(&f, SPX_CAPSULE_ESP, &at);
	frame_put16(&f, f.udp + 2, SPX_CAPSULE_PORT + 1);
	capsule_expect(&f, SPX_CAPSULE_NOT, SPX_CAPSULE_seen);
	frame_put16(&f, f.udp, SPX_CAPSULE_PORT);
	capsule_expect(&f, SPX_CAPSULE_NOT, SPX_CAPSULE_seen);
	frame_tcp4(&f, 0x10, 100);
	frame_put16(&f, f.ip + 22, SPX_CAPSULE_PORT);
	capsule_expect(&f, SPX_CAPSULE_NOT, SPX_CAPSULE_seen);
	frame_start(&f, TYPE_ARP);
	frame_arp(&f);
	capsule_expect(&f, SPX_CAPSULE_NOT, SPX_CAPSULE_seen);
	/* Over IPv6, UDP behind an extension header that the parser does not know: another protocol. */
	frame_start(&f, TYPE_IPV6);
	frame_ipv6(&f, 200);
	frame_udp(&f);
	frame_put16(&f, f.udp + 2, SPX_CAPSULE_PORT);
	frame_data(&f, 60);
	frame_close(&f);
	capsule_expect(&f, SPX_CAPSULE_NOT, SPX_CAPSULE_seen);
}

Test(capsule_packet, ipv6_vlan_options_and_extensions)
{
	struct capsule_sample sample;
	struct frame f;

	capsule_plain(&sample, SPX_CAPSULE_NAMED);
	sample.envelope.vlan = 7;
	capsule_frame(&f, &sample);
	capsule_expect_ready(&f);
	sample.envelope.v6 = true;
	capsule_frame(&f, &sample);
	capsule_expect_ready(&f);
	f.bytes[f.udp + 8 + 6] = 1;
	capsule_expect_pass(&f, SPX_CAPSULE_malformed_zero);
	sample.envelope.vlan = 0;
	capsule_frame(&f, &sample);
	capsule_insert6(&f, IPPROTO_DSTOPTS, 24);
	capsule_insert6(&f, IPPROTO_FRAGMENT, 8); /* of the whole packet */
	capsule_expect_ready(&f);
	frame_start(&f, TYPE_IPV4);
	frame_ipv4(&f, IPPROTO_UDP, 10);
	frame_udp(&f);
	frame_put16(&f, f.udp + 2, SPX_CAPSULE_PORT);
	f.length += (uint32_t)spx_capsule_write(&sample.content, f.bytes + f.length, FRAME_MAX - f.length);
	frame_close(&f);
	capsule_expect_ready(&f);
}

Test(capsule_packet, fragments_over_ipv4)
{
	struct frame f;
	uint32_t at;

	capsule_plain_frame(&f, SPX_CAPSULE_ESP, &at);
	frame_put16(&f, f.ip + 6, 0x2000);
	capsule_expect_pass(&f, SPX_CAPSULE_fragment);
	f.length = f.udp + 4; /* the first, as short as it shows its ports */
	frame_put16(&f, f.ip + 2, 24);
	capsule_expect_pass(&f, SPX_CAPSULE_fragment);
	f.length = f.udp + 3;
	frame_put16(&f, f.ip + 2, 23);
	frame_checksum(&f);
	capsule_expect(&f, SPX_CAPSULE_NOT, SPX_CAPSULE_seen);
	f.length = 60; /* padding says nothing: what was the port is still there */
	capsule_expect(&f, SPX_CAPSULE_NOT, SPX_CAPSULE_seen);
	capsule_plain_frame(&f, SPX_CAPSULE_ESP, &at);
	frame_put16(&f, f.ip + 6, 0x0001);
	capsule_expect(&f, SPX_CAPSULE_NOT, SPX_CAPSULE_seen);
	frame_put16(&f, f.ip + 6, 0x2000);
	frame_put16(&f, f.udp + 2, 53);
	capsule_expect(&f, SPX_CAPSULE_NOT, SPX_CAPSULE_seen);
}

Test(capsule_packet, fragments_over_ipv6)
{
	struct capsule_sample sample;
	struct frame f;

	capsule_plain(&sample, SPX_CAPSULE_CARRIED);
	sample.envelope.v6 = true;
	capsule_frame(&f, &sample);
	capsule_insert6(&f, IPPROTO_FRAGMENT, 8);
	frame_put16(&f, f.ip + 42, 0x0001); /* more to come */
	capsule_expect_pass(&f, SPX_CAPSULE_fragment);
	frame_put16(&f, f.ip + 42, 0x0008); /* the last, not the first */
	capsule_expect(&f, SPX_CAPSULE_NOT, SPX_CAPSULE_seen);
	frame_put16(&f, f.ip + 42, 0x0001);
	capsule_insert6(&f, IPPROTO_FRAGMENT, 8);
	frame_put16(&f, f.ip + 42, 0x0006); /* a whole packet, reserved bits set: passed over */
	capsule_expect_pass(&f, SPX_CAPSULE_fragment);
	capsule_insert6(&f, IPPROTO_HOPOPTS, 16);
	capsule_insert6(&f, IPPROTO_AH, 24);
	f.bytes[f.ip + 41] = 4; /* of AH, in 4 bytes less 2 */
	capsule_expect_pass(&f, SPX_CAPSULE_fragment);
	frame_put16(&f, f.udp + 2, 53);
	capsule_expect(&f, SPX_CAPSULE_NOT, SPX_CAPSULE_seen);
}

/* Split at every byte: the capsule has to lie in the first segment, its payload may go on behind. */
Test(capsule_packet, segments)
{
	struct frame f;
	uint32_t at;

	for (unsigned kind = 0; kind < SPX_CAPSULE_KINDS; kind++) {
		capsule_plain_frame(&f, (enum spx_capsule_kind)kind, &at);
		for (uint32_t first = at; first < f.length; first++) {
			struct rte_mbuf *m = frame_mbuf_split(f.bytes, f.length, first);
			struct spx_capsule c;
			enum spx_capsule_verdict verdict = capsule_parse(m, &c);

			if (first >= f.length - CAPSULE_PAYLOAD) {
				cr_assert_eq(verdict, SPX_CAPSULE_READY);
				cr_assert(spx_capsule_verify(m, &c), "checksum over two segments");
			} else {
				cr_assert_eq(verdict, SPX_CAPSULE_PASS);
				cr_assert_eq(c.why, SPX_CAPSULE_not_contiguous);
			}
			frame_mbuf_free(m);
		}
	}
}

/* ---- checksum -------------------------------------------------------------------------------------- */

static bool
verifies(const struct frame *f, uint64_t ol_flags)
{
	struct rte_mbuf *m = frame_mbuf(f->bytes, f->length);
	struct spx_capsule c;
	bool right;

	m->ol_flags = ol_flags;
	cr_assert_eq(capsule_parse(m, &c), SPX_CAPSULE_READY);
	right = spx_capsule_verify(m, &c);
	if (!right)
		cr_assert_eq(c.why, SPX_CAPSULE_bad_checksum);
	frame_mbuf_free(m);
	return right;
}

Test(capsule_packet, checksum)
{
	struct capsule_sample sample;
	struct frame f;

	for (unsigned v6 = 0; v6 < 2; v6++) {
		capsule_plain(&sample, SPX_CAPSULE_ESP);
		sample.envelope.v6 = v6;
		capsule_frame(&f, &sample);
		cr_assert(verifies(&f, 0));
		cr_assert(verifies(&f, RTE_MBUF_F_RX_L4_CKSUM_NONE), "the port cannot say, and it is right");
		cr_assert_not(verifies(&f, RTE_MBUF_F_RX_L4_CKSUM_BAD), "the port says no");
		f.bytes[f.length - 1] ^= 1; /* in the payload */
		cr_assert_not(verifies(&f, 0));
		cr_assert(verifies(&f, RTE_MBUF_F_RX_L4_CKSUM_GOOD), "the port says yes");
		cr_assert_not(verifies(&f, RTE_MBUF_F_RX_L4_CKSUM_NONE), "the port cannot say");
		capsule_fix_checksum(&f);
		f.bytes[f.ip + (v6 ? 8 : 12)] ^= 1; /* of the source address */
		if (!v6)
			frame_checksum(&f);
		cr_assert_not(verifies(&f, 0));
	}
}

/* None over IPv4, wrong over IPv6 (RFC 8200 section 8.1), whatever a port says of it. */
Test(capsule_packet, checksum_of_zero)
{
	static const uint64_t says[] = {0, RTE_MBUF_F_RX_L4_CKSUM_BAD, RTE_MBUF_F_RX_L4_CKSUM_GOOD};
	struct capsule_sample sample;
	struct frame f;

	capsule_plain(&sample, SPX_CAPSULE_ESP);
	sample.envelope.no_checksum = true;
	for (unsigned i = 0; i < RTE_DIM(says); i++) {
		sample.envelope.v6 = false;
		capsule_frame(&f, &sample);
		cr_assert(verifies(&f, says[i]));
		sample.envelope.v6 = true;
		capsule_frame(&f, &sample);
		cr_assert_not(verifies(&f, says[i]));
	}
}
