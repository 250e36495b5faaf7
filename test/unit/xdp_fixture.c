/* See xdp_fixture.h. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_xdp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "drivers/xdp/object.h"
#include "test/unit/xdp_fixture.h"

static int
map_of(const struct steering *s, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(s->object, name);

	cr_assert_geq(fd, 0, "no map %s", name);
	return fd;
}

/* A socket that nothing is bound to is enough for the program to redirect to. */
static void
give_socket(struct steering *s)
{
	const uint32_t queue = 0;
	const int entries = 64;

	s->socket = socket(AF_XDP, SOCK_RAW, 0);
	if (s->socket < 0)
		cr_skip_test("skipped: no AF_XDP socket: %s", strerror(errno));
	cr_assert_eq(setsockopt(s->socket, SOL_XDP, XDP_RX_RING, &entries, sizeof(entries)), 0);
	cr_assert_eq(bpf_map_update_elem(map_of(s, "xsks_map"), &queue, &s->socket, BPF_ANY), 0);
}

void
steering_start(struct steering *s)
{
	if (geteuid() != 0)
		cr_skip_test("skipped: needs root to load an XDP program");
	*s = (struct steering){.object = bpf_object__open_mem(spx_steer_object, spx_steer_object_size, NULL)};
	cr_assert_not_null(s->object);
	if (bpf_object__load(s->object) < 0)
		cr_skip_test("skipped: the kernel loads no XDP program: %s", strerror(errno));
	s->program = bpf_program__fd(bpf_object__next_program(s->object, NULL));
	s->xdp.maps = (struct spx_xdp_maps){.settings = map_of(s, SPX_STEER_SETTINGS),
		.udp_ports = map_of(s, SPX_STEER_UDP_PORTS),
		.prefixes4 = map_of(s, SPX_STEER_PREFIXES4),
		.prefixes6 = map_of(s, SPX_STEER_PREFIXES6)};
	s->port = (struct spx_port){.ops = &spx_xdp_ops, .state = &s->xdp, .options = {.name = "left"}};
	give_socket(s);
}

void
steering_stop(struct steering *s)
{
	close(s->socket);
	bpf_object__close(s->object);
}

void
steering_lose_socket(struct steering *s)
{
	const uint32_t queue = 0;

	cr_assert_eq(bpf_map_delete_elem(map_of(s, "xsks_map"), &queue), 0);
}

bool
steering_takes(const struct steering *s, const struct frame *f)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = f->bytes, .data_size_in = f->length, .repeat = 1);
	int r = bpf_prog_test_run_opts(s->program, &run);

	cr_assert_eq(r, 0, "%u bytes: %s", f->length, strerror(-r));
	cr_assert(run.retval == XDP_REDIRECT || run.retval == XDP_PASS, "verdict %u", run.retval);
	return run.retval == XDP_REDIRECT;
}

void
steering_set(struct steering *s, const struct spx_xdp_target *target, bool on)
{
	struct spx_error err = {""};

	cr_assert_eq(spx_xdp_steer(&s->port, target, on, &err), 0, "%s", err.text);
}
