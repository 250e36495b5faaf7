/* The words that every room shares: bursts, actions, drop reasons, counters, clock, log, errors.
 *
 * Owned by lib/base; every other room may include it, it includes none of them. What is here is data and
 * the few functions that keep it; the packet's way itself is app/sphex/worker.c.
 */
#ifndef SPX_BASE_H
#define SPX_BASE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_common.h>
#include <rte_mbuf.h>

#define SPX_BURST_MAX   64u /* packets in a burst: sets are 64-bit masks */
#define SPX_PORTS_MAX   64u /* ports of one appliance; a set of ports is a 64-bit mask too */
#define SPX_WORKERS_MAX 32u
#define SPX_NAME_MAX    32u /* bytes of a name with its terminating zero */
#define SPX_NO_PORT     UINT16_MAX

/* ---- sets of packets ------------------------------------------------------------------------------- */

/* Iterates i over the members of the 64-bit mask `set`, lowest first (arrival order). `set` is evaluated once
 * and not changed. The line is part of the counter's name, so that a nested loop shadows nothing. */
#define SPX_FOREACH(i, set)           SPX_FOREACH_AT_(i, set, __LINE__)
#define SPX_FOREACH_AT_(i, set, line) SPX_FOREACH_IN_(i, set, line)
#define SPX_FOREACH_IN_(i, set, line)                                                                        \
	for (uint64_t spx_left_##line = (set);                                                               \
		spx_left_##line != 0 && ((i) = (unsigned)__builtin_ctzll(spx_left_##line), true);            \
		spx_left_##line &= spx_left_##line - 1)

/* The set of the first n packets, n = 0...64. */
static inline uint64_t
spx_set_first(unsigned n)
{
	return n == 0 ? 0 : UINT64_MAX >> (64 - n);
}

static inline uint64_t
spx_set_one(unsigned i)
{
	return UINT64_C(1) << i;
}

static inline unsigned
spx_set_count(uint64_t set)
{
	return (unsigned)__builtin_popcountll(set);
}

/* ---- flow keys ------------------------------------------------------------------------------------- */

/* The 24-bit context of a flow key: outer VLAN id (12 bits, 0 = untagged) | any fragment (1) | classifier
 * context (11 bits: the port the packet came in by). Stored big-endian in the last three bytes. */
#define SPX_CONTEXT_VLAN_SHIFT 12u
#define SPX_CONTEXT_FRAGMENT   (1u << 11)
#define SPX_CONTEXT_PORT_MASK  0x7ffu

/* Flow keys hold addresses and ports in network order, so they can be compared, hashed and classified as
 * bytes. ICMP and ICMPv6: sport = type<<8 | code, dport = identifier (0 where the message has none).
 * Every other protocol than UDP, TCP, ICMP, and any fragment: ports 0. */
struct spx_key4 {
	uint8_t sip[4], dip[4];
	uint8_t sport[2], dport[2];
	uint8_t proto;
	uint8_t context[3];
};
static_assert(sizeof(struct spx_key4) == 16, "IPv4 flow key is 16 bytes");

struct spx_key6 {
	uint8_t sip[16], dip[16];
	uint8_t sport[2], dport[2];
	uint8_t proto;
	uint8_t context[3];
};
static_assert(sizeof(struct spx_key6) == 40, "IPv6 flow key is 40 bytes");

/* ---- drop reasons ---------------------------------------------------------------------------------- */

/* Every packet that is not sent has exactly one reason. X(name, stage, text): the name is counter, report key
 * and trace word at once; the stage is where it happens (inject and stop are no stages of the packet's way:
 * the slow path gives packets back, the appliance ends); the text completes "dropped because ...". */
#define SPX_DROP_REASONS(X)                                                                                  \
	X(oversize, parse, "the frame is longer than the largest frame of its port")                         \
	X(header_segmented, parse, "the headers do not lie in the first mbuf segment")                       \
	X(ethernet_truncated, parse, "the frame ends inside the Ethernet header")                            \
	X(vlan_truncated, parse, "the frame ends inside a VLAN tag")                                         \
	X(arp_truncated, parse, "the frame ends inside the ARP message")                                     \
	X(arp_format, parse, "the ARP message is not for Ethernet and IPv4")                                 \
	X(ipv4_truncated, parse, "the frame ends inside the IPv4 header")                                    \
	X(ipv4_version, parse, "the EtherType says IPv4, the version field does not")                        \
	X(ipv4_header_length, parse, "the IPv4 header length is below 20 or beyond the frame")               \
	X(ipv4_total_length, parse, "the IPv4 total length is below its header or beyond the frame")         \
	X(ipv4_checksum, parse, "the IPv4 header checksum is wrong")                                         \
	X(ipv6_truncated, parse, "the frame ends inside the IPv6 header")                                    \
	X(ipv6_version, parse, "the EtherType says IPv6, the version field does not")                        \
	X(ipv6_payload_length, parse, "the IPv6 payload length is beyond the frame")                         \
	X(ipv6_extension, parse, "the IPv6 extension headers run past the packet or are more than eight")    \
	X(fragment_overrun, parse, "the fragment would end beyond the largest IP packet")                    \
	X(tcp_truncated, parse, "the packet ends inside the TCP header")                                     \
	X(tcp_header_length, parse, "the TCP header length is below 20 or beyond the packet")                \
	X(udp_truncated, parse, "the packet ends inside the UDP header")                                     \
	X(udp_length, parse, "the UDP length is below 8 or beyond the packet")                               \
	X(icmp_truncated, parse, "the packet ends inside the ICMP header")                                   \
	X(rule_drop, lookup, "a rule said drop (asked for)")                                                 \
	X(no_rule, lookup, "no rule matched and the default is to drop (asked for)")                         \
	X(queue_full, enqueue, "the queue of the output port had no room: a limit was reached")              \
	X(other_host, route, "the frame is for the MAC address of somebody else")                            \
	X(vlan, route, "the frame is in a VLAN, and routed ports have none")                                 \
	X(link_broadcast, route, "the packet is for one station, its frame for a group or everybody")        \
	X(not_ip, route, "the action says route, and the frame is not IP")                                   \
	X(martian_source, route, "no sender has this source address")                                        \
	X(martian_destination, route, "nobody can be reached by this destination address")                   \
	X(link_local, route, "link-local addresses stay on their link")                                      \
	X(multicast, route, "multicast is not routed")                                                       \
	X(broadcast, route, "broadcast is not routed")                                                       \
	X(reverse_path, route, "there is no way back to the source by the port it came in by")               \
	X(no_route, route, "no route matches the destination")                                               \
	X(path_down, route, "the ports of all paths to the destination are down")                            \
	X(blackhole, route, "a route says blackhole")                                                        \
	X(unreachable, route, "a route says unreachable")                                                    \
	X(prohibited, route, "a route says prohibit")                                                        \
	X(too_big, route, "the packet is longer than the MTU of the output port")                            \
	X(ttl_expired, route, "the TTL or hop limit came to its end here")                                   \
	X(tx_full, transmit, "the output port took no more packets")                                         \
	X(port_down, transmit, "the output port is gone or its link is down")                                \
	X(handover_full, transmit, "the ring to the worker that owns the output port was full")              \
	X(punt_ring_full, punt, "the exception ring to the slow path was full")                              \
	X(inject_ring_full, inject, "the inject ring from the slow path to a worker was full")               \
	X(neighbour_failed, slowpath, "the neighbour did not answer")                                        \
	X(neighbour_full, slowpath,                                                                          \
		"too many packets wait for the neighbour, or too many neighbours are asked for")             \
	X(rate_limited, slowpath, "this node answers only so many echo requests a second")                   \
	X(local_unhandled, slowpath, "nothing on this node takes the packet")                                \
	X(stopping, stop, "the appliance stopped before the packet could be handed on")

enum spx_drop {
#define SPX_DROP_ENUM(name, stage, text) SPX_DROP_##name,
	SPX_DROP_REASONS(SPX_DROP_ENUM)
#undef SPX_DROP_ENUM
		SPX_DROP_COUNT
};

/* Name and text of a reason. Static strings; reason < SPX_DROP_COUNT. Any thread. */
const char *spx_drop_name(enum spx_drop reason);
const char *spx_drop_text(enum spx_drop reason);

/* Where packets are dropped for it: a stage, "inject" or "stop". The same. */
const char *spx_drop_stage(enum spx_drop reason);

/* ---- stages ---------------------------------------------------------------------------------------- */

/* The packet's way, in order. A stage's name is its function (spx_stage_<name>), counter and report key. */
#define SPX_STAGES(X)                                                                                        \
	X(receive)                                                                                           \
	X(parse)                                                                                             \
	X(lookup)                                                                                            \
	X(route)                                                                                             \
	X(rewrite)                                                                                           \
	X(enqueue)                                                                                           \
	X(transmit)                                                                                          \
	X(punt)

enum spx_stage {
#define SPX_STAGE_ENUM(name) SPX_STAGE_##name,
	SPX_STAGES(SPX_STAGE_ENUM)
#undef SPX_STAGE_ENUM
		SPX_STAGE_COUNT
};

const char *spx_stage_name(enum spx_stage stage);

/* ---- exceptions ------------------------------------------------------------------------------------ */

/* Why a packet was punted to the slow path. */
#define SPX_EXCEPTIONS(X)                                                                                    \
	X(rule, "a rule said punt")                                                                          \
	X(ttl, "TTL or hop limit would reach zero")                                                          \
	X(arp, "an ARP message on a port that has addresses")                                                \
	X(local, "for an address of this node, or a group it listens to")                                    \
	X(neighbour, "the neighbour's MAC address is not known")                                             \
	X(no_route, "no route matches, the sender is told")                                                  \
	X(unreachable, "a route says unreachable, the sender is told")                                       \
	X(path_down, "the ports of all paths are down, the sender is told")                                  \
	X(prohibited, "a route says prohibit, the sender is told")                                           \
	X(too_big, "longer than the MTU, the sender is told")

enum spx_exception {
#define SPX_EXCEPTION_ENUM(name, text) SPX_EXCEPTION_##name,
	SPX_EXCEPTIONS(SPX_EXCEPTION_ENUM)
#undef SPX_EXCEPTION_ENUM
		SPX_EXCEPTION_COUNT
};

/* Name and text of an exception. Static strings; exception < SPX_EXCEPTION_COUNT. Any thread. */
const char *spx_exception_name(enum spx_exception exception);
const char *spx_exception_text(enum spx_exception exception);

/* ---- actions --------------------------------------------------------------------------------------- */

#define SPX_ACTION_NONE UINT32_MAX /* "no rule matched": the caller's default applies */
#define SPX_ACTIONS_MAX 65536u     /* action ids are 0...SPX_ACTIONS_MAX-1 */

enum spx_verdict { SPX_VERDICT_FORWARD, SPX_VERDICT_DROP, SPX_VERDICT_PUNT, SPX_VERDICT_ROUTE };

enum {
	SPX_ACTION_SET_DST_MAC = 1 << 0,
	SPX_ACTION_SET_SRC_MAC = 1 << 1,
	SPX_ACTION_DEC_TTL = 1 << 2, /* IPv4 TTL, IPv6 hop limit; at 1 or 0 the packet is punted (ttl) */
	SPX_ACTION_COUNT = 1 << 3,   /* packets and bytes per action, per worker */
	SPX_ACTION_NO_RULE =
		1 << 4, /* the configuration's default: a drop is counted no_rule, not rule_drop */
};

/* What a lookup yields: data, not code. Ids are stable over generations of the configuration. */
struct spx_action {
	uint8_t verdict; /* enum spx_verdict */
	uint8_t flags;   /* SPX_ACTION_... */
	uint16_t port;   /* forward: output port */
	uint16_t mirror; /* a copy as received goes to this port; SPX_NO_PORT = none */
	uint8_t dst_mac[6], src_mac[6];
	uint8_t reserved[14]; /* zero */
};
static_assert(sizeof(struct spx_action) == 32, "two actions to a cache line");

/* ---- bursts ---------------------------------------------------------------------------------------- */

enum {
	SPX_LAYOUT_FRAGMENT = 1 << 0, /* any fragment, the first included */
	SPX_LAYOUT_TCP_SYN = 1 << 1,  /* TCP with SYN set and ACK clear */
};

/* Where the headers of a packet lie. Offsets in bytes from the start of the frame. */
struct spx_layout {
	uint16_t ethertype; /* host order, of the innermost tag */
	uint16_t vlan;      /* outer VLAN id, 0 = untagged */
	uint8_t l3;         /* of the IP header, or of what follows the tags */
	uint8_t flags;      /* SPX_LAYOUT_... */
	uint16_t l4;        /* of the transport header; 0 when there is none to read */
};
static_assert(sizeof(struct spx_layout) == 8, "a burst's layouts are eight cache lines");

/* Whether a frame is in a VLAN: by its outer tag, or by a tag behind that, as a priority tag (VLAN 0) may
 * come before another. */
static inline bool
spx_layout_in_vlan(const struct spx_layout *layout)
{
	return layout->vlan != 0 || layout->l3 > 14 + 4;
}

/* Up to 64 packets handled together. Index i is the packet's place in arrival order and never changes.
 * Sets are 64-bit masks over the indices. Owned by one worker, reused for every burst; a field of packet i
 * means something only after the stage that fills it, and only for the sets named with it. */
struct spx_burst {
	uint16_t n;       /* packets in it */
	uint16_t in_port; /* port all of them came in by */

	uint64_t alive;    /* neither dropped nor punted: still on its way */
	uint64_t ipv4;     /* parse: has key4 and hash */
	uint64_t ipv6;     /* parse: has key6 and hash */
	uint64_t other;    /* parse: not IP: no key, no hash */
	uint64_t drop;     /* has a reason */
	uint64_t punt;     /* has an exception */
	uint64_t edit;     /* lookup: the action changes the frame (MAC, TTL) */
	uint64_t to_route; /* lookup: the action says route */
	uint64_t routed;   /* route: has a next hop: rewrite finds the MAC address of the neighbour */
	uint64_t resolved; /* route, inject at rewrite: of those, whose neighbour[] is known */
	uint64_t miss;     /* lookup: asked the rules, as the flow cache had no answer */
	uint64_t traced;   /* receive: their way is written down, and has not left the burst */

	struct rte_mbuf *pkt[SPX_BURST_MAX];
	uint64_t hash[SPX_BURST_MAX];
	uint32_t length[SPX_BURST_MAX]; /* parse: bytes of the frame, of every packet that it did not drop */
	uint32_t action[SPX_BURST_MAX]; /* lookup: action id */
	uint64_t memo[SPX_BURST_MAX];   /* lookup: what route remembers of the flow; 0: nothing; IP only */
	uint16_t out_port[SPX_BURST_MAX]; /* lookup: where to */
	struct spx_layout layout[SPX_BURST_MAX];
	uint32_t next_hop[SPX_BURST_MAX];  /* route: id (lib/route) */
	uint64_t neighbour[SPX_BURST_MAX]; /* route, rewrite: MAC address and state (lib/route), of routed
					      packets */
	uint8_t reason[SPX_BURST_MAX];     /* drop: enum spx_drop */
	uint8_t exception[SPX_BURST_MAX];  /* punt: enum spx_exception */
	struct spx_key4 key4[SPX_BURST_MAX];
	struct spx_key6 key6[SPX_BURST_MAX];

	uint16_t n_clones; /* lookup: mirror copies, on their way to enqueue */
	uint16_t clone_port[SPX_BURST_MAX];
	struct rte_mbuf *clone[SPX_BURST_MAX];
} __rte_cache_aligned;

/* Takes packet i out of the living with its one reason. */
static inline void
spx_burst_drop(struct spx_burst *b, unsigned i, enum spx_drop reason)
{
	b->reason[i] = (uint8_t)reason;
	b->drop |= spx_set_one(i);
	b->alive &= ~spx_set_one(i);
}

/* Takes packet i out of the living; the punt stage hands it to the slow path. */
static inline void
spx_burst_punt(struct spx_burst *b, unsigned i, enum spx_exception exception)
{
	b->exception[i] = (uint8_t)exception;
	b->punt |= spx_set_one(i);
	b->alive &= ~spx_set_one(i);
}

/* What must outlive the burst: the private area of the mbuf, written at punt, at inject, and by ports that
 * keep packets. */
struct spx_meta {
	uint64_t time;   /* TSC when written */
	uint32_t action; /* action id, or SPX_ACTION_NONE */
	uint16_t in_port;
	uint16_t out_port;
	struct spx_layout layout;
	uint8_t exception; /* enum spx_exception: why punted */
	uint8_t stage;     /* enum spx_stage: inject: where the packet goes on (parse, rewrite or enqueue) */
	uint32_t trace;    /* of a packet whose way is written down (app/sphex/tracer.h): which one it is */
	uint8_t gateway[16]; /* punt as `neighbour`: whose MAC address is wanted, on out_port; IPv4 in the
				first four */
	uint64_t neighbour;  /* inject at rewrite: MAC address and state (lib/route), or 0 where the action
				edits */
	uint8_t reserved[8];
};
static_assert(sizeof(struct spx_meta) == 64, "the mbuf private area is one cache line");

static inline struct spx_meta *
spx_meta(struct rte_mbuf *m)
{
	return rte_mbuf_to_priv(m);
}

/* ---- counters -------------------------------------------------------------------------------------- */

struct spx_stage_counter {
	uint64_t packets;         /* packets that entered the stage */
	uint64_t sampled_packets; /* of the bursts whose clock was read (one in 16) */
	uint64_t sampled_cycles;  /* TSC cycles of those */
};

struct spx_port_counter {
	uint64_t rx_packets, rx_bytes; /* bytes: frame without FCS */
	uint64_t tx_packets, tx_bytes;
};

/* One lcore's counters. The owner alone writes, with plain 64-bit stores; any thread reads and merges.
 * Never cleared: a reader that wants an interval subtracts a copy it took before. They add up:
 *   received + injected + cloned = transmitted + sum of drops + punted + in_flight (workers)
 *   punted + generated = consumed + injected + sum of slow-path drops + queued     (slow path) */
struct spx_counters {
	uint64_t received;
	uint64_t injected; /* worker: taken from its inject ring */
	uint64_t cloned;   /* mirror copies made */
	uint64_t uncloned; /* mirror copies not made for want of an mbuf (the packet itself goes on) */
	uint64_t transmitted;
	uint64_t punted;     /* worker: put on the exception ring */
	uint64_t handed_in;  /* worker: put on the hand-over ring of an output port's owner */
	uint64_t handed_out; /* worker, as owner: taken from hand-over rings; handed_in - handed_out are in
				flight */
	uint64_t generated;  /* slow path: packets it made */
	uint64_t consumed;   /* slow path: exceptions it finished */
	uint64_t polls;      /* turns of the loop */
	uint64_t idle;       /* of those, without a packet */
	uint64_t drops[SPX_DROP_COUNT];
	uint64_t exceptions[SPX_EXCEPTION_COUNT]; /* worker: punted by class; slow path: consumed by class */
	struct spx_stage_counter stage[SPX_STAGE_COUNT];
	struct spx_port_counter port[SPX_PORTS_MAX];
} __rte_cache_aligned;

/* Adds n to a counter of one's own: one plain store, never torn for the reader. */
static inline void
spx_count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

/* into += from, field by field, reading `from` while its owner may be writing. Any thread. */
void spx_counters_add(struct spx_counters *into, const struct spx_counters *from);

/* into -= baseline, field by field. Any thread; both are the caller's own copies. */
void spx_counters_subtract(struct spx_counters *into, const struct spx_counters *baseline);

/* Sum of drops[]. Any thread. */
uint64_t spx_counters_drops(const struct spx_counters *c);

/* ---- errors ---------------------------------------------------------------------------------------- */

/* A message for a person: what was wrong, where, what would be right. Functions that fail return a negative
 * errno and, where they take one, fill this. Owned by the caller. */
struct spx_error {
	char text[1024];
};

/* Formats the message into err (which may be NULL) and returns code, so a caller can `return spx_error(...)`.
 */
int spx_error(struct spx_error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the message that is there: a caller adds where it happened. Returns code. */
int
spx_error_at(struct spx_error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- log ------------------------------------------------------------------------------------------- */

enum spx_log_level { SPX_LOG_ERROR, SPX_LOG_WARNING, SPX_LOG_INFO, SPX_LOG_DEBUG };

/* Messages above this level are not written. Default SPX_LOG_INFO. Set before threads start. */
void spx_log_set_level(enum spx_log_level level);

/* One line to standard error: "sphex: warning: text". Never called from the packet loop. Any thread. */
void spx_log(enum spx_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* State of a rate-limited call site: at most `burst` lines, refilled by one each second. */
struct spx_log_limit {
	uint32_t tokens;
	uint32_t suppressed;
	uint64_t last_s;
	bool started;
};

/* As spx_log, at most 5 lines at once and one a second for this call site; the next line that passes says
 * how many were suppressed. `limit` is static at the call site and used by one thread. */
void spx_log_limited(struct spx_log_limit *limit, enum spx_log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- clock ----------------------------------------------------------------------------------------- */

/* Converts TSC cycles to CLOCK_MONOTONIC_RAW nanoseconds. Owned by one thread, which calls spx_clock_sync
 * about once a second; between two calls time is continuous and the rate is the measured one, so the error
 * does not grow with the length of the run. */
struct spx_clock {
	uint64_t tsc;                 /* at the last synchronisation */
	uint64_t ns;                  /* CLOCK_MONOTONIC_RAW then */
	uint64_t ns_per_2_32;         /* nanoseconds per 2^32 cycles */
	uint64_t first_tsc, first_ns; /* the pair taken at the start: the longest base for the rate */
};

/* Starts from the kernel's TSC rate as EAL measured it; costs two clock readings. After rte_eal_init. */
void spx_clock_init(struct spx_clock *clock);

/* Reads both clocks and corrects rate and offset. One vDSO call, no system call. */
void spx_clock_sync(struct spx_clock *clock);

/* CLOCK_MONOTONIC_RAW nanoseconds at the TSC reading `tsc`, which may lie before the last synchronisation. */
static inline uint64_t
spx_clock_ns(const struct spx_clock *clock, uint64_t tsc)
{
	return clock->ns +
	       (uint64_t)(((__int128)(int64_t)(tsc - clock->tsc) * (int64_t)clock->ns_per_2_32) >> 32);
}

/* TSC cycles in ns nanoseconds at the present rate. */
static inline uint64_t
spx_clock_cycles(const struct spx_clock *clock, uint64_t ns)
{
	return (uint64_t)(((unsigned __int128)ns << 32) / clock->ns_per_2_32);
}

/* TSC readings as real time, for time stamps in files: as above, and on top the offset of CLOCK_REALTIME when
 * it was started; a step of the real time since then is not followed, so stamps never go back. */
struct spx_wall_clock {
	struct spx_clock clock;
	uint64_t raw_to_real; /* CLOCK_REALTIME less CLOCK_MONOTONIC_RAW, ns */
};

void spx_wall_clock_init(struct spx_wall_clock *wall);

/* Synchronises when a second or so has gone by since the last time. To be called as often as one likes. */
void spx_wall_clock_update(struct spx_wall_clock *wall);

/* Nanoseconds since 1970 at the TSC reading `tsc`. */
static inline uint64_t
spx_wall_clock_ns(const struct spx_wall_clock *wall, uint64_t tsc)
{
	return spx_clock_ns(&wall->clock, tsc) + wall->raw_to_real;
}

/* ---- random numbers -------------------------------------------------------------------------------- */

/* SplitMix64 (Steele, Lea, Flood 2014): the seeded, reproducible generator of tests, traces, benchmarks. Not
 * for secrets. State is the caller's. */
static inline uint64_t
spx_random(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

#endif
