/* EAL for unit tests: without hugepages, root, PCI, files. It takes 145 ms and starts once in a process, and
 * Criterion gives each test a process: few tests with .init = test_eal_start. */
#ifndef SPX_TEST_EAL_H
#define SPX_TEST_EAL_H

#include <criterion/criterion.h>
#include <rte_common.h>
#include <rte_eal.h>
#include <rte_log.h>
#include <rte_vect.h>

static inline void
test_eal_start_with(const char *megabytes)
{
	const char *argv[] = {"test", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m",
		megabytes, "--file-prefix=sphex-test", NULL};

	rte_log_set_global_level(RTE_LOG_ERR);
	cr_assert_geq(rte_eal_init(RTE_DIM(argv) - 1, (char **)(uintptr_t)argv), 0);
	rte_vect_set_max_simd_bitwidth(RTE_VECT_SIMD_512); /* every variant of the machine is tested */
}

static inline void
test_eal_start(void)
{
	test_eal_start_with("64");
}

#endif
