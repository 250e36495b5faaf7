/* Capsules for tests: random ones, packets of them, and what the product says of a packet. Needs no EAL. */
#ifndef SPX_TEST_CAPSULE_FIXTURE_H
#define SPX_TEST_CAPSULE_FIXTURE_H

#include "lib/capsule/capsule.h"
#include "test/unit/frames.h"

#define CAPSULE_PAYLOAD 7 /* bytes behind a plain capsule */

/* A content with the memory that it points to. */
struct capsule_sample {
	struct spx_capsule_content content;
	struct spx_capsule_envelope envelope;
	uint8_t code[SPX_CAPSULE_CODE_WORDS * 4];
	uint8_t name[SPX_CAPSULE_NAME_BYTES], home[16];
	uint64_t scratch[SPX_CAPSULE_SCRATCH_WORDS];
	uint8_t payload[64];
};

uint32_t capsule_below(uint64_t *random, uint32_t n);

/* A well-formed capsule of any kind with any flags but 0x01, in any envelope; one in eight has no UDP
 * checksum. */
void capsule_random(struct capsule_sample *sample, uint64_t *random);

/* One of the kind that runs at ingress and at egress, over IPv4, untagged, with a scratchpad of three words.
 */
void capsule_plain(struct capsule_sample *sample, enum spx_capsule_kind kind);

/* Builds the frame and notes where its headers are. Fails the test when that cannot be. */
void capsule_frame(struct frame *f, const struct capsule_sample *sample);

/* Puts an IPv6 extension header (frames.h) of `size` bytes behind the fixed header. */
void capsule_insert6(struct frame *f, uint8_t next, uint32_t size);

/* What spx_net_parse and spx_capsule_parse say; fails the test when the first does not take the packet. */
enum spx_capsule_verdict capsule_parse(struct rte_mbuf *m, struct spx_capsule *c);

/* The same for a frame in one segment; fail the test unless the verdict is this, for this reason where there
 * is one. */
void capsule_expect(const struct frame *f, enum spx_capsule_verdict verdict, enum spx_capsule_counter why);
void capsule_expect_pass(const struct frame *f, enum spx_capsule_counter why);
void capsule_expect_ready(const struct frame *f);

/* The frame of the plain capsule of the kind; *at is the offset of the capsule, whose payload has
 * CAPSULE_PAYLOAD bytes.
 */
void capsule_plain_frame(struct frame *f, enum spx_capsule_kind kind, uint32_t *at);

/* The UDP checksum that the frame should have, by RFC 768's words: never 0. */
uint16_t capsule_udp_checksum(const struct frame *f);

/* True when the checksums of UDP and of IPv4 are what a computation from scratch yields. */
bool capsule_checksums_right(const struct frame *f);

/* Writes the right UDP checksum, after a test changed something. */
void capsule_fix_checksum(struct frame *f);

#endif
