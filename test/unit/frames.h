/* Frames built header by header, and mbufs over them without EAL or mempool.
 *
 * A test adds headers from the outside in, closes the frame (lengths and the IPv4 checksum are written), adds
 * padding if it likes, and then breaks what it wants to see broken. Addresses and ports are always the same
 * unless said: 192.0.2.1 to 198.51.100.2, 2001:db8::1 to 2001:db8::2.
 */
#ifndef SPX_TEST_FRAMES_H
#define SPX_TEST_FRAMES_H

#include "lib/base/base.h"

#define FRAME_MAX   9000u
#define FRAME_SPORT 0x1234
#define FRAME_DPORT 0x5678

enum { TYPE_IPV4 = 0x0800, TYPE_ARP = 0x0806, TYPE_VLAN = 0x8100, TYPE_IPV6 = 0x86dd, TYPE_QINQ = 0x88a8 };

struct frame {
	uint8_t bytes[FRAME_MAX];
	uint32_t length;
	uint32_t ip;  /* offset of the IP header; 0 = none yet */
	uint32_t udp; /* offset of the UDP header; 0 = none yet */
};

/* Starts a frame with its Ethernet header. */
void frame_start(struct frame *f, uint16_t ethertype);

/* Adds the rest of a VLAN tag: the EtherType before it says which kind of tag it is. */
void frame_tag(struct frame *f, uint16_t control, uint16_t ethertype);

/* Adds headers. Options are `words` 32-bit words of no-operation. */
void frame_ipv4(struct frame *f, uint8_t proto, unsigned words);
void frame_ipv6(struct frame *f, uint8_t next);

/* An IPv6 extension header of `size` bytes whose length field is `field`. */
void frame_extension(struct frame *f, uint8_t next, uint8_t field, uint32_t size);

/* An IPv6 fragment header; offset in units of 8 bytes. */
void frame_fragment(struct frame *f, uint8_t next, uint16_t offset, bool more);

void frame_udp(struct frame *f);
void frame_tcp(struct frame *f, uint8_t flags);
void frame_icmp(struct frame *f, uint8_t type, uint8_t code, uint16_t identifier);
void frame_arp(struct frame *f);

/* Adds n bytes of payload, or of padding after the frame was closed. */
void frame_data(struct frame *f, uint32_t n);

/* Writes the length fields and the IPv4 checksum for what was added so far. */
void frame_close(struct frame *f);

/* Writes the IPv4 checksum anew, after a test changed the header. */
void frame_checksum(struct frame *f);

void frame_put16(struct frame *f, uint32_t at, uint16_t value);

/* The three whole frames that most tests start from; `data` bytes of payload. */
void frame_udp4(struct frame *f, uint32_t data);
void frame_tcp4(struct frame *f, uint8_t flags, uint32_t data);
void frame_udp6(struct frame *f, uint32_t data);

/* An mbuf over a copy of n bytes that ends exactly where its heap block ends, so a sanitizer sees the first
 * byte read too many. Ends the test when there is no memory. */
struct rte_mbuf *frame_mbuf(const uint8_t *bytes, uint32_t n);

/* The same in two segments, the first of `first` bytes. */
struct rte_mbuf *frame_mbuf_split(const uint8_t *bytes, uint32_t n, uint32_t first);

/* Frees the mbuf, its further segments and their blocks. */
void frame_mbuf_free(struct rte_mbuf *m);

#endif
