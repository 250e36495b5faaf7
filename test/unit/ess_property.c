/* Random transactions, one after the other and several at once, against a list. Keys fall into few buckets,
 * so that ways run out and entries chain; the store is full much of the time. */
#include "lib/ess/ess_internal.h"
#include "test/unit/eal.h"
#include "test/unit/ess_model.h"

#define STEPS    1000000u
#define KEYS_MAX 40u
#define OPEN_MAX 3u
#define LIFETIME 64u

TestSuite(ess_property, .init = test_eal_start);

static struct spx_ess *s;
static struct model model;
static uint64_t seed, now, key[KEYS_MAX];
static unsigned keys;

/* A transaction under way, and what the model said to each of its maps. */
struct open {
	bool begun;
	struct spx_ess_tx tx;
	uint64_t read[SPX_ESS_BANKS][4];
	uint64_t tries; /* to commit, of all, at its begin */
};

static struct open open_tx[OPEN_MAX];
static uint64_t tries, commits, again;

static uint64_t
below(uint64_t n)
{
	return spx_random(&seed) % n;
}

static void
begin(struct open *o, unsigned worker)
{
	spx_ess_begin(&o->tx, spx_ess_worker(s, worker), 0, true, now);
	o->begun = true;
	o->tries = tries;
}

static void
map(struct open *o)
{
	const unsigned bank = (unsigned)below(SPX_ESS_BANKS), class = (unsigned)below(2);
	const bool create = below(2) == 0;
	const uint64_t k = key[below(keys)];
	const struct model_entry *e = model_find(&model, k, class, now);
	bool twice = false;
	int rc;

	if (o->tx.mapped >> bank & 1)
		return;
	for (unsigned i = 0; i < SPX_ESS_BANKS; i++)
		twice |= (o->tx.mapped >> i & 1) && o->tx.bank[i].key == k && o->tx.class[i] == class;
	o->tx.now_us = now;
	rc = spx_ess_map(&o->tx, bank, k, class, create);
	HOLDS(rc == (twice ? -EEXIST : e != NULL), "map: %d", rc);
	if (rc < 0)
		return;
	memcpy(o->read[bank], o->tx.bank[bank].value, sizeof(o->read[bank]));
	for (unsigned i = 0; i < 4; i++)
		HOLDS(o->read[bank][i] == (e == NULL ? 0 : e->value[i]), "word %u", i);
	if (below(2) == 0) {
		o->tx.bank[bank].value[below(4)] = spx_random(&seed);
		o->tx.written |= (uint8_t)(1u << bank);
	}
}

/* What the commit has to say when nobody else committed; sets *changed when something is not as it was read.
 */
static int
expected(const struct open *o, bool *changed)
{
	unsigned bank;

	*changed = false;
	SPX_FOREACH (bank, o->tx.mapped) {
		const struct model_entry *e =
			model_find(&model, o->tx.bank[bank].key, o->tx.class[bank], now);

		*changed |= (e != NULL) != (o->tx.found >> bank & 1);
		*changed |= e != NULL && memcmp(e->value, o->read[bank], sizeof(e->value)) != 0;
	}
	if (*changed)
		return -EAGAIN;
	return spx_set_count(o->tx.created) > model_room(&model, now) ? -ENOSPC : 0;
}

static void
apply(const struct open *o)
{
	unsigned bank;

	SPX_FOREACH (bank, o->tx.mapped) {
		struct model_entry *e = model_find(&model, o->tx.bank[bank].key, o->tx.class[bank], now);

		if (e == NULL && (o->tx.created >> bank & 1))
			e = model_create(&model, o->tx.bank[bank].key, o->tx.class[bank], now);
		if (e != NULL && ((o->tx.written | o->tx.created) >> bank & 1))
			memcpy(e->value, o->tx.bank[bank].value, sizeof(e->value));
	}
}

static void
commit(struct open *o)
{
	bool changed;
	int wanted = expected(o, &changed), rc = spx_ess_commit(&o->tx, now);

	o->begun = false;
	/* Even a commit in vain may throw expired entries out. */
	if (o->tries == tries++ || rc != -EAGAIN)
		HOLDS(rc == wanted, "commit: %d, not %d", rc, wanted);
	again += rc == -EAGAIN;
	if (rc != 0)
		return;
	apply(o);
	commits++;
}

static void
compare(void)
{
	struct spx_ess_stats stats;

	for (unsigned i = 0; i < keys; i++) {
		for (unsigned class = 0; class < 2; class ++) {
			const struct model_entry *e = model_find(&model, key[i], class, now);
			uint8_t value[SPX_ESS_VALUE];
			bool there = spx_ess_get(s, class, key[i], now, value);

			HOLDS(there == (e != NULL), "key %u", i);
			HOLDS(e == NULL || memcmp(value, e->value, sizeof(value)) == 0, "key %u", i);
		}
	}
	spx_ess_stats(s, now, &stats);
	HOLDS(stats.live == model.n, "live");
	HOLDS(stats.commits == commits && stats.conflicts == again, "counters");
}

/* Keys at random, or such as fall into the first bucket. */
static void
choose_keys(bool crowded)
{
	for (unsigned i = 0; i < keys; i++) {
		do
			key[i] = spx_random(&seed);
		while (crowded && (ess_bucket_of(s, ess_hash(s, key[i], 0)) != 0 ||
					  ess_bucket_of(s, ess_hash(s, key[i], 1)) != 0));
	}
}

static void
run(unsigned capacity, unsigned n_keys, unsigned n_open, bool crowded)
{
	struct spx_error err = {""};

	seed = capacity + n_keys;
	now = 1;
	keys = n_keys;
	tries = commits = again = 0;
	memset(open_tx, 0, sizeof(open_tx));
	model = (struct model){.lifetime = LIFETIME, .capacity = capacity};
	s = ess_make(capacity, OPEN_MAX, LIFETIME);
	cr_assert_eq(spx_ess_set_quota(s, 0, 0, &err), 0);
	choose_keys(crowded);
	for (unsigned step = 0; step < STEPS; step++) {
		const unsigned i = (unsigned)below(n_open);
		struct open *o = &open_tx[i];

		if (!o->begun)
			begin(o, i);
		else if (below(4) != 0)
			map(o);
		else if (below(16) == 0)
			o->begun = false;
		else
			commit(o);
		if (below(8) == 0)
			now += below(8) == 0 ? below(LIFETIME) : 1;
		if (step % 64 == 0)
			compare();
	}
	cr_assert_gt(commits, STEPS / 20);
	spx_ess_free(s);
}

Test(ess_property, one_at_a_time)
{
	run(16, KEYS_MAX, 1, false);
	run(32, KEYS_MAX, 1, true);
	run(MODEL_MAX, KEYS_MAX, 1, true);
}

Test(ess_property, several_at_once)
{
	run(16, KEYS_MAX, OPEN_MAX, false);
	run(32, 6, OPEN_MAX, false);
	run(MODEL_MAX, KEYS_MAX, OPEN_MAX, true);
}
