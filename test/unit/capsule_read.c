/* Every reason why a packet to port 3322 is not run, and what is no such packet. */
#include <netinet/in.h>
#include <string.h>

#include <criterion/criterion.h>

#include "test/unit/capsule_fixture.h"

#define FROM_END 7 /* bytes of payload behind the plain capsules */

/* What becomes of the frame; *c may be NULL. The mbuf is gone afterwards. */
static void
expect(const struct frame *f, enum spx_capsule_verdict verdict, enum spx_capsule_counter why)
{
	struct rte_mbuf *m = frame_mbuf(f->bytes, f->length);
	struct spx_capsule c;
	enum spx_capsule_verdict is = capsule_parse(m, &c);

	cr_assert_eq(is, verdict, "verdict %d", is);
	if (verdict == SPX_CAPSULE_PASS)
		cr_assert_eq(c.why, why, "%s", spx_capsule_counter_name(c.why));
	frame_mbuf_free(m);
}

static void
expect_pass(const struct frame *f, enum spx_capsule_counter why)
{
	expect(f, SPX_CAPSULE_PASS, why);
}

static void
expect_ready(const struct frame *f)
{
	expect(f, SPX_CAPSULE_READY, SPX_CAPSULE_seen);
}

/* The plain capsule of the kind; *at is its offset in the frame. */
static void
plain(struct frame *f, enum spx_capsule_kind kind, uint32_t *at)
{
	struct capsule_sample sample;

	capsule_plain(&sample, kind);
	capsule_frame(f, &sample);
	*at = f->udp + 8;
	expect_ready(f);
}

/* Byte `offset` of the plain capsule of the kind with other contents. */
static void
expect_changed(enum spx_capsule_kind kind, uint32_t offset, uint8_t value, enum spx_capsule_counter why)
{
	struct frame f;
	uint32_t at;

	plain(&f, kind, &at);
	f.bytes[at + offset] = value;
	expect_pass(&f, why);
}

Test(capsule_read, version)
{
	for (unsigned version = 0; version < 16; version++)
		if (version != SPX_CAPSULE_VERSION)
			expect_changed(SPX_CAPSULE_ESP, 0, (uint8_t)(version << 4 | 2),
				SPX_CAPSULE_malformed_version);
}

Test(capsule_read, kind)
{
	for (unsigned kind = SPX_CAPSULE_KINDS; kind < 16; kind++)
		expect_changed(SPX_CAPSULE_ESP, 0, (uint8_t)(0x10 | kind), SPX_CAPSULE_malformed_kind);
}

Test(capsule_read, the_flag_that_is_none)
{
	for (unsigned flags = 1; flags < 256; flags += 2)
		expect_changed(SPX_CAPSULE_ESP, 1, (uint8_t)flags, SPX_CAPSULE_malformed_flag);
}

Test(capsule_read, zero_fields)
{
	for (unsigned kind = 0; kind < SPX_CAPSULE_KINDS; kind++)
		expect_changed((enum spx_capsule_kind)kind, 6, 1, SPX_CAPSULE_malformed_zero);
	for (unsigned i = 0; i < 6; i++) {
		expect_changed(SPX_CAPSULE_NAMED, 16 + 50 + i, 0x80, SPX_CAPSULE_malformed_zero);
		expect_changed(SPX_CAPSULE_ESP, 16 + 2 + i, 0x80, SPX_CAPSULE_malformed_zero);
	}
}

Test(capsule_read, padding)
{
	for (unsigned i = 0; i < 4; i++)
		expect_changed(SPX_CAPSULE_CARRIED, 16 + 12 + i, 1, SPX_CAPSULE_malformed_padding);
}

Test(capsule_read, code_words_of_other_kinds)
{
	expect_changed(SPX_CAPSULE_NAMED, 4, 1, SPX_CAPSULE_malformed_code_words);
	expect_changed(SPX_CAPSULE_ESP, 4, 255, SPX_CAPSULE_malformed_code_words);
}

Test(capsule_read, scratchpad)
{
	struct capsule_sample sample;
	struct frame f;

	capsule_plain(&sample, SPX_CAPSULE_ESP);
	sample.content.scratch_words = SPX_CAPSULE_SCRATCH_WORDS;
	capsule_frame(&f, &sample);
	expect_ready(&f);
	f.bytes[f.udp + 8 + 5] = SPX_CAPSULE_SCRATCH_WORDS + 1;
	expect_pass(&f, SPX_CAPSULE_malformed_scratchpad);
	f.bytes[f.udp + 8 + 5] = 255;
	expect_pass(&f, SPX_CAPSULE_malformed_scratchpad);
}

/* The length has to be exactly the sum of its parts: every other value is wrong, for every kind. */
Test(capsule_read, length)
{
	struct frame f;
	uint32_t at;

	for (unsigned kind = 0; kind < SPX_CAPSULE_KINDS; kind++) {
		uint16_t right;

		plain(&f, (enum spx_capsule_kind)kind, &at);
		right = (uint16_t)(f.length - at - FROM_END);
		for (unsigned length = 0; length < 65536; length++) {
			frame_put16(&f, at + 2, (uint16_t)length);
			if (length != right)
				expect_pass(&f, SPX_CAPSULE_malformed_length);
			else
				expect_ready(&f);
		}
	}
}

/* One instruction or scratchpad word more or less than the length says. */
Test(capsule_read, length_of_other_parts)
{
	expect_changed(SPX_CAPSULE_CARRIED, 4, 2, SPX_CAPSULE_malformed_length);
	expect_changed(SPX_CAPSULE_CARRIED, 4, 5, SPX_CAPSULE_malformed_length);
	expect_changed(SPX_CAPSULE_CARRIED, 5, 2, SPX_CAPSULE_malformed_length);
	expect_changed(SPX_CAPSULE_NAMED, 5, 4, SPX_CAPSULE_malformed_length);
	expect_changed(SPX_CAPSULE_ESP, 0, 0x11, SPX_CAPSULE_malformed_length);
}

/* The UDP payload ends early: by the UDP length, with the frame going on, or with the frame. */
Test(capsule_read, longer_than_the_payload)
{
	struct frame f;
	uint32_t at, capsule;

	for (unsigned kind = 0; kind < SPX_CAPSULE_KINDS; kind++) {
		plain(&f, (enum spx_capsule_kind)kind, &at);
		capsule = f.length - at - FROM_END;
		for (uint32_t payload = 0; payload < capsule; payload++) {
			enum spx_capsule_counter why = payload < SPX_CAPSULE_HEADER
							       ? SPX_CAPSULE_malformed_truncated
							       : SPX_CAPSULE_malformed_overrun;

			frame_put16(&f, f.udp + 4, (uint16_t)(8 + payload));
			expect_pass(&f, why);
			f.length = at + payload;
			frame_close(&f);
			expect_pass(&f, why);
			plain(&f, (enum spx_capsule_kind)kind, &at);
		}
		frame_put16(&f, f.udp + 4, (uint16_t)(8 + capsule));
		expect_ready(&f);
	}
}

/* Bytes that the UDP length does not count belong to nobody; neither does padding of the frame. */
Test(capsule_read, more_than_the_udp_length)
{
	struct frame f;
	uint32_t at;

	plain(&f, SPX_CAPSULE_ESP, &at);
	frame_put16(&f, f.udp + 4, (uint16_t)(f.length - f.udp - FROM_END));
	capsule_fix_checksum(&f);
	expect_ready(&f);
	frame_data(&f, 9);
	expect_ready(&f);
}

/* A carried program without an instruction is well-formed: whoever runs it says fault 1. */
Test(capsule_read, no_instruction)
{
	struct capsule_sample sample;
	struct frame f;

	capsule_plain(&sample, SPX_CAPSULE_CARRIED);
	sample.content.code_words = 0;
	capsule_frame(&f, &sample);
	expect_ready(&f);
	sample.content.scratch_words = 0;
	sample.content.payload_length = 0;
	capsule_frame(&f, &sample);
	expect_ready(&f);
}

Test(capsule_read, flags_that_keep_it_from_running)
{
	for (unsigned flags = 0; flags < 256; flags += 2) {
		struct capsule_sample sample;
		struct frame f;

		capsule_plain(&sample, SPX_CAPSULE_ESP);
		sample.content.flags = (uint8_t)flags;
		capsule_frame(&f, &sample);
		if (flags & SPX_CAPSULE_RETURNED)
			expect_pass(&f, SPX_CAPSULE_returned);
		else if (flags & SPX_CAPSULE_FAULT)
			expect_pass(&f, SPX_CAPSULE_fault);
		else if (flags & (SPX_CAPSULE_INGRESS | SPX_CAPSULE_EGRESS))
			expect_ready(&f);
		else
			expect_pass(&f, SPX_CAPSULE_no_stage);
	}
}

/* ---- packets --------------------------------------------------------------------------------------- */

Test(capsule_read, other_packets)
{
	struct frame f;
	uint32_t at;

	plain(&f, SPX_CAPSULE_ESP, &at);
	frame_put16(&f, f.udp + 2, SPX_CAPSULE_PORT + 1);
	expect(&f, SPX_CAPSULE_NOT, SPX_CAPSULE_seen);
	frame_put16(&f, f.udp, SPX_CAPSULE_PORT);
	expect(&f, SPX_CAPSULE_NOT, SPX_CAPSULE_seen);
	frame_tcp4(&f, 0x10, 100);
	frame_put16(&f, f.ip + 22, SPX_CAPSULE_PORT);
	expect(&f, SPX_CAPSULE_NOT, SPX_CAPSULE_seen);
	frame_start(&f, TYPE_ARP);
	frame_arp(&f);
	expect(&f, SPX_CAPSULE_NOT, SPX_CAPSULE_seen);
	/* Over IPv6, UDP behind an extension header that the parser does not know: another protocol. */
	frame_start(&f, TYPE_IPV6);
	frame_ipv6(&f, 200);
	frame_udp(&f);
	frame_put16(&f, f.udp + 2, SPX_CAPSULE_PORT);
	frame_data(&f, 60);
	frame_close(&f);
	expect(&f, SPX_CAPSULE_NOT, SPX_CAPSULE_seen);
}

Test(capsule_read, ipv6_vlan_options_and_extensions)
{
	struct capsule_sample sample;
	struct frame f;

	capsule_plain(&sample, SPX_CAPSULE_NAMED);
	sample.envelope.vlan = 7;
	capsule_frame(&f, &sample);
	expect_ready(&f);
	sample.envelope.v6 = true;
	capsule_frame(&f, &sample);
	expect_ready(&f);
	f.bytes[f.udp + 8 + 6] = 1;
	expect_pass(&f, SPX_CAPSULE_malformed_zero);
	sample.envelope.vlan = 0;
	capsule_frame(&f, &sample);
	capsule_insert6(&f, IPPROTO_DSTOPTS, 24);
	capsule_insert6(&f, IPPROTO_FRAGMENT, 8); /* of the whole packet */
	expect_ready(&f);
	frame_start(&f, TYPE_IPV4);
	frame_ipv4(&f, IPPROTO_UDP, 10);
	frame_udp(&f);
	frame_put16(&f, f.udp + 2, SPX_CAPSULE_PORT);
	f.length += (uint32_t)spx_capsule_write(&sample.content, f.bytes + f.length, FRAME_MAX - f.length);
	frame_close(&f);
	expect_ready(&f);
}

Test(capsule_read, fragments_over_ipv4)
{
	struct frame f;
	uint32_t at;

	plain(&f, SPX_CAPSULE_ESP, &at);
	frame_put16(&f, f.ip + 6, 0x2000);
	expect_pass(&f, SPX_CAPSULE_fragment);
	f.length = f.udp + 4; /* the first, as short as it shows its ports */
	frame_put16(&f, f.ip + 2, 24);
	expect_pass(&f, SPX_CAPSULE_fragment);
	f.length = f.udp + 3;
	frame_put16(&f, f.ip + 2, 23);
	frame_checksum(&f);
	expect(&f, SPX_CAPSULE_NOT, SPX_CAPSULE_seen);
	f.length = 60; /* padding says nothing: what was the port is still there */
	expect(&f, SPX_CAPSULE_NOT, SPX_CAPSULE_seen);
	plain(&f, SPX_CAPSULE_ESP, &at);
	frame_put16(&f, f.ip + 6, 0x0001);
	expect(&f, SPX_CAPSULE_NOT, SPX_CAPSULE_seen);
	frame_put16(&f, f.ip + 6, 0x2000);
	frame_put16(&f, f.udp + 2, 53);
	expect(&f, SPX_CAPSULE_NOT, SPX_CAPSULE_seen);
}

Test(capsule_read, fragments_over_ipv6)
{
	struct capsule_sample sample;
	struct frame f;

	capsule_plain(&sample, SPX_CAPSULE_CARRIED);
	sample.envelope.v6 = true;
	capsule_frame(&f, &sample);
	capsule_insert6(&f, IPPROTO_FRAGMENT, 8);
	frame_put16(&f, f.ip + 42, 0x0001); /* more to come */
	expect_pass(&f, SPX_CAPSULE_fragment);
	frame_put16(&f, f.ip + 42, 0x0008); /* the last, not the first */
	expect(&f, SPX_CAPSULE_NOT, SPX_CAPSULE_seen);
	frame_put16(&f, f.ip + 42, 0x0001);
	capsule_insert6(&f, IPPROTO_FRAGMENT, 8);
	frame_put16(&f, f.ip + 42, 0x0006); /* a whole packet, reserved bits set: passed over */
	expect_pass(&f, SPX_CAPSULE_fragment);
	capsule_insert6(&f, IPPROTO_HOPOPTS, 16);
	capsule_insert6(&f, IPPROTO_AH, 24);
	f.bytes[f.ip + 41] = 4; /* of AH, in 4 bytes less 2 */
	expect_pass(&f, SPX_CAPSULE_fragment);
	frame_put16(&f, f.udp + 2, 53);
	expect(&f, SPX_CAPSULE_NOT, SPX_CAPSULE_seen);
}

/* Split at every byte: the capsule has to lie in the first segment, its payload may go on behind. */
Test(capsule_read, segments)
{
	struct frame f;
	uint32_t at;

	for (unsigned kind = 0; kind < SPX_CAPSULE_KINDS; kind++) {
		plain(&f, (enum spx_capsule_kind)kind, &at);
		for (uint32_t first = at; first < f.length; first++) {
			struct rte_mbuf *m = frame_mbuf_split(f.bytes, f.length, first);
			struct spx_capsule c;
			enum spx_capsule_verdict verdict = capsule_parse(m, &c);

			if (first >= f.length - FROM_END) {
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

Test(capsule_read, checksum)
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
Test(capsule_read, checksum_of_zero)
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

/* ---- texts ----------------------------------------------------------------------------------------- */

Test(capsule_read, names_and_texts)
{
	for (unsigned i = 0; i < SPX_CAPSULE_COUNTER_COUNT; i++) {
		cr_assert_gt(strlen(spx_capsule_counter_name((enum spx_capsule_counter)i)), 2);
		cr_assert_gt(strlen(spx_capsule_counter_text((enum spx_capsule_counter)i)), 10);
	}
	cr_assert_str_eq(spx_capsule_counter_name(SPX_CAPSULE_bad_checksum), "bad_checksum");
	cr_assert_str_eq(spx_capsule_fault_text(9), "one key mapped twice");
	cr_assert_str_eq(spx_capsule_fault_text(6), "unknown");
	cr_assert_str_eq(spx_capsule_fault_text(16), "the program's own");
	cr_assert_str_eq(spx_capsule_fault_text(255), "the program's own");
	cr_assert_null(spx_capsule_instruction(0));
	cr_assert_null(spx_capsule_instruction(6));
	cr_assert_str_eq(spx_capsule_instruction(5)->name, "rcollect");
	cr_assert_str_eq(spx_capsule_operator(SPX_CAPSULE_OPCODE_COMPARE, 6), "ne");
	cr_assert_null(spx_capsule_operator(SPX_CAPSULE_OPCODE_COMPARE, 7));
	cr_assert_null(spx_capsule_operator(SPX_CAPSULE_OPCODE_COMPARE, 0));
	cr_assert_null(spx_capsule_operator(SPX_CAPSULE_OPCODE_COUNT, 1));
	cr_assert_null(spx_capsule_operator(77, 1));
}
