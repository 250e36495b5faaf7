/* Records of ended flows: into a ring, out of it, added up; see flow_export.h. */
#include <stdio.h>

#include <rte_errno.h>
#include <rte_ring_elem.h>

#include "app/sphex/flow_export.h"

#define RECORDS 64u /* taken from a ring at once */

struct rte_ring *
spx_flow_ring_create(uint16_t worker, uint32_t records, struct spx_error *err)
{
	char name[RTE_RING_NAMESIZE];
	struct rte_ring *ring;

	snprintf(name, sizeof(name), "flows_%u", worker);
	ring = rte_ring_create_elem(name, sizeof(struct spx_flow_record), records, SOCKET_ID_ANY,
		RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
	if (ring == NULL)
		spx_error(err, -rte_errno,
			"no memory for the ring %s of %u ended flows (%s); raise memory.megabytes or lower "
			"slowpath.flow_ring",
			name, records, rte_strerror(rte_errno));
	return ring;
}

static void
count_record(struct spx_flow_sum *sum, const struct spx_flow_record *record)
{
	spx_count(&sum->flows, 1);
	spx_count(&sum->packets, record->packets);
	spx_count(&sum->bytes, record->bytes);
}

void
spx_flow_export(void *arg, const struct spx_flow_record *record)
{
	struct spx_flow_export *export = arg;

	if (export->ring == NULL)
		count_record(&export->totals->ended[record->end], record);
	else if (rte_ring_sp_enqueue_elem(export->ring, (void *)(uintptr_t)record, sizeof(*record)) != 0)
		count_record(&export->lost, record);
}

unsigned
spx_flow_collect(struct rte_ring *ring, struct spx_flow_totals *totals)
{
	struct spx_flow_record record[RECORDS];
	unsigned n = rte_ring_sc_dequeue_burst_elem(ring, record, sizeof(record[0]), RECORDS, NULL);

	for (unsigned i = 0; i < n; i++)
		count_record(&totals->ended[record[i].end], &record[i]);
	return n;
}

void
spx_flow_sum_add(struct spx_flow_sum *into, const struct spx_flow_sum *from)
{
	into->flows += __atomic_load_n(&from->flows, __ATOMIC_RELAXED);
	into->packets += __atomic_load_n(&from->packets, __ATOMIC_RELAXED);
	into->bytes += __atomic_load_n(&from->bytes, __ATOMIC_RELAXED);
}
