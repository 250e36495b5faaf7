/* The measured chance of a yes for a stranger is the model's, to the 95 % interval of millions of them. */
#include <criterion/criterion.h>

#include "test/unit/eal.h"
#include "test/unit/flow_approximate_measure.h"

TestSuite(flow_approximate_p, .init = test_eal_start, .timeout = 300);

/* Fills even out the states: blocks differ in their flows, and a fill's p from the next one's by
 * about 1 / sqrt(blocks) of it. */
Test(flow_approximate_p, entered_flows)
{
	check_measured_model(0.5, 2000, 4000, 6400, 1);
	check_measured_model(0.1, 10000, 1000, 64000, 2);
	check_measured_model(1e-2, 65536, 200, 640000, 3);
	check_measured_model(1e-2, 300, 20000, 6400, 4);
	check_measured_model(1e-3, 5000, 1000, 256000, 5);
	check_measured_model(1e-4, 20000, 100, 3200000, 6);
	check_measured_model(1e-6, 20000, 20, 10000000, 7);
	check_measured_model(1e-2, 1000000, 10, 6400000, 8);
}

Test(flow_approximate_p, full)
{
	check_measured_full(0.5, 2000, 4000, 6400, 9);
	check_measured_full(0.1, 10000, 1000, 64000, 10);
	check_measured_full(1e-2, 65536, 200, 640000, 11);
	check_measured_full(1e-3, 5000, 1000, 256000, 12);
	check_measured_full(1e-4, 20000, 60, 3200000, 13);
}

Test(flow_approximate_p, double_buffered)
{
	check_measured_double_buffered(0.1, 1000, 40000, 14);
	check_measured_double_buffered(1e-2, 1000, 40000, 15);
}
