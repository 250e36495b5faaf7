/* The model of the approximate cache's filter, and the smallest filter by it.
 *
 * A block that j flows hit has taken n = j * probes throws at 480 bits. That s given bits are all set then
 * has the chance h(s, n): the first throw hits one of them with chance s / 480 and leaves s - 1 to the
 * others, so  h(s, n) = h(s, n-1) * (1 - s/480) + h(s-1, n-1) * s/480,  h(0, n) = 1.  How many different bits
 * a stranger's throws make is the same kind of chain, and j is binomial: each flow comes to the stranger's
 * block with chance 1 / blocks. All terms are positive, so nothing cancels, and nothing is approximated: it
 * is what bits and blocks drawn at random do.
 *
 * A filter counts the flows that change a bit, so a flow that it takes for known enters uncounted, and when
 * the count says `flows`, somewhat more have entered: T, of which each was taken for known with the chance
 * at its time. Summed over time, the chance to come to a block of j flows is blocks * P(more than j of T are
 * in a block), so  flows = T - blocks * sum over j of chance(j) * P(J > j).  The plan holds p at T: at p =
 * 0.01 T is 0.2 % more than flows, at 0.5 it is 39 %.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "lib/flow/approximate.h"

#define BITS SPX_FLOW_BLOCK_BITS

/* So many throws set all bits but for a chance of 480 * e^-24 = 2e-8. */
#define THROWS_MAX (24 * BITS)
/* A filter worth planning has 0.7 * 480 throws in a block on average; at five times that it is hopeless. */
#define THROWS_PLAN (5 * BITS)
/* Chances of j below this part of the largest one are left out. */
#define NEGLIGIBLE 1e-25

#define P_MIN 1e-11
#define P_MAX 0.5
/* Memory that one probe less may cost. */
#define WORTH_A_PROBE 1.02

/* Tables over j, the flows that hit a block: j = 0...n-1. Beyond, a yes counts as sure. */
struct model {
	unsigned n;
	double chance[THROWS_MAX + 1]; /* of a yes for a stranger */
	double weight[THROWS_MAX + 1]; /* P(J = j), of the last call of weigh */
};

static void
prepare(struct model *m, unsigned probes, unsigned throws)
{
	double different[SPX_FLOW_PROBES_MAX + 1] = {1}; /* P(the stranger has that many different bits) */
	double hit[SPX_FLOW_PROBES_MAX + 1] = {1};       /* P(so many given bits are all set) */

	for (unsigned t = 0; t < probes; t++) {
		for (unsigned s = probes; s > 0; s--)
			different[s] = (different[s] * s + different[s - 1] * (BITS + 1 - s)) / BITS;
		different[0] = 0;
	}
	m->n = throws / probes + 1;
	for (unsigned j = 0; j < m->n; j++) {
		m->chance[j] = 0;
		for (unsigned s = 1; s <= probes; s++)
			m->chance[j] += different[s] * hit[s];
		for (unsigned t = 0; t < probes; t++)
			for (unsigned s = probes; s > 0; s--)
				hit[s] += (hit[s - 1] - hit[s]) * s / BITS;
	}
}

/* Fills weight[*first...*last] with the binomial distribution, from its mode up and down: each from its
 * neighbour, so nothing is lost to large factorials. Returns what lies beyond the table. */
static double
weigh(struct model *m, uint64_t blocks, uint64_t entered, unsigned mode, unsigned *first, unsigned *last)
{
	const double n = (double)entered, odds = 1 / ((double)blocks - 1);
	double sum = 1, beyond = 0, weight = 1;
	unsigned j;

	m->weight[mode] = 1;
	for (j = mode; j < entered && weight > NEGLIGIBLE; sum += weight) {
		weight *= (n - j) / (j + 1) * odds;
		if (++j < m->n)
			m->weight[j] = weight;
		else
			beyond += weight;
	}
	*last = j < m->n ? j : m->n - 1;
	weight = 1;
	for (j = mode; j > 0 && weight > NEGLIGIBLE; sum += weight) {
		weight *= j / ((n - j + 1) * odds);
		m->weight[--j] = weight;
	}
	*first = j;
	for (j = *first; j <= *last; j++)
		m->weight[j] /= sum;
	return beyond / sum;
}

struct expected {
	double yes;   /* chance of it, for a stranger */
	double known; /* flows that entered uncounted */
};

/* What is expected of that many blocks after `entered` flows. */
static struct expected
expect(struct model *m, uint64_t blocks, uint64_t entered)
{
	const uint64_t mode = entered / blocks; /* or one beside it */
	struct expected e = {0, 0};
	unsigned first = (unsigned)mode, last = (unsigned)mode;
	double more = 1;

	if (mode >= m->n)
		return (struct expected){1, (double)entered};
	m->weight[mode] = 1;
	if (blocks > 1)
		e.yes = weigh(m, blocks, entered, (unsigned)mode, &first, &last);
	for (unsigned j = 0; j < first; j++)
		e.known += m->chance[j];
	for (unsigned j = first; j <= last; j++) {
		more = RTE_MAX(more - m->weight[j], 0);
		e.yes += m->weight[j] * m->chance[j];
		e.known += more * m->chance[j];
	}
	e.known *= (double)blocks;
	return e;
}

double
spx_flow_approximate_model(uint64_t blocks, unsigned probes, uint64_t flows)
{
	struct model m;

	prepare(&m, probes, THROWS_MAX);
	return expect(&m, blocks, flows).yes;
}

/* How many flows have entered when the filter counts `flows`; *p is the chance then. */
static uint64_t
entered_when_full(struct model *m, uint64_t blocks, uint64_t flows, double p_most, double *p)
{
	struct expected e = expect(m, blocks, flows);
	uint64_t entered = flows;

	/* Each turn adds what entered uncounted among those that the turn before added: less than p of them.
	 */
	while (e.yes <= p_most) {
		uint64_t next = flows + (uint64_t)(e.known + 0.5);

		if (next <= entered)
			break;
		entered = next;
		e = expect(m, blocks, entered);
	}
	*p = e.yes;
	return entered;
}

/* The fewest blocks (1...most) that keep to p. 0: none does. */
static uint64_t
fewest_blocks(struct model *m, double p, uint64_t flows, uint64_t most)
{
	uint64_t low = 1, high = most;
	double reached;

	entered_when_full(m, most, flows, p, &reached);
	if (reached > p)
		return 0;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		entered_when_full(m, middle, flows, p, &reached);
		if (reached <= p)
			high = middle;
		else
			low = middle + 1;
	}
	return high;
}

int
spx_flow_approximate_plan(
	double p, uint64_t flows, struct spx_flow_approximate_plan *plan, struct spx_error *err)
{
	uint64_t blocks[SPX_FLOW_PROBES_MAX + 1], most = SPX_FLOW_BLOCKS_MAX;
	struct model m;
	unsigned probes;

	if (!(p >= P_MIN && p <= P_MAX))
		return spx_error(err, -EINVAL, "p is %g; it must be %g to %g", p, P_MIN, P_MAX);
	if (flows == 0)
		return spx_error(err, -EINVAL, "a filter of 0 flows; it must hold at least one");
	for (probes = SPX_FLOW_PROBES_MAX; probes > 0 && flows <= SPX_FLOW_BLOCKS_MAX * BITS; probes--) {
		prepare(&m, probes, THROWS_PLAN);
		blocks[probes] = fewest_blocks(&m, p, flows, most);
		if (blocks[probes] > 0)
			most = RTE_MIN(most, (uint64_t)((double)blocks[probes] * WORTH_A_PROBE));
	}
	if (most == SPX_FLOW_BLOCKS_MAX)
		return spx_error(err, -EINVAL,
			"a filter of %" PRIu64
			" flows with p = %g needs more than 128 GiB: fewer flows or a larger p",
			flows, p);
	for (probes = 1; blocks[probes] == 0 || blocks[probes] > most;)
		probes++;
	prepare(&m, probes, THROWS_PLAN);
	plan->blocks = blocks[probes];
	plan->probes = probes;
	plan->entered = entered_when_full(&m, plan->blocks, flows, p, &plan->p);
	return 0;
}
