/* A capture under way: copies of packets on their way to a pcapng file.
 *
 *   tap.c         life of a capture, and the packet side: chooses, copies, puts copies on the capture's own
 * ring tap_writer.c  the file side: a thread of the capture's own that writes what is on the ring
 *
 * Copies lie in a pool of the capture's own, so a capture never takes an mbuf that a packet needs: where pool
 * or ring has no room, the copy is lost and counted, the packet goes on. Every copy that was put is in the
 * end written or lost, and none is both.
 *
 * Each packet in the file has a comment: "receive", "transmit", or "drop STAGE REASON: TEXT".
 */
#ifndef SPX_TAP_H
#define SPX_TAP_H

#include "app/sphex/filter.h"

#define SPX_TAPS_MAX 4u /* captures at once */

/* Where on its way a packet is copied. */
#define SPX_TAP_POINTS(X)                                                                                    \
	X(receive)  /* as it came in */                                                                      \
	X(transmit) /* as the output port took it */                                                         \
	X(drop)     /* as it was when it was dropped */

enum spx_tap_point {
#define SPX_TAP_POINT_ENUM(name) SPX_TAP_##name,
	SPX_TAP_POINTS(SPX_TAP_POINT_ENUM)
#undef SPX_TAP_POINT_ENUM
		SPX_TAP_POINT_COUNT
};

struct spx_tap_stats;

struct spx_tap_options {
	const char *file; /* for messages; the file itself is `fd` */
	int fd; /* to write to: a file, a pipe. Owned by the tap from the creation on, also on failure */
	uint16_t port;  /* only packets that come in (receive, early drops) or go out (transmit, late drops)
			 * there; SPX_NO_PORT: any */
	uint8_t points; /* set of 1 << enum spx_tap_point */
	const char *filter;           /* pcap-filter text, or NULL */
	uint32_t snap;                /* bytes kept of each packet; 0 = all */
	uint64_t count;               /* ends by itself after so many packets; 0 = never */
	uint16_t n_ports;             /* interfaces of the file: all ports of the appliance, by id */
	const char *const *port_name; /* of each; read by spx_tap_create only */
	uint32_t max_frame;           /* longest frame of any port */

	/* Told by the writer's thread when the capture has ended by itself, once, before spx_tap_free
	 * returns. May be NULL. */
	void (*on_end)(void *arg, const struct spx_tap_stats *stats);
	void *arg;
};

struct spx_tap;

struct spx_tap_stats {
	uint64_t packets; /* written */
	uint64_t bytes;   /* of them, as captured */
	uint64_t lost;    /* copies for which pool or ring had no room, or that a write error lost */
	bool ended;       /* by itself: count reached or a write error, no more packets are written */
	int error;        /* negative errno of the write error, or 0 */
};

/* Makes pool, ring and file header and starts the writer. 0, -EINVAL (filter), -ENOMEM, or what writing the
 * header said: of a pipe that nobody reads and that is full -ETIMEDOUT, after a second. Not from a packet
 * loop. */
int spx_tap_create(const struct spx_tap_options *options, struct spx_tap **out, struct spx_error *err);

/* After no thread can reach the tap any more, and every copy has been put or freed: writes what is on the
 * ring, closes the file, frees. A pipe is waited for one second at most. Fills *stats (may be NULL). 0 or the
 * write error. */
int spx_tap_free(struct spx_tap *tap, struct spx_tap_stats *stats);

/* Any thread. The options' strings are the tap's own; port_name is NULL. */
void spx_tap_stats(const struct spx_tap *tap, struct spx_tap_stats *stats);
const struct spx_tap_options *spx_tap_options(const struct spx_tap *tap);

/* What a negative errno of writing means for a capture. A static string, or strerror's. */
const char *spx_tap_error_text(int error);

/* "receive" and so on. Static strings. */
const char *spx_tap_point_name(enum spx_tap_point point);

/* ---- packet side: workers, slow path; no lock, no allocation but from the capture's own pool ---------- */

/* True when the capture wants packets at this point of this port (cheap; before any packet is looked at).
 * False once it has ended. */
bool spx_tap_wants(const struct spx_tap *tap, enum spx_tap_point point, uint16_t port);

/* A copy of the packet, if it matches and there is room for it; else NULL (a copy that had no room is
 * counted). `port` is one of the appliance's; `reason` counts at drop only. The copy is the caller's until it
 * is put or freed; a copy that is freed instead (the port did not take the packet) is counted nowhere. */
struct rte_mbuf *spx_tap_copy(struct spx_tap *tap, const struct rte_mbuf *m, enum spx_tap_point point,
	uint16_t port, enum spx_drop reason);

/* Hands n copies over to the writer; what the ring does not take is freed and counted. Those that would be
 * more than `count` are freed. */
void spx_tap_put(struct spx_tap *tap, struct rte_mbuf **copies, unsigned n);

#endif
