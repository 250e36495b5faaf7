/* Each ESP instruction a million times against the model: few keys, a store that is often full, values around
 * the ends of 64 bits, time that goes to the tick before an expiry and to it. */
#include "lib/capsule/esp.h"
#include "test/unit/eal.h"
#include "test/unit/esp_model.h"

#define CAPSULES 1000000u
#define BURST    16u
#define KEYS     24u
#define CAPACITY 16u
#define LIFETIME 200u
#define WORDS    6u

TestSuite(esp, .init = test_eal_start);

static struct spx_ess *s;
static struct model model;
static uint64_t seed, now;

static uint64_t
below(uint64_t n)
{
	return spx_random(&seed) % n;
}

static uint64_t
value(void)
{
	static const uint64_t of_note[] = {0, 1, 2, 3, 63, 64, UINT64_MAX, UINT64_MAX - 1, UINT64_C(1) << 63};

	return below(4) == 0 ? spx_random(&seed) : of_note[below(RTE_DIM(of_note))];
}

static void
draw(unsigned instruction, struct esp_model_capsule *c)
{
	c->instruction = below(8) != 0 ? instruction : (unsigned)below(SPX_ESP_END + 1);
	c->op = (unsigned)(below(16) == 0 ? below(256) : below(7));
	c->words = below(16) == 0 ? (unsigned)below(WORDS + 1) : WORDS;
	for (unsigned i = 0; i < WORDS; i++)
		c->word[i] = value();
	for (unsigned i = 0; i < 3 && (c->instruction == 5 || i < 2); i++)
		c->word[i] = i == 0 || c->instruction == 3 || c->instruction == 5 ? below(KEYS / 3) * 3 + i
										  : c->word[i];
	if (below(32) == 0)
		c->word[below(3)] = c->word[below(3)];
	if (c->instruction >= 4 && below(16) != 0)
		c->word[c->instruction == 4 ? 1 : 3] = below(4);
}

/* Puts a value of note under a key, in both. */
static void
poke(void)
{
	const uint64_t key = below(KEYS), v = value();
	struct model_entry *e = model_find(&model, key, 0, now);

	if (e == NULL && model_room(&model, now) == 0)
		return;
	if (e == NULL)
		e = model_create(&model, key, 0, now);
	for (unsigned i = 0; i < 4; i++)
		e->value[i] = v;
	HOLDS(ess_put(spx_ess_worker(s, 0), key, SPX_ESS_CLASS_public, v, now) == 0, "poke");
}

/* Often to the tick before the oldest entry expires, or to that one. */
static void
go_on(void)
{
	const uint64_t oldest = model.n == 0 ? now : model.entry[0].birth;

	if (below(3) != 0)
		now += below(4);
	else
		now = RTE_MAX(now, oldest + LIFETIME - below(2));
}

static void
compare_stores(void)
{
	for (uint64_t key = 0; key < KEYS; key++) {
		const struct model_entry *e = model_find(&model, key, 0, now);
		uint8_t bytes[SPX_ESS_VALUE];
		bool there = spx_ess_get(s, SPX_ESS_CLASS_public, key, now, bytes);

		HOLDS(there == (e != NULL), "key %u", (unsigned)key);
		HOLDS(e == NULL || memcmp(bytes, e->value, sizeof(bytes)) == 0, "value of %u", (unsigned)key);
	}
}

/* Of the scratchpad, as it lies in the packet. */
static uint8_t
byte_of(const struct esp_model_capsule *c, unsigned at)
{
	return (uint8_t)(c->word[at / 8] >> (56 - 8 * (at % 8)));
}

/* A burst; scratchpads lie at odd addresses. */
static void
burst(unsigned instruction, uint64_t node, unsigned seen[])
{
	static uint8_t memory[BURST][WORDS * 8 + 1];
	struct esp_model_capsule c[BURST];
	struct spx_esp_capsule real[BURST];

	for (unsigned i = 0; i < BURST; i++) {
		draw(instruction, &c[i]);
		real[i] = (struct spx_esp_capsule){.scratch = memory[i] + 1,
			.words = (uint8_t)c[i].words,
			.instruction = (uint8_t)c[i].instruction,
			.op = (uint8_t)c[i].op};
		for (unsigned w = 0; w < WORDS * 8; w++)
			memory[i][1 + w] = byte_of(&c[i], w);
	}
	spx_esp_run_bulk(spx_ess_worker(s, 0), node, now, real, BURST);
	for (unsigned i = 0; i < BURST; i++) {
		unsigned result = esp_model_run(&model, node, now, &c[i]);

		HOLDS(real[i].result == result, "instruction %u: %u, not %u", c[i].instruction,
			real[i].result, result);
		for (unsigned w = 0; w < WORDS * 8; w++)
			HOLDS(memory[i][1 + w] == byte_of(&c[i], w), "instruction %u: byte %u",
				c[i].instruction, w);
		seen[result]++;
	}
}

static void
run(unsigned instruction)
{
	unsigned seen[257] = {0};

	seed = instruction;
	now = 1;
	model = (struct model){.lifetime = LIFETIME, .capacity = CAPACITY};
	s = ess_make(CAPACITY, 1, LIFETIME);
	for (unsigned done = 0; done < CAPSULES; done += BURST) {
		for (unsigned i = 0; i < 4; i++)
			poke();
		burst(instruction, spx_random(&seed), seen);
		compare_stores();
		go_on();
	}
	spx_ess_free(s);
	/* It has been everywhere. */
	cr_assert(seen[0] > 1000 && seen[1] > 1000 && seen[2] > 1000 && seen[3] > 100 && seen[256] > 1000);
	cr_assert((instruction != 3 && instruction != 5) || (seen[9] > 1000 && seen[16] > 1000));
}

Test(esp, count)
{
	run(SPX_ESP_COUNT);
}

Test(esp, compare)
{
	run(SPX_ESP_COMPARE);
}

Test(esp, collect)
{
	run(SPX_ESP_COLLECT);
}

Test(esp, rchld)
{
	run(SPX_ESP_RCHLD);
}

Test(esp, rcollect)
{
	run(SPX_ESP_RCOLLECT);
}
