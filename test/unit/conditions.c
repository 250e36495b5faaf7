/* What is said of states that begin, end, and come and go; the clock is the test's. */
#include <string.h>

#include <criterion/criterion.h>

#include "app/sphex/appliance.h"
#include "test/unit/worker_fixture.h"

#define SECOND UINT64_C(1000000000)

static struct fixture f;
static struct spx_appliance app;
static struct spx_setup setup;
static struct spx_setup_port port;
static struct spx_port_ops ops;
static bool is_up = true, worker_turns = true, slowpath_turns = true;
static unsigned lines;
static char last[512];

static void
say(void *arg, enum spx_log_level level, const char *text)
{
	(void)arg;
	(void)level;
	lines++;
	snprintf(last, sizeof(last), "%s", text);
}

static bool
up(const struct spx_port *p)
{
	(void)p;
	return is_up;
}

static void
start(void)
{
	fixture_init(&f, 63);
	snprintf(port.name, sizeof(port.name), "out");
	setup.port = &port;
	setup.n_ports = app.n_ports = 1;
	setup.mbufs = 63;
	ops = *f.fake[0].port.ops;
	ops.up = up;
	app.setup = &setup;
	app.port[0] = f.fake[0].port;
	app.port[0].ops = &ops;
	app.worker[0] = f.worker;
	app.n_workers = 1;
	app.pool = f.pool;
	app.exception = app.slowpath.exception = f.exception;
	f.worker->inject = rte_ring_create("inject", 16, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	app.conditions = (struct spx_conditions){.say = say};
}

TestSuite(conditions, .init = start);

/* Looks at this time, 1 = a tenth of a second, returns how many lines were said. */
static unsigned
look(unsigned tenths)
{
	unsigned before = lines;

	if (worker_turns)
		spx_worker_turn(f.worker);
	if (slowpath_turns)
		spx_slowpath_turn(&app.slowpath);
	spx_conditions_look(&app.conditions, &app, SECOND + tenths * SECOND / 10);
	return lines - before;
}

Test(conditions, a_link_that_flaps)
{
	unsigned said;

	cr_assert_eq(look(0), 0);
	is_up = false;
	cr_assert_eq(look(1), 1);
	cr_assert(strstr(last, "port out is down") != NULL, "%s", last);
	cr_assert(app.port[0].down);
	is_up = true;
	cr_assert_eq(look(2), 1);
	cr_assert_str_eq(last, "port out is up again");
	said = lines;
	for (unsigned t = 3; t < 100; t++) {
		is_up = t % 2 == 0;
		look(t);
		cr_assert_eq(app.port[0].down, !is_up, "workers are told at once");
	}
	cr_assert_eq(lines, said);
	is_up = false;
	cr_assert_eq(look(101), 1);
	cr_assert_eq(look(300), 1, "only that everything stood still"); /* of the port, no more */
}

Test(conditions, mbufs_that_come_and_go)
{
	struct rte_mbuf *m[63];
	unsigned said;

	cr_assert_eq(look(0), 0);
	for (unsigned t = 1; t < 100; t++) {
		cr_assert_eq(rte_pktmbuf_alloc_bulk(f.pool, m, RTE_DIM(m)), 0);
		look(2 * t);
		rte_pktmbuf_free_bulk(m, RTE_DIM(m));
		look(2 * t + 1);
		said = lines;
	}
	cr_assert_eq(said, 4, "%u lines in 20 seconds", said);
	cr_assert_str_eq(last, "mbufs are free again");
}

Test(conditions, threads_that_stand_still)
{
	cr_assert_eq(look(0), 0);
	slowpath_turns = false;
	for (unsigned t = 1; t < 10; t++)
		cr_assert_eq(look(t), 0, "%s", last);
	cr_assert_eq(look(10), 1);
	cr_assert_str_eq(last, "the slow path stands still: no turn for 1.0 s; exceptions wait, changes of "
			       "rules wait for it");
	slowpath_turns = true;
	cr_assert_eq(look(12), 1);
	cr_assert_str_eq(last, "the slow path goes on after 1.2 s");
	worker_turns = false;
	for (unsigned t = 13; t < 22; t++)
		cr_assert_eq(look(t), 0, "%s", last);
	cr_assert_eq(look(22), 1);
	cr_assert_str_eq(last,
		"worker 0 stands still: no turn for 1.0 s; its ports are not served, changes of "
		"rules wait for it");
	cr_assert_eq(app.conditions.worker[0].thread.stalls, 1);
}

/* Whoever looks was away, twice: a thread that stands still is found all the same, one that goes on is not.
 */
Test(conditions, nobody_looked_for_a_while)
{
	cr_assert_eq(look(0), 0);
	worker_turns = false;
	cr_assert_eq(look(30), 1);
	cr_assert(strstr(last, "the appliance stood still for 3.0 s") != NULL, "%s", last);
	for (unsigned t = 31; t < 35; t++)
		cr_assert_eq(look(t), 0, "%s", last);
	cr_assert_eq(look(65), 1);
	cr_assert(strstr(last, "the appliance stood still for 3.1 s") != NULL, "%s", last);
	cr_assert_eq(look(66), 0);
	cr_assert_eq(look(67), 1);
	cr_assert(strstr(last, "worker 0 stands still: no turn for 6.7 s") != NULL, "%s", last);
}

Test(conditions, a_queue_that_is_full)
{
	const struct spx_queue_options options = {
		.rate_kbps = 8, .limit_packets = 2, .limit_bytes = SPX_QUEUE_BYTES_MIN};
	struct rte_mbuf *m[5];
	struct spx_error err;

	cr_assert_eq(spx_queue_create(&options, SECOND, 0, &app.queue[0], &err), 0, "%s", err.text);
	cr_assert_eq(look(0), 0);
	for (unsigned i = 0; i < RTE_DIM(m); i++)
		m[i] = fixture_udp(&f, 1, 53, 64);
	cr_assert_eq(spx_queue_enqueue(app.queue[0], 0, m, RTE_DIM(m)), 3);
	cr_assert_eq(look(1), 1);
	cr_assert_str_eq(last, "port out: 3 packets dropped as queue_full: its queue holds "
			       "2 packets or 16384 bytes");
	for (unsigned t = 2; t < 101; t++) {
		cr_assert_eq(spx_queue_enqueue(app.queue[0], 0, m, 1), 1);
		cr_assert_eq(look(t), 0, "%s", last);
	}
	cr_assert_eq(look(101), 1);
	cr_assert(strstr(last, " 99 packets") != NULL, "%s", last);
	cr_assert_eq(look(102), 0);
}

Test(conditions, neighbours_that_do_not_answer)
{
	uint64_t *drops = app.slowpath.counters.drops;

	cr_assert_eq(look(0), 0);
	drops[SPX_DROP_neighbour_failed] = 16;
	cr_assert_eq(look(1), 1);
	cr_assert_str_eq(last, "16 packets dropped as neighbour_failed: the neighbour did not answer");
	drops[SPX_DROP_neighbour_failed]++;
	drops[SPX_DROP_neighbour_full] = 1;
	cr_assert_eq(look(2), 1);
	cr_assert(strstr(last, "1 packets dropped as neighbour_full") != NULL, "%s", last);
}
