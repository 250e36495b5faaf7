/* The lines about a flood guard: the last one said is the state, and none is lost to the rate limit. */
#include <criterion/criterion.h>

#include "app/sphex/guard_watch.h"

#define MS UINT64_C(1000000)

Test(guard_watch, changes_are_said_once)
{
	struct spx_guard_watch watch = {0};

	cr_expect(!spx_guard_watch(&watch, 0, 0, 10 * MS), "off is what nobody needs to be told");
	cr_expect(spx_guard_watch(&watch, 1, 0, 12 * MS) && watch.on, "the first change at once");
	cr_expect(!spx_guard_watch(&watch, 1, 0, 5000 * MS));
	cr_expect(spx_guard_watch(&watch, 1, 1, 5002 * MS) && !watch.on);
	cr_expect(!spx_guard_watch(&watch, 1, 1, 9000 * MS));
}

Test(guard_watch, several_changes_between_two_looks)
{
	struct spx_guard_watch watch = {0};

	cr_expect(!spx_guard_watch(&watch, 3, 3, 2 * MS), "on and off: as before");
	cr_expect(spx_guard_watch(&watch, 4, 3, 4 * MS) && watch.on);
	cr_expect(!spx_guard_watch(&watch, 5, 4, 4000 * MS), "off and on again: as it was said");
	cr_expect(watch.on);
	cr_expect(spx_guard_watch(&watch, 9, 9, 4002 * MS) && !watch.on);
}

Test(guard_watch, what_the_limit_holds_back_is_said_later)
{
	struct spx_guard_watch watch = {0};
	unsigned lines = 0;

	cr_expect(spx_guard_watch(&watch, 1, 0, 0));
	for (uint64_t t = 2; t < 1000; t += 2)
		cr_expect(!spx_guard_watch(&watch, 1, 1, t * MS), "at %lu ms", t);
	cr_expect(spx_guard_watch(&watch, 1, 1, 1000 * MS) && !watch.on);

	for (uint64_t t = 0; t < 10000; t += 2) /* on and off for ten seconds more, off at the end */
		lines += spx_guard_watch(&watch, 2 + t / 4, 1 + (t + 2) / 4, (2000 + t) * MS);
	cr_expect_leq(lines, 10);
	cr_expect_geq(lines, 5);
	spx_guard_watch(&watch, 5000, 5000, 20000 * MS);
	cr_expect(!watch.on);
}
