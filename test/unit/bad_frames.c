/* Frames that the parser drops, one beside the other with a frame that it lets through; see bad_frames.h. */
#include <netinet/in.h>

#include "test/unit/bad_frames.h"

const struct bad_frame bad_frames[BAD_FRAMES] = {
	{SPX_DROP_oversize, good_udp4, MAX_FRAME, 0, 63, 64},
	{SPX_DROP_oversize, good_udp6, MAX_FRAME, 0, 83, 84},
	{SPX_DROP_oversize, good_lldp, MAX_FRAME, 0, 13, 14},
	{SPX_DROP_header_segmented, good_lldp, SEGMENT, 0, 13, 14},
	{SPX_DROP_header_segmented, good_tagged_lldp, SEGMENT, 0, 17, 18},
	{SPX_DROP_header_segmented, good_twice_tagged_lldp, SEGMENT, 0, 21, 22},
	{SPX_DROP_header_segmented, good_arp, SEGMENT, 0, 41, 42},
	{SPX_DROP_header_segmented, good_ipv4_bare, SEGMENT, 0, 33, 34},
	{SPX_DROP_header_segmented, good_ipv4_options, SEGMENT, 0, 73, 74},
	{SPX_DROP_header_segmented, good_udp4, SEGMENT, 0, 41, 42},
	{SPX_DROP_header_segmented, good_tcp4, SEGMENT, 0, 53, 54},
	{SPX_DROP_header_segmented, good_icmp4, SEGMENT, 0, 41, 42},
	{SPX_DROP_header_segmented, good_udp6, SEGMENT, 0, 61, 62},
	{SPX_DROP_header_segmented, good_icmp6, SEGMENT, 0, 61, 62},
	{SPX_DROP_header_segmented, good_icmp6_short, SEGMENT, 0, 57, 58},
	{SPX_DROP_header_segmented, good_fragment6, SEGMENT, 0, 77, 78},
	{SPX_DROP_ethernet_truncated, good_lldp, CUT, 0, 13, 14},
	{SPX_DROP_ethernet_truncated, good_lldp, CUT, 0, 0, 14},
	{SPX_DROP_vlan_truncated, good_tagged_lldp, CUT, 0, 17, 18},
	{SPX_DROP_vlan_truncated, good_twice_tagged_lldp, CUT, 0, 21, 22},
	{SPX_DROP_arp_truncated, good_arp, CUT, 0, 41, 42},
	{SPX_DROP_arp_format, good_arp, VALUE16, 14, 6, 1},
	{SPX_DROP_arp_format, good_arp, VALUE16, 16, TYPE_IPV6, TYPE_IPV4},
	{SPX_DROP_arp_format, good_arp, VALUE, 18, 8, 6},
	{SPX_DROP_arp_format, good_arp, VALUE, 19, 16, 4},
	{SPX_DROP_ipv4_truncated, good_ipv4_bare, CUT, 0, 33, 34},
	{SPX_DROP_ipv4_truncated, good_ipv4_bare, CUT, 0, 14, 34},
	{SPX_DROP_ipv4_version, good_udp4, VALUE, 14, 0x65, 0x45},
	{SPX_DROP_ipv4_header_length, good_udp4, VALUE, 14, 0x44, 0x45},
	{SPX_DROP_ipv4_header_length, good_ipv4_options, CUT, 0, 73, 74},
	{SPX_DROP_ipv4_total_length, good_ipv4_bare, VALUE16, 16, 19, 20},
	{SPX_DROP_ipv4_total_length, good_ipv4_options, VALUE16, 16, 59, 60},
	{SPX_DROP_ipv4_total_length, good_udp4, VALUE16, 16, 51, 50},
	{SPX_DROP_ipv4_total_length, good_udp4, VALUE16, 16, 0, 50},
	{SPX_DROP_ipv4_total_length, good_udp4, VALUE16, 16, 65535, 50},
	{SPX_DROP_ipv4_total_length, good_tcp4, CUT, 0, 93, 94},
	{SPX_DROP_ipv4_checksum, good_udp4, CHECKSUM_FLAG, 0, RTE_MBUF_F_RX_IP_CKSUM_BAD,
		RTE_MBUF_F_RX_IP_CKSUM_GOOD},
	{SPX_DROP_ipv4_checksum, good_icmp4, CHECKSUM_FLAG, 0, RTE_MBUF_F_RX_IP_CKSUM_BAD,
		RTE_MBUF_F_RX_IP_CKSUM_NONE},
	{SPX_DROP_ipv4_checksum, good_tcp4, CHECKSUM_FLAG, 0, RTE_MBUF_F_RX_IP_CKSUM_BAD, 0},
	{SPX_DROP_ipv6_truncated, good_ipv6_bare, CUT, 0, 53, 54},
	{SPX_DROP_ipv6_version, good_udp6, VALUE, 14, 0x45, 0x60},
	{SPX_DROP_ipv6_payload_length, good_udp6, VALUE16, 18, 31, 30},
	{SPX_DROP_ipv6_payload_length, good_udp6, CUT, 0, 83, 84},
	{SPX_DROP_ipv6_extension, good_routing6, END, 0, 77, 78},
	{SPX_DROP_ipv6_extension, good_routing6, END, 0, 61, 78},
	{SPX_DROP_ipv6_extension, good_routing6, END, 0, 54, 78},
	{SPX_DROP_ipv6_extension, good_routing6, VALUE, 55, 3, 2},
	{SPX_DROP_ipv6_extension, good_eight_extensions, VALUE, 54 + 7 * 8, 60, IPPROTO_NONE},
	{SPX_DROP_ipv6_extension, good_fragment6, END, 0, 77, 78},
	{SPX_DROP_fragment_overrun, good_fragment4, VALUE16, 20, 8177,
		8176}, /* 8 x 8176 + 100 + 20 = 65528 */
	{SPX_DROP_fragment_overrun, good_fragment6, VALUE16, 72, 8178 << 3,
		8177 << 3}, /* 8 x 8177 + 100 + 16 = 65532 */
	{SPX_DROP_tcp_truncated, good_tcp4, END, 0, 53, 54},
	{SPX_DROP_tcp_truncated, good_tcp6, END, 0, 73, 74},
	{SPX_DROP_tcp_header_length, good_tcp4, VALUE, 46, 4 << 4, 5 << 4},
	{SPX_DROP_tcp_header_length, good_tcp4_options, END, 0, 57, 58},
	{SPX_DROP_udp_truncated, good_udp4_bare, END, 0, 41, 42},
	{SPX_DROP_udp_truncated, good_udp6_bare, END, 0, 61, 62},
	{SPX_DROP_udp_length, good_udp4, VALUE16, 38, 7, 8},
	{SPX_DROP_udp_length, good_udp4, VALUE16, 38, 31, 30},
	{SPX_DROP_udp_length, good_udp6, VALUE16, 58, 31, 30},
	{SPX_DROP_icmp_truncated, good_icmp4, END, 0, 41, 42},
	{SPX_DROP_icmp_truncated, good_icmp6, END, 0, 61, 62},
	{SPX_DROP_icmp_truncated, good_icmp6_short, END, 0, 57, 58},
};

void
bad_frame_build(const struct bad_frame *row, uint64_t value, struct bad_packet *packet)
{
	struct frame *f = &packet->frame;

	packet->first = packet->max_frame = 0;
	packet->port_flags = 0;
	row->build(f);
	switch (row->change) {
	case CUT:
		f->length = (uint32_t)value;
		break;
	case END:
		f->length = (uint32_t)value;
		f->udp = 0; /* keeps its length field */
		frame_close(f);
		break;
	case VALUE:
		f->bytes[row->at] = (uint8_t)value;
		break;
	case VALUE16:
		frame_put16(f, row->at, (uint16_t)value);
		break;
	case SEGMENT:
		packet->first = (uint32_t)value;
		frame_data(f, packet->first == f->length); /* a second segment there has to be */
		break;
	case MAX_FRAME:
		packet->max_frame = (uint32_t)value;
		break;
	case CHECKSUM_FLAG:
		packet->port_flags = value;
		break;
	}
}
