/* What is steered is read back as it was set, and what cannot be is refused. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "test/unit/xdp_fixture.h"

static const struct spx_xdp_target everything = {.kind = SPX_XDP_EVERYTHING},
				   port = {.kind = SPX_XDP_UDP_PORT, .udp_port = 3322},
				   net4 = {.kind = SPX_XDP_PREFIX4, .length = 15, .address = {198, 50}},
				   host4 = {.kind = SPX_XDP_PREFIX4,
					   .length = 32,
					   .address = {198, 51, 100, 2}},
				   net6 = {.kind = SPX_XDP_PREFIX6,
					   .length = 32,
					   .address = {0x20, 0x01, 0x0d, 0xb8}};

struct seen {
	struct spx_xdp_target target[16];
	unsigned n;
};

static void
see(const struct spx_xdp_target *target, void *arg)
{
	struct seen *seen = arg;

	cr_assert_lt(seen->n, RTE_DIM(seen->target));
	seen->target[seen->n++] = *target;
}

static void
look(struct steering *s, struct seen *seen)
{
	struct spx_error err = {""};

	seen->n = 0;
	cr_assert_eq(spx_xdp_steered(&s->port, see, seen, &err), 0, "%s", err.text);
}

Test(xdp_live, reads_back_what_was_set)
{
	const struct spx_xdp_target *all[] = {&everything, &port, &net4, &host4, &net6};
	struct steering s;
	struct seen seen;
	unsigned found = 0;

	steering_start(&s);
	look(&s, &seen);
	cr_expect_eq(seen.n, 0);
	for (unsigned i = 0; i < RTE_DIM(all); i++) {
		steering_set(&s, all[i], true);
		steering_set(&s, all[i], true); /* again is no error */
	}
	look(&s, &seen);
	cr_expect_eq(seen.n, RTE_DIM(all));
	for (unsigned i = 0; i < seen.n; i++)
		for (unsigned k = 0; k < RTE_DIM(all); k++)
			found += memcmp(&seen.target[i], all[k], sizeof(*all[k])) == 0;
	cr_expect_eq(found, RTE_DIM(all));
	for (unsigned i = 0; i < RTE_DIM(all); i++) {
		steering_set(&s, all[i], false);
		steering_set(&s, all[i], false);
	}
	look(&s, &seen);
	cr_expect_eq(seen.n, 0);
	steering_stop(&s);
}

Test(xdp_live, refuses_what_it_cannot_do)
{
	struct spx_xdp_target t = {.kind = SPX_XDP_PREFIX4, .length = 33};
	struct spx_error err = {""};
	struct steering s;

	steering_start(&s);
	cr_expect_eq(spx_xdp_steer(&s.port, &t, true, &err), -EINVAL);
	t = (struct spx_xdp_target){.kind = SPX_XDP_PREFIX4, .length = 8, .address = {10, 1}};
	cr_expect_eq(spx_xdp_steer(&s.port, &t, true, &err), -EINVAL);
	cr_expect(strstr(err.text, "no bits beyond the prefix") != NULL, "%s", err.text);
	t = (struct spx_xdp_target){.kind = SPX_XDP_PREFIX4, .length = 32};
	for (unsigned i = 0; i < SPX_XDP_PREFIXES_MAX; i++) {
		t.address[2] = (uint8_t)(i >> 8);
		t.address[3] = (uint8_t)i;
		steering_set(&s, &t, true);
	}
	t.address[0] = 1;
	cr_expect_eq(spx_xdp_steer(&s.port, &t, true, &err), -ENOSPC);
	cr_expect(strstr(err.text, "4096 prefixes") != NULL, "%s", err.text);
	s.port.ops = &spx_ethdev_ops;
	cr_expect_eq(spx_xdp_steer(&s.port, &everything, true, &err), -EINVAL);
	cr_expect(strstr(err.text, "port left is no xdp port") != NULL, "%s", err.text);
	steering_stop(&s);
}
