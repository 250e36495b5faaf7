/* path.forward.*, path.route.*, path.attack*: nanoseconds per packet of the whole way, one worker, against
 * the reference loop (perf/reference); path.h says what is on either side.
 *
 * path.forward.*  every flow is resident on both sides
 * path.route.*    the same, and every action says route: a routing lookup and the next hop's MAC address
 * path.attack*    16 x more flows than entries, one packet of each in turn: no flow comes back before the
 *                 whole table has been asked for by others
 */
#include <errno.h>
#include <inttypes.h>

#include "perf/end_to_end/path.h"

static int
check_ours(const struct path *p, struct spx_error *err)
{
	const struct spx_counters *c = &p->worker->counters;
	uint64_t actions = 0;

	for (uint32_t i = 0; i < p->config->n_actions; i++)
		actions += p->worker->action_counter[i].packets;
	if (c->received == p->offered && c->transmitted == p->offered && actions == p->offered &&
		spx_counters_drops(c) + c->punted + c->cloned == 0)
		return 0;
	return spx_error(err, -EIO,
		"ours: offered %" PRIu64 ", received %" PRIu64 ", counted by action %" PRIu64
		", transmitted %" PRIu64 ", dropped %" PRIu64 ", punted %" PRIu64,
		p->offered, c->received, actions, c->transmitted, spx_counters_drops(c), c->punted);
}

static int
check_theirs(const struct path *p, struct spx_error *err)
{
	const struct reference_counters *r = reference_counters(p->reference);
	uint64_t counted = reference_counted(p->reference);
	size_t length = strlen(p->context->note);

	if (r->received != p->their_offered || r->transmitted != p->their_offered || r->dropped != 0 ||
		counted != p->their_offered || (!p->attack && r->missed != 0))
		return spx_error(err, -EIO,
			"reference: offered %" PRIu64 ", received %" PRIu64 ", counted by flow %" PRIu64
			", transmitted %" PRIu64 ", dropped %" PRIu64 ", not resident %" PRIu64,
			p->their_offered, r->received, counted, r->transmitted, r->dropped, r->missed);
	if (p->attack)
		snprintf(p->context->note + length, sizeof(p->context->note) - length,
			"; reference hits %.1f %%",
			100.0 * (double)(r->received - r->missed) / (double)r->received);
	return 0;
}

/* Both forwarded every packet that they were offered, every counter says so, and the caches were in the state
 * that the id says. */
static int
check(void *state, struct spx_error *err)
{
	struct path *p = state;
	int rc = check_ours(p, err);

	if (rc == 0)
		rc = path_cache_check(p, err);
	if (rc == 0 && p->reference != NULL)
		rc = check_theirs(p, err);
	if (rc == 0 && p->reference != NULL && p->routed)
		rc = path_route_check(p, err);
	return rc;
}

static int
setup(const struct bench *b, unsigned part, struct bench_context *c, struct spx_error *err)
{
	struct path *p;
	int rc = path_create(b, c, &p, err);

	(void)part;
	if (rc < 0)
		return rc;
	c->state = p;
	rc = path_cache_warm(p, err);
	if (rc < 0)
		path_free(p);
	return rc;
}

static void
teardown(void *state)
{
	path_free(state);
}

#define BENCH_PATH(name, flows, what)                                                                        \
	{                                                                                                    \
		.id = name, .unit = "ns per packet", .scale = BENCH_NS, .peer = "reference loop",            \
		.size = (flows), .variant = (what), .setup = setup, .ours = path_ours,                       \
		.theirs = path_theirs, .check = check, .teardown = teardown                                  \
	}

static const struct bench benches[] = {
	BENCH_PATH("path.forward.1", 1, SPX_FLOW_MODE_layered),
	BENCH_PATH("path.forward.1k", 1 << 10, SPX_FLOW_MODE_layered),
	BENCH_PATH("path.forward.64k", 1 << 16, SPX_FLOW_MODE_layered),
	BENCH_PATH("path.forward.1m", 1 << 20, SPX_FLOW_MODE_layered),
	BENCH_PATH("path.forward.64k.none", 1 << 16, SPX_FLOW_MODE_none),
	BENCH_PATH("path.forward.64k.exact", 1 << 16, SPX_FLOW_MODE_exact),
	BENCH_PATH("path.forward.64k.approximate", 1 << 16, SPX_FLOW_MODE_approximate),
	BENCH_PATH("path.route.64k", 1 << 16, PATH_ROUTED | SPX_FLOW_MODE_layered),
	BENCH_PATH("path.attack", 16 * PATH_ATTACKED, PATH_ATTACK | SPX_FLOW_MODE_layered),
	BENCH_PATH("path.attack.exact", 16 * PATH_ATTACKED, PATH_ATTACK | SPX_FLOW_MODE_exact),
	BENCH_PATH("path.attack.none", 16 * PATH_ATTACKED, PATH_ATTACK | SPX_FLOW_MODE_none),
};

int
main(int argc, char **argv)
{
	return bench_main(argc, argv,
		&(struct bench_program){.bench = benches, .n = RTE_DIM(benches), .memory_mb = 512});
}
