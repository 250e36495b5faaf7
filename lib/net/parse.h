/* Inside of the parse stage: the general parser of one frame, which knows every case, and the short cut for
 * the plain IPv4 packet, which must agree with it. parse.c loops over the burst and picks; tests run both.
 */
#ifndef SPX_NET_PARSE_H
#define SPX_NET_PARSE_H

#include "lib/net/net.h"

/* One frame on its way through the general parser. */
struct spx_frame {
	const uint8_t *bytes;
	uint32_t room;     /* contiguous bytes at `bytes` (first mbuf segment); later none beyond `length` */
	uint32_t length;   /* bytes of the whole frame; later the end of the IP packet, without padding */
	bool checksum_bad; /* the device says so */
	bool verify_checksum; /* compute it */

	/* answers */
	struct spx_layout layout;
	uint32_t context;     /* 24 bits, see base.h */
	uint8_t proto;        /* of the transport header, or of the fragment's payload */
	uint16_t ports[2];    /* network order, as in the flow key */
	enum spx_drop reason; /* when the parser returns SPX_FRAME_BAD */
};

enum spx_frame_kind { SPX_FRAME_IPV4, SPX_FRAME_IPV6, SPX_FRAME_OTHER, SPX_FRAME_BAD };

/* Parses a frame that came in by `port`. frame->layout.l3 is the IP header for the two IP kinds. */
enum spx_frame_kind spx_frame_parse(struct spx_frame *frame, uint16_t port);

#endif
