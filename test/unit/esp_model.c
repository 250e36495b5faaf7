#include "test/unit/esp_model.h"

#define FORWARD 0u
#define DROP    256u

static struct model *model;
static uint64_t time_now;

static uint64_t
swap(uint64_t x)
{
	uint64_t y = 0;

	for (unsigned i = 0; i < 8; i++)
		y = y << 8 | (x >> 8 * i & 0xff);
	return y;
}

static bool
there(uint64_t key)
{
	return model_find(model, key, 0, time_now) != NULL;
}

static uint64_t
get(uint64_t key)
{
	return there(key) ? swap(model_find(model, key, 0, time_now)->value[0]) : 0;
}

static uint64_t
get1(uint64_t key)
{
	return swap(model_find(model, key, 0, time_now)->value[1]);
}

static void
put(uint64_t key, unsigned word, uint64_t value)
{
	struct model_entry *e = model_find(model, key, 0, time_now);

	if (e == NULL)
		e = model_create(model, key, 0, time_now);
	e->value[word] = swap(value);
}

/* Whether all of these keys can be put: as many are missing as there is room for. */
static bool
room_for(const uint64_t key[], unsigned n)
{
	unsigned missing = 0;

	for (unsigned i = 0; i < n; i++)
		missing += !there(key[i]);
	return missing <= model_room(model, time_now);
}

static bool
holds(unsigned op, uint64_t a, uint64_t b)
{
	const bool answer[] = {false, a<b, a <= b, a> b, a >= b, a == b, a != b};

	return answer[op];
}

static uint64_t
combine(unsigned op, uint64_t a, uint64_t b)
{
	const uint64_t answer[] = {0, a + b, a < b ? a : b, a > b ? a : b, a & b, a | b};

	return answer[op];
}

static unsigned
count(struct esp_model_capsule *c)
{
	uint64_t x = get(c->word[0]) + 1;

	if (!room_for(c->word, 1))
		return 3;
	put(c->word[0], 0, x);
	return x <= c->word[1] ? FORWARD : DROP;
}

static unsigned
compare(struct esp_model_capsule *c)
{
	if (there(c->word[0]) && !holds(c->op, c->word[1], get(c->word[0])))
		return DROP;
	if (!room_for(c->word, 1))
		return 3;
	put(c->word[0], 0, c->word[1]);
	return FORWARD;
}

static unsigned
collect(struct esp_model_capsule *c)
{
	const uint64_t C = c->word[0], V = c->word[1], val = c->word[2];
	uint64_t v;

	if (!there(C))
		return 16;
	if (get(C) == 0)
		return DROP;
	v = there(V) ? combine(c->op, val, get(V)) : val;
	if (!room_for(&V, 1))
		return 3;
	put(C, 0, get(C) - 1);
	put(V, 0, v);
	if (get(C) != 0)
		return DROP;
	c->word[2] = v;
	return FORWARD;
}

static unsigned
rchld(struct esp_model_capsule *c, uint64_t node)
{
	const uint64_t B = c->word[0], id = c->word[1];
	bool absent = !there(B);

	if (!room_for(&B, 1))
		return 3;
	put(B, 0, get(B) | (uint64_t)1 << id);
	if (absent)
		put(B, 1, id + 1);
	if (!absent && get1(B) != id + 1)
		return DROP;
	c->word[1] = node % 64;
	return FORWARD;
}

static unsigned
rcollect(struct esp_model_capsule *c, uint64_t node)
{
	const uint64_t B = c->word[0], D = c->word[1], V = c->word[2], val = c->word[4];
	const uint64_t bit = (uint64_t)1 << c->word[3];

	if (!there(B) || (get(B) & bit) == 0)
		return 16;
	if ((get(D) & bit) == 0) {
		uint64_t v = there(V) ? combine(c->op, val, get(V)) : val;

		if (!room_for(&c->word[1], 2))
			return 3;
		put(D, 0, get(D) | bit);
		put(V, 0, v);
	}
	if (get(D) != get(B))
		return DROP;
	c->word[3] = node % 64;
	c->word[4] = get(V);
	return FORWARD;
}

unsigned
esp_model_run(struct model *m, uint64_t node, uint64_t now, struct esp_model_capsule *c)
{
	static const unsigned needs[] = {0, 2, 2, 3, 2, 5}, operators[] = {0, 0, 6, 5, 0, 5};
	const unsigned i = c->instruction;

	model = m;
	time_now = now;
	if (i < 1 || i > 5 || c->op > operators[i] || (operators[i] != 0 && c->op == 0))
		return 1;
	if (c->words < needs[i] || (i == 4 && c->word[1] > 63) || (i == 5 && c->word[3] > 63))
		return 2;
	if ((i == 3 || i == 5) && c->word[0] == c->word[1])
		return 9;
	if (i == 5 && (c->word[0] == c->word[2] || c->word[1] == c->word[2]))
		return 9;
	switch (i) {
	case 1:
		return count(c);
	case 2:
		return compare(c);
	case 3:
		return collect(c);
	case 4:
		return rchld(c, node);
	default:
		return rcollect(c, node);
	}
}
