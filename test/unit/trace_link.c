/* Link types: for each, a header made by hand leads to the payload and its EtherType, or to a packet that is
 * passed over; and no header may be cut anywhere. */
#include <errno.h>

#include "test/unit/trace_build.h"

struct link_case {
	uint16_t type;
	uint16_t ethertype; /* expected; 0: Ethernet; PASSED_OVER */
	uint8_t header;     /* bytes before the payload */
	uint8_t bytes[24];  /* of the header, and of the payload where its first byte decides */
};

#define PASSED_OVER 1

static const struct link_case cases[] = {
	{1, 0, 0, {0}},
	{0, 0x0800, 4, {2, 0, 0, 0}},
	{0, 0x0800, 4, {0, 0, 0, 2}},
	{0, 0x86dd, 4, {10, 0, 0, 0}},
	{0, 0x86dd, 4, {0, 0, 0, 23}},
	{0, 0x86dd, 4, {24, 0, 0, 0}},
	{0, 0x86dd, 4, {28, 0, 0, 0}},
	{0, 0x86dd, 4, {30, 0, 0, 0}},
	{0, PASSED_OVER, 4, {7, 0, 0, 0}},
	{0, PASSED_OVER, 4, {2, 0, 0, 2}},
	{108, 0x0800, 4, {0, 0, 0, 2}},
	{108, 0x86dd, 4, {0, 0, 0, 24}},
	{109, 0x0800, 12, {2, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8}},
	{8, 0x0800, 16, {0, 0x40, [16] = 0x45}},
	{8, PASSED_OVER, 16, {0, 0x80, [16] = 0x01}},
	{12, 0x0800, 0, {0x45}},
	{14, 0x86dd, 0, {0x60}},
	{101, 0x0800, 0, {0x4f}},
	{101, 0x86dd, 0, {0x6f}},
	{101, PASSED_OVER, 0, {0x50}},
	{228, 0x0800, 0, {0x00}},
	{229, 0x86dd, 0, {0x00}},
	{113, 0x0800, 16, {0, 0, 0, 1, 0, 6, [14] = 0x08, 0x00}},
	{113, 0x8100, 16, {0, 0, 0, 1, 0, 6, [14] = 0x81, 0x00}},
	{113, PASSED_OVER, 16, {0, 0, 0, 1, 0, 6, [14] = 0x00, 0x04}},
	{113, PASSED_OVER, 16, {0, 0, 0x03, 0x38, 0, 0, [14] = 0x08, 0x00}},
	{276, 0x86dd, 20, {0x86, 0xdd, 0, 0, 0, 0, 0, 3, 0, 1}},
	{276, PASSED_OVER, 20, {0x00, 0x0c, 0, 0, 0, 0, 0, 3, 0, 1}},
	{276, PASSED_OVER, 20, {0x08, 0x00, 0, 0, 0, 0, 0, 3, 0x03, 0x38}},
	{9, 0x0800, 4, {0xff, 0x03, 0x00, 0x21}},
	{9, 0x0800, 2, {0x00, 0x21}},
	{9, 0x0800, 1, {0x21}},
	{9, 0x86dd, 3, {0xff, 0x03, 0x57}},
	{9, 0x8847, 4, {0xff, 0x03, 0x02, 0x81}},
	{9, 0x8848, 2, {0x02, 0x83}},
	{9, PASSED_OVER, 4, {0xff, 0x03, 0xc0, 0x21}},
	{50, 0x0800, 4, {0xff, 0x03, 0x00, 0x21}},
	{50, 0x86dd, 4, {0x0f, 0x00, 0x86, 0xdd}},
	{50, 0x0800, 4, {0x8f, 0x00, 0x08, 0x00}},
	{166, 0x0800, 5, {0x01, 0xff, 0x03, 0x00, 0x21}},
	{204, 0x86dd, 5, {0x00, 0xff, 0x03, 0x00, 0x57}},
	{51, 0x0800, 8, {0x11, 0x00, 0, 1, 0, 30, 0x00, 0x21}},
	{51, PASSED_OVER, 8, {0x11, 0x09, 0, 0, 0, 4, 0x00, 0x21}},
	{100, 0x0800, 8, {0xaa, 0xaa, 0x03, 0, 0, 0, 0x08, 0x00}},
	{100, PASSED_OVER, 8, {0xaa, 0xaa, 0x03, 0, 0x80, 0xc2, 0x00, 0x07}},
	{104, 0x0800, 4, {0x0f, 0x00, 0x08, 0x00}},
	{104, 0x8847, 4, {0x8f, 0x00, 0x88, 0x47}},
	{205, 0x0800, 5, {0x01, 0x0f, 0x00, 0x08, 0x00}},
	{240, 0, 4, {1, 2, 3, 4}},
	{241, 0, 12, {1, 2, 3, 4, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0xd5}},
	{281, 0x0800, 18, {1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 0, 0, 0, 1, 0x08, 0x00}},
	{281, PASSED_OVER, 18, {1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 0, 0, 0, 1, 0x00, 0x26}},
	{282, 0, 4, {0, 0, 0, 1}},
	{284, 0x86dd, 18, {1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 0, 0, 0, 1, 0x86, 0xdd}},
	{285, 0x0800, 22, {[12] = 0xda, 0xda, 0, 0, 0, 0, 0, 1, 0x08, 0x00}},
};

/* One packet of the case whose captured bytes are cut to `captured`, 40 on the wire. */
static void
build_case(struct build *b, const struct link_case *c, uint32_t captured)
{
	uint8_t data[40] = {0};

	memcpy(data, c->bytes, sizeof(c->bytes));
	build_pcap(b, false, 0xa1b2c3d4, c->type);
	build_record_header(b, 0, 0, captured, sizeof(data));
	build_bytes(b, data, captured);
}

Test(trace_link, every_type)
{
	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		const struct link_case *c = &cases[i];
		struct build b;
		struct spx_trace *trace;
		struct spx_trace_packet packet;
		struct spx_error err;
		int rc;

		build_case(&b, c, 40);
		trace = open_build(&b);
		rc = spx_trace_next(trace, &packet, &err);
		cr_assert_eq(rc, c->ethertype != PASSED_OVER, "case %zu of type %u: %d", i, c->type, rc);
		cr_assert_eq(spx_trace_skipped(trace), c->ethertype == PASSED_OVER);
		if (rc == 1) {
			cr_assert_eq(packet.ethertype, c->ethertype, "case %zu of type %u: %04x", i, c->type,
				packet.ethertype);
			cr_assert_eq(packet.captured, 40u - c->header);
			cr_assert_eq(packet.length, 40u - c->header);
			cr_assert_eq(packet.data, b.data + 40 + c->header);
			cr_assert_eq(packet.offset, 24);
			expect_end(trace);
		}
		spx_trace_close(trace);
	}
}

/* A snap length inside the link header: passed over, and no byte behind the captured ones is looked at (each
 * file lies in memory of exactly its size, which the address sanitizer guards). */
Test(trace_link, every_type_cut_in_the_header)
{
	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		for (uint32_t captured = 0; captured <= cases[i].header + 1u; captured++) {
			struct build b;
			struct spx_trace *trace;
			struct spx_trace_packet packet;
			struct spx_error err;
			uint8_t *copy;
			int rc;

			build_case(&b, &cases[i], captured);
			copy = malloc(b.n);
			memcpy(copy, b.data, b.n);
			cr_assert_eq(spx_trace_open_memory("made", copy, b.n, &trace, &err), 0);
			rc = spx_trace_next(trace, &packet, &err);
			if (captured < cases[i].header || cases[i].ethertype == PASSED_OVER)
				cr_assert_eq(
					rc, 0, "case %zu of type %u, %u bytes", i, cases[i].type, captured);
			if (rc == 1)
				cr_assert_eq(packet.length - packet.captured, 40 - captured);
			spx_trace_close(trace);
			free(copy);
		}
	}
}

Test(trace_link, other_types_are_errors_with_number_and_name)
{
	static const struct {
		uint16_t type;
		const char *text;
	} unusable[] = {
		{105, "link type 105 (IEEE 802.11)"},
		{10, "link type 10 (FDDI)"},
		{127, "link type 127 (IEEE 802.11 with radiotap header)"},
		{239, "link type 239 (Linux netfilter log)"},
		{2, "link type 2 (unknown)"},
		{65535, "link type 65535 (unknown)"},
	};

	for (size_t i = 0; i < RTE_DIM(unusable); i++) {
		struct build b;

		build_pcap(&b, true, 0xa1b23c4d, unusable[i].type);
		expect_open_error(&b, -ENOTSUP, 20, unusable[i].text);
	}
}
