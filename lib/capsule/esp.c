/* ESP natively. esp.h says what the instructions do; here each is one function that maps, computes and leaves
 * what it will write in the scratchpad in its operands, which go back when the transaction has been
 * committed. */
#include <string.h>

#include <rte_byteorder.h>

#include "lib/capsule/esp.h"

#define KEYS_MAX     3u
#define OPERANDS_MAX 5u
#define ANSWERS_MAX  2u
#define IDS          64u

/* A run. */
struct run {
	const struct spx_esp_capsule *capsule;
	uint64_t node;
	uint64_t operand[OPERANDS_MAX];
	uint64_t answer[ANSWERS_MAX]; /* when it says forward */
	uint16_t result;
};

/* ---- operands -------------------------------------------------------------------------------------- */

static const struct {
	uint8_t keys, operands;  /* keys come first */
	uint8_t operators;       /* one beyond the last; 1: only 0, there is none */
	uint8_t id;              /* operand that is an id; 0: none is */
	uint8_t answers, answer; /* how many operands are overwritten, from which one on */
} shape[SPX_ESP_END] = {
	[SPX_ESP_COUNT] = {1, 2, 1, 0, 0, 0},
	[SPX_ESP_COMPARE] = {1, 2, SPX_ESP_COMPARE_END, 0, 0, 0},
	[SPX_ESP_COLLECT] = {2, 3, SPX_ESP_COLLECT_END, 0, 1, 2},
	[SPX_ESP_RCHLD] = {1, 2, 1, 1, 1, 1},
	[SPX_ESP_RCOLLECT] = {3, 5, SPX_ESP_COLLECT_END, 3, 2, 3},
};

static uint64_t
word_of(const struct spx_esp_capsule *c, unsigned i)
{
	uint64_t word;

	memcpy(&word, c->scratch + i * sizeof(word), sizeof(word));
	return rte_be_to_cpu_64(word);
}

static bool
has_operator(const struct spx_esp_capsule *c)
{
	unsigned n = shape[c->instruction].operators;

	return n == 1 ? c->op == 0 : c->op >= 1 && c->op < n;
}

/* Whether a key is there twice. */
static bool
keys_equal(const struct run *run)
{
	unsigned keys = shape[run->capsule->instruction].keys;
	const uint64_t *k = run->operand;

	return (keys > 1 && k[0] == k[1]) || (keys > 2 && (k[0] == k[2] || k[1] == k[2]));
}

/* Loads the operands. FORWARD, or the fault that the capsule has before it runs. */
static uint16_t
load(const struct spx_esp_capsule *c, struct run *run)
{
	unsigned id;

	if (c->instruction < SPX_ESP_COUNT || c->instruction >= SPX_ESP_END || !has_operator(c))
		return SPX_ESP_FAULT_PROGRAM;
	if (c->words < shape[c->instruction].operands)
		return SPX_ESP_FAULT_BOUNDS;
	for (unsigned i = 0; i < shape[c->instruction].operands; i++)
		run->operand[i] = word_of(c, i);
	id = shape[c->instruction].id;
	if (id != 0 && run->operand[id] >= IDS)
		return SPX_ESP_FAULT_BOUNDS;
	return keys_equal(run) ? SPX_ESP_FAULT_TWICE : SPX_ESP_FORWARD;
}

static void
answer(const struct run *run)
{
	const struct spx_esp_capsule *c = run->capsule;

	for (unsigned i = 0; i < shape[c->instruction].answers; i++) {
		uint64_t word = rte_cpu_to_be_64(run->answer[i]);

		memcpy(c->scratch + (shape[c->instruction].answer + i) * sizeof(word), &word, sizeof(word));
	}
}

/* ---- entries --------------------------------------------------------------------------------------- */

/* map of key `bank` into that bank; whether it was there. Keys differ, and public ones need no rights: it
 * cannot fail. */
static bool
map(struct spx_ess_tx *tx, const struct run *run, unsigned bank, bool create)
{
	return spx_ess_map(tx, bank, run->operand[bank], SPX_ESS_CLASS_public, create) == 1;
}

static uint64_t
get(const struct spx_ess_tx *tx, unsigned bank, unsigned word)
{
	return rte_be_to_cpu_64(tx->bank[bank].value[word]);
}

static void
put(struct spx_ess_tx *tx, unsigned bank, unsigned word, uint64_t value)
{
	tx->bank[bank].value[word] = rte_cpu_to_be_64(value);
	tx->written |= (uint8_t)(1u << bank);
}

/* ---- operators ------------------------------------------------------------------------------------- */

static bool
compares(uint8_t op, uint64_t val, uint64_t e)
{
	switch (op) {
	case SPX_ESP_LT:
		return val < e;
	case SPX_ESP_LE:
		return val <= e;
	case SPX_ESP_GT:
		return val > e;
	case SPX_ESP_GE:
		return val >= e;
	case SPX_ESP_EQ:
		return val == e;
	default:
		return val != e;
	}
}

static uint64_t
collected(uint8_t op, uint64_t val, uint64_t v)
{
	switch (op) {
	case SPX_ESP_SUM:
		return val + v;
	case SPX_ESP_MIN:
		return RTE_MIN(val, v);
	case SPX_ESP_MAX:
		return RTE_MAX(val, v);
	case SPX_ESP_AND:
		return val & v;
	default:
		return val | v;
	}
}

/* ---- instructions: what becomes of the packet ------------------------------------------------------ */

static uint16_t
count(struct spx_ess_tx *tx, struct run *run)
{
	uint64_t x;

	map(tx, run, 0, true);
	x = get(tx, 0, 0) + 1;
	put(tx, 0, 0, x);
	return x <= run->operand[1] ? SPX_ESP_FORWARD : SPX_ESP_DROP;
}

static uint16_t
compare(struct spx_ess_tx *tx, struct run *run)
{
	const uint64_t val = run->operand[1];

	if (map(tx, run, 0, true) && !compares(run->capsule->op, val, get(tx, 0, 0)))
		return SPX_ESP_DROP;
	put(tx, 0, 0, val);
	return SPX_ESP_FORWARD;
}

/* V of COLLECT and RCOLLECT with val in it. */
static uint64_t
collect_into(struct spx_ess_tx *tx, const struct run *run, unsigned bank, uint64_t val)
{
	uint64_t v = map(tx, run, bank, true) ? collected(run->capsule->op, val, get(tx, bank, 0)) : val;

	put(tx, bank, 0, v);
	return v;
}

static uint16_t
collect(struct spx_ess_tx *tx, struct run *run)
{
	uint64_t c, v;

	if (!map(tx, run, 0, false))
		return SPX_ESP_FAULT_NOTHING;
	c = get(tx, 0, 0);
	if (c == 0)
		return SPX_ESP_DROP;
	v = collect_into(tx, run, 1, run->operand[2]);
	put(tx, 0, 0, c - 1);
	if (c - 1 != 0)
		return SPX_ESP_DROP;
	run->answer[0] = v;
	return SPX_ESP_FORWARD;
}

static uint16_t
rchld(struct spx_ess_tx *tx, struct run *run)
{
	const uint64_t id = run->operand[1];

	if (!map(tx, run, 0, true))
		put(tx, 0, 1, id + 1);
	put(tx, 0, 0, get(tx, 0, 0) | UINT64_C(1) << id);
	if (get(tx, 0, 1) != id + 1)
		return SPX_ESP_DROP;
	run->answer[0] = run->node % IDS;
	return SPX_ESP_FORWARD;
}

static uint16_t
rcollect(struct spx_ess_tx *tx, struct run *run)
{
	const uint64_t bit = UINT64_C(1) << run->operand[3];
	uint64_t b, d, v;

	if (!map(tx, run, 0, false) || ((b = get(tx, 0, 0)) & bit) == 0)
		return SPX_ESP_FAULT_NOTHING;
	map(tx, run, 1, true);
	d = get(tx, 1, 0);
	if ((d & bit) != 0) {
		if (d != b)
			return SPX_ESP_DROP;
		map(tx, run, 2, false);
		v = get(tx, 2, 0);
	} else {
		v = collect_into(tx, run, 2, run->operand[4]);
		put(tx, 1, 0, d | bit);
		if ((d | bit) != b)
			return SPX_ESP_DROP;
	}
	run->answer[0] = run->node % IDS;
	run->answer[1] = v;
	return SPX_ESP_FORWARD;
}

/* ---- bursts ---------------------------------------------------------------------------------------- */

static uint16_t
execute(struct spx_ess_tx *tx, struct run *run)
{
	switch (run->capsule->instruction) {
	case SPX_ESP_COUNT:
		return count(tx, run);
	case SPX_ESP_COMPARE:
		return compare(tx, run);
	case SPX_ESP_COLLECT:
		return collect(tx, run);
	case SPX_ESP_RCHLD:
		return rchld(tx, run);
	default:
		return rcollect(tx, run);
	}
}

static bool
step(struct spx_ess_tx *tx, void *arg)
{
	struct run *run = arg;

	run->result = execute(tx, run);
	return run->result == SPX_ESP_FORWARD || run->result == SPX_ESP_DROP;
}

static uint16_t
run_one(struct spx_ess_worker *worker, uint64_t node, uint64_t now_us, const struct spx_esp_capsule *c)
{
	struct run run = {.capsule = c, .node = node};
	uint16_t fault = load(c, &run);
	struct spx_ess_tx tx;

	if (unlikely(fault != SPX_ESP_FORWARD))
		return fault;
	switch (spx_ess_transact(&tx, worker, c->port, false, now_us, step, &run)) {
	case 0:
		if (run.result == SPX_ESP_FORWARD)
			answer(&run);
		return run.result;
	case -ENOSPC:
		return SPX_ESP_FAULT_FULL;
	default:
		return SPX_ESP_FAULT_QUOTA;
	}
}

/* Fetches the entries of all keys that the capsules have room for. */
static void
prefetch(struct spx_ess_worker *worker, const struct spx_esp_capsule capsule[], unsigned n)
{
	static const uint8_t public[KEYS_MAX * SPX_BURST_MAX];
	uint64_t key[KEYS_MAX * SPX_BURST_MAX];
	unsigned keys = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct spx_esp_capsule *c = &capsule[i];

		if (c->instruction >= SPX_ESP_END || c->words < shape[c->instruction].keys)
			continue;
		for (unsigned k = 0; k < shape[c->instruction].keys; k++)
			key[keys++] = word_of(c, k);
	}
	spx_ess_prefetch(spx_ess_store(worker), key, public, keys);
}

void
spx_esp_run_bulk(struct spx_ess_worker *worker, uint64_t node, uint64_t now_us,
	struct spx_esp_capsule capsule[], unsigned n)
{
	for (unsigned done = 0; done < n; done += SPX_BURST_MAX) {
		const unsigned some = RTE_MIN(n - done, SPX_BURST_MAX);

		prefetch(worker, capsule + done, some);
		for (unsigned i = done; i < done + some; i++)
			capsule[i].result = run_one(worker, node, now_us, &capsule[i]);
	}
}
