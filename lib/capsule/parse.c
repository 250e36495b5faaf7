/* From a parsed packet to its capsule, and the UDP checksum; see capsule.h. read.c reads the capsule itself.
 */
#include <netinet/in.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_ip.h>

#include "lib/capsule/capsule.h"

#define ETHERTYPE_IPV6  0x86dd
#define IPV6_HEADER     40u
#define IPV6_EXTENSIONS 8u /* what spx_net_parse accepts */
#define UDP_HEADER      8u

static uint16_t
read16(const uint8_t *bytes)
{
	uint16_t value;

	memcpy(&value, bytes, sizeof(value));
	return rte_be_to_cpu_16(value);
}

/* ---- fragments ------------------------------------------------------------------------------------- */

/* Where the transport header of a first fragment is, from the start of the IP header; 0: of a later one. */
static uint32_t
first_fragment4(const uint8_t *ip)
{
	return (read16(ip + 6) & 0x1fff) == 0 ? (uint32_t)(ip[0] & 0xf) * 4 : 0;
}

/* The same for IPv6, of which `room` bytes are readable. spx_net_parse has walked this chain up to the
 * fragment header; a fragment that is the whole packet (RFC 6946) it has passed over. */
static uint32_t
first_fragment6(const uint8_t *ip, uint32_t room)
{
	uint32_t at = IPV6_HEADER;
	uint8_t next = ip[6];

	for (unsigned chain = 0; chain < IPV6_EXTENSIONS && at + 8 <= room; chain++) {
		const uint8_t *extension = ip + at;
		uint16_t field = read16(extension + 2);

		if (next == IPPROTO_FRAGMENT && (field & 0xfff9) != 0)
			return (field & 0xfff8) == 0 ? at + 8 : 0;
		if (next == IPPROTO_FRAGMENT)
			at += 8;
		else
			at += next == IPPROTO_AH ? (extension[1] + 2u) * 4 : (extension[1] + 1u) * 8;
		next = extension[0];
	}
	return 0;
}

/* True for the first fragment of a packet to our port. Bytes behind the IP packet are padding of the frame.
 */
static bool
is_first_fragment(const uint8_t *ip, uint32_t readable, bool v6)
{
	uint32_t room = RTE_MIN(readable, v6 ? IPV6_HEADER + read16(ip + 4) : read16(ip + 2));
	uint32_t at = v6 ? first_fragment6(ip, room) : first_fragment4(ip);

	return at != 0 && at + 4 <= room && read16(ip + at + 2) == SPX_CAPSULE_PORT;
}

/* ---- packets --------------------------------------------------------------------------------------- */

enum spx_capsule_verdict
spx_capsule_parse(struct rte_mbuf *m, const struct spx_layout *layout, uint8_t proto, struct spx_capsule *c)
{
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *), *udp = frame + layout->l4;
	bool v6 = layout->ethertype == ETHERTYPE_IPV6;
	enum spx_capsule_verdict verdict;
	uint32_t payload;

	if (likely(proto != IPPROTO_UDP))
		return SPX_CAPSULE_NOT;
	if (unlikely(layout->flags & SPX_LAYOUT_FRAGMENT)) {
		if (!is_first_fragment(frame + layout->l3, m->data_len - layout->l3, v6))
			return SPX_CAPSULE_NOT;
		*c = (struct spx_capsule){.why = SPX_CAPSULE_fragment};
		return SPX_CAPSULE_PASS;
	}
	if (read16(udp + 2) != SPX_CAPSULE_PORT)
		return SPX_CAPSULE_NOT;
	payload = layout->l4 + UDP_HEADER;
	verdict = spx_capsule_read(frame + payload, m->data_len - payload, read16(udp + 4) - UDP_HEADER, c);
	c->ip = frame + layout->l3;
	c->udp = udp;
	c->v6 = v6;
	return verdict;
}

/* ---- checksum -------------------------------------------------------------------------------------- */

/* One's complement sum of the pseudo header (RFC 768, RFC 8200 section 8.1), not folded. */
static uint32_t
pseudo_sum(const struct spx_capsule *c)
{
	uint16_t length;

	memcpy(&length, c->udp + 4, sizeof(length));
	return (uint32_t)rte_raw_cksum(c->v6 ? c->ip + 8 : c->ip + 12, c->v6 ? 32 : 8) + length +
	       RTE_BE16(IPPROTO_UDP);
}

/* The same of `length` bytes of the packet, the first of which is at `at`, in the first segment. Not
 * rte_raw_cksum_mbuf: that of 22.11 loses a carry where a segment begins at an odd byte. */
static uint32_t
data_sum(const struct rte_mbuf *m, uint32_t at, uint32_t length)
{
	uint32_t sum = 0, done = 0;

	for (; m != NULL && done < length; m = m->next) {
		uint32_t n = RTE_MIN(m->data_len - at, length - done);
		uint16_t part = rte_raw_cksum(rte_pktmbuf_mtod_offset(m, const void *, at), n);

		sum += done % 2 == 0 ? part : rte_bswap16(part);
		done += n;
		at = 0;
	}
	return sum;
}

bool
spx_capsule_verify(const struct rte_mbuf *m, struct spx_capsule *c)
{
	uint64_t port = m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
	uint32_t at = (uint32_t)(c->udp - rte_pktmbuf_mtod(m, uint8_t *));
	uint16_t checksum;
	bool right;

	memcpy(&checksum, c->udp + 6, sizeof(checksum));
	if (checksum == 0) {
		right = !c->v6;
	} else if (port == RTE_MBUF_F_RX_L4_CKSUM_GOOD || port == RTE_MBUF_F_RX_L4_CKSUM_BAD) {
		right = port == RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	} else {
		/* Also for _NONE: the port vouches for the data, but the checksum in the packet is not right.
		 */
		right = __rte_raw_cksum_reduce(data_sum(m, at, read16(c->udp + 4)) + pseudo_sum(c)) == 0xffff;
	}
	if (!right)
		c->why = SPX_CAPSULE_bad_checksum;
	return right;
}
