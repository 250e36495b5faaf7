/* What the steering program (bytecode/xdp/steer.bpf.c) and those who load it agree on: names of its maps,
 * their sizes, keys and values. Included by the program too, so it knows nothing but the kernel's types.
 */
#ifndef SPX_STEER_H
#define SPX_STEER_H

#include <linux/types.h>

#define SPX_STEER_PROGRAM  "spx_steer" /* at most 15 bytes, as the kernel keeps no more */
#define SPX_STEER_SETTINGS "settings"  /* array of one: struct spx_steer_settings */
#define SPX_STEER_UDP_PORTS                                                                                  \
	"udp_ports" /* array of words of 64 ports: bit p % 64 of word p / 64 is port p                       \
		     */
#define SPX_STEER_PREFIXES4                                                                                  \
	"prefixes4" /* tries: struct spx_steer_prefix4 or 6 -> one byte that says nothing */
#define SPX_STEER_PREFIXES6 "prefixes6"

#define SPX_STEER_QUEUES   64u   /* receive queues of an interface that can have a socket */
#define SPX_STEER_PREFIXES 4096u /* of each family */

struct spx_steer_settings {
	__u32 everything; /* 1: every frame is ours, the other maps are not asked */
};

struct spx_steer_prefix4 {
	__u32 length; /* bits */
	__u8 address[4];
};

struct spx_steer_prefix6 {
	__u32 length;
	__u8 address[16];
};

#endif
