#include <pthread.h>
#include <sched.h>

#include "test/unit/ess_model.h"

static void
expire(struct model *m, uint64_t now)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < m->n; i++) {
		if (now < m->entry[i].birth + m->lifetime)
			m->entry[kept++] = m->entry[i];
	}
	m->n = kept;
}

struct model_entry *
model_find(struct model *m, uint64_t key, unsigned class, uint64_t now)
{
	expire(m, now);
	for (unsigned i = 0; i < m->n; i++) {
		if (m->entry[i].key == key && m->entry[i].class == class)
			return &m->entry[i];
	}
	return NULL;
}

unsigned
model_room(struct model *m, uint64_t now)
{
	expire(m, now);
	return m->capacity - m->n;
}

struct model_entry *
model_create(struct model *m, uint64_t key, unsigned class, uint64_t now)
{
	struct model_entry *e = &m->entry[m->n++];

	*e = (struct model_entry){.key = key, .birth = now, .class = class};
	return e;
}

struct spx_ess *
ess_make(unsigned capacity, unsigned workers, uint64_t lifetime)
{
	struct spx_ess_options options = {
		.capacity = capacity, .workers = workers, .lifetime_us = lifetime, .socket = SOCKET_ID_ANY};
	struct spx_error err = {""};
	struct spx_ess *s = NULL;

	spx_hash_seed_from(&options.seed, capacity);
	cr_assert_eq(spx_ess_create(&options, &s, &err), 0, "%s", err.text);
	return s;
}

int
ess_put(struct spx_ess_worker *w, uint64_t key, enum spx_ess_class class, uint64_t value, uint64_t now)
{
	struct spx_ess_tx tx;

	spx_ess_begin(&tx, w, 0, true, now);
	spx_ess_map(&tx, 2, key, class, true);
	for (unsigned i = 0; i < RTE_DIM(tx.bank[2].value); i++)
		tx.bank[2].value[i] = value;
	tx.written = 1u << 2;
	return spx_ess_commit(&tx, now);
}

bool
ess_value(struct spx_ess *s, uint64_t key, enum spx_ess_class class, uint64_t now, uint64_t *value)
{
	uint8_t bytes[SPX_ESS_VALUE];

	if (!spx_ess_get(s, class, key, now, bytes))
		return false;
	memcpy(value, bytes, sizeof(*value));
	return true;
}

int
ess_on_any_core(void)
{
	cpu_set_t all;

	memset(&all, 0xff, sizeof(all));
	return pthread_setaffinity_np(pthread_self(), sizeof(all), &all);
}
