/* What the parse stage says of one packet, in one value that tests can compare: from the stage itself, from
 * the general parser alone, or from the model (net_model.h). */
#ifndef SPX_TEST_NET_PARSED_H
#define SPX_TEST_NET_PARSED_H

#include "lib/net/net.h"
#include "test/unit/frames.h"

#define PARSED_PORT 5 /* the port that packets come in by */

enum parsed_kind { PARSED_IPV4, PARSED_IPV6, PARSED_OTHER, PARSED_DROP };

/* Fields that have no meaning for the kind are zero. */
struct parsed {
	enum parsed_kind kind;
	enum spx_drop reason; /* drop */
	struct spx_layout layout;
	struct spx_key4 key4;
	struct spx_key6 key6;
	uint64_t hash;
};

/* Largest frame 1518 bytes, hash seed 1, no checksum verification. */
extern const struct spx_net_options parsed_options;

/* Runs the parse stage on a burst of this packet alone. */
struct parsed parsed_by_stage(struct rte_mbuf *m, const struct spx_net_options *options);

/* What the stage left in a burst for packet i; fails the test when the packet is not in exactly one set. */
struct parsed parsed_from_burst(const struct spx_burst *b, unsigned i);

/* Runs the general parser alone and makes key and hash from its answers. */
struct parsed parsed_by_general(struct rte_mbuf *m, const struct spx_net_options *options);

bool parsed_equal(const struct parsed *a, const struct parsed *b);

/* "ipv4 port 1234 ..." for messages; the text stays valid until the next call but three. */
const char *parsed_text(const struct parsed *p);

/* The stage's answer for the frame in one segment, under parsed_options. */
struct parsed parsed_frame(const struct frame *f);

/* Fail the test unless the stage gives the frame the kind (and the reason). */
void expect_kind(const struct frame *f, enum parsed_kind kind);
void expect_drop(const struct frame *f, enum spx_drop reason);

/* Fail the test unless the frame has a key of the family whose last eight bytes (ports, protocol, context)
 * are these; the addresses have to be those of frames.h. */
void expect_tail4(const struct frame *f, uint16_t sport, uint16_t dport, uint8_t proto, uint32_t context);
void expect_tail6(const struct frame *f, uint16_t sport, uint16_t dport, uint8_t proto, uint32_t context);

#endif
