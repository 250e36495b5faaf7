/* What a port's queue takes, keeps and lets go, without chance: order, limits, changes, counters. */
#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "lib/queue/queue.h"

#define HZ   1000000000u /* ticks are nanoseconds */
#define ROOM 200u

static struct rte_mbuf mbufs[ROOM]; /* nothing but their length is looked at */
static struct rte_mbuf *pkts[ROOM];
static struct spx_queue *q;

static void
create(uint64_t rate_kbps, uint32_t limit_packets, uint64_t limit_bytes)
{
	const struct spx_queue_options options = {rate_kbps, limit_packets, limit_bytes};
	struct spx_error err = {""};

	cr_assert_eq(spx_queue_create(&options, HZ, 0, &q, &err), 0, "%s", err.text);
	for (unsigned i = 0; i < ROOM; i++) {
		mbufs[i].pkt_len = 100 + i;
		pkts[i] = &mbufs[i];
	}
}

static void
end(void)
{
	spx_queue_free(q);
}

TestSuite(queue_fifo, .fini = end);

static struct spx_queue_stats
stats(void)
{
	struct spx_queue_stats s;

	spx_queue_stats(q, &s);
	return s;
}

/* Sends what is due, `most` packets at most; checks that they are those from `next` on. */
static uint16_t
send_due(uint64_t now, uint16_t most, unsigned next)
{
	struct rte_mbuf *due[SPX_BURST_MAX];
	uint16_t n = spx_queue_due(q, now, due, most);
	uint64_t bytes = 0;

	for (uint16_t i = 0; i < n; i++) {
		cr_assert_eq(due[i], &mbufs[next + i]);
		bytes += due[i]->pkt_len;
	}
	spx_queue_sent(q, n, bytes);
	return n;
}

Test(queue_fifo, first_in_first_out_without_a_rate)
{
	create(0, 1000, SPX_QUEUE_BYTES_MAX);
	cr_assert_eq(spx_queue_enqueue(q, 0, pkts, 150), 0);
	cr_assert_eq(spx_queue_wait(q, 0), 0);
	cr_assert_eq(send_due(0, 64, 0), 64);
	cr_assert_eq(send_due(0, 64, 64), 64);
	cr_assert_eq(send_due(0, 64, 128), 22);
	cr_assert_eq(send_due(0, 64, 150), 0);
	cr_assert_eq(spx_queue_wait(q, 0), UINT64_MAX);
	cr_assert_eq(stats().sent_packets, 150);
	cr_assert_eq(stats().packets + stats().bytes, 0);
}

Test(queue_fifo, what_the_port_does_not_take_stays)
{
	struct rte_mbuf *due[4];

	create(8, 1000, SPX_QUEUE_BYTES_MAX);
	cr_assert_eq(spx_queue_enqueue(q, 0, pkts, 3), 0);
	for (unsigned i = 0; i < 10; i++) {
		cr_assert_eq(spx_queue_due(q, HZ, due, 4), 1, "a burst is saved up");
		cr_assert_eq(due[0], pkts[0]);
		spx_queue_sent(q, 0, 0);
	}
	cr_assert_eq(stats().packets, 3);
	cr_assert_eq(stats().sent_packets, 0);
}

Test(queue_fifo, refuses_above_the_limit_of_packets)
{
	create(0, 10, SPX_QUEUE_BYTES_MAX);
	cr_assert_eq(spx_queue_enqueue(q, 0, pkts, 14), 4);
	for (unsigned i = 0; i < 4; i++)
		cr_assert_eq(pkts[i], &mbufs[10 + i]);
	cr_assert_eq(stats().packets, 10);
	cr_assert_eq(stats().dropped_packets, 4);
	cr_assert_eq(stats().dropped_bytes, 110 + 111 + 112 + 113);
	cr_assert_eq(stats().most_packets, 10);
	cr_assert_eq(send_due(0, 64, 0), 10);
}

/* A packet that is too long does not keep a shorter one behind it out. */
Test(queue_fifo, refuses_above_the_limit_of_bytes_by_packet)
{
	create(0, 1000, SPX_QUEUE_BYTES_MIN);
	mbufs[0].pkt_len = SPX_QUEUE_BYTES_MIN - 103;
	cr_assert_eq(spx_queue_enqueue(q, 0, pkts, 5), 3);
	cr_assert_eq(pkts[0], &mbufs[2]);
	cr_assert_eq(stats().packets, 2);
	cr_assert_eq(stats().bytes, SPX_QUEUE_BYTES_MIN - 2);
	cr_assert_eq(stats().most_bytes, SPX_QUEUE_BYTES_MIN - 2);
	mbufs[150].pkt_len = 2;
	cr_assert_eq(spx_queue_enqueue(q, 0, pkts + 150, 1), 0);
	mbufs[151].pkt_len = 1;
	cr_assert_eq(spx_queue_enqueue(q, 0, pkts + 151, 1), 1);
}

Test(queue_fifo, an_idle_queue_saves_up_one_burst)
{
	create(8000, 1000, SPX_QUEUE_BYTES_MAX); /* 1000 bytes a millisecond */
	for (unsigned i = 0; i < 100; i++)
		mbufs[i].pkt_len = 300;
	cr_assert_eq(spx_queue_enqueue(q, UINT64_C(100) * HZ, pkts, 100), 0);
	cr_assert_eq(send_due(UINT64_C(100) * HZ, 64, 0), 3);
	cr_assert_eq(spx_queue_wait(q, UINT64_C(100) * HZ), 200000, "200 of 300 bytes are missing");
	cr_assert_eq(send_due(UINT64_C(100) * HZ + 199999, 64, 3), 0);
	cr_assert_eq(send_due(UINT64_C(100) * HZ + 200000, 64, 3), 1);
}

Test(queue_fifo, a_frame_larger_than_a_burst_makes_debt)
{
	create(8000, 1000, SPX_QUEUE_BYTES_MAX);
	mbufs[0].pkt_len = mbufs[1].pkt_len = 9000;
	mbufs[2].pkt_len = 100;
	cr_assert_eq(spx_queue_enqueue(q, HZ, pkts, 3), 0);
	cr_assert_eq(send_due(HZ, 64, 0), 1);
	cr_assert_eq(spx_queue_wait(q, HZ), 9000000, "one has to be earned, of which a burst was there");
	cr_assert_eq(send_due(HZ + 9000000, 64, 1), 1);
	cr_assert_eq(spx_queue_wait(q, HZ + 9000000), 8100000, "the debt of 8000 bytes and 100 for itself");
}

Test(queue_fifo, a_late_owner_is_made_good_within_bounds)
{
	create(8000, 1000, SPX_QUEUE_BYTES_MAX);
	for (unsigned i = 0; i < ROOM; i++)
		mbufs[i].pkt_len = 1000;
	cr_assert_eq(spx_queue_enqueue(q, HZ, pkts, ROOM), 0);
	cr_assert_eq(send_due(HZ, 64, 0), 1);
	cr_assert_eq(send_due(HZ + 10000000, 64, 1), 10, "10 ms of work");
	cr_assert_eq(send_due(2 * HZ, 64, 11), 64);
	cr_assert_eq(send_due(2 * HZ, 64, 75), SPX_QUEUE_LATE_MS - 64);
	cr_assert_eq(send_due(2 * HZ, 64, 11 + SPX_QUEUE_LATE_MS), 0);
}

Test(queue_fifo, a_clock_that_stands_or_steps_back_gives_nothing)
{
	create(8000, 1000, SPX_QUEUE_BYTES_MAX);
	mbufs[0].pkt_len = 1000;
	cr_assert_eq(spx_queue_enqueue(q, HZ, pkts, 4), 0);
	cr_assert_eq(send_due(HZ, 64, 0), 1);
	cr_assert_eq(send_due(HZ, 64, 1), 0);
	cr_assert_eq(send_due(HZ - 5000000, 64, 1), 0);
	cr_assert_eq(send_due(HZ + 100999, 64, 1), 0);
	cr_assert_eq(send_due(HZ + 101000, 64, 1), 1);
}

Test(queue_fifo, changes_keep_what_waits)
{
	struct spx_queue_options now, more = {16000, 20, 1000000};
	struct spx_error err;

	create(8, 100, 50000);
	cr_assert_eq(spx_queue_enqueue(q, 0, pkts, 100), 0);
	cr_assert_eq(spx_queue_set(q, &more, &err), 0);
	spx_queue_options(q, &now);
	cr_assert(now.rate_kbps == 16000 && now.limit_packets == 20 && now.limit_bytes == 1000000);
	cr_assert_eq(stats().packets, 100);
	cr_assert_eq(spx_queue_enqueue(q, 0, pkts + 100, 1), 1, "more than 20 wait");
	for (uint64_t t = HZ, next = 0; next < 81; t += 10000)
		next += send_due(t, 1, (unsigned)next);
	cr_assert_eq(spx_queue_enqueue(q, HZ, pkts + 100, 2), 1);
	cr_assert_eq(stats().packets, 20);
	more.rate_kbps = 0;
	cr_assert_eq(spx_queue_set(q, &more, &err), 0);
	cr_assert_eq(send_due(HZ, 64, 81), 20);
}

/* What a fast rate has saved up is not spent at a slow one. */
Test(queue_fifo, a_lower_rate_clips_what_was_saved_up)
{
	struct spx_queue_options slow = {80, 100, SPX_QUEUE_BYTES_MAX};
	struct spx_error err;

	create(10000000, 100, SPX_QUEUE_BYTES_MAX);
	cr_assert_eq(spx_queue_enqueue(q, HZ, pkts, 100), 0);
	cr_assert_eq(spx_queue_set(q, &slow, &err), 0);
	cr_assert_leq(send_due(2 * HZ, 64, 0), 10 * SPX_QUEUE_LATE_MS / 100, "of 100 bytes or more");
}

Test(queue_fifo, removes_whatever_the_rate_says)
{
	struct rte_mbuf *out[64];

	create(1, 1000, SPX_QUEUE_BYTES_MAX);
	cr_assert_eq(spx_queue_enqueue(q, 0, pkts, 70), 0);
	cr_assert_eq(spx_queue_remove(q, out, 64), 64);
	cr_assert_eq(out[63], &mbufs[63]);
	cr_assert_eq(spx_queue_remove(q, out, 64), 6);
	cr_assert_eq(spx_queue_remove(q, out, 64), 0);
	cr_assert_eq(stats().packets + stats().bytes + stats().sent_packets, 0);
}

static void
refused(struct spx_queue_options options, const char *says)
{
	struct spx_queue *none;
	struct spx_error err = {""};

	cr_assert_eq(spx_queue_create(&options, HZ, 0, &none, &err), -EINVAL);
	cr_assert(strstr(err.text, says) != NULL, "%s", err.text);
	cr_assert_eq(spx_queue_set(q, &options, &err), -EINVAL);
	cr_assert(strstr(err.text, says) != NULL, "%s", err.text);
}

Test(queue_fifo, bounds)
{
	struct spx_queue_options options = {0, SPX_QUEUE_CAPACITY_MIN + 1, 1000000};
	struct spx_queue *none;
	struct spx_error err;

	create(8, 10, 100000);
	refused((struct spx_queue_options){SPX_QUEUE_RATE_MAX + 1, 10, 100000}, "rate_kbps is 100000001");
	refused((struct spx_queue_options){1, 0, 100000}, "limit_packets is 0; 1 to ");
	refused((struct spx_queue_options){1, SPX_QUEUE_PACKETS_MAX + 1, 100000}, "limit_packets is 1048577");
	refused((struct spx_queue_options){1, 1, SPX_QUEUE_BYTES_MIN - 1}, "limit_bytes is 16383; 16384 to");
	refused((struct spx_queue_options){1, 1, UINT64_C(1) + SPX_QUEUE_BYTES_MAX}, "limit_bytes is");
	cr_assert_eq(spx_queue_capacity(q), SPX_QUEUE_CAPACITY_MIN);
	cr_assert_eq(spx_queue_set(q, &options, &err), -EINVAL);
	cr_assert(strstr(err.text, "a larger ring needs a larger limit_packets at the start"));
	spx_queue_options(q, &options);
	cr_assert(options.rate_kbps == 8 && options.limit_packets == 10, "nothing changed");
	cr_assert_eq(spx_queue_create(&options, 999, 0, &none, &err), -EINVAL);
	cr_assert_eq(spx_queue_create(&options, UINT64_C(5000000001), 0, &none, &err), -EINVAL);
}

/* A ring of more than the least capacity, filled to its limit and gone around. */
Test(queue_fifo, holds_its_limit_and_goes_around)
{
	struct rte_mbuf *out[64];
	uint64_t in = 0, gone = 0;

	create(0, SPX_QUEUE_CAPACITY_MIN + 1, SPX_QUEUE_BYTES_MAX);
	cr_assert_eq(spx_queue_capacity(q), 2 * SPX_QUEUE_CAPACITY_MIN);
	while (in < 5 * SPX_QUEUE_CAPACITY_MIN) {
		struct rte_mbuf *one = &mbufs[in % ROOM];

		if (spx_queue_enqueue(q, 0, &one, 1) == 0) {
			in++;
			continue;
		}
		cr_assert_eq(in - gone, SPX_QUEUE_CAPACITY_MIN + 1);
		for (uint16_t n = spx_queue_remove(q, out, 64), i = 0; i < n; i++)
			cr_assert_eq(out[i], &mbufs[gone++ % ROOM]);
	}
}
