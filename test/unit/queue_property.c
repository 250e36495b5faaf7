/* A port's queue in simulated time: the rate it delivers, the bursts it lets through, and every single
 * decision against a naive model that keeps its credit as a real number of bytes.
 */
#include <math.h>
#include <string.h>

#include <criterion/criterion.h>

#include "lib/queue/queue.h"

#define LONGEST 9000u
#define MBUFS   4096u

/* An assertion that costs nothing while it holds: Criterion's send a message each. */
#define HOLDS(condition, ...)                                                                                \
	do {                                                                                                 \
		if (!(condition))                                                                            \
			cr_assert_fail(#condition ": " __VA_ARGS__);                                         \
	} while (0)

static struct rte_mbuf mbufs[MBUFS];
static struct spx_queue *q;
static uint64_t seed, now;

static const uint64_t rates[] = {8, 64, 999, 10000, 123457, 1000000, 10000000}; /* kbit/s */
static const uint64_t clocks[] = {1000000000, 2899999987}; /* Hz: nanoseconds, and a TSC of no round number */

/* Every run begins a second before the clock goes around. */
static void
create(const struct spx_queue_options *options, uint64_t hz)
{
	struct spx_error err = {""};

	memset(mbufs, 0, sizeof(mbufs));
	now = UINT64_MAX - hz;
	cr_assert_eq(spx_queue_create(options, hz, now, &q, &err), 0, "%s", err.text);
}

static uint64_t
below(uint64_t n)
{
	return spx_random(&seed) % n;
}

/* A packet that waits nowhere; those that do are marked. */
static struct rte_mbuf *
packet(void)
{
	static unsigned next;
	struct rte_mbuf *m;

	do
		m = &mbufs[next++ % MBUFS];
	while (m->nb_segs != 0);
	m->nb_segs = 1;
	m->pkt_len = (uint32_t)(below(4) == 0 ? LONGEST : below(3) == 0 ? 64 : 64 + below(LONGEST - 63));
	return m;
}

/* They wait no more. Returns their bytes. */
static uint64_t
done(struct rte_mbuf **pkts, uint16_t n)
{
	uint64_t bytes = 0;

	for (uint16_t i = 0; i < n; i++) {
		bytes += pkts[i]->pkt_len;
		pkts[i]->nb_segs = 0;
	}
	return bytes;
}

static void
arrive(unsigned packets)
{
	for (unsigned i = 0; i < packets; i++) {
		struct rte_mbuf *m = packet();

		done(&m, spx_queue_enqueue(q, now, &m, 1));
	}
}

/* Sends all that is due; bytes. */
static uint64_t
send_all(void)
{
	struct rte_mbuf *due[SPX_BURST_MAX];
	uint64_t sum = 0;
	uint16_t n;

	do {
		uint64_t bytes;

		n = spx_queue_due(q, now, due, SPX_BURST_MAX);
		bytes = done(due, n);
		spx_queue_sent(q, n, bytes);
		sum += bytes;
	} while (n == SPX_BURST_MAX);
	return sum;
}

/* ---- rate ------------------------------------------------------------------------------------------------
 */

/* A queue that never runs empty, looked at in uneven steps of up to 10 ms, for 2000 of the longest frames:
 * what it delivers differs from its rate by one frame and one burst at any time, however long it runs. */
static void
deliver(uint64_t rate, uint64_t hz)
{
	const struct spx_queue_options options = {rate, 2048, SPX_QUEUE_BYTES_MAX};
	const long double per_tick = (long double)rate * 125 / (long double)hz;
	const uint64_t total = 2000 * LONGEST;
	uint64_t sent = 0, elapsed = 0, step = RTE_MIN(hz / 100, (uint64_t)(20 * LONGEST / per_tick));
	long double bound = LONGEST + rate * 0.125L, error = 0;

	create(&options, hz);
	while (sent < total) {
		uint64_t ticks = 1 + below(step);

		arrive(600 - RTE_MIN(600u, spx_queue_depth(q)));
		now += ticks;
		elapsed += ticks;
		sent += send_all();
		HOLDS(spx_queue_depth(q) > 0, "it ran empty");
		error = (long double)sent - (long double)elapsed * per_tick;
		HOLDS(fabsl(error) <= bound, "%lu kbit/s, %lu Hz: %Lf bytes off", rate, hz, error);
	}
	cr_assert(fabsl(error) < 0.001L * (long double)sent, "%lu kbit/s: %Lf bytes of %lu off", rate, error,
		sent);
	spx_queue_free(q);
}

Test(queue_property, delivers_its_rate, .timeout = 100)
{
	seed = 1;
	for (unsigned r = 0; r < RTE_DIM(rates); r++)
		for (unsigned c = 0; c < RTE_DIM(clocks); c++)
			deliver(rates[r], clocks[c]);
}

/* Arrivals with pauses, an owner that looks every few microseconds: no interval has more than the rate and
 * one burst or frame. A bucket that leaks at the rate finds the worst interval. */
static void
bound_bursts(uint64_t rate, uint64_t hz)
{
	const struct spx_queue_options options = {rate, 500, SPX_QUEUE_BYTES_MAX};
	const long double per_tick = (long double)rate * 125 / (long double)hz;
	const uint64_t step = RTE_MAX((uint64_t)(50 / per_tick), 10u); /* at most 50 bytes */
	const long double bound = fmaxl(LONGEST, rate * 0.125L) + 50;
	long double leaking = 0;
	uint64_t sent = 0;

	create(&options, hz);
	for (unsigned i = 0; i < 200000; i++) {
		uint64_t bytes, ticks = 1 + below(below(1000) == 0 ? 20000 * step : step);

		if (below(100) == 0)
			arrive((unsigned)below(40));
		/* A pause has to find the queue empty: an owner that is late may make good. */
		if (ticks > step && spx_queue_depth(q) > 0)
			ticks = step;
		now += ticks;
		leaking = fmaxl(0, leaking - (long double)ticks * per_tick);
		bytes = send_all();
		sent += bytes;
		leaking += (long double)bytes;
		HOLDS(leaking <= bound, "%lu kbit/s: %Lf bytes above the rate", rate, leaking);
	}
	cr_assert_gt(sent, 100 * LONGEST);
	spx_queue_free(q);
}

Test(queue_property, bursts_are_bounded, .timeout = 100)
{
	seed = 2;
	for (unsigned r = 0; r < RTE_DIM(rates); r++)
		bound_bursts(rates[r], clocks[r % 2]);
}

/* ---- model -----------------------------------------------------------------------------------------------
 */

static struct model {
	struct rte_mbuf *waiting[MBUFS];
	unsigned n;
	uint64_t bytes, sent_packets, sent_bytes, dropped_packets, dropped_bytes;
	uint64_t passed;      /* ticks since the clock was looked at */
	long double credit;   /* bytes */
	long double hz, rate; /* bytes a second */
	struct spx_queue_options options;
} model;

/* Time passes; when the queue looks at the clock too, it turns into credit, and a change is taken over. */
static void
model_time(uint64_t ticks, bool look)
{
	long double ms = model.n == 0 ? SPX_QUEUE_BURST_MS : SPX_QUEUE_LATE_MS;

	model.passed += ticks;
	if (!look)
		return;
	model.credit += (long double)model.passed / model.hz * model.rate;
	model.passed = 0;
	model.rate = (long double)model.options.rate_kbps * 125;
	model.credit = model.rate == 0 ? 0 : fminl(model.credit, model.rate * ms / 1000);
}

/* The first n wait no more. Returns their bytes. */
static uint64_t
model_take_out(uint16_t n)
{
	uint64_t bytes = done(model.waiting, n);

	model.bytes -= bytes;
	memmove(model.waiting, model.waiting + n, (model.n - n) * sizeof(model.waiting[0]));
	model.n -= n;
	return bytes;
}

/* Packets that may go when the credit is off by `off` bytes, which rounding makes. */
static unsigned
model_due(unsigned most, long double off)
{
	long double credit = model.credit + off;
	unsigned n = 0;

	while (n < model.n && n < most) {
		long double length = model.waiting[n]->pkt_len;

		if (model.rate > 0 && credit < fminl(length, model.rate * SPX_QUEUE_BURST_MS / 1000))
			break;
		credit -= length;
		n++;
	}
	return n;
}

static void
compare(void)
{
	struct spx_queue_stats s;

	spx_queue_stats(q, &s);
	HOLDS(s.packets == model.n, "the model differs");
	HOLDS(spx_queue_depth(q) == model.n, "the model differs");
	HOLDS(s.bytes == model.bytes, "the model differs");
	HOLDS(s.sent_packets == model.sent_packets, "the model differs");
	HOLDS(s.sent_bytes == model.sent_bytes, "the model differs");
	HOLDS(s.dropped_packets == model.dropped_packets, "the model differs");
	HOLDS(s.dropped_bytes == model.dropped_bytes, "the model differs");
	HOLDS(s.most_packets >= s.packets, "too low");
	HOLDS(s.most_bytes >= s.bytes, "too low");
}

static void
step_enqueue(void)
{
	struct rte_mbuf *pkts[SPX_BURST_MAX], *refused[SPX_BURST_MAX];
	uint16_t n = (uint16_t)below(SPX_BURST_MAX + 1), n_refused = 0;

	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = pkts[i] = packet();

		if (model.n >= model.options.limit_packets ||
			model.bytes + m->pkt_len > model.options.limit_bytes) {
			refused[n_refused++] = m;
			model.dropped_packets++;
			model.dropped_bytes += m->pkt_len;
		} else {
			model.waiting[model.n++] = m;
			model.bytes += m->pkt_len;
		}
	}
	HOLDS(spx_queue_enqueue(q, now, pkts, n) == n_refused, "%u expected", n_refused);
	HOLDS(memcmp(pkts, refused, n_refused * sizeof(pkts[0])) == 0, "other packets");
	done(refused, n_refused);
}

static void
step_send(void)
{
	struct rte_mbuf *due[SPX_BURST_MAX];
	uint16_t most = (uint16_t)below(SPX_BURST_MAX + 1), n = spx_queue_due(q, now, due, most);
	uint64_t bytes;

	HOLDS(n >= model_due(most, -1e-3L) && n <= model_due(most, 1e-3L), "%u due", n);
	HOLDS(memcmp(due, model.waiting, n * sizeof(due[0])) == 0, "other packets");
	if (below(4) == 0)
		n = (uint16_t)below(n + 1u); /* the port takes fewer */
	bytes = model_take_out(n);
	spx_queue_sent(q, n, bytes);
	model.sent_packets += n;
	model.sent_bytes += bytes;
	model.credit -= model.rate == 0 ? 0 : (long double)bytes;
}

/* The first packet goes at the time that spx_queue_wait says, and not before. */
static void
step_wait(void)
{
	struct rte_mbuf *first;
	uint64_t wait = spx_queue_wait(q, now);

	if (model.n == 0) {
		HOLDS(wait == UINT64_MAX, "nothing waits");
		return;
	}
	if (wait > 0) {
		model_time(wait - 1, true);
		HOLDS(spx_queue_due(q, now + wait - 1, &first, 1) == 0, "too early");
		model_time(1, true);
	}
	now += wait;
	HOLDS(spx_queue_due(q, now, &first, 1) == 1 && first == model.waiting[0], "not at its time");
}

static void
step_change(void)
{
	struct spx_queue_options o = {below(8) == 0 ? 0 : rates[below(RTE_DIM(rates))],
		(uint32_t)(1 + below(1000)), SPX_QUEUE_BYTES_MIN + below(3000000)};

	HOLDS(spx_queue_set(q, &o, NULL) == 0, "refused");
	model.options = o;
}

static void
step_remove(void)
{
	struct rte_mbuf *out[SPX_BURST_MAX];
	uint16_t n = (uint16_t)below(4), removed = spx_queue_remove(q, out, n);

	HOLDS(removed == RTE_MIN(n, model.n), "%u removed", removed);
	HOLDS(memcmp(out, model.waiting, removed * sizeof(out[0])) == 0, "other packets");
	model_take_out(removed);
}

/* Time passes: mostly about what a packet takes, sometimes not at all, sometimes very long. */
static uint64_t
step_time(void)
{
	uint64_t hz = (uint64_t)model.hz;
	uint64_t one = (uint64_t)(model.hz * 1000 / fmaxl(model.rate, 1000));

	switch (below(8)) {
	case 0:
		return 0;
	case 1:
		return below(100) == 0 ? hz * 1000 : below(hz / 20);
	}
	return below(2 * one);
}

Test(queue_property, every_decision_is_the_model_s, .timeout = 100)
{
	seed = 3;
	model.options = (struct spx_queue_options){1000, 100, 100000};
	model.hz = (long double)clocks[1];
	model.rate = 125000;
	create(&model.options, clocks[1]);
	for (unsigned i = 0; i < 1000000; i++) {
		uint64_t ticks = step_time(), what = below(100);
		/* Who looks at the clock: enqueue into an empty queue, due, and wait where something waits.
		 */
		bool look = what < 30 ? model.n == 0 : what < 90 || (what < 96 && model.n > 0);

		now += ticks;
		model_time(ticks, look);
		if (what < 30)
			step_enqueue();
		else if (what < 90)
			step_send();
		else if (what < 96)
			step_wait();
		else if (what < 98)
			step_change();
		else
			step_remove();
		compare();
	}
	cr_assert_gt(model.sent_packets, 100000);
	cr_assert_gt(model.dropped_packets, 100000);
	spx_queue_free(q);
}
