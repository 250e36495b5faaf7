/* The pcapng format: blocks in sections, packets on interfaces that the section describes before them.
 *
 * Source: draft-ietf-opsawg-pcapng. A section may have its own byte order and begins with no interfaces;
 * blocks of other types are passed over. pcapng_interface.c reads the description of an interface.
 */
#include <errno.h>

#include "lib/trace/reader.h"

enum {
	BLOCK_SECTION = 0x0a0d0d0a, /* the same in either byte order */
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 2, /* obsolete */
	BLOCK_SIMPLE_PACKET = 3,
	BLOCK_ENHANCED_PACKET = 6,
};

#define ORDER_MAGIC   0x1a2b3c4du
#define BLOCK_MIN     12u /* bytes: type, length, length again */
#define BLOCK_TRAILER 4u
#define SECTION_MIN   28u
#define PACKET_DATA   28u /* offset of the bytes in an enhanced and in an obsolete packet block */
#define SIMPLE_DATA   12u

enum { STEP_PACKET = 1, STEP_OTHER = 2 }; /* what step() did, other than to meet the end or an error */

bool
spx_trace_pcapng_magic(const struct spx_trace *trace)
{
	return spx_trace_u32(trace, 0) == BLOCK_SECTION;
}

int
spx_trace_block_min(const struct spx_trace *trace, const struct spx_trace_block *block, uint32_t min,
	const char *what, struct spx_error *err)
{
	if (block->length >= min)
		return 0;
	return spx_trace_fail(trace, err, -EBADMSG, block->at + 4,
		"block length %u; at least %u expected of %s", block->length, min, what);
}

/* A section header says its byte order behind the length that needs it. */
static int
read_byte_order(struct spx_trace *trace, uint64_t at, struct spx_error *err)
{
	for (unsigned order = 0; order < 2; order++) {
		trace->big_endian = order == 1;
		if (spx_trace_u32(trace, at) == ORDER_MAGIC)
			return 0;
	}
	return spx_trace_fail(trace, err, -EBADMSG, at,
		"byte-order magic %08x of a section header; 1a2b3c4d or 4d3c2b1a expected",
		spx_trace_u32(trace, at));
}

/* Reads and checks the frame of the block at trace->at: 1, 0 at the end of the file, or an error. */
static int
read_block(struct spx_trace *trace, struct spx_trace_block *block, struct spx_error *err)
{
	uint64_t at = trace->at, left = trace->file.size - at;
	uint32_t trailer;
	int rc;

	if (left == 0)
		return spx_trace_end(trace, err);
	if (left < BLOCK_MIN)
		return spx_trace_cut(trace, err, at, BLOCK_MIN, "a block");
	block->at = at;
	block->type = spx_trace_u32(trace, at);
	if (block->type == BLOCK_SECTION) {
		rc = read_byte_order(trace, at + 8, err);
		if (rc != 0)
			return rc;
	}
	block->length = spx_trace_u32(trace, at + 4);
	if (block->length < BLOCK_MIN || block->length % 4 != 0)
		return spx_trace_fail(trace, err, -EBADMSG, at + 4,
			"block length %u; a multiple of 4 and at least %u expected", block->length,
			BLOCK_MIN);
	if (block->length > left)
		return spx_trace_cut(trace, err, at, block->length, "a block");
	trailer = spx_trace_u32(trace, at + block->length - BLOCK_TRAILER);
	if (trailer != block->length)
		return spx_trace_fail(trace, err, -EBADMSG, at + block->length - BLOCK_TRAILER,
			"block length %u at the end of the block; %u expected, as at its start", trailer,
			block->length);
	return 1;
}

static int
read_section(struct spx_trace *trace, const struct spx_trace_block *block, struct spx_error *err)
{
	uint16_t major, minor;
	int rc = spx_trace_block_min(trace, block, SECTION_MIN, "a section header", err);

	if (rc != 0)
		return rc;
	major = spx_trace_u16(trace, block->at + 12);
	minor = spx_trace_u16(trace, block->at + 14);
	/* The draft: some writers said 1.2 and meant the same format. */
	if (major != 1 || (minor != 0 && minor != 2))
		return spx_trace_fail(trace, err, -ENOTSUP, block->at + 12,
			"pcapng version %u.%u; 1.0 expected", major, minor);
	trace->pcapng.n = 0;
	return 0;
}

/* The interface of a packet, or NULL and an error. */
static const struct spx_trace_interface *
find_interface(const struct spx_trace *trace, const struct spx_trace_block *block, uint32_t number,
	struct spx_error *err)
{
	if (number < trace->pcapng.n)
		return &trace->pcapng.interface[number];
	spx_trace_fail(trace, err, -EBADMSG, block->at,
		"a packet of interface %u; an interface that its section describes before it expected (%u so "
		"far)",
		number, trace->pcapng.n);
	return NULL;
}

/* The packet of a block whose bytes begin `data` behind the block's start, its lengths being filled in.
 * STEP_OTHER when the interface's link type or the packet's link header makes it one to pass over. */
static int
take_packet(struct spx_trace *trace, const struct spx_trace_block *block, uint32_t data,
	const struct spx_trace_interface *interface, struct spx_trace_packet *packet, struct spx_error *err)
{
	uint32_t room = block->length - data - BLOCK_TRAILER;

	if (packet->captured > SPX_TRACE_CAPTURED_MAX)
		return spx_trace_fail(trace, err, -EBADMSG, block->at,
			"the packet has a captured length of %u bytes; at most %u expected", packet->captured,
			SPX_TRACE_CAPTURED_MAX);
	if (packet->captured > room)
		return spx_trace_fail(trace, err, -EBADMSG, block->at,
			"the packet has a captured length of %u bytes; at most %u expected, the rest of its "
			"block",
			packet->captured, room);
	packet->length = RTE_MAX(packet->length, packet->captured);
	packet->data = trace->file.data + block->at + data;
	packet->offset = block->at;
	if (interface->link->strip != NULL && interface->link->strip(packet))
		return STEP_PACKET;
	trace->skipped++;
	return STEP_OTHER;
}

/* Enhanced packet blocks and the obsolete ones differ in the width of the interface's number only. */
static int
read_packet(struct spx_trace *trace, const struct spx_trace_block *block, struct spx_trace_packet *packet,
	struct spx_error *err)
{
	const struct spx_trace_interface *interface;
	uint64_t at = block->at;
	int rc = spx_trace_block_min(trace, block, PACKET_DATA + BLOCK_TRAILER, "a packet block", err);

	if (rc != 0)
		return rc;
	interface = find_interface(trace, block,
		block->type == BLOCK_PACKET ? spx_trace_u16(trace, at + 8) : spx_trace_u32(trace, at + 8),
		err);
	if (interface == NULL)
		return -EBADMSG;
	packet->time = spx_trace_interface_time(
		interface, (uint64_t)spx_trace_u32(trace, at + 12) << 32 | spx_trace_u32(trace, at + 16));
	packet->captured = spx_trace_u32(trace, at + 20);
	packet->length = spx_trace_u32(trace, at + 24);
	return take_packet(trace, block, PACKET_DATA, interface, packet, err);
}

/* A simple packet block belongs to the first interface, has no time, and its captured length follows from the
 * interface's snap length. */
static int
read_simple_packet(struct spx_trace *trace, const struct spx_trace_block *block,
	struct spx_trace_packet *packet, struct spx_error *err)
{
	const struct spx_trace_interface *interface;
	int rc = spx_trace_block_min(trace, block, SIMPLE_DATA + BLOCK_TRAILER, "a simple packet block", err);

	if (rc != 0)
		return rc;
	interface = find_interface(trace, block, 0, err);
	if (interface == NULL)
		return -EBADMSG;
	packet->time = 0;
	packet->length = spx_trace_u32(trace, block->at + 8);
	packet->captured = packet->length;
	if (interface->snap != 0)
		packet->captured = RTE_MIN(packet->captured, interface->snap);
	return take_packet(trace, block, SIMPLE_DATA, interface, packet, err);
}

static bool
is_packet(const struct spx_trace_block *block)
{
	return block->type == BLOCK_ENHANCED_PACKET || block->type == BLOCK_SIMPLE_PACKET ||
	       block->type == BLOCK_PACKET;
}

/* Reads one block and moves behind it: STEP_PACKET, STEP_OTHER, or an error, which does not move. */
static int
step(struct spx_trace *trace, const struct spx_trace_block *block, struct spx_trace_packet *packet,
	struct spx_error *err)
{
	int rc = 0;

	if (block->type == BLOCK_SIMPLE_PACKET)
		rc = read_simple_packet(trace, block, packet, err);
	else if (is_packet(block))
		rc = read_packet(trace, block, packet, err);
	else if (block->type == BLOCK_SECTION)
		rc = read_section(trace, block, err);
	else if (block->type == BLOCK_INTERFACE)
		rc = spx_trace_interface_read(trace, block, err);
	if (rc < 0)
		return rc;
	trace->at += block->length;
	return rc == STEP_PACKET ? STEP_PACKET : STEP_OTHER;
}

static int
next(struct spx_trace *trace, struct spx_trace_packet *packet, struct spx_error *err)
{
	struct spx_trace_block block = {0};

	for (;;) {
		int rc = read_block(trace, &block, err);

		if (rc <= 0)
			return rc;
		rc = step(trace, &block, packet, err);
		if (rc != STEP_OTHER)
			return rc;
	}
}

/* Refuses a file when every interface described before its first packet is of no use: it is a capture of
 * something else. A file that mixes interfaces is read, and what cannot be used is counted. */
static int
check_interfaces(const struct spx_trace *trace, struct spx_error *err)
{
	const struct spx_trace_interface *first = trace->pcapng.interface;

	for (uint32_t i = 0; i < trace->pcapng.n; i++) {
		if (trace->pcapng.interface[i].link->strip != NULL)
			return 0;
	}
	if (trace->pcapng.n == 0)
		return 0;
	return spx_trace_no_link(trace, err, first->at, first->link, first->type);
}

int
spx_trace_pcapng_open(struct spx_trace *trace, struct spx_error *err)
{
	struct spx_trace_block block = {0};
	int rc;

	trace->next = next;
	for (;;) {
		rc = read_block(trace, &block, err);
		if (rc <= 0 || is_packet(&block))
			break;
		rc = step(trace, &block, NULL, err);
		if (rc < 0)
			break;
	}
	if (rc >= 0)
		rc = check_interfaces(trace, err);
	spx_trace_rewind(trace);
	return rc;
}
