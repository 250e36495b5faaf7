/* Random packets for the parser: good frames with a few things wrong, placed in an mbuf this way or that. */
#ifndef SPX_TEST_NET_MUTATE_H
#define SPX_TEST_NET_MUTATE_H

#include "lib/net/net.h"
#include "test/unit/frames.h"

/* Builds one of good_frames and changes it in zero to four ways: bits and bytes of its headers, length
 * fields, protocol and fragment fields, its end. */
void mutated_frame(struct frame *f, uint64_t *random);

/* The frame in exactly sized heap blocks, sometimes in two segments or with the port's verdict on the
 * checksum. */
struct rte_mbuf *mutated_mbuf(const struct frame *f, uint64_t *random);

/* Mostly the usual options, sometimes a small largest frame or verification of checksums. */
struct spx_net_options mutated_options(uint64_t *random);

#endif
