/* Every drop reason of the parser: frames that give it, each beside its neighbour that passes. */
#ifndef SPX_TEST_BAD_FRAMES_H
#define SPX_TEST_BAD_FRAMES_H

#include "test/unit/good_frames.h"

enum bad_change { CUT, END, VALUE, VALUE16, SEGMENT, MAX_FRAME, CHECKSUM_FLAG };

/* CUT: the frame ends after `bad` and `good` bytes, its length fields unchanged. END: the same, the length
 * fields of IP following. VALUE, VALUE16: that is written at offset `at`. SEGMENT: the first segment's bytes.
 * MAX_FRAME: the port's largest frame. CHECKSUM_FLAG: the port's verdict in ol_flags. */
struct bad_frame {
	enum spx_drop reason;
	void (*build)(struct frame *);
	enum bad_change change;
	uint32_t at;
	uint64_t bad, good;
};

#define BAD_FRAMES 63u
extern const struct bad_frame bad_frames[BAD_FRAMES];

/* What a row with one of its two values comes to. */
struct bad_packet {
	struct frame frame;
	uint32_t first;     /* bytes of the first segment; 0: one segment */
	uint32_t max_frame; /* of the port; 0: any */
	uint64_t port_flags;
};

void bad_frame_build(const struct bad_frame *row, uint64_t value, struct bad_packet *packet);

#endif
