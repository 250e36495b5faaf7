/* Records of ended flows: from workers over their rings to the slow path's totals. What all had together is
 * what was added up and what was lost, by flows, packets and bytes.
 */
#include <criterion/criterion.h>

#include "app/sphex/slowpath.h"
#include "test/unit/worker_fixture.h"

#define WORKERS 2
#define RECORDS 100 /* that a ring holds */

static struct spx_slowpath slow;
static struct spx_flow_export export[WORKERS];

static void
start(void)
{
	static struct fixture f;

	fixture_init(&f, 63);
	slow.exception = f.exception;
	for (uint16_t i = 0; i < WORKERS; i++) {
		struct spx_error err;

		export[i].ring = slow.flow_ring[i] = spx_flow_ring_create(i, RECORDS, &err);
		cr_assert_not_null(export[i].ring, "%s", err.text);
		export[i].totals = &slow.flow_totals;
		slow.n_flow_rings++;
	}
}

TestSuite(flows, .init = start);

/* Ends a flow with n packets of 100 bytes. */
static void
end_flow(struct spx_flow_export *to, enum spx_flow_end end, uint64_t n)
{
	const struct spx_flow_record record = {.end = (uint8_t)end, .packets = n, .bytes = 100 * n};

	spx_flow_export(to, &record);
}

static void
expect_sum(const struct spx_flow_sum *sum, uint64_t flows, uint64_t packets, const char *what)
{
	cr_expect(sum->flows == flows && sum->packets == packets && sum->bytes == 100 * packets,
		"%s: %lu flows, %lu packets, %lu bytes; %lu flows, %lu packets expected", what, sum->flows,
		sum->packets, sum->bytes, flows, packets);
}

Test(flows, are_added_up_by_their_ends)
{
	end_flow(&export[0], SPX_FLOW_END_evicted, 1);
	end_flow(&export[1], SPX_FLOW_END_evicted, 2);
	end_flow(&export[1], SPX_FLOW_END_expired, 30);
	end_flow(&export[0], SPX_FLOW_END_stopped, UINT32_MAX);
	cr_expect_eq(spx_slowpath_turn(&slow), 4, "so it does not sleep");
	cr_expect(atomic_load(&slow.idle), "no packet is in hand");
	cr_expect_eq(spx_slowpath_turn(&slow), 0);
	expect_sum(&slow.flow_totals.ended[SPX_FLOW_END_evicted], 2, 3, "evicted");
	expect_sum(&slow.flow_totals.ended[SPX_FLOW_END_expired], 1, 30, "expired");
	expect_sum(&slow.flow_totals.ended[SPX_FLOW_END_stopped], 1, UINT32_MAX, "stopped");
	expect_sum(&export[0].lost, 0, 0, "lost");
}

Test(flows, of_a_full_ring_are_counted_as_lost)
{
	for (uint64_t i = 0; i < RECORDS + 7; i++)
		end_flow(&export[0], SPX_FLOW_END_evicted, 3);
	expect_sum(&export[0].lost, 7, 21, "lost");
	expect_sum(&export[1].lost, 0, 0, "lost by another");
	while (spx_slowpath_turn(&slow) > 0)
		;
	expect_sum(&slow.flow_totals.ended[SPX_FLOW_END_evicted], RECORDS, 3 * RECORDS, "evicted");
	end_flow(&export[0], SPX_FLOW_END_evicted, 3);
	expect_sum(&export[0].lost, 7, 21, "the ring takes records again");
}

/* More records than a turn takes: a packet punted meanwhile does not wait for all of them. */
Test(flows, do_not_hold_up_packets)
{
	unsigned n;

	for (uint64_t i = 0; i < RECORDS; i++)
		end_flow(&export[0], SPX_FLOW_END_expired, 1);
	n = spx_slowpath_turn(&slow);
	cr_expect(n > 0 && n < RECORDS, "%u records in a turn", n);
	cr_expect_eq(spx_slowpath_turn(&slow), RECORDS - n);
}

Test(flows, without_a_ring_go_straight_into_the_totals)
{
	end_flow(&export[0], SPX_FLOW_END_stopped, 5);
	spx_slowpath_turn(&slow);
	export[0].ring = NULL;
	for (uint64_t i = 0; i < 10 * RECORDS; i++)
		end_flow(&export[0], SPX_FLOW_END_stopped, 5);
	expect_sum(
		&slow.flow_totals.ended[SPX_FLOW_END_stopped], 10 * RECORDS + 1, 50 * RECORDS + 5, "stopped");
	expect_sum(&export[0].lost, 0, 0, "lost");
}

Test(flows, sums_of_workers_are_merged)
{
	struct spx_flow_sum sum = {0};

	for (uint64_t i = 0; i < RECORDS + 3; i++)
		for (unsigned w = 0; w < WORKERS; w++)
			end_flow(&export[w], SPX_FLOW_END_evicted, w + 1);
	for (unsigned w = 0; w < WORKERS; w++)
		spx_flow_sum_add(&sum, &export[w].lost);
	expect_sum(&sum, 6, 9, "lost");
}
