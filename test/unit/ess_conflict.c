/* Transactions in each other's way, step by step in one thread. */
#include "test/unit/eal.h"
#include "test/unit/ess_model.h"

TestSuite(ess_conflict, .init = test_eal_start);

static struct spx_ess *s;
static struct spx_ess_worker *w[2];

static void
start(void)
{
	s = ess_make(4096, 2, 1000);
	w[0] = spx_ess_worker(s, 0);
	w[1] = spx_ess_worker(s, 1);
	ess_put(w[1], 1, SPX_ESS_CLASS_public, 11, 1);
	ess_put(w[1], 2, SPX_ESS_CLASS_public, 22, 1);
}

/* Key 1 and key 9, which is not there, are read, and key 2 is written. What the other worker does meanwhile
 * decides. */
static int
read_and_write(uint64_t meddle_with)
{
	struct spx_ess_tx tx;

	spx_ess_begin(&tx, w[0], 0, false, 2);
	cr_assert_eq(spx_ess_map(&tx, 0, 1, SPX_ESS_CLASS_public, false), 1);
	cr_assert_eq(spx_ess_map(&tx, 1, 2, SPX_ESS_CLASS_public, false), 1);
	cr_assert_eq(spx_ess_map(&tx, 2, 9, SPX_ESS_CLASS_public, false), 0);
	tx.bank[1].value[0]++;
	tx.bank[2].value[0] = 99; /* vanishes */
	tx.written = 6;
	if (meddle_with != 0)
		cr_assert_eq(ess_put(w[1], meddle_with, SPX_ESS_CLASS_public, 33, 2), 0);
	return spx_ess_commit(&tx, 2);
}

Test(ess_conflict, each_of_them)
{
	uint64_t value;

	start();
	cr_assert_eq(read_and_write(0), 0);
	cr_assert(ess_value(s, 2, SPX_ESS_CLASS_public, 2, &value));
	cr_assert_eq(value, 23);
	cr_assert_not(ess_value(s, 9, SPX_ESS_CLASS_public, 2, &value));
	cr_assert_eq(read_and_write(1), -EAGAIN);
	cr_assert_eq(read_and_write(2), -EAGAIN);
	cr_assert(ess_value(s, 2, SPX_ESS_CLASS_public, 2, &value));
	cr_assert_eq(value, 33);
	cr_assert_eq(read_and_write(9), -EAGAIN);
	spx_ess_free(s);
}

/* A transaction that only read is of one time, or not committed; given up it is looked at too. */
Test(ess_conflict, read_only)
{
	struct spx_ess_stats stats;
	struct spx_ess_tx tx;

	start();
	spx_ess_begin(&tx, w[0], 0, false, 2);
	spx_ess_map(&tx, 0, 1, SPX_ESS_CLASS_public, false);
	cr_assert_eq(spx_ess_validate(&tx), 0);
	ess_put(w[1], 1, SPX_ESS_CLASS_public, 44, 2);
	cr_assert_eq(spx_ess_validate(&tx), 0); /* one copy */
	cr_assert_eq(spx_ess_commit(&tx, 2), -EAGAIN);
	spx_ess_map(&tx, 1, 2, SPX_ESS_CLASS_public, false);
	cr_assert_eq(spx_ess_validate(&tx), -EAGAIN);
	spx_ess_stats(s, 2, &stats);
	cr_assert_eq(stats.conflicts, 2);
	cr_assert_eq(stats.commits, 3);
	spx_ess_free(s);
}

/* Adds one to key 1 while the other worker does so too, until it is alone. */
static bool
contended(struct spx_ess_tx *tx, void *arg)
{
	unsigned *runs = arg;

	cr_assert_eq(spx_ess_map(tx, 0, 1, SPX_ESS_CLASS_public, true), 1);
	tx->bank[0].value[0]++;
	tx->written = 1;
	cr_assert_eq(tx->serial, ++*runs > SPX_ESS_FAILURES);
	if (!tx->serial)
		cr_assert_eq(ess_put(w[1], 1, SPX_ESS_CLASS_public, *runs, 2), 0);
	return true;
}

Test(ess_conflict, serial_after_eight_failures)
{
	struct spx_ess_stats stats;
	struct spx_ess_tx tx;
	unsigned runs = 0;
	uint64_t value;

	start();
	cr_assert_eq(spx_ess_transact(&tx, w[0], 0, false, 2, contended, &runs), 0);
	cr_assert_eq(runs, SPX_ESS_FAILURES + 1);
	cr_assert(ess_value(s, 1, SPX_ESS_CLASS_public, 2, &value));
	cr_assert_eq(value, SPX_ESS_FAILURES + 1);
	spx_ess_stats(s, 2, &stats);
	cr_assert_eq(stats.serial, 1);
	cr_assert_eq(stats.conflicts, SPX_ESS_FAILURES);
	/* It was given back. */
	cr_assert_eq(ess_put(w[1], 1, SPX_ESS_CLASS_public, 5, 2), 0);
	spx_ess_free(s);
}
