/* The XDP program on the interface: whose it is, its maps, its mode.
 *
 * DPDK's device attaches ours and keeps what it opened to itself, so it is looked up as anybody would:
 * interface
 * -> program id -> ids of its maps. The name tells whose it is; the kernel lets nobody without CAP_NET_ADMIN
 * attach one.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "drivers/xdp/xdp_internal.h"

#define MAPS_MAX 16u /* looked at */

static int
open_program(uint32_t id, struct bpf_prog_info *info)
{
	uint32_t size = sizeof(*info);
	int fd = bpf_prog_get_fd_by_id(id), r;

	if (fd < 0)
		return -errno;
	r = bpf_obj_get_info_by_fd(fd, info, &size);
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

/* Takes the program off if it is ours; `id` 0 = none is there. */
static int
clear_mode(
	const struct spx_xdp *x, const struct spx_port *p, uint32_t id, uint32_t mode, struct spx_error *err)
{
	const char *interface = p->options.interface,
		   *word = mode == XDP_FLAGS_SKB_MODE ? "xdpgeneric" : "xdp";
	struct bpf_prog_info info = {0};
	struct bpf_xdp_attach_opts options = {.sz = sizeof(options)};
	int r;

	if (id == 0)
		return 0;
	options.old_prog_fd = open_program(id, &info);
	if (options.old_prog_fd < 0)
		return spx_error(err, options.old_prog_fd,
			"XDP program %u on interface %s cannot be looked at (%s)", id, interface,
			strerror(-options.old_prog_fd));
	if (strcmp(info.name, SPX_STEER_PROGRAM) == 0)
		r = bpf_xdp_detach((int)x->if_index, mode, &options);
	else
		r = -EBUSY;
	close(options.old_prog_fd);
	if (r < 0)
		return spx_error(err, r,
			"interface %s has an XDP program already: \"%s\" (id %u) of somebody else; if nobody "
			"needs "
			"it, ip link set dev %s %s off",
			interface, info.name, id, interface, word);
	spx_log(SPX_LOG_WARNING,
		"port %s: took a steering program (id %u) off %s that a killed sphex had left there",
		p->options.name, id, interface);
	return 0;
}

int
spx_xdp_clear(const struct spx_xdp *x, const struct spx_port *p, struct spx_error *err)
{
	struct bpf_xdp_query_opts there = {.sz = sizeof(there)};
	int r = bpf_xdp_query((int)x->if_index, 0, &there);

	if (r < 0)
		return spx_error(err, r, "interface %s does not say which XDP program it has (%s)",
			p->options.interface, strerror(-r));
	if (there.hw_prog_id != 0)
		return spx_error(err, -EBUSY,
			"interface %s has an XDP program in its hardware; ip link set dev %s xdpoffload off",
			p->options.interface, p->options.interface);
	r = clear_mode(x, p, there.drv_prog_id, XDP_FLAGS_DRV_MODE, err);
	return r < 0 ? r : clear_mode(x, p, there.skb_prog_id, XDP_FLAGS_SKB_MODE, err);
}

/* Keeps the descriptor when the map is one of ours. */
static bool
keep_map(struct spx_xdp_maps *maps, int fd)
{
	const struct {
		const char *name;
		int *fd;
	} ours[] = {{SPX_STEER_SETTINGS, &maps->settings}, {SPX_STEER_UDP_PORTS, &maps->udp_ports},
		{SPX_STEER_PREFIXES4, &maps->prefixes4}, {SPX_STEER_PREFIXES6, &maps->prefixes6}};
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return false;
	for (unsigned i = 0; i < RTE_DIM(ours); i++)
		if (*ours[i].fd < 0 && strcmp(info.name, ours[i].name) == 0) {
			*ours[i].fd = fd;
			return true;
		}
	return false;
}

static int
find_maps(struct spx_xdp *x, struct spx_error *err)
{
	uint32_t id[MAPS_MAX], size = sizeof(struct bpf_prog_info);
	struct bpf_prog_info info = {.nr_map_ids = MAPS_MAX, .map_ids = (uintptr_t)id};
	int r = bpf_obj_get_info_by_fd(x->program, &info, &size);

	if (r < 0)
		return spx_error(err, r, "the steering program does not name its maps (%s)", strerror(-r));
	for (uint32_t i = 0; i < RTE_MIN(info.nr_map_ids, MAPS_MAX); i++) {
		int fd = bpf_map_get_fd_by_id(id[i]);

		if (fd >= 0 && !keep_map(&x->maps, fd))
			close(fd);
	}
	if (x->maps.settings < 0 || x->maps.udp_ports < 0 || x->maps.prefixes4 < 0 || x->maps.prefixes6 < 0)
		return spx_error(err, -ENOENT, "the steering program has other maps than were built");
	return 0;
}

/* From the driver's hook to the generic one. For a moment no program is there and the kernel has the
 * interface. */
static int
make_generic(const struct spx_xdp *x, struct spx_error *err)
{
	struct bpf_xdp_attach_opts ours = {.sz = sizeof(ours), .old_prog_fd = x->program};
	int r = bpf_xdp_detach((int)x->if_index, XDP_FLAGS_DRV_MODE, &ours);

	if (r == 0)
		r = bpf_xdp_attach(
			(int)x->if_index, x->program, XDP_FLAGS_SKB_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);
	return r < 0 ? spx_error(err, r,
			       "the steering program does not go into generic mode (%s); \"mode\": \"auto\" "
			       "leaves it native",
			       strerror(-r))
		     : 0;
}

static int
settle_mode(const struct spx_xdp *x, const struct spx_port *p, bool native, struct spx_error *err)
{
	const struct spx_port_options *o = &p->options;
	int r = 0;

	if (o->mode == SPX_XDP_NATIVE && !native)
		return spx_error(err, -EOPNOTSUPP,
			"the driver of interface %s has no native XDP; \"mode\": \"auto\" takes the generic "
			"one",
			o->interface);
	if (o->mode == SPX_XDP_GENERIC && native)
		r = make_generic(x, err);
	if (r < 0)
		return r;
	if (o->mode == SPX_XDP_GENERIC)
		spx_log(SPX_LOG_INFO, "port %s: XDP in generic mode on %s, as configured", o->name,
			o->interface);
	else if (native)
		spx_log(SPX_LOG_INFO, "port %s: XDP in native mode on %s", o->name, o->interface);
	else
		spx_log(SPX_LOG_INFO, "port %s: XDP in generic mode on %s: its driver has no native one",
			o->name, o->interface);
	return 0;
}

int
spx_xdp_find(struct spx_xdp *x, const struct spx_port *p, struct spx_error *err)
{
	struct bpf_xdp_query_opts there = {.sz = sizeof(there)};
	struct bpf_prog_info info = {0};
	int r = bpf_xdp_query((int)x->if_index, 0, &there);

	if (r == 0 && there.prog_id != 0)
		x->program = open_program(there.prog_id, &info);
	if (x->program < 0 || strcmp(info.name, SPX_STEER_PROGRAM) != 0)
		return spx_error(err, -ENOENT,
			"the steering program is not on interface %s: somebody took it off again",
			p->options.interface);
	r = find_maps(x, err);
	return r < 0 ? r : settle_mode(x, p, there.drv_prog_id != 0, err);
}

/* Only ours: with old_prog_fd the kernel refuses to take off another one. */
void
spx_xdp_release(struct spx_xdp *x)
{
	const int fds[] = {
		x->maps.settings, x->maps.udp_ports, x->maps.prefixes4, x->maps.prefixes6, x->program};
	struct bpf_xdp_attach_opts ours = {.sz = sizeof(ours), .old_prog_fd = x->program};

	if (x->program >= 0) {
		bpf_xdp_detach((int)x->if_index, XDP_FLAGS_DRV_MODE, &ours);
		bpf_xdp_detach((int)x->if_index, XDP_FLAGS_SKB_MODE, &ours);
	}
	for (unsigned i = 0; i < RTE_DIM(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}
