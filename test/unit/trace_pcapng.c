/* The pcapng reader on hand-made files: blocks, sections, interfaces, stamps, every error, every cut. */
#include <errno.h>

#include "test/unit/trace_build.h"

#define SECOND UINT64_C(1000000000)

/* A section with all three packet blocks, and blocks to pass over between them. */
static void
build_all_kinds(struct build *b, bool big_endian)
{
	size_t at;

	build_section(b, big_endian);
	at = build_block(b, 5); /* interface statistics */
	build_count(b, 0, 12);
	build_block_end(b, at, false);
	build_interface(b, 1, 40, -1, 0);
	build_enhanced(b, 0, UINT64_C(0x500000001), 60, 1514, 1);
	at = build_block(b, 0xbad); /* custom */
	build_block_end(b, at, false);
	build_simple(b, 40, 100, 2); /* cut by the snap length */
	build_simple(b, 7, 7, 3);    /* needs padding */
	build_obsolete(b, 0, 3000001, 5, 5, 4);
	build_enhanced(b, 0, 0, 0, 0, 0);
}

static void
expect_all_kinds(struct spx_trace *trace)
{
	struct spx_trace_packet packet = expect_packet(trace, 60, 1514, 1);

	cr_assert_eq(packet.time, UINT64_C(0x500000001) * 1000);
	cr_assert_eq(packet.ethertype, 0);
	cr_assert_eq(expect_packet(trace, 40, 100, 2).time, 0);
	expect_packet(trace, 7, 7, 3);
	cr_assert_eq(expect_packet(trace, 5, 5, 4).time, UINT64_C(3000001000));
	expect_packet(trace, 0, 0, 0);
}

Test(trace_pcapng, all_packet_blocks_in_both_byte_orders)
{
	for (int big = 0; big < 2; big++) {
		struct build b = {.n = 0};
		struct spx_trace *trace;

		build_all_kinds(&b, big);
		trace = open_build(&b);
		for (int pass = 0; pass < 2; pass++) {
			expect_all_kinds(trace);
			expect_end(trace);
			spx_trace_rewind(trace);
		}
		spx_trace_close(trace);
		expect_cuts(&b);
	}
}

Test(trace_pcapng, sections_of_different_byte_order)
{
	struct build b = {.n = 0};
	struct spx_trace *trace;

	build_all_kinds(&b, false);
	build_all_kinds(&b, true);
	build_all_kinds(&b, false);
	trace = open_build(&b);
	for (int pass = 0; pass < 2; pass++) {
		for (int section = 0; section < 3; section++)
			expect_all_kinds(trace);
		expect_end(trace);
		spx_trace_rewind(trace);
	}
	spx_trace_close(trace);
	expect_cuts(&b);
}

Test(trace_pcapng, a_new_section_has_no_interfaces)
{
	struct build b = {.n = 0};
	struct spx_trace *trace;
	long at;

	build_all_kinds(&b, false);
	build_section(&b, false);
	at = (long)b.n;
	build_enhanced(&b, 0, 0, 4, 4, 0);
	trace = open_build(&b);
	expect_all_kinds(trace);
	expect_next_error(trace, -EBADMSG, at, "a packet of interface 0;");
	spx_trace_close(trace);
}

static uint64_t
time_of(int resolution, int64_t offset, uint64_t stamp)
{
	struct build b = {.n = 0};
	struct spx_trace *trace;
	uint64_t time;

	build_section(&b, true);
	build_interface(&b, 1, 0, resolution, offset);
	build_enhanced(&b, 0, stamp, 4, 4, 0);
	trace = open_build(&b);
	time = expect_packet(trace, 4, 4, 0).time;
	spx_trace_close(trace);
	return time;
}

Test(trace_pcapng, time_stamp_resolutions)
{
	cr_assert_eq(time_of(-1, 0, 1000001), 1000001000);
	cr_assert_eq(time_of(6, 0, 1000001), 1000001000);
	cr_assert_eq(time_of(9, 0, 1700000000 * SECOND + 7), 1700000000 * SECOND + 7);
	cr_assert_eq(time_of(0, 0, 17), 17 * SECOND);
	cr_assert_eq(time_of(3, 0, 17), 17000000);
	cr_assert_eq(time_of(12, 0, 17999), 17);
	cr_assert_eq(time_of(28, 0, UINT64_C(10000000000000000000)), 1);
	cr_assert_eq(time_of(29, 0, UINT64_MAX), 0);
	cr_assert_eq(time_of(127, 0, UINT64_MAX), 0);
	cr_assert_eq(time_of(0x80, 0, 3), 3 * SECOND);
	cr_assert_eq(time_of(0x80 | 10, 0, 1536), SECOND + SECOND / 2);
	cr_assert_eq(time_of(0x80 | 32, 0, UINT64_C(5) << 32 | 1u << 31), 5 * SECOND + SECOND / 2);
	cr_assert_eq(time_of(0xff, 0, UINT64_MAX), 0);
}

Test(trace_pcapng, time_stamp_offsets_stay_within_64_bits)
{
	cr_assert_eq(time_of(6, 100, 5), 100 * SECOND + 5000);
	cr_assert_eq(time_of(9, -1, SECOND + 3), 3);
	cr_assert_eq(time_of(9, -2, SECOND + 3), 0);
	cr_assert_eq(time_of(0, INT64_MAX, UINT64_MAX), UINT64_MAX);
	cr_assert_eq(time_of(0x80, INT64_MIN, UINT64_MAX), UINT64_MAX);
	cr_assert_eq(time_of(9, INT64_MIN, UINT64_MAX), 0);
}

Test(trace_pcapng, interfaces_that_cannot_be_used_are_passed_over_and_counted)
{
	struct build b = {.n = 0};
	struct spx_trace *trace;

	build_section(&b, false);
	build_interface(&b, 105, 0, -1, 0);
	build_interface(&b, 1, 0, -1, 0);
	build_enhanced(&b, 0, 0, 20, 20, 1);
	build_enhanced(&b, 1, 0, 20, 20, 2);
	build_simple(&b, 8, 8, 3); /* of interface 0 */
	build_interface(&b, 228, 0, -1, 0);
	build_enhanced(&b, 2, 0, 20, 20, 4);
	trace = open_build(&b);
	for (int pass = 0; pass < 2; pass++) {
		cr_assert_eq(spx_trace_skipped(trace), 0);
		expect_packet(trace, 20, 20, 2);
		cr_assert_eq(expect_packet(trace, 20, 20, 4).ethertype, 0x0800);
		expect_end(trace);
		cr_assert_eq(spx_trace_skipped(trace), 2);
		spx_trace_rewind(trace);
	}
	spx_trace_close(trace);
}

Test(trace_pcapng, a_file_of_unusable_interfaces_only_does_not_open)
{
	struct build b = {.n = 0};

	build_section(&b, false);
	build_interface(&b, 127, 0, -1, 0);
	build_interface(&b, 189, 0, -1, 0);
	expect_open_error(&b, -ENOTSUP, 28, "link type 127 (IEEE 802.11 with radiotap header)");
	build_enhanced(&b, 0, 0, 20, 20, 1);
	build_interface(&b, 1, 0, -1, 0);
	expect_open_error(&b, -ENOTSUP, 28, "link type 127");
}

Test(trace_pcapng, a_section_without_anything_is_an_empty_trace)
{
	struct build b = {.n = 0};
	struct spx_trace *trace;

	build_section(&b, true);
	trace = open_build(&b);
	expect_end(trace);
	spx_trace_close(trace);
	expect_cuts(&b);
}

/* A section and an interface, the interface's block beginning at 28, what follows it at 48. */
static void
begin(struct build *b)
{
	*b = (struct build){.n = 0};
	build_section(b, false);
	build_interface(b, 1, 0, -1, 0);
}

static void
expect_after_begin(struct build *b, int code, long offset, const char *reason)
{
	struct spx_trace *trace;

	/* A packet before, so that the file opens. */
	struct build whole;

	begin(&whole);
	build_enhanced(&whole, 0, 0, 4, 4, 1); /* 36 bytes */
	build_bytes(&whole, b->data + 48, b->n - 48);
	trace = open_build(&whole);
	expect_packet(trace, 4, 4, 1);
	expect_next_error(trace, code, offset + 36, reason);
	spx_trace_close(trace);
}

Test(trace_pcapng, damaged_blocks)
{
	struct build b;

	begin(&b);
	build_enhanced(&b, 0, 0, 4, 4, 1);
	build_patch32(&b, 52, 38);
	expect_after_begin(&b, -EBADMSG, 52, "block length 38; a multiple of 4 and at least 12 expected");
	build_patch32(&b, 52, 8);
	expect_after_begin(&b, -EBADMSG, 52, "block length 8; a multiple of 4 and at least 12 expected");
	build_patch32(&b, 52, 0xfffffffc);
	expect_after_begin(&b, -EBADMSG, 48, "inside a block: 4294967292 bytes expected, 36 left");
	build_patch32(&b, 52, 36);
	build_patch32(&b, 48 + 32, 40);
	expect_after_begin(&b, -EBADMSG, 80, "block length 40 at the end of the block; 36 expected");

	begin(&b);
	build_block_end(&b, build_block(&b, 6), true);
	expect_after_begin(&b, -EBADMSG, 52, "block length 12; at least 32 expected of a packet block");
	begin(&b);
	build_block_end(&b, build_block(&b, 3), true);
	expect_after_begin(
		&b, -EBADMSG, 52, "block length 12; at least 16 expected of a simple packet block");
	begin(&b);
	build_block_end(&b, build_block(&b, 1), true);
	expect_after_begin(&b, -EBADMSG, 52, "block length 12; at least 20 expected of an interface");
}

Test(trace_pcapng, damaged_packets)
{
	struct build b;

	begin(&b);
	build_enhanced(&b, 1, 0, 4, 4, 1);
	expect_after_begin(&b, -EBADMSG, 48, "a packet of interface 1;");
	begin(&b);
	build_enhanced(&b, 0, 0, 4, 4, 1);
	build_patch32(&b, 48 + 20, 5);
	expect_after_begin(&b, -EBADMSG, 48, "captured length of 5 bytes; at most 4 expected");
	build_patch32(&b, 48 + 20, 262145);
	expect_after_begin(&b, -EBADMSG, 48, "captured length of 262145 bytes; at most 262144 expected");
	begin(&b);
	build_simple(&b, 4, 5, 1);
	expect_after_begin(&b, -EBADMSG, 48, "captured length of 5 bytes; at most 4 expected");
}

Test(trace_pcapng, damaged_section_headers)
{
	struct build b;
	size_t at;

	begin(&b);
	build_section(&b, true);
	build_patch32(&b, 48 + 8, 0x11223344);
	expect_after_begin(&b, -EBADMSG, 56, "byte-order magic");
	begin(&b);
	build_section(&b, false);
	b.data[48 + 12] = 2;
	expect_after_begin(&b, -ENOTSUP, 60, "pcapng version 2.0; 1.0 expected");
	begin(&b);
	at = build_block(&b, 0x0a0d0d0a);
	build_number(&b, 0x1a2b3c4d, 4);
	build_block_end(&b, at, false);
	expect_after_begin(&b, -EBADMSG, 52, "block length 16; at least 28 expected of a section header");

	b = (struct build){.n = 0};
	build_section(&b, false);
	b.data[8] = 0;
	expect_open_error(&b, -EBADMSG, 8, "byte-order magic");
	b.n = 11;
	expect_open_error(&b, -EBADMSG, 0, "inside a block");
}

Test(trace_pcapng, damaged_options)
{
	struct build b = {.n = 0};

	build_section(&b, false);
	build_interface(&b, 1, 0, 6, 0);
	b.data[28 + 16 + 2] = 13;
	expect_open_error(&b, -EBADMSG, 28 + 16, "option 9 has 13 bytes; at most 8 expected");
	b.data[28 + 16 + 2] = 9;
	expect_open_error(&b, -EBADMSG, 28 + 16, "option 9 has 9 bytes; at most 8 expected");
	b.data[28 + 16 + 2] = 2;
	expect_open_error(&b, -EBADMSG, 28 + 16, "option if_tsresol has 2 bytes; 1 expected");
	b.data[28 + 16] = 14;
	expect_open_error(&b, -EBADMSG, 28 + 16, "option if_tsoffset has 2 bytes; 8 expected");
}

Test(trace_pcapng, as_many_interfaces_as_numbers_then_no_more)
{
	const size_t one = 20, n = 65537, size = 28 + n * one;
	struct build b = {.n = 0};
	uint8_t *file = malloc(size);
	struct spx_trace *trace;
	struct spx_error err;

	build_section(&b, false);
	build_interface(&b, 1, 0, -1, 0);
	memcpy(file, b.data, 28);
	for (size_t i = 0; i < n; i++)
		memcpy(file + 28 + i * one, b.data + 28, one);
	cr_assert_eq(spx_trace_open_memory("made", file, size, &trace, &err), -E2BIG);
	cr_assert_not_null(strstr(err.text, "another interface in a section of 65536"), "%s", err.text);
	cr_assert_eq(spx_trace_open_memory("made", file, size - one, &trace, &err), 0);
	spx_trace_close(trace);
	free(file);
}

Test(trace_pcapng, random_damage)
{
	uint64_t random = 5;

	for (unsigned round = 0; round < 20000; round++) {
		struct build b = {.n = 0};
		struct spx_trace *trace;
		struct spx_error err;
		uint8_t *copy;
		int rc;

		build_all_kinds(&b, round % 2);
		build_interface(&b, 1, 0, 9, 1);
		build_all_kinds(&b, round % 3 == 0);
		for (unsigned i = 0; i < 1 + round % 3; i++)
			b.data[spx_random(&random) % b.n] = (uint8_t)spx_random(&random);
		copy = malloc(b.n);
		memcpy(copy, b.data, b.n);
		if (spx_trace_open_memory("made", copy, b.n, &trace, &err) == 0) {
			count_packets(trace, &rc);
			spx_trace_close(trace);
		} else {
			cr_assert_not_null(strstr(err.text, "made: byte "), "%s", err.text);
		}
		free(copy);
	}
}
