/* The XDP program of xdp ports: decides frame by frame whether sphex or the kernel gets it.
 *
 * Ours are all frames, or those for a UDP port or an address that the maps name; they go to the AF_XDP socket
 * of the queue they came by. Everything else, and everything while no socket is there, goes on to the kernel:
 * a process that was killed leaves an interface that works.
 *
 * DPDK's AF_XDP device loads it, wants to find no other program in the object, and puts its sockets into the
 * map that must be called xsks_map; drivers/xdp fills the other maps (drivers/xdp/steer.h), which start
 * empty.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "drivers/xdp/steer.h"

#define VLAN_TAGS     2
#define FRAGMENT_BITS 0x3fff /* more fragments, and the offset */

struct vlan_tag {
	__be16 tci;
	__be16 type; /* of what follows */
};

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, SPX_STEER_QUEUES);
	__type(key, __u32);
	__type(value, __u32);
} xsks_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct spx_steer_settings);
} settings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 65536 / 64);
	__type(key, __u32);
	__type(value, __u64);
} udp_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, SPX_STEER_PREFIXES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct spx_steer_prefix4);
	__type(value, __u8);
} prefixes4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, SPX_STEER_PREFIXES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct spx_steer_prefix6);
	__type(value, __u8);
} prefixes6 SEC(".maps");

static __always_inline int
everything_is_ours(void)
{
	__u32 zero = 0;
	const struct spx_steer_settings *s = bpf_map_lookup_elem(&settings, &zero);

	return s != NULL && s->everything != 0;
}

/* Whether the UDP header at l4 is there and its destination port ours. */
static __always_inline int
udp_is_ours(const void *l4, const void *end)
{
	const struct udphdr *udp = l4;
	const __u64 *word;
	__u32 port, index;

	if ((const void *)(udp + 1) > end)
		return 0;
	port = bpf_ntohs(udp->dest);
	index = port / 64;
	word = bpf_map_lookup_elem(&udp_ports, &index);
	return word != NULL && (*word >> (port % 64) & 1) != 0;
}

/* Fragments have no port, the first one neither: a datagram must not be torn between sphex and the kernel. */
static __always_inline int
ipv4_is_ours(const void *l3, const void *end)
{
	const struct iphdr *ip = l3;
	struct spx_steer_prefix4 key = {.length = 32};

	if ((const void *)(ip + 1) > end || ip->version != 4 || ip->ihl < 5)
		return 0;
	__builtin_memcpy(key.address, &ip->daddr, sizeof(key.address));
	if (bpf_map_lookup_elem(&prefixes4, &key) != NULL)
		return 1;
	if (ip->protocol != IPPROTO_UDP || (ip->frag_off & bpf_htons(FRAGMENT_BITS)) != 0)
		return 0;
	return udp_is_ours((const char *)l3 + ip->ihl * 4, end);
}

/* A packet with extension headers has no port here: the kernel, which walks them, gets it. */
static __always_inline int
ipv6_is_ours(const void *l3, const void *end)
{
	const struct ipv6hdr *ip = l3;
	struct spx_steer_prefix6 key = {.length = 128};

	if ((const void *)(ip + 1) > end || ip->version != 6)
		return 0;
	__builtin_memcpy(key.address, &ip->daddr, sizeof(key.address));
	if (bpf_map_lookup_elem(&prefixes6, &key) != NULL)
		return 1;
	return ip->nexthdr == IPPROTO_UDP && udp_is_ours(ip + 1, end);
}

static __always_inline int
frame_is_ours(const struct xdp_md *ctx)
{
	const void *end = (const void *)(long)ctx->data_end;
	const struct ethhdr *ethernet = (const void *)(long)ctx->data;
	const void *l3 = ethernet + 1;
	__be16 type;

	if (l3 > end)
		return 0;
	type = ethernet->h_proto;
#pragma unroll
	for (int i = 0; i < VLAN_TAGS; i++) {
		const struct vlan_tag *tag = l3;

		if (type != bpf_htons(ETH_P_8021Q) && type != bpf_htons(ETH_P_8021AD))
			break;
		if ((const void *)(tag + 1) > end)
			return 0;
		type = tag->type;
		l3 = tag + 1;
	}
	if (type == bpf_htons(ETH_P_IP))
		return ipv4_is_ours(l3, end);
	return type == bpf_htons(ETH_P_IPV6) && ipv6_is_ours(l3, end);
}

SEC("xdp")
int
spx_steer(struct xdp_md *ctx)
{
	if (!everything_is_ours() && !frame_is_ours(ctx))
		return XDP_PASS;
	return bpf_redirect_map(&xsks_map, ctx->rx_queue_index, XDP_PASS);
}

char steer_license[] SEC("license") = "Dual BSD/GPL";
