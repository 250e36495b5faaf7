/* Numbers with a decimal prefix; see human.h. */
#include <stdio.h>

#include "app/sphex/human.h"
#include "lib/base/base.h"

void
spx_human(char text[16], double value)
{
	static const char *const unit[] = {"", " k", " M", " G", " T"};
	unsigned u = 0;

	while (value >= 1000 && u + 1 < RTE_DIM(unit)) {
		value /= 1000;
		u++;
	}
	snprintf(text, 16,
		u == 0        ? "%.0f%s"
		: value < 10  ? "%.2f%s"
		: value < 100 ? "%.1f%s"
			      : "%.0f%s",
		value, unit[u]);
}
