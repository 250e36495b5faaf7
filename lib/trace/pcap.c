/* The pcap format: a file header, then records of a header and the captured bytes.
 *
 * Source: draft-ietf-opsawg-pcap and libpcap's savefile reading, whose tolerance of old writers is kept: the
 * two length words swapped before version 2.3 and sometimes in 2.3, and Kuznetzov's longer record header.
 */
#include <errno.h>

#include "lib/trace/reader.h"

#define FILE_HEADER   24u
#define RECORD_HEADER 16u

enum { VERSION = 4, LINK_TYPE = 20 };                          /* offsets in the file header */
enum { SECONDS = 0, FRACTION = 4, CAPTURED = 8, LENGTH = 12 }; /* offsets in a record header */

struct variant {
	uint32_t magic;
	uint32_t header;      /* bytes of a record header */
	uint32_t fraction_ns; /* nanoseconds per unit of the stamp's second word */
};

static const struct variant variants[] = {
	{0xa1b2c3d4, RECORD_HEADER, 1000},
	{0xa1b23c4d, RECORD_HEADER, 1},
	/* Kuznetzov: 8 more bytes with interface, protocol and packet type */
	{0xa1b2cd34, RECORD_HEADER + 8, 1000},
};

/* The variant and byte order of the file; NULL when it is not pcap. The file has four bytes at least. */
static const struct variant *
find_variant(const struct spx_trace *trace, bool *big_endian)
{
	uint32_t magic;

	memcpy(&magic, trace->file.data, sizeof(magic));
	for (unsigned i = 0; i < RTE_DIM(variants); i++) {
		*big_endian = rte_be_to_cpu_32(magic) == variants[i].magic;
		if (*big_endian || rte_le_to_cpu_32(magic) == variants[i].magic)
			return &variants[i];
	}
	return NULL;
}

bool
spx_trace_pcap_magic(const struct spx_trace *trace)
{
	bool big_endian;

	return find_variant(trace, &big_endian) != NULL;
}

/* The record's two lengths, in the order that the writer's version gives them. */
static void
read_lengths(const struct spx_trace *trace, uint64_t at, struct spx_trace_packet *packet)
{
	uint32_t captured = spx_trace_u32(trace, at + CAPTURED);
	uint32_t length = spx_trace_u32(trace, at + LENGTH);
	bool swapped = trace->pcap.minor < 3 || (trace->pcap.minor == 3 && captured > length);

	packet->captured = swapped ? length : captured;
	packet->length = swapped ? captured : length;
}

static int
next(struct spx_trace *trace, struct spx_trace_packet *packet, struct spx_error *err)
{
	const uint32_t header = trace->pcap.header;

	for (;;) {
		uint64_t at = trace->at;
		uint64_t left = trace->file.size - at;

		if (left == 0)
			return spx_trace_end(trace, err);
		if (left < header)
			return spx_trace_cut(trace, err, at, header, "a record header");
		read_lengths(trace, at, packet);
		if (packet->captured > SPX_TRACE_CAPTURED_MAX)
			return spx_trace_fail(trace, err, -EBADMSG, at,
				"the record has a captured length of %u bytes; at most %u expected",
				packet->captured, SPX_TRACE_CAPTURED_MAX);
		if (packet->captured > left - header)
			return spx_trace_cut(trace, err, at, header + packet->captured, "a packet");
		/* Some writers say less than they captured. */
		packet->length = RTE_MAX(packet->length, packet->captured);
		packet->data = trace->file.data + at + header;
		packet->time = spx_trace_u32(trace, at + SECONDS) * SPX_TRACE_SECOND +
			       (uint64_t)spx_trace_u32(trace, at + FRACTION) * trace->pcap.fraction_ns;
		packet->offset = at;
		trace->at = at + header + packet->captured;
		if (trace->pcap.link->strip(packet))
			return 1;
		trace->skipped++;
	}
}

int
spx_trace_pcap_open(struct spx_trace *trace, struct spx_error *err)
{
	const struct variant *variant = find_variant(trace, &trace->big_endian);
	uint16_t major, type;

	if (trace->file.size < FILE_HEADER)
		return spx_trace_cut(trace, err, 0, FILE_HEADER, "the pcap file header");
	major = spx_trace_u16(trace, VERSION);
	trace->pcap.minor = spx_trace_u16(trace, VERSION + 2);
	if (major != 2 || trace->pcap.minor > 4)
		return spx_trace_fail(trace, err, -ENOTSUP, VERSION,
			"pcap version %u.%u; 2.0 to 2.4 expected", major, trace->pcap.minor);
	/* The upper 16 bits say how long the frame check sequence is, or are reserved. */
	type = (uint16_t)spx_trace_u32(trace, LINK_TYPE);
	trace->pcap.link = spx_trace_link_find(type);
	if (trace->pcap.link->strip == NULL)
		return spx_trace_no_link(trace, err, LINK_TYPE, trace->pcap.link, type);
	trace->pcap.header = variant->header;
	trace->pcap.fraction_ns = variant->fraction_ns;
	trace->start = trace->at = FILE_HEADER;
	trace->next = next;
	return 0;
}
