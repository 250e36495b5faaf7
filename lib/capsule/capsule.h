/* The capsule on the wire: recognise, read, edit and build packets that carry a program, name one, or hold
 * one ESP instruction.
 *
 * UDP to port 3322 over IPv4 or IPv6. The UDP payload begins with the capsule, in network order; what stands
 * behind it is payload that nobody here touches:
 *
 *   byte 0     version (4 bits) = 1 | kind (4 bits)
 *   byte 1     flags
 *   byte 2-3   length of the capsule: header + code part + scratchpad
 *   byte 4     instructions of kind 0, else 0
 *   byte 5     scratchpad words of 8 bytes, at most 32
 *   byte 6     0
 *   byte 7     fault code
 *   byte 8-15  computation id: joins the packets of one computation
 *   code part  carried: the instructions, 4 bytes each, padded with zeros to a multiple of 8
 *              named: code name (32) | home address (16, IPv4-mapped) | home port (2) | zero (6)
 *              ESP: opcode (1) | operator (1) | zero (6)
 *   scratchpad
 *
 * What is no capsule, malformed, or may not run goes on as the plain packet that it is. Code and data stay
 * where they lie in the packet. Edits keep the checksums of UDP and IPv4 right incrementally (RFC 1624).
 *
 * Nothing here keeps state, allocates or makes system calls. Everything but spx_capsule_parse and
 * spx_capsule_verify works on plain bytes, so a program without DPDK can use it.
 */
#ifndef SPX_CAPSULE_H
#define SPX_CAPSULE_H

#include <netinet/in.h>
#include <sys/types.h>

#include "lib/base/base.h"

#define SPX_CAPSULE_PORT          3322u /* UDP destination port, IANA "active-net" */
#define SPX_CAPSULE_VERSION       1u
#define SPX_CAPSULE_HEADER        16u  /* bytes */
#define SPX_CAPSULE_CODE_WORDS    255u /* instructions at most */
#define SPX_CAPSULE_SCRATCH_WORDS 32u  /* at most */
#define SPX_CAPSULE_SCRATCH_MAX   (SPX_CAPSULE_SCRATCH_WORDS * 8u)
#define SPX_CAPSULE_NAME_BYTES    32u
#define SPX_CAPSULE_MAX           (SPX_CAPSULE_HEADER + 1024u + SPX_CAPSULE_SCRATCH_MAX) /* bytes of the largest */

enum spx_capsule_kind {
	SPX_CAPSULE_CARRIED, /* brings its instructions (WASP) */
	SPX_CAPSULE_NAMED,   /* names them (PAN) */
	SPX_CAPSULE_ESP,     /* one ESP instruction */
	SPX_CAPSULE_KINDS
};

enum spx_capsule_flag {
	SPX_CAPSULE_INGRESS = 0x80,  /* run before routing */
	SPX_CAPSULE_EGRESS = 0x40,   /* run with the way out known */
	SPX_CAPSULE_RETURNED = 0x20, /* on its way back: never runs again */
	SPX_CAPSULE_FAULT = 0x10,    /* a node stopped it, byte 7 says why: later nodes do not run it */
	SPX_CAPSULE_UNKNOWN = 0x08,  /* a node did not know its code; cleared by the next that runs it */
	SPX_CAPSULE_OPERATOR = 0x04, /* has operator rights */
	SPX_CAPSULE_LOCAL = 0x02,    /* kind 2: keys of the interface, not of the node */
	SPX_CAPSULE_NO_FLAG = 0x01,  /* must be zero */
};

/* ---- fault codes ----------------------------------------------------------------------------------- */

/* X(name, code, text): the text completes "fault: ...". 16...255 are the program's own. */
#define SPX_CAPSULE_FAULTS(X)                                                                                \
	X(bad_program, 1, "no program, or one that is not valid")                                            \
	X(bounds, 2, "an access or an operand lies outside of the scratchpad, or an id is too large")        \
	X(store_full, 3, "the state store has no room for a new entry")                                      \
	X(permission, 4, "creating or writing a protected entry needs operator rights")                      \
	X(no_way, 5, "no invitation, no such way, or not allowed here")                                      \
	X(quota, 7, "more than the quota of the port it came in by")                                         \
	X(key_twice, 9, "one key mapped twice")

enum spx_capsule_fault {
#define SPX_CAPSULE_FAULT_ENUM(name, code, text) SPX_CAPSULE_FAULT_##name = (code),
	SPX_CAPSULE_FAULTS(SPX_CAPSULE_FAULT_ENUM)
#undef SPX_CAPSULE_FAULT_ENUM
		SPX_CAPSULE_FAULT_OWN = 16 /* and above */
};

/* Static string, for every code. Any thread. */
const char *spx_capsule_fault_text(uint8_t code);

/* ---- counters -------------------------------------------------------------------------------------- */

/* X(name, text). `seen` counts every packet that is recognised, `run` is for whoever runs it; each of the
 * others is a reason why a capsule goes on untouched, and completes "not run because ...". */
#define SPX_CAPSULE_COUNTERS(X)                                                                              \
	X(seen, "UDP packets to port 3322")                                                                  \
	X(run, "capsules that ran")                                                                          \
	X(returned, "it is on its way back to its source")                                                   \
	X(fault, "another node stopped it with a fault")                                                     \
	X(no_stage, "it asks to run neither at ingress nor at egress")                                       \
	X(fragment, "the packet is a fragment")                                                              \
	X(not_contiguous, "the capsule does not lie in the first mbuf segment")                              \
	X(bad_checksum, "the UDP checksum is wrong, or missing over IPv6")                                   \
	X(malformed_truncated, "the UDP payload is shorter than a capsule header")                           \
	X(malformed_version, "the version is not 1")                                                         \
	X(malformed_kind, "the kind is none of carried, named, ESP")                                         \
	X(malformed_flag, "flag 0x01 is set")                                                                \
	X(malformed_zero, "a field that must be zero is not")                                                \
	X(malformed_code_words, "only a carried program has instructions")                                   \
	X(malformed_scratchpad, "the scratchpad has more than 32 words")                                     \
	X(malformed_length, "the length is not that of header, code part and scratchpad")                    \
	X(malformed_overrun, "the capsule is longer than the UDP payload")                                   \
	X(malformed_padding, "the padding behind the instructions is not zero")

enum spx_capsule_counter {
#define SPX_CAPSULE_COUNTER_ENUM(name, text) SPX_CAPSULE_##name,
	SPX_CAPSULE_COUNTERS(SPX_CAPSULE_COUNTER_ENUM)
#undef SPX_CAPSULE_COUNTER_ENUM
		SPX_CAPSULE_COUNTER_COUNT
};

/* Name and text of a counter. Static strings; counter < SPX_CAPSULE_COUNTER_COUNT. Any thread. */
const char *spx_capsule_counter_name(enum spx_capsule_counter counter);
const char *spx_capsule_counter_text(enum spx_capsule_counter counter);

/* ---- ESP instructions ------------------------------------------------------------------------------ */

#define SPX_CAPSULE_OPERANDS_MAX 5u

/* What there is to say of an ESP instruction: operand i is word i of the scratchpad. */
struct spx_capsule_instruction {
	const char *name;
	const char *const *operators; /* names of operators 1, 2, ... with a NULL behind; NULL: it has none */
	unsigned n_operands;
	const char *operand[SPX_CAPSULE_OPERANDS_MAX];
};

enum spx_capsule_opcode {
	SPX_CAPSULE_OPCODE_COUNT = 1,
	SPX_CAPSULE_OPCODE_COMPARE,
	SPX_CAPSULE_OPCODE_COLLECT,
	SPX_CAPSULE_OPCODE_RCHLD,
	SPX_CAPSULE_OPCODE_RCOLLECT,
	SPX_CAPSULE_OPCODE_END /* one behind the last */
};

/* The instruction, or NULL for an unknown opcode. Static. Any thread. */
const struct spx_capsule_instruction *spx_capsule_instruction(uint8_t opcode);

/* The operator's name, or NULL where the instruction has none of that number. Static. Any thread. */
const char *spx_capsule_operator(uint8_t opcode, uint8_t op);

/* "carried", "named", "esp"; kind < SPX_CAPSULE_KINDS. */
const char *spx_capsule_kind_name(enum spx_capsule_kind kind);

/* ---- reading --------------------------------------------------------------------------------------- */

/* A capsule where it lies: pointers into the packet, valid until its bytes move. */
struct spx_capsule {
	uint8_t *ip;         /* IP header; NULL: read from the UDP payload alone, cannot be edited */
	uint8_t *udp;        /* UDP header; NULL likewise */
	uint8_t *header;     /* byte 0 */
	const uint8_t *code; /* carried: the instructions; named: the name, behind it the home address */
	uint8_t *scratch;
	uint64_t id;           /* computation id */
	uint16_t length;       /* bytes of the capsule */
	uint16_t home_port;    /* named: where the code can be had */
	uint8_t kind;          /* enum spx_capsule_kind */
	uint8_t flags;         /* enum spx_capsule_flag */
	uint8_t fault;         /* byte 7 */
	uint8_t code_words;    /* carried: instructions; 0 is well-formed, and fault 1 when it runs */
	uint8_t scratch_words; /* of 8 bytes */
	uint8_t opcode, op;    /* ESP: whether there is such an instruction is not looked at here */
	uint8_t why;           /* enum spx_capsule_counter: SPX_CAPSULE_PASS: the reason */
	bool v6;
};
static_assert(sizeof(struct spx_capsule) <= 64 + 8, "a capsule's description is about a cache line");

enum spx_capsule_verdict {
	SPX_CAPSULE_NOT,  /* no packet to port 3322: nothing is counted */
	SPX_CAPSULE_PASS, /* goes on untouched: `seen` and `why` are counted */
	SPX_CAPSULE_READY /* may run where its flags say, once spx_capsule_verify has said yes: `seen` is
			     counted */
};

/* Reads a capsule from bytes: `length` bytes of UDP payload, the first `contiguous` of which are at `bytes`.
 * Never SPX_CAPSULE_NOT. With SPX_CAPSULE_PASS for `returned`, `fault` or `no_stage` *c is filled too, else
 * only c->why. Any thread. */
enum spx_capsule_verdict
spx_capsule_read(uint8_t *bytes, uint32_t contiguous, uint32_t length, struct spx_capsule *c);

/* Cheap, to be asked of every packet: may a packet with this flow key be to port 3322? Yes for that port, and
 * for every fragment of UDP, which only spx_capsule_parse looks into. */
#define SPX_CAPSULE_MAYBE(key)                                                                               \
	((key)->proto == IPPROTO_UDP && (((key)->dport[0] == SPX_CAPSULE_PORT >> 8 &&                        \
						 (key)->dport[1] == (SPX_CAPSULE_PORT & 0xff)) ||            \
						((key)->context[1] & SPX_CONTEXT_FRAGMENT >> 8) != 0))

static inline bool
spx_capsule_maybe4(const struct spx_key4 *key)
{
	return SPX_CAPSULE_MAYBE(key);
}

static inline bool
spx_capsule_maybe6(const struct spx_key6 *key)
{
	return SPX_CAPSULE_MAYBE(key);
}

/* The same for a packet that spx_net_parse accepted: its layout, and the protocol of its flow key. Of
 * fragments only the first shows its ports; the others are SPX_CAPSULE_NOT. The UDP checksum is not looked
 * at. */
enum spx_capsule_verdict
spx_capsule_parse(struct rte_mbuf *m, const struct spx_layout *layout, uint8_t proto, struct spx_capsule *c);

/* True when the UDP checksum of a capsule of spx_capsule_parse is right, or there is none over IPv4; else
 * c->why is bad_checksum. Sums the whole datagram, over all segments, unless the port has checked it
 * (RTE_MBUF_F_RX_L4_CKSUM_GOOD, _BAD). To be called once, before the first run of the packet on this node:
 * edits keep the checksum right. */
bool spx_capsule_verify(const struct rte_mbuf *m, struct spx_capsule *c);

/* ---- edits ----------------------------------------------------------------------------------------- */

/* All of them change the packet and *c alike and keep the UDP checksum right; one that is zero over IPv4
 * stays zero. *c comes from spx_capsule_parse. The packet's bytes must be the caller's own. */

/* Sets and clears flags (enum spx_capsule_flag). */
void spx_capsule_set_flags(struct spx_capsule *c, uint8_t set, uint8_t clear);

/* The fault flag and the code. */
void spx_capsule_set_fault(struct spx_capsule *c, uint8_t code);

/* Writes a copy of the scratchpad, of c->scratch_words words in network order, back. */
void spx_capsule_commit(struct spx_capsule *c, const uint8_t *scratch);

/* Back to the source: swaps addresses and UDP ports, sets TTL or hop limit to 64 and the returned flag. MAC
 * addresses and the flow key of the packet are the caller's matter. */
void spx_capsule_return(struct spx_capsule *c);

/* A new destination: 4 bytes for IPv4, 16 for IPv6, in network order. */
void spx_capsule_set_destination(struct spx_capsule *c, const uint8_t *address);

/* ---- building -------------------------------------------------------------------------------------- */

/* What a capsule is to hold. Pointers are the caller's. */
struct spx_capsule_content {
	uint8_t kind, flags, fault;
	uint8_t opcode, op; /* ESP */
	uint64_t id;
	const uint8_t *code;     /* carried: code_words * 4 bytes, as they lie on the wire */
	unsigned code_words;     /* carried: at most SPX_CAPSULE_CODE_WORDS; else 0 */
	const uint8_t *name;     /* named: SPX_CAPSULE_NAME_BYTES bytes */
	const uint8_t *home;     /* named: 16 bytes */
	uint16_t home_port;      /* named */
	const uint64_t *scratch; /* host order */
	unsigned scratch_words;  /* at most SPX_CAPSULE_SCRATCH_WORDS */
	const void *payload;
	size_t payload_length;
};

/* What stands around it. Addresses in network order: IPv4 in the first four bytes. */
struct spx_capsule_envelope {
	uint8_t dst_mac[6], src_mac[6];
	uint16_t vlan; /* id of a tag; 0: none */
	bool v6;
	uint8_t src[16], dst[16];
	uint16_t sport;   /* UDP source port; where a returned capsule goes */
	uint8_t ttl;      /* or hop limit; bounds the number of nodes */
	bool no_checksum; /* the UDP checksum is zero; for IPv6 that is wrong */
};

/* Writes capsule and payload as UDP payload. Returns the bytes written; -EINVAL for a content that no capsule
 * can have, -ENOSPC when it is more than `size`. Any thread. */
ssize_t spx_capsule_write(const struct spx_capsule_content *content, uint8_t *buffer, size_t size);

/* Writes a whole frame, Ethernet without FCS, with right checksums. The same; -ENOSPC also for more than an
 * IP packet can hold. Any thread. */
ssize_t spx_capsule_build(const struct spx_capsule_content *content,
	const struct spx_capsule_envelope *envelope, uint8_t *buffer, size_t size);

#endif
