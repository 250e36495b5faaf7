/* Packet traces: pcap and pcapng in, pcapng out, the schedule of a replay, and the built-in generator.
 *
 * The reader maps the file (or inflates a gzip file into memory of its own) and hands out pointers into it,
 * so a replay can keep them for as long as the trace is open. It trusts nothing it reads: every length is
 * checked against the file, and an error names file, byte offset and what was expected there. One thing it
 * cannot guard against: a file that another process makes shorter while it is mapped here ends this process
 * with SIGBUS.
 */
#ifndef SPX_TRACE_H
#define SPX_TRACE_H

#include <stdio.h>

#include "lib/base/base.h"

/* ---- in -------------------------------------------------------------------------------------------- */

struct spx_trace;

struct spx_trace_packet {
	const uint8_t *data; /* captured bytes, inside the mapping; valid until spx_trace_close */
	uint32_t captured;   /* bytes at data */
	uint32_t length;     /* bytes on the wire, >= captured */
	uint16_t ethertype;  /* 0: data is an Ethernet frame; else data is a payload of this EtherType without
			      * link header (raw IP and its kin) */
	uint64_t time;   /* nanoseconds since 1970 (since 0 where the trace says so); 0 where it has none */
	uint64_t offset; /* of the packet's record in the (inflated) file */
};

/* Opens a pcap (micro- or nanosecond, either byte order) or pcapng file, plain or gzip. An error names file,
 * offset and reason: no such format, header cut short, no link type that carries Ethernet or raw IP, gzip
 * damage or an inflated size over 4 GiB. 0 or a negative errno. The trace is one thread's at a time. */
int spx_trace_open(const char *path, struct spx_trace **out, struct spx_error *err);

/* The same over memory that stays the caller's and must outlive the trace; `name` stands for the file. */
int spx_trace_open_memory(
	const char *name, const uint8_t *data, size_t length, struct spx_trace **out, struct spx_error *err);

/* The next packet in file order: 1, or 0 at the end, or a negative errno with file, offset and reason when
 * the file is damaged from here on (the packets before stay valid; every later call gives the same error). */
int spx_trace_next(struct spx_trace *trace, struct spx_trace_packet *packet, struct spx_error *err);

/* Back to the first packet. */
void spx_trace_rewind(struct spx_trace *trace);

/* Packets passed over since the trace was opened or rewound because their interface has a link type that
 * carries neither Ethernet nor raw IP, or their link header names no EtherType. */
uint64_t spx_trace_skipped(const struct spx_trace *trace);

/* Size of the (inflated) file in bytes, for progress. */
uint64_t spx_trace_size(const struct spx_trace *trace);

void spx_trace_close(struct spx_trace *trace);

/* ---- schedule -------------------------------------------------------------------------------------- */

/* When each packet of a timed replay is due, as an absolute time since the start, so errors never add up.
 * Time stamps that step back count as the latest before. factor > 0; 2.0 = twice as fast. */
struct spx_schedule {
	uint64_t first, latest; /* trace nanoseconds */
	uint64_t offset;        /* replay nanoseconds at which the present pass began */
	double factor;
	bool started;
};

void spx_schedule_init(struct spx_schedule *schedule, double factor);

/* Nanoseconds since the start of the replay at which the packet with this time stamp is due. */
uint64_t spx_schedule_due(struct spx_schedule *schedule, uint64_t time);

/* The next pass over the same trace begins one mean gap after its last packet. n = packets of the trace. */
void spx_schedule_next_pass(struct spx_schedule *schedule, uint64_t n);

/* ---- out ------------------------------------------------------------------------------------------- */

struct spx_capture_file;

/* What a capture file begins with. Read during the call only. */
struct spx_capture_options {
	const char *name;             /* of the file, in messages */
	const char *const *interface; /* their names; an index into them is what a packet says */
	uint32_t n_interfaces;        /* 1 or more */
	uint32_t snap;                /* bytes kept of each packet; 0 = all */

	/* Asked before each write to what is no regular file, and at least ten times a second while a pipe
	 * that nobody reads is waited for: true ends the file's life with -ETIMEDOUT. NULL: waits for as long
	 * as it takes. */
	bool (*give_up)(void *arg);
	void *arg;
};

enum spx_capture_direction { SPX_CAPTURE_UNKNOWN, SPX_CAPTURE_INBOUND, SPX_CAPTURE_OUTBOUND };

struct spx_capture_packet {
	const uint8_t *data;
	uint32_t captured;  /* bytes at data */
	uint32_t length;    /* bytes on the wire */
	uint64_t time;      /* nanoseconds since 1970 */
	uint32_t interface; /* index */
	enum spx_capture_direction direction;
	const char *comment; /* or NULL */
};

/* What has been written, whole packets. */
struct spx_capture_written {
	uint64_t packets;
	uint64_t bytes; /* of them, as captured */
};

/* Begins a pcapng file (section header, Ethernet interfaces, nanosecond stamps) on an open descriptor: a
 * file, a pipe, a device. The descriptor is the file's from here on, and closed by a failure, too. One
 * thread's at a time. 0 or -ENOMEM: what is written goes to a buffer first. */
int spx_capture_file_attach(int fd, const struct spx_capture_options *options, struct spx_capture_file **out,
	struct spx_error *err);

/* The same for a file by this path, which is created, with one interface. 0 or a negative errno with path and
 * reason. */
int spx_capture_file_create(const char *path, const char *interface, uint32_t snap,
	struct spx_capture_file **out, struct spx_error *err);

/* Appends one packet. 0 or a negative errno (the first write error; later calls repeat it). A pipe whose
 * reader has gone away is -EPIPE; no signal comes with it. */
int spx_capture_file_write(struct spx_capture_file *file, const struct spx_capture_packet *packet);

/* Writes what is in the buffer. As above. */
int spx_capture_file_flush(struct spx_capture_file *file);

/* What has left the buffer. */
struct spx_capture_written spx_capture_file_written(const struct spx_capture_file *file);

/* Flushes and closes; says the first error of the file's life. NULL may be given. */
int spx_capture_file_close(struct spx_capture_file *file);

/* ---- generator ------------------------------------------------------------------------------------- */

/* The traffic mix of the demonstration and the evaluation: seeded, so the same parameters give the same
 * bytes. */
#define SPX_GENERATE_PACKETS_MAX UINT64_C(4000000000)
#define SPX_GENERATE_FLOWS_MAX   (1u << 23) /* half of the clients that 10.0.0.0/8 holds */
#define SPX_GENERATE_SNAP_MAX    1518u      /* the longest frame */

struct spx_generate {
	uint64_t seed;
	uint64_t packets; /* in all, 1...SPX_GENERATE_PACKETS_MAX, one for each flow at least */
	uint32_t flows;   /* web and game flows together, 1...SPX_GENERATE_FLOWS_MAX */
	uint32_t snap; /* 1...SPX_GENERATE_SNAP_MAX: bytes kept of each frame, or its headers where those are
			  longer */
	unsigned scan, flood,
		malformed; /* per mille of the packets: port scan, flood at one host, malformed */
};

/* 1,200,000 packets, 80,000 flows, 64 bytes kept, 20 scan, 50 flood, 5 malformed, seed 1. */
void spx_generate_defaults(struct spx_generate *g);

/* Writes a nanosecond pcap file of IPv4 (and some IPv6 and VLAN) traffic: web flows (heavy-tailed and short),
 * game flows (periodic, small, long), a scan, a flood, malformed packets. What is cut off a frame was zeros,
 * so that filling with zeros gives back the frame, checksums included. The file appears under its name when
 * it is whole. progress (may be NULL) is called now and then with packets done. 0, -EINVAL with the parameter
 * that is wrong, or another negative errno. */
int spx_generate_write(const struct spx_generate *g, const char *path,
	void (*progress)(void *arg, uint64_t done), void *arg, struct spx_error *err);

#endif
