/* The interface description of pcapng: link type, snap length, and how its time stamps count.
 *
 * Called by pcapng.c for each description block of a section. Source: draft-ietf-opsawg-pcapng, section 4.2.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/trace/reader.h"

#define DESCRIPTION_MIN 20u
#define OPTIONS         16u /* offset of the first option in the block */
#define BLOCK_TRAILER   4u
#define INTERFACES_MAX  65536u /* of a section; real ones have a few */

enum { OPTION_END = 0, OPTION_RESOLUTION = 9, OPTION_OFFSET = 14 };

#define RESOLUTION_DEFAULT 6    /* 10^-6 s */
#define RESOLUTION_BINARY  0x80 /* the rest of if_tsresol is a negative power of two, not of ten */
#define DIGITS_NS          9
#define DIGITS_MAX         28 /* 10^(28-9) is the largest power of ten in 64 bits */

static uint64_t
power_of_ten(unsigned exponent)
{
	uint64_t power = 1;

	while (exponent-- > 0)
		power *= 10;
	return power;
}

static void
set_resolution(struct spx_trace_interface *interface, uint8_t resolution)
{
	unsigned digits = resolution & ~RESOLUTION_BINARY;

	interface->multiply = interface->divide = 1;
	interface->shift = 0;
	if ((resolution & RESOLUTION_BINARY) != 0) {
		interface->multiply = SPX_TRACE_SECOND;
		interface->shift = (uint8_t)digits;
	} else if (digits <= DIGITS_NS) {
		interface->multiply = power_of_ten(DIGITS_NS - digits);
	} else {
		interface->divide = digits > DIGITS_MAX ? 0 : power_of_ten(digits - DIGITS_NS);
	}
}

uint64_t
spx_trace_interface_time(const struct spx_trace_interface *interface, uint64_t stamp)
{
	__int128 ns; /* |ns| < 2^94, so no sum here overflows */

	if (interface->divide == 1)
		ns = (__int128)(((unsigned __int128)stamp * interface->multiply) >> interface->shift);
	else
		ns = interface->divide == 0 ? 0 : stamp / interface->divide;
	ns += (__int128)interface->offset * (int64_t)SPX_TRACE_SECOND;
	if (ns < 0)
		return 0;
	return ns > UINT64_MAX ? UINT64_MAX : (uint64_t)ns;
}

/* The option's value must have exactly `want` bytes. */
static int
check_option(
	const struct spx_trace *trace, uint64_t at, uint16_t want, const char *name, struct spx_error *err)
{
	uint16_t length = spx_trace_u16(trace, at + 2);

	if (length == want)
		return 0;
	return spx_trace_fail(
		trace, err, -EBADMSG, at, "option %s has %u bytes; %u expected", name, length, want);
}

static int
read_option(const struct spx_trace *trace, struct spx_trace_interface *interface, uint64_t at,
	struct spx_error *err)
{
	uint16_t code = spx_trace_u16(trace, at);
	int rc = 0;

	if (code == OPTION_RESOLUTION) {
		rc = check_option(trace, at, 1, "if_tsresol", err);
		if (rc == 0)
			set_resolution(interface, trace->file.data[at + 4]);
	} else if (code == OPTION_OFFSET) {
		rc = check_option(trace, at, 8, "if_tsoffset", err);
		if (rc == 0)
			interface->offset = (int64_t)spx_trace_u64(trace, at + 4);
	}
	return rc;
}

static int
read_options(const struct spx_trace *trace, const struct spx_trace_block *block,
	struct spx_trace_interface *interface, struct spx_error *err)
{
	uint64_t at = block->at + OPTIONS;
	const uint64_t end = block->at + block->length - BLOCK_TRAILER;

	/* Block length and each step are multiples of 4: before the end there is always a code and length. */
	while (at < end && spx_trace_u16(trace, at) != OPTION_END) {
		uint16_t length = spx_trace_u16(trace, at + 2);
		uint64_t room = end - at - 4;
		int rc;

		if (length > room)
			return spx_trace_fail(trace, err, -EBADMSG, at,
				"option %u has %u bytes; at most %llu expected, the rest of its block",
				spx_trace_u16(trace, at), length, (unsigned long long)room);
		rc = read_option(trace, interface, at, err);
		if (rc != 0)
			return rc;
		at += 4 + RTE_ALIGN_CEIL((uint64_t)length, 4);
	}
	return 0;
}

/* Makes room for one more interface. */
static int
grow(struct spx_trace *trace, struct spx_error *err)
{
	uint32_t room = trace->pcapng.room == 0 ? 4 : 2 * trace->pcapng.room;
	struct spx_trace_interface *interface;

	if (trace->pcapng.n < trace->pcapng.room)
		return 0;
	if (trace->pcapng.n == INTERFACES_MAX)
		return spx_trace_fail(trace, err, -E2BIG, trace->at,
			"another interface in a section of %u; no more expected", INTERFACES_MAX);
	interface = realloc(trace->pcapng.interface, room * sizeof(*interface));
	if (interface == NULL)
		return spx_trace_fail(trace, err, -ENOMEM, trace->at, "no memory for %u interfaces", room);
	trace->pcapng.interface = interface;
	trace->pcapng.room = room;
	return 0;
}

int
spx_trace_interface_read(struct spx_trace *trace, const struct spx_trace_block *block, struct spx_error *err)
{
	struct spx_trace_interface interface = {.at = block->at};
	int rc = spx_trace_block_min(trace, block, DESCRIPTION_MIN, "an interface description", err);

	set_resolution(&interface, RESOLUTION_DEFAULT);
	if (rc == 0)
		rc = read_options(trace, block, &interface, err);
	if (rc == 0)
		rc = grow(trace, err);
	if (rc != 0)
		return rc;
	interface.type = spx_trace_u16(trace, block->at + 8);
	interface.link = spx_trace_link_find(interface.type);
	interface.snap = spx_trace_u32(trace, block->at + 12);
	trace->pcapng.interface[trace->pcapng.n++] = interface;
	return 0;
}
