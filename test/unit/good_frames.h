/* Well-formed frames of every kind the parser knows: what tests break, change and mix. */
#ifndef SPX_TEST_GOOD_FRAMES_H
#define SPX_TEST_GOOD_FRAMES_H

#include "test/unit/frames.h"

/* X(name): the frame that good_<name> builds. */
#define GOOD_FRAME_LIST(X)                                                                                   \
	X(lldp)                                                                                              \
	X(tagged_lldp)                                                                                       \
	X(twice_tagged_lldp)                                                                                 \
	X(arp)                                                                                               \
	X(udp4)                                                                                              \
	X(tcp4)                                                                                              \
	X(ipv4_options)                                                                                      \
	X(ipv4_bare)                                                                                         \
	X(udp4_bare)                                                                                         \
	X(tcp4_options)                                                                                      \
	X(icmp4)                                                                                             \
	X(fragment4)                                                                                         \
	X(udp6)                                                                                              \
	X(udp6_bare)                                                                                         \
	X(ipv6_bare)                                                                                         \
	X(tcp6)                                                                                              \
	X(icmp6)                                                                                             \
	X(icmp6_short)                                                                                       \
	X(routing6)                                                                                          \
	X(eight_extensions)                                                                                  \
	X(fragment6)                                                                                         \
	X(tagged_udp4)                                                                                       \
	X(twice_tagged_udp6)                                                                                 \
	X(padded_syn4)                                                                                       \
	X(unreachable4)                                                                                      \
	X(chain6)                                                                                            \
	X(atomic6)

#define GOOD_DECLARE(name) void good_##name(struct frame *f);
GOOD_FRAME_LIST(GOOD_DECLARE)
#undef GOOD_DECLARE

#define GOOD_ONE(name) +1u
#define GOOD_FRAMES    (0u GOOD_FRAME_LIST(GOOD_ONE))

/* All of them. */
extern void (*const good_frames[GOOD_FRAMES])(struct frame *);

#endif
