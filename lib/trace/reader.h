/* The inside of the trace reader, shared by trace.c (the public functions), file.c (bytes of the file),
 * pcap.c and pcapng.c (the two formats) and link.c (what lies before the packet). Nobody else includes it
 * but tests.
 */
#ifndef SPX_TRACE_READER_H
#define SPX_TRACE_READER_H

#include <string.h>

#include <rte_byteorder.h>

#include "lib/trace/trace.h"

#define SPX_TRACE_CAPTURED_MAX 262144u              /* bytes of one packet: libpcap's largest snap length */
#define SPX_TRACE_INFLATED_MAX (UINT64_C(4) << 30)  /* bytes a gzip file may inflate to */
#define SPX_TRACE_SECOND       UINT64_C(1000000000) /* ns */

/* ---- file.c ---------------------------------------------------------------------------------------- */

/* The bytes of a trace: the caller's, a mapping of the file, or what the gzip file inflated to. */
struct spx_trace_file {
	char *name; /* owned */
	const uint8_t *data;
	uint64_t size;
	void *mapping; /* owned: unmapped at close; NULL when the bytes are the caller's */
	size_t mapped; /* bytes of the mapping */
	bool inflated;
	int damage; /* negative errno when the gzip data are damaged after `size` good bytes */
	char damage_text[96];
};

/* Maps the file, or inflates it when it begins as gzip does. 0 or a negative errno. */
int spx_trace_file_open(struct spx_trace_file *file, const char *path, struct spx_error *err);

/* The same over the caller's memory. inflated_max: SPX_TRACE_INFLATED_MAX, less in tests. */
int spx_trace_file_from_memory(struct spx_trace_file *file, const char *name, const uint8_t *data,
	size_t length, uint64_t inflated_max, struct spx_error *err);

void spx_trace_file_close(struct spx_trace_file *file);

/* ---- link.c ---------------------------------------------------------------------------------------- */

/* A link type: how to come from its header to the Ethernet frame or the payload with its EtherType. */
struct spx_trace_link {
	uint16_t type;
	const char *name;
	/* Moves packet->data, captured, length past the link header and sets ethertype. False: the header is
	 * cut short or names no EtherType. NULL: the type carries neither Ethernet nor raw IP. */
	bool (*strip)(struct spx_trace_packet *packet);
};

/* Never NULL: a type that is not known has the name "unknown" and no strip. */
const struct spx_trace_link *spx_trace_link_find(uint16_t type);

/* ---- trace.c --------------------------------------------------------------------------------------- */

/* An interface of a pcapng section. Nanoseconds of a stamp = (stamp * multiply >> shift) / divide + offset.
 */
struct spx_trace_interface {
	const struct spx_trace_link *link;
	uint64_t at;       /* offset of its description, for messages */
	uint64_t multiply; /* resolutions of 1 ns and coarser, and powers of two */
	uint64_t divide;   /* finer decimal resolutions, 1 = none, 0 = so fine that every stamp is 0 */
	int64_t offset;    /* seconds */
	uint32_t snap;     /* 0 = none */
	uint16_t type;     /* link type as written in the file */
	uint8_t shift;
};

struct spx_trace {
	struct spx_trace_file file;
	uint64_t at;     /* offset of the next record or block */
	uint64_t start;  /* where rewind goes */
	bool big_endian; /* of the file, or of the present pcapng section */
	uint64_t skipped;
	/* 1, 0 at the end, or a negative errno; does not move `at` past a damaged place, so the next call
	 * finds the same error again. */
	int (*next)(struct spx_trace *trace, struct spx_trace_packet *packet, struct spx_error *err);

	struct {
		const struct spx_trace_link *link;
		uint32_t header;      /* bytes of a record header */
		uint32_t fraction_ns; /* nanoseconds in one unit of the stamp's second word */
		uint16_t minor;       /* version 2.minor */
	} pcap;

	struct {
		struct spx_trace_interface *interface; /* of the present section; owned */
		uint32_t n, room;
	} pcapng;
};

/* A pcapng block whose frame has been checked. */
struct spx_trace_block {
	uint64_t at;
	uint32_t type, length; /* length of the whole block, within the file */
};

int spx_trace_pcap_open(struct spx_trace *trace, struct spx_error *err);
int spx_trace_pcapng_open(struct spx_trace *trace, struct spx_error *err);

/* True when the first four bytes are those of the format. */
bool spx_trace_pcap_magic(const struct spx_trace *trace);
bool spx_trace_pcapng_magic(const struct spx_trace *trace);

/* pcapng.c: -EBADMSG when the block is shorter than the fixed fields of `what`. */
int spx_trace_block_min(const struct spx_trace *trace, const struct spx_trace_block *block, uint32_t min,
	const char *what, struct spx_error *err);

/* pcapng_interface.c: appends the interface that the block describes. 0 or a negative errno. */
int
spx_trace_interface_read(struct spx_trace *trace, const struct spx_trace_block *block, struct spx_error *err);

/* The stamp in nanoseconds since 1970, held within 64 bits. */
uint64_t spx_trace_interface_time(const struct spx_trace_interface *interface, uint64_t stamp);

/* Fills err with "NAME: byte OFFSET: message" and returns code. */
int spx_trace_fail(const struct spx_trace *trace, struct spx_error *err, int code, uint64_t offset,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The file ends before the `want` bytes at offset that `what` needs: tells a cut file from damaged gzip data.
 * -EBADMSG or the damage's errno. */
int spx_trace_cut(const struct spx_trace *trace, struct spx_error *err, uint64_t offset, uint64_t want,
	const char *what);

/* What next() returns when offset is the end of the data: 0, or the error of damaged gzip data. */
int spx_trace_end(const struct spx_trace *trace, struct spx_error *err);

/* A link type that cannot be used. */
int spx_trace_no_link(const struct spx_trace *trace, struct spx_error *err, uint64_t offset,
	const struct spx_trace_link *link, uint16_t type);

/* Numbers of the file in its byte order; the caller has checked that they are there. */
static inline uint16_t
spx_trace_u16(const struct spx_trace *trace, uint64_t offset)
{
	uint16_t v;

	memcpy(&v, trace->file.data + offset, sizeof(v));
	return trace->big_endian ? rte_be_to_cpu_16(v) : rte_le_to_cpu_16(v);
}

static inline uint32_t
spx_trace_u32(const struct spx_trace *trace, uint64_t offset)
{
	uint32_t v;

	memcpy(&v, trace->file.data + offset, sizeof(v));
	return trace->big_endian ? rte_be_to_cpu_32(v) : rte_le_to_cpu_32(v);
}

static inline uint64_t
spx_trace_u64(const struct spx_trace *trace, uint64_t offset)
{
	uint64_t v;

	memcpy(&v, trace->file.data + offset, sizeof(v));
	return trace->big_endian ? rte_be_to_cpu_64(v) : rte_le_to_cpu_64(v);
}

#endif
