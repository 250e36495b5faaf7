/* A second opinion on packets to port 3322: written from the text of the wire format alone, field by field
 * over the whole frame, slow, and sharing nothing with lib/capsule or lib/net. */
#ifndef SPX_TEST_CAPSULE_MODEL_H
#define SPX_TEST_CAPSULE_MODEL_H

#include "lib/capsule/capsule.h"

struct capsule_model {
	enum spx_capsule_verdict verdict;
	enum spx_capsule_counter why; /* of SPX_CAPSULE_PASS */
	bool checksum;                /* SPX_CAPSULE_READY: it verifies */
	uint32_t at; /* SPX_CAPSULE_READY: offset of the capsule, of its code, of its scratchpad */
	uint32_t code, scratch;
};

/* For a frame that spx_net_parse accepts. The first `contiguous` bytes are one segment. */
struct capsule_model capsule_model(const uint8_t *frame, uint32_t contiguous);

#endif
