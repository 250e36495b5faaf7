/* The ephemeral state store alone in a thread: lifetime, classes, capacity, quotas, options. */
#include <math.h>

#include "lib/ess/ess_internal.h"
#include "test/unit/eal.h"
#include "test/unit/ess_model.h"

#define LIFETIME 1000u
#define MANY     65536u

TestSuite(ess_store, .init = test_eal_start);

static void
expect_refused(struct spx_ess_options options, const char *what)
{
	struct spx_error err = {""};
	struct spx_ess *s = NULL;

	cr_assert_eq(spx_ess_create(&options, &s, &err), -EINVAL);
	cr_assert_neq(strstr(err.text, what), NULL, "%s", err.text);
}

Test(ess_store, options)
{
	const struct spx_ess_options good = {.capacity = 16, .workers = 1, .lifetime_us = 1};
	struct spx_ess_options o = good;
	struct spx_error err = {""};
	struct spx_ess *s;

	o.capacity = SPX_ESS_CAPACITY_MIN - 1;
	expect_refused(o, "16");
	o = good;
	o.workers = SPX_WORKERS_MAX + 1;
	expect_refused(o, "workers");
	o = good;
	o.lifetime_us = 0;
	expect_refused(o, "1 us");
	s = ess_make(16, 1, 1);
	cr_assert_eq(spx_ess_set_quota(s, SPX_PORTS_MAX, 1, &err), -EINVAL);
	cr_assert_eq(spx_ess_set_quota(s, 0, SPX_ESS_QUOTA_MAX + 1, &err), -EINVAL);
	cr_assert_str_eq(spx_ess_class_name(SPX_ESS_CLASS_invitation), "invitation");
	spx_ess_free(s);
	spx_ess_free(NULL);
}

/* An entry is there until the tick before its lifetime, however often it is written; and one that expires
 * between being read and the commit fails the commit. */
Test(ess_store, lifetime)
{
	struct spx_ess *s = ess_make(16, 1, LIFETIME);
	struct spx_ess_worker *w = spx_ess_worker(s, 0);
	struct spx_ess_tx tx;
	uint64_t value;

	for (uint64_t start = 1; start < 5 * LIFETIME; start += LIFETIME) {
		cr_assert_not(ess_value(s, 7, SPX_ESS_CLASS_public, start, &value));
		for (uint64_t now = start; now < start + LIFETIME; now++) {
			cr_assert_eq(ess_put(w, 7, SPX_ESS_CLASS_public, now, now), 0);
			HOLDS(ess_value(s, 7, SPX_ESS_CLASS_public, start + LIFETIME - 1, &value), "early");
			HOLDS(value == now, "value");
		}
		for (int create = 0; create < 2; create++) {
			spx_ess_begin(&tx, w, 0, false, start + LIFETIME - 1);
			cr_assert_eq(spx_ess_map(&tx, 0, 7, SPX_ESS_CLASS_public, create), 1);
			tx.written = (uint8_t)create;
			cr_assert_eq(spx_ess_commit(&tx, start + LIFETIME), -EAGAIN);
		}
	}
	spx_ess_free(s);
}

Test(ess_store, classes)
{
	struct spx_ess *s = ess_make(16, 1, LIFETIME);
	struct spx_ess_worker *w = spx_ess_worker(s, 0);
	struct spx_ess_tx tx;
	uint64_t value;

	for (unsigned class = 0; class < SPX_ESS_CLASS_COUNT; class ++)
		cr_assert_eq(ess_put(w, 7, class, 100 + class, 1), 0);
	for (unsigned class = 0; class < SPX_ESS_CLASS_COUNT; class ++) {
		cr_assert(ess_value(s, 7, class, 1, &value));
		cr_assert_eq(value, 100 + class);
	}
	/* The same key in two classes is two entries; in one class it is mapped once. */
	spx_ess_begin(&tx, w, 0, false, 1);
	cr_assert_eq(spx_ess_map(&tx, 0, 7, SPX_ESS_CLASS_public, true), 1);
	cr_assert_eq(spx_ess_map(&tx, 1, 7, SPX_ESS_CLASS_private, true), 1);
	cr_assert_eq(spx_ess_map(&tx, 2, 7, SPX_ESS_CLASS_public, false), -EEXIST);
	/* Protected: read by all, created and written by operators. */
	spx_ess_begin(&tx, w, 0, false, 1);
	cr_assert_eq(spx_ess_map(&tx, 0, 8, SPX_ESS_CLASS_protected, true), -EACCES);
	for (uint64_t key = 7; key < 9; key++) {
		spx_ess_begin(&tx, w, 0, false, 1);
		cr_assert_eq(spx_ess_map(&tx, 0, key, SPX_ESS_CLASS_protected, false), key == 7);
		tx.written = 1;
		cr_assert_eq(spx_ess_commit(&tx, 1), -EACCES);
	}
	spx_ess_free(s);
}

/* Full is full to the entry; nothing that lives is evicted; all or none of several are created. */
Test(ess_store, full)
{
	struct spx_ess *s = ess_make(100, 1, LIFETIME);
	struct spx_ess_worker *w = spx_ess_worker(s, 0);
	struct spx_ess_stats stats;
	struct spx_ess_tx tx;
	uint64_t value;

	for (uint64_t key = 0; key < 99; key++)
		cr_assert_eq(ess_put(w, key, SPX_ESS_CLASS_public, key, key), 0);
	spx_ess_begin(&tx, w, 0, false, 99);
	for (unsigned bank = 0; bank < 2; bank++)
		cr_assert_eq(spx_ess_map(&tx, bank, 1000 + bank, SPX_ESS_CLASS_public, true), 0);
	cr_assert_eq(spx_ess_commit(&tx, 99), -ENOSPC);
	cr_assert_not(ess_value(s, 1000, SPX_ESS_CLASS_public, 99, &value));
	cr_assert_eq(ess_put(w, 99, SPX_ESS_CLASS_public, 99, 99), 0);
	cr_assert_eq(ess_put(w, 100, SPX_ESS_CLASS_public, 100, LIFETIME - 1), -ENOSPC);
	for (uint64_t key = 0; key < 100; key++) {
		cr_assert(ess_value(s, key, SPX_ESS_CLASS_public, LIFETIME - 1, &value));
		cr_assert_eq(value, key);
	}
	spx_ess_stats(s, LIFETIME + 49, &stats);
	cr_assert_eq(stats.live, 50);
	cr_assert_eq(stats.expired, 50);
	cr_assert_eq(stats.refused_full, 2);
	for (uint64_t key = 200; key < 250; key++)
		cr_assert_eq(ess_put(w, key, SPX_ESS_CLASS_public, key, LIFETIME + 49), 0);
	cr_assert_eq(ess_put(w, 250, SPX_ESS_CLASS_public, 0, LIFETIME + 49), -ENOSPC);
	spx_ess_free(s);
}

/* A port that creates as fast as it can gets its quota, and what the others need stays. */
Test(ess_store, quota)
{
	struct spx_ess *s = ess_make(4096, 2, 1000000);
	struct spx_ess_worker *w = spx_ess_worker(s, 0);
	uint64_t created[2] = {0}, key = 0;
	struct spx_ess_stats stats;
	struct spx_error err;

	cr_assert_eq(spx_ess_set_quota(s, 3, 2000, &err), 0); /* 1000 for each worker */
	for (uint64_t now = 1; now < 10000000; now += 50) {
		for (unsigned port = 0; port < 4; port += 3) {
			struct spx_ess_tx tx;
			int rc;

			if (port == 0 && now % 1000 != 1)
				continue;
			spx_ess_begin(&tx, w, (uint16_t)port, false, now);
			spx_ess_map(&tx, 0, key++, SPX_ESS_CLASS_public, true);
			rc = spx_ess_commit(&tx, now);
			HOLDS(rc == 0 || (port == 3 && rc == -EDQUOT), "%d", rc);
			created[port == 3] += rc == 0;
		}
	}
	cr_assert_eq(created[0], 10000);
	cr_assert_leq(created[1], 10000 + 100); /* and 100 ms of it in the full bucket at the start */
	cr_assert_geq(created[1], 9999 + 100);
	spx_ess_stats(s, 1, &stats);
	cr_assert_eq(stats.refused_quota, 200000 - created[1]);
	/* What is there can be written as often as one likes; no quota is none. */
	for (unsigned i = 0; i < 1000; i++)
		HOLDS(ess_put(w, 1u << 30, SPX_ESS_CLASS_public, i, 9999999) == 0, "no limit");
	spx_ess_free(s);
}

/* ess.h: the share of entries in chains. */
Test(ess_store, chains)
{
	struct spx_ess *s = ess_make(MANY, 1, LIFETIME);
	double expected = 0, chance = exp(-4.0), share;
	unsigned chained = 0;

	for (uint64_t key = 0; key < MANY; key++)
		HOLDS(ess_put(spx_ess_worker(s, 0), key, SPX_ESS_CLASS_public, key, 1) == 0, "full");
	for (uint64_t b = 0; b < s->buckets; b++) {
		for (uint32_t at = s->bucket[b].chain; at != 0; at = s->entry[at - 1].chain)
			chained++;
	}
	for (unsigned k = 1; k < 40; k++) {
		chance *= 4.0 / k;
		expected += k > ESS_WAYS ? (k - ESS_WAYS) * chance / 4.0 : 0;
	}
	share = (double)chained / MANY;
	cr_assert(fabs(share - expected) < 0.1 * expected, "%f of the entries are in chains, not %f", share,
		expected);
	spx_ess_free(s);
}
