/* Changes and reads the steering program's maps while it runs. Each change is one store or one map operation,
 * so the program sees the state before or the one after.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

#include <bpf/bpf.h>

#include "drivers/xdp/xdp_internal.h"

static_assert(SPX_STEER_PREFIXES == SPX_XDP_PREFIXES_MAX, "what the header promises the maps hold");

#define UDP_WORDS (65536u / 64u)

static const struct spx_xdp *
state_of(const struct spx_port *p, struct spx_error *err)
{
	if (p->ops == &spx_xdp_ops)
		return p->state;
	spx_error(
		err, -EINVAL, "port %s is no xdp port: everything that comes by it is ours", p->options.name);
	return NULL;
}

static int
steer_everything(const struct spx_xdp_maps *maps, bool on)
{
	const struct spx_steer_settings settings = {.everything = on};
	const uint32_t zero = 0;

	return bpf_map_update_elem(maps->settings, &zero, &settings, BPF_ANY);
}

static int
steer_udp_port(const struct spx_xdp_maps *maps, uint16_t port, bool on)
{
	const uint32_t index = port / 64u;
	const uint64_t bit = UINT64_C(1) << (port % 64u);
	uint64_t word;
	int r = bpf_map_lookup_elem(maps->udp_ports, &index, &word);

	if (r < 0)
		return r;
	word = on ? word | bit : word & ~bit;
	return bpf_map_update_elem(maps->udp_ports, &index, &word, BPF_ANY);
}

/* Both kinds of key are the length and the address. */
static int
steer_prefix(int map, const struct spx_xdp_target *target, bool on)
{
	struct spx_steer_prefix6 key = {.length = target->length};
	const uint8_t value = 1;
	int r;

	memcpy(key.address, target->address, sizeof(key.address));
	if (on)
		return bpf_map_update_elem(map, &key, &value, BPF_ANY);
	r = bpf_map_delete_elem(map, &key);
	return r == -ENOENT ? 0 : r;
}

/* No bit is set beyond the first `length` of `bits`, which there are at most. */
static bool
is_prefix(const struct spx_xdp_target *target, unsigned bits)
{
	if (target->length > bits)
		return false;
	for (unsigned i = target->length; i < bits; i++)
		if ((target->address[i / 8] & 0x80u >> (i % 8)) != 0)
			return false;
	return true;
}

int
spx_xdp_steer(struct spx_port *p, const struct spx_xdp_target *target, bool on, struct spx_error *err)
{
	const struct spx_xdp *x = state_of(p, err);
	int r = -EINVAL;

	if (x == NULL)
		return -EINVAL;
	switch (target->kind) {
	case SPX_XDP_EVERYTHING:
		r = steer_everything(&x->maps, on);
		break;
	case SPX_XDP_UDP_PORT:
		r = steer_udp_port(&x->maps, target->udp_port, on);
		break;
	case SPX_XDP_PREFIX4:
		r = is_prefix(target, 32) ? steer_prefix(x->maps.prefixes4, target, on) : -EINVAL;
		break;
	case SPX_XDP_PREFIX6:
		r = is_prefix(target, 128) ? steer_prefix(x->maps.prefixes6, target, on) : -EINVAL;
		break;
	}
	if (r == -ENOSPC)
		return spx_error(err, r,
			"port %s: %u prefixes of this family are steered; no more are possible",
			p->options.name, SPX_STEER_PREFIXES);
	if (r == -EINVAL)
		return spx_error(err, r, "port %s: no bits beyond the prefix expected", p->options.name);
	return r < 0 ? spx_error(err, r, "port %s: the kernel refuses to steer this (%s)", p->options.name,
			       strerror(-r))
		     : 0;
}

static int
see_udp_ports(int map, void (*see)(const struct spx_xdp_target *, void *), void *arg)
{
	for (uint32_t index = 0; index < UDP_WORDS; index++) {
		uint64_t word;
		int r = bpf_map_lookup_elem(map, &index, &word);

		if (r < 0)
			return r;
		for (unsigned bit = 0; bit < 64; bit++)
			if (word >> bit & 1) {
				const struct spx_xdp_target target = {
					.kind = SPX_XDP_UDP_PORT, .udp_port = (uint16_t)(index * 64 + bit)};

				see(&target, arg);
			}
	}
	return 0;
}

static int
see_prefixes(int map, enum spx_xdp_kind kind, void (*see)(const struct spx_xdp_target *, void *), void *arg)
{
	struct spx_steer_prefix6 key = {0}, next = {0};
	const void *from = NULL;
	int r;

	while ((r = bpf_map_get_next_key(map, from, &next)) == 0) {
		struct spx_xdp_target target = {.kind = kind, .length = (uint8_t)next.length};

		memcpy(target.address, next.address, kind == SPX_XDP_PREFIX4 ? 4 : 16);
		see(&target, arg);
		key = next;
		from = &key;
	}
	return r == -ENOENT ? 0 : r;
}

int
spx_xdp_steered(struct spx_port *p, void (*see)(const struct spx_xdp_target *target, void *arg), void *arg,
	struct spx_error *err)
{
	const struct spx_xdp *x = state_of(p, err);
	const struct spx_xdp_target everything = {.kind = SPX_XDP_EVERYTHING};
	struct spx_steer_settings settings;
	const uint32_t zero = 0;
	int r;

	if (x == NULL)
		return -EINVAL;
	r = bpf_map_lookup_elem(x->maps.settings, &zero, &settings);
	if (r == 0 && settings.everything)
		see(&everything, arg);
	if (r == 0)
		r = see_udp_ports(x->maps.udp_ports, see, arg);
	if (r == 0)
		r = see_prefixes(x->maps.prefixes4, SPX_XDP_PREFIX4, see, arg);
	if (r == 0)
		r = see_prefixes(x->maps.prefixes6, SPX_XDP_PREFIX6, see, arg);
	return r < 0 ? spx_error(err, r, "port %s: the kernel does not say what is steered (%s)",
			       p->options.name, strerror(-r))
		     : 0;
}
