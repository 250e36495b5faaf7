/* Starts EAL the same way for every benchmark: one lcore, no devices but those a benchmark asks for, both
 * sides allowed the widest vectors of the machine. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_vect.h>

#include "perf/bench.h"

#define HUGEPAGE_MB   2u
#define ARGUMENTS_MAX 16

static unsigned
free_hugepages(void)
{
	FILE *file = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "r");
	unsigned n = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%u", &n) != 1)
		n = 0;
	fclose(file);
	return n;
}

/* EAL wants a command line of its own to rearrange. */
static int
eal_init(char *line, struct spx_error *err)
{
	char *argument[ARGUMENTS_MAX], *place, *word;
	int n = 0;

	for (word = strtok_r(line, " ", &place); word != NULL; word = strtok_r(NULL, " ", &place))
		argument[n++] = word;
	argument[n] = NULL;
	if (rte_eal_init(n, argument) < 0)
		return spx_error(err, -rte_errno, "EAL does not start: %s", rte_strerror(rte_errno));
	/* Without this DPDK keeps to 256 bits and rte_acl runs at half its speed. */
	rte_vect_set_max_simd_bitwidth(RTE_VECT_SIMD_512);
	return 0;
}

int
bench_eal_start(int cpu, unsigned memory_mb, bool *hugepages, struct spx_error *err)
{
	char pages[64] = "--in-memory", line[256];

	/* Valgrind does not run on hugepages, and instructions do not depend on them. */
	*hugepages = free_hugepages() >= memory_mb / HUGEPAGE_MB && !bench_count_possible();
	if (!*hugepages)
		snprintf(pages, sizeof(pages), "--no-huge --no-shconf --file-prefix=sphex-bench");
	snprintf(line, sizeof(line), "bench -l %d -m %u --no-pci --no-telemetry --log-level=error %s", cpu,
		memory_mb, pages);
	return eal_init(line, err);
}
