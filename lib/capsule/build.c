/* Builds capsules: the UDP payload, and the frame around it; see capsule.h. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "lib/capsule/capsule.h"

#define NAMED_CODE 56u
#define ESP_CODE   8u
#define TAG        4u /* bytes of a VLAN tag */

static void
put16(uint8_t *at, uint16_t value)
{
	value = rte_cpu_to_be_16(value);
	memcpy(at, &value, sizeof(value));
}

static void
put64(uint8_t *at, uint64_t value)
{
	value = rte_cpu_to_be_64(value);
	memcpy(at, &value, sizeof(value));
}

/* ---- the capsule ----------------------------------------------------------------------------------- */

static bool
possible(const struct spx_capsule_content *content)
{
	return content->kind < SPX_CAPSULE_KINDS && !(content->flags & SPX_CAPSULE_NO_FLAG) &&
	       content->code_words <= (content->kind == SPX_CAPSULE_CARRIED ? SPX_CAPSULE_CODE_WORDS : 0) &&
	       content->scratch_words <= SPX_CAPSULE_SCRATCH_WORDS;
}

static size_t
code_part(const struct spx_capsule_content *content)
{
	switch (content->kind) {
	case SPX_CAPSULE_CARRIED:
		return RTE_ALIGN(content->code_words * 4u, 8u);
	case SPX_CAPSULE_NAMED:
		return NAMED_CODE;
	default:
		return ESP_CODE;
	}
}

static void
write_header(const struct spx_capsule_content *content, size_t length, uint8_t *at)
{
	at[0] = (uint8_t)(SPX_CAPSULE_VERSION << 4 | content->kind);
	at[1] = content->flags;
	put16(at + 2, (uint16_t)length);
	at[4] = (uint8_t)content->code_words;
	at[5] = (uint8_t)content->scratch_words;
	at[7] = content->fault;
	put64(at + 8, content->id);
}

static void
write_code(const struct spx_capsule_content *content, uint8_t *at)
{
	switch (content->kind) {
	case SPX_CAPSULE_CARRIED:
		if (content->code_words > 0)
			memcpy(at, content->code, content->code_words * 4u);
		break;
	case SPX_CAPSULE_NAMED:
		memcpy(at, content->name, SPX_CAPSULE_NAME_BYTES);
		memcpy(at + SPX_CAPSULE_NAME_BYTES, content->home, 16);
		put16(at + SPX_CAPSULE_NAME_BYTES + 16, content->home_port);
		break;
	default:
		at[0] = content->opcode;
		at[1] = content->op;
	}
}

ssize_t
spx_capsule_write(const struct spx_capsule_content *content, uint8_t *buffer, size_t size)
{
	size_t length;
	uint8_t *scratch;

	if (!possible(content))
		return -EINVAL;
	length = SPX_CAPSULE_HEADER + code_part(content) + content->scratch_words * 8u;
	if (length > size || content->payload_length > size - length)
		return -ENOSPC;
	memset(buffer, 0, length);
	write_header(content, length, buffer);
	write_code(content, buffer + SPX_CAPSULE_HEADER);
	scratch = buffer + length - content->scratch_words * 8u;
	for (unsigned i = 0; i < content->scratch_words; i++)
		put64(scratch + i * 8u, content->scratch[i]);
	if (content->payload_length > 0)
		memcpy(buffer + length, content->payload, content->payload_length);
	return (ssize_t)(length + content->payload_length);
}

/* ---- the frame ------------------------------------------------------------------------------------- */

static void
write_ethernet(const struct spx_capsule_envelope *envelope, uint8_t *at)
{
	uint16_t ethertype = envelope->v6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4;

	memcpy(at, envelope->dst_mac, 6);
	memcpy(at + 6, envelope->src_mac, 6);
	put16(at + 12, envelope->vlan != 0 ? RTE_ETHER_TYPE_VLAN : ethertype);
	if (envelope->vlan == 0)
		return;
	put16(at + 14, envelope->vlan);
	put16(at + 16, ethertype);
}

static void
write_ipv4(const struct spx_capsule_envelope *envelope, uint16_t udp_length, uint8_t *at)
{
	struct rte_ipv4_hdr ip = {
		.version_ihl = RTE_IPV4_VHL_DEF,
		.total_length = rte_cpu_to_be_16((uint16_t)(sizeof(ip) + udp_length)),
		.time_to_live = envelope->ttl,
		.next_proto_id = IPPROTO_UDP,
	};

	memcpy(&ip.src_addr, envelope->src, 4);
	memcpy(&ip.dst_addr, envelope->dst, 4);
	ip.hdr_checksum = rte_ipv4_cksum(&ip);
	memcpy(at, &ip, sizeof(ip));
}

static void
write_ipv6(const struct spx_capsule_envelope *envelope, uint16_t udp_length, uint8_t *at)
{
	struct rte_ipv6_hdr ip = {
		.vtc_flow = RTE_BE32(6u << 28),
		.payload_len = rte_cpu_to_be_16(udp_length),
		.proto = IPPROTO_UDP,
		.hop_limits = envelope->ttl,
	};

	memcpy(ip.src_addr, envelope->src, 16);
	memcpy(ip.dst_addr, envelope->dst, 16);
	memcpy(at, &ip, sizeof(ip));
}

ssize_t
spx_capsule_build(const struct spx_capsule_content *content, const struct spx_capsule_envelope *envelope,
	uint8_t *buffer, size_t size)
{
	size_t l3 = RTE_ETHER_HDR_LEN + (envelope->vlan != 0 ? TAG : 0);
	size_t l4 = l3 + (envelope->v6 ? sizeof(struct rte_ipv6_hdr) : sizeof(struct rte_ipv4_hdr));
	size_t most = RTE_MIN(size, l3 + UINT16_MAX);
	uint8_t *udp = buffer + l4;
	uint16_t length, checksum;
	ssize_t payload;

	if (most < l4 + sizeof(struct rte_udp_hdr))
		return -ENOSPC;
	payload = spx_capsule_write(content, udp + 8, most - l4 - 8);
	if (payload < 0)
		return payload;
	length = (uint16_t)(payload + 8);
	write_ethernet(envelope, buffer);
	put16(udp, envelope->sport);
	put16(udp + 2, SPX_CAPSULE_PORT);
	put16(udp + 4, length);
	put16(udp + 6, 0);
	if (envelope->v6)
		write_ipv6(envelope, length, buffer + l3);
	else
		write_ipv4(envelope, length, buffer + l3);
	checksum = envelope->v6 ? rte_ipv6_udptcp_cksum((const void *)(buffer + l3), udp)
				: rte_ipv4_udptcp_cksum((const void *)(buffer + l3), udp);
	if (!envelope->no_checksum)
		memcpy(udp + 6, &checksum, sizeof(checksum));
	return (ssize_t)l4 + length;
}
