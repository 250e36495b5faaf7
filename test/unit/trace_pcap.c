/* The pcap reader on hand-made files: every variant, every error, every cut. */
#include <errno.h>

#include "test/unit/trace_build.h"

static void
check_variant(bool big_endian, uint32_t magic, uint64_t fraction_ns)
{
	struct build b;
	struct spx_trace *trace;
	struct spx_trace_packet packet;

	build_pcap(&b, big_endian, magic, 1);
	build_record(&b, 1000, 5, 60, 1514, 1);
	build_record(&b, 4000000000u, 999, 0, 0, 0);
	trace = open_build(&b);
	for (int pass = 0; pass < 2; pass++) {
		packet = expect_packet(trace, 60, 1514, 1);
		cr_assert_eq(packet.time, 1000 * UINT64_C(1000000000) + 5 * fraction_ns);
		cr_assert_eq(packet.ethertype, 0);
		cr_assert_eq(packet.offset, 24);
		packet = expect_packet(trace, 0, 0, 0);
		cr_assert_eq(packet.time, 4000000000u * UINT64_C(1000000000) + 999 * fraction_ns);
		cr_assert_eq(packet.offset, 24 + 16 + 60);
		expect_end(trace);
		spx_trace_rewind(trace);
	}
	spx_trace_close(trace);
	expect_cuts(&b);
}

Test(trace_pcap, microseconds)
{
	check_variant(false, 0xa1b2c3d4, 1000);
	check_variant(true, 0xa1b2c3d4, 1000);
}

Test(trace_pcap, nanoseconds)
{
	check_variant(false, 0xa1b23c4d, 1);
	check_variant(true, 0xa1b23c4d, 1);
}

Test(trace_pcap, kuznetzov_has_eight_bytes_more_in_each_record_header)
{
	for (int big = 0; big < 2; big++) {
		struct build b;
		struct spx_trace *trace;

		build_pcap(&b, big, 0xa1b2cd34, 1);
		for (uint8_t i = 1; i < 3; i++) {
			build_record_header(&b, i, 0, 20, 20);
			build_count(&b, 0xf0, 8);
			build_count(&b, i, 20);
			build_end(&b, true);
		}
		trace = open_build(&b);
		expect_packet(trace, 20, 20, 1);
		expect_packet(trace, 20, 20, 2);
		expect_end(trace);
		spx_trace_close(trace);
		expect_cuts(&b);
	}
}

/* libpcap: before 2.3 the lengths stood the other way round; 2.3 had both. */
Test(trace_pcap, old_versions_swap_the_lengths)
{
	struct build b;
	struct spx_trace *trace;

	build_pcap(&b, false, 0xa1b2c3d4, 1);
	b.data[6] = 2;
	build_record_header(&b, 0, 0, 100, 20);
	build_count(&b, 7, 20);
	trace = open_build(&b);
	expect_packet(trace, 20, 100, 7);
	spx_trace_close(trace);

	build_record_header(&b, 0, 0, 20, 100);
	build_count(&b, 9, 20);
	b.data[6] = 3;
	trace = open_build(&b);
	expect_packet(trace, 20, 100, 7);
	expect_packet(trace, 20, 100, 9);
	expect_end(trace);
	spx_trace_close(trace);
}

Test(trace_pcap, captured_more_than_the_length_raises_the_length)
{
	struct build b;
	struct spx_trace *trace;

	build_pcap(&b, false, 0xa1b2c3d4, 1);
	build_record(&b, 0, 0, 60, 40, 3);
	trace = open_build(&b);
	expect_packet(trace, 60, 60, 3);
	expect_end(trace);
	spx_trace_close(trace);
}

Test(trace_pcap, frame_check_and_reserved_bits_of_the_link_type_are_masked)
{
	struct build b;
	struct spx_trace *trace;

	build_pcap(&b, true, 0xa1b2c3d4, 0x24000001u | 0x00ff0000u);
	build_record(&b, 0, 0, 60, 60, 3);
	trace = open_build(&b);
	expect_packet(trace, 60, 60, 3);
	spx_trace_close(trace);
}

Test(trace_pcap, damaged_record_ends_the_trace_with_the_same_error_each_time)
{
	struct build b;
	struct spx_trace *trace;

	build_pcap(&b, false, 0xa1b2c3d4, 1);
	build_record(&b, 0, 0, 60, 60, 1);
	build_record_header(&b, 0, 0, 262145, 262145);
	trace = open_build(&b);
	expect_packet(trace, 60, 60, 1);
	expect_next_error(trace, -EBADMSG, 100, "captured length of 262145 bytes; at most 262144");
	spx_trace_rewind(trace);
	expect_packet(trace, 60, 60, 1);
	expect_next_error(trace, -EBADMSG, 100, "captured length of 262145 bytes; at most 262144");
	spx_trace_close(trace);
}

Test(trace_pcap, largest_captured_length_is_read)
{
	struct build b;
	struct spx_trace *trace;
	struct spx_trace_packet packet;
	struct spx_error err;
	uint8_t *file = calloc(1, 40 + 262144);

	build_pcap(&b, false, 0xa1b2c3d4, 1);
	build_record_header(&b, 0, 0, 262144, 262144);
	memcpy(file, b.data, b.n);
	cr_assert_eq(spx_trace_open_memory("made", file, 40 + 262144, &trace, &err), 0);
	cr_assert_eq(spx_trace_next(trace, &packet, &err), 1);
	cr_assert_eq(packet.captured, 262144);
	spx_trace_close(trace);
	free(file);
}

Test(trace_pcap, messages)
{
	struct build b;
	struct spx_trace *trace;

	build_pcap(&b, false, 0xa1b2c3d4, 1);
	b.n = 23;
	expect_open_error(&b, -EBADMSG, 0, "inside the pcap file header: 24 bytes expected, 23 left");
	b.n = 3;
	expect_open_error(&b, -EBADMSG, 0, "magic number");
	b.n = 24;
	b.data[4] = 3;
	expect_open_error(&b, -ENOTSUP, 4, "version 3.4; 2.0 to 2.4 expected");
	b.data[4] = 2;
	b.data[6] = 5;
	expect_open_error(&b, -ENOTSUP, 4, "version 2.5; 2.0 to 2.4 expected");
	build_pcap(&b, true, 0xa1b2c3d4, 105);
	expect_open_error(
		&b, -ENOTSUP, 20, "link type 105 (IEEE 802.11) carries neither Ethernet nor raw IP");
	build_pcap(&b, true, 0xa1b2c3d4, 4711);
	expect_open_error(&b, -ENOTSUP, 20, "link type 4711 (unknown) carries neither");
	b.data[0] = 0x7f;
	expect_open_error(&b, -EINVAL, 0, "no capture format begins with 7f b2 c3 d4");
	build_pcap(&b, false, 0xa1b2c3d4, 1);
	build_record(&b, 0, 0, 60, 60, 1);
	b.n--;
	trace = open_build(&b);
	expect_next_error(trace, -EBADMSG, 24, "inside a packet: 76 bytes expected, 75 left");
	spx_trace_close(trace);
	b.n = 24 + 15;
	trace = open_build(&b);
	expect_next_error(trace, -EBADMSG, 24, "inside a record header: 16 bytes expected, 15 left");
	spx_trace_close(trace);
}

Test(trace_pcap, a_long_name_does_not_push_out_the_reason)
{
	static const uint8_t junk[8] = "notatrac";
	struct spx_trace *trace;
	struct spx_error err;
	char name[4096];

	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	cr_assert_eq(spx_trace_open_memory(name, junk, sizeof(junk), &trace, &err), -EINVAL);
	cr_assert_not_null(strstr(err.text, ": byte 0: no capture format"));
	cr_assert_not_null(strstr(err.text, "expected"));
}

/* Random damage to a small file: nothing but packets within the file and errors with a place. */
Test(trace_pcap, random_damage)
{
	uint64_t random = 4;
	struct build b;

	for (unsigned round = 0; round < 20000; round++) {
		struct spx_trace *trace;
		struct spx_error err;
		uint8_t *copy;
		int rc;

		build_pcap(&b, round % 2, 0xa1b2c3d4, round % 3 == 0 ? 113 : 1);
		for (uint8_t i = 0; i < 4; i++)
			build_record(&b, i, i, 30, 60, i);
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
