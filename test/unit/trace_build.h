/* Hand-made capture files for the tests of lib/trace: bytes are put down one field at a time, in either byte
 * order, so that the tests share nothing with the writer they check.
 */
#ifndef SPX_TEST_TRACE_BUILD_H
#define SPX_TEST_TRACE_BUILD_H

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "lib/trace/trace.h"

#define BUILD_ROOM 8192u

struct build {
	uint8_t data[BUILD_ROOM];
	size_t n;
	bool big_endian;
	size_t end[64]; /* where each record or block ends */
	bool packet[64];
	unsigned ends;
};

static inline void
build_number(struct build *b, uint64_t value, unsigned bytes)
{
	cr_assert_leq(b->n + bytes, BUILD_ROOM);
	for (unsigned i = 0; i < bytes; i++)
		b->data[b->n++] = (uint8_t)(value >> 8 * (b->big_endian ? bytes - 1 - i : i));
}

static inline void
build_bytes(struct build *b, const void *data, size_t n)
{
	cr_assert_leq(b->n + n, BUILD_ROOM);
	memcpy(b->data + b->n, data, n);
	b->n += n;
}

/* n bytes counting up from `first`. */
static inline void
build_count(struct build *b, uint8_t first, size_t n)
{
	for (size_t i = 0; i < n; i++)
		build_number(b, (uint8_t)(first + i), 1);
}

static inline void
build_end(struct build *b, bool packet)
{
	cr_assert_lt(b->ends, 64);
	b->packet[b->ends] = packet;
	b->end[b->ends++] = b->n;
}

/* ---- pcap ------------------------------------------------------------------------------------------ */

static inline void
build_pcap(struct build *b, bool big_endian, uint32_t magic, uint32_t link)
{
	*b = (struct build){.big_endian = big_endian};
	build_number(b, magic, 4);
	build_number(b, 2, 2);
	build_number(b, 4, 2);
	build_number(b, 0, 4);
	build_number(b, 0, 4);
	build_number(b, 65535, 4);
	build_number(b, link, 4);
	build_end(b, false);
}

static inline void
build_record_header(struct build *b, uint32_t seconds, uint32_t fraction, uint32_t captured, uint32_t length)
{
	build_number(b, seconds, 4);
	build_number(b, fraction, 4);
	build_number(b, captured, 4);
	build_number(b, length, 4);
}

/* A record of bytes counting up from `first`. */
static inline void
build_record(struct build *b, uint32_t seconds, uint32_t fraction, uint32_t captured, uint32_t length,
	uint8_t first)
{
	build_record_header(b, seconds, fraction, captured, length);
	build_count(b, first, captured);
	build_end(b, true);
}

/* ---- pcapng ---------------------------------------------------------------------------------------- */

/* Begins a block; returns where, for build_block_end, which fills in both lengths. */
static inline size_t
build_block(struct build *b, uint32_t type)
{
	size_t at = b->n;

	build_number(b, type, 4);
	build_number(b, 0, 4);
	return at;
}

static inline void
build_patch32(struct build *b, size_t at, uint32_t value)
{
	size_t n = b->n;

	b->n = at;
	build_number(b, value, 4);
	b->n = n;
}

static inline void
build_block_end(struct build *b, size_t at, bool packet)
{
	while (b->n % 4 != 0)
		build_number(b, 0, 1);
	build_patch32(b, at + 4, (uint32_t)(b->n + 4 - at));
	build_number(b, b->n + 4 - at, 4);
	build_end(b, packet);
}

static inline void
build_section(struct build *b, bool big_endian)
{
	size_t at;

	b->big_endian = big_endian;
	at = build_block(b, 0x0a0d0d0a);
	build_number(b, 0x1a2b3c4d, 4);
	build_number(b, 1, 2);
	build_number(b, 0, 2);
	build_number(b, UINT64_MAX, 8);
	build_block_end(b, at, false);
}

static inline void
build_option(struct build *b, uint16_t code, uint16_t length, uint64_t value)
{
	build_number(b, code, 2);
	build_number(b, length, 2);
	build_number(b, value, length);
	while (b->n % 4 != 0)
		build_number(b, 0, 1);
}

/* An interface; resolution and offset are options where they are not negative and not zero. */
static inline void
build_interface(struct build *b, uint16_t link, uint32_t snap, int resolution, int64_t offset)
{
	size_t at = build_block(b, 1);

	build_number(b, link, 2);
	build_number(b, 0, 2);
	build_number(b, snap, 4);
	if (resolution >= 0)
		build_option(b, 9, 1, (uint64_t)resolution);
	if (offset != 0)
		build_option(b, 14, 8, (uint64_t)offset);
	if (resolution >= 0 || offset != 0)
		build_option(b, 0, 0, 0);
	build_block_end(b, at, false);
}

static inline void
build_enhanced(struct build *b, uint32_t interface, uint64_t stamp, uint32_t captured, uint32_t length,
	uint8_t first)
{
	size_t at = build_block(b, 6);

	build_number(b, interface, 4);
	build_number(b, stamp >> 32, 4);
	build_number(b, stamp & UINT32_MAX, 4);
	build_number(b, captured, 4);
	build_number(b, length, 4);
	build_count(b, first, captured);
	build_block_end(b, at, true);
}

static inline void
build_obsolete(struct build *b, uint16_t interface, uint64_t stamp, uint32_t captured, uint32_t length,
	uint8_t first)
{
	size_t at = build_block(b, 2);

	build_number(b, interface, 2);
	build_number(b, 7, 2); /* drops */
	build_number(b, stamp >> 32, 4);
	build_number(b, stamp & UINT32_MAX, 4);
	build_number(b, captured, 4);
	build_number(b, length, 4);
	build_count(b, first, captured);
	build_block_end(b, at, true);
}

static inline void
build_simple(struct build *b, uint32_t captured, uint32_t length, uint8_t first)
{
	size_t at = build_block(b, 3);

	build_number(b, length, 4);
	build_count(b, first, captured);
	build_block_end(b, at, true);
}

/* ---- checks ---------------------------------------------------------------------------------------- */

static inline struct spx_trace *
open_build(const struct build *b)
{
	struct spx_trace *trace = NULL;
	struct spx_error err = {""};

	cr_assert_eq(spx_trace_open_memory("made", b->data, b->n, &trace, &err), 0, "%s", err.text);
	cr_assert_eq(spx_trace_size(trace), b->n);
	return trace;
}

/* The next packet has these lengths and bytes counting up from `first`. */
static inline struct spx_trace_packet
expect_packet(struct spx_trace *trace, uint32_t captured, uint32_t length, uint8_t first)
{
	struct spx_trace_packet packet;
	struct spx_error err = {""};

	cr_assert_eq(spx_trace_next(trace, &packet, &err), 1, "%s", err.text);
	cr_assert_eq(packet.captured, captured);
	cr_assert_eq(packet.length, length);
	for (uint32_t i = 0; i < captured; i++)
		cr_assert_eq(packet.data[i], (uint8_t)(first + i));
	return packet;
}

static inline void
expect_end(struct spx_trace *trace)
{
	struct spx_trace_packet packet;
	struct spx_error err = {""};

	cr_assert_eq(spx_trace_next(trace, &packet, &err), 0, "%s", err.text);
	cr_assert_eq(spx_trace_next(trace, &packet, &err), 0);
}

/* The message names file and byte offset and holds `reason`. */
static inline void
expect_message(const struct spx_error *err, long offset, const char *reason)
{
	char place[64];

	snprintf(place, sizeof(place), "made: byte %ld", offset);
	cr_assert_eq(strncmp(err->text, place, strlen(place)), 0, "'%s' should begin '%s'", err->text, place);
	cr_assert_not_null(strstr(err->text, reason), "'%s' should say '%s'", err->text, reason);
}

static inline void
expect_open_error(const struct build *b, int code, long offset, const char *reason)
{
	struct spx_trace *trace = NULL;
	struct spx_error err = {""};

	cr_assert_eq(spx_trace_open_memory("made", b->data, b->n, &trace, &err), code, "%s", err.text);
	cr_assert_null(trace);
	expect_message(&err, offset, reason);
}

/* The next call gives this error, and so does every later one. */
static inline void
expect_next_error(struct spx_trace *trace, int code, long offset, const char *reason)
{
	struct spx_trace_packet packet;

	for (int i = 0; i < 3; i++) {
		struct spx_error err = {""};

		cr_assert_eq(spx_trace_next(trace, &packet, &err), code, "%s", err.text);
		expect_message(&err, offset, reason);
	}
}

/* Reads everything, touching every byte; returns packets, and in *rc how it ended. */
static inline unsigned
count_packets(struct spx_trace *trace, int *rc)
{
	struct spx_trace_packet packet;
	struct spx_error err = {""};
	unsigned n = 0;
	volatile uint8_t sum = 0;

	while ((*rc = spx_trace_next(trace, &packet, &err)) == 1) {
		cr_assert_geq(packet.length, packet.captured);
		for (uint32_t i = 0; i < packet.captured; i++)
			sum = (uint8_t)(sum + packet.data[i]);
		n++;
	}
	cr_assert(*rc == 0 || strstr(err.text, "byte ") != NULL, "%s", err.text);
	return n;
}

/* Cuts the file at every byte: what ends before the cut is delivered, and a cut inside a record is an error.
 * Each cut lies in memory of exactly its size, so that the address sanitizer sees a byte read too many. */
static inline void
expect_cuts(const struct build *b)
{
	for (size_t cut = 0; cut <= b->n; cut++) {
		uint8_t *copy = malloc(cut + (cut == 0));
		struct spx_trace *trace = NULL;
		struct spx_error err = {""};
		unsigned expected = 0, n = 0;
		bool whole = false;
		int rc;

		memcpy(copy, b->data, cut);
		for (unsigned i = 0; i < b->ends; i++) {
			whole |= b->end[i] == cut;
			expected += b->packet[i] && b->end[i] <= cut;
		}
		rc = spx_trace_open_memory("cut", copy, cut, &trace, &err);
		if (rc == 0) {
			n = count_packets(trace, &rc);
			spx_trace_rewind(trace);
			cr_assert_eq(count_packets(trace, &rc), n);
			spx_trace_close(trace);
		} else {
			cr_assert_not_null(strstr(err.text, "cut: byte "), "%s", err.text);
		}
		cr_assert_eq(n, expected, "cut at %zu: %u packets, %u expected", cut, n, expected);
		cr_assert_eq(rc == 0, whole, "cut at %zu: %d", cut, rc);
		free(copy);
	}
}

#endif
