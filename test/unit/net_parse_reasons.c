/* Every drop reason of the parser: a frame that gives it beside its neighbour, one byte longer or one value
 * better, that passes. The last test walks the reasons and fails when a row is missing. */
#include <criterion/criterion.h>

#include "test/unit/bad_frames.h"
#include "test/unit/net_parsed.h"

/* Builds the frame of a row with one of its two values and runs the stage on it. */
static struct parsed
parse_row(const struct bad_frame *row, uint64_t value)
{
	struct spx_net_options options = parsed_options;
	struct bad_packet packet;
	const struct frame *f = &packet.frame;
	struct rte_mbuf *m;
	struct parsed p;

	bad_frame_build(row, value, &packet);
	if (packet.max_frame != 0)
		options.max_frame = packet.max_frame;
	m = packet.first > 0 ? frame_mbuf_split(f->bytes, f->length, packet.first)
			     : frame_mbuf(f->bytes, f->length);
	m->ol_flags = packet.port_flags;
	p = parsed_by_stage(m, &options);
	frame_mbuf_free(m);
	return p;
}

Test(net_parse_reasons, each_bad_frame_and_its_good_neighbour)
{
	for (unsigned i = 0; i < BAD_FRAMES; i++) {
		const struct bad_frame *row = &bad_frames[i];
		struct parsed bad = parse_row(row, row->bad), good = parse_row(row, row->good);

		cr_expect(bad.kind == PARSED_DROP && bad.reason == row->reason, "row %u: %s expected: %s", i,
			spx_drop_name(row->reason), parsed_text(&bad));
		cr_expect(good.kind != PARSED_DROP, "row %u: the good neighbour of %s: %s", i,
			spx_drop_name(row->reason), parsed_text(&good));
	}
}

/* The parser's reasons are those before rule_drop, the first that a later stage gives. */
Test(net_parse_reasons, no_reason_is_left_out)
{
	bool seen[SPX_DROP_COUNT] = {false};

	for (unsigned i = 0; i < BAD_FRAMES; i++) {
		struct parsed bad = parse_row(&bad_frames[i], bad_frames[i].bad);

		if (bad.kind == PARSED_DROP)
			seen[bad.reason] = true;
	}
	for (unsigned reason = 0; reason < SPX_DROP_rule_drop; reason++)
		cr_expect(seen[reason], "no frame here is dropped for %s", spx_drop_name(reason));
}
