/* The model of the parser: written from the RFCs and the words of base.h in the plainest way, one frame at a
 * time, with the C library's header structures. lib/net is not looked at; where the two differ, one is wrong.
 */
#ifndef SPX_TEST_NET_MODEL_H
#define SPX_TEST_NET_MODEL_H

#include "test/unit/net_parsed.h"

/* What the parse stage has to say of the packet. It may have one segment or two. */
struct parsed model_parse(const struct rte_mbuf *m, const struct spx_net_options *options);

#endif
