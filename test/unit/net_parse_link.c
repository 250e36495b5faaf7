/* Below and beside IP: Ethernet, VLAN tags, what is not IP, and where the packet lies in its mbuf. */
#include <netinet/in.h>
#include <string.h>

#include <criterion/criterion.h>

#include "test/unit/good_frames.h"
#include "test/unit/net_parsed.h"

/* Fails unless the frame is `other` with this EtherType, VLAN and offset behind the tags. */
static void
expect_other(const struct frame *f, uint16_t ethertype, uint16_t vlan, uint8_t l3)
{
	struct parsed p = parsed_frame(f);
	const struct spx_layout expected = {.ethertype = ethertype, .vlan = vlan, .l3 = l3};

	cr_assert_eq(p.kind, PARSED_OTHER, "%s", parsed_text(&p));
	cr_assert_arr_eq(&p.layout, &expected, sizeof(expected), "%s", parsed_text(&p));
}

/* The tail of an untagged UDP/IPv4 frame behind `tags` tags of the given kinds. */
static void
tagged(struct frame *f, unsigned tags, const uint16_t kinds[], const uint16_t controls[])
{
	frame_start(f, tags > 0 ? kinds[0] : TYPE_IPV4);
	for (unsigned i = 0; i < tags; i++)
		frame_tag(f, controls[i], i + 1 < tags ? kinds[i + 1] : TYPE_IPV4);
	frame_ipv4(f, IPPROTO_UDP, 0);
	frame_udp(f);
	frame_data(f, 12);
	frame_close(f);
}

/* The context holds the outer VLAN id alone: not its priority, not the inner tag. */
Test(net_parse_link, vlan_in_context)
{
	const uint16_t kinds[] = {TYPE_VLAN, TYPE_QINQ, 0x9100};
	struct frame f;

	for (unsigned outer = 0; outer < 3; outer++) {
		for (uint32_t vlan = 0; vlan < 4096; vlan += 91) {
			uint32_t context = vlan << SPX_CONTEXT_VLAN_SHIFT | PARSED_PORT;
			uint16_t controls[2] = {(uint16_t)(0xf000 | vlan), 0x0abc};
			struct parsed p;

			tagged(&f, 1, &kinds[outer], controls);
			expect_tail4(&f, FRAME_SPORT, FRAME_DPORT, IPPROTO_UDP, context);
			p = parsed_frame(&f);
			cr_assert_eq(p.layout.vlan, vlan);
			cr_assert(p.layout.l3 == 18 && p.layout.l4 == 38 && p.layout.ethertype == TYPE_IPV4);

			for (unsigned inner = 0; inner < 3; inner++) {
				tagged(&f, 2, (uint16_t[]){kinds[outer], kinds[inner]}, controls);
				expect_tail4(&f, FRAME_SPORT, FRAME_DPORT, IPPROTO_UDP, context);
				p = parsed_frame(&f);
				cr_assert(p.layout.vlan == vlan && p.layout.l3 == 22 && p.layout.l4 == 42);
			}
		}
	}
}

Test(net_parse_link, three_tags_are_not_ip)
{
	const uint16_t kinds[] = {TYPE_QINQ, TYPE_VLAN, TYPE_VLAN}, controls[] = {3, 4, 5};
	struct frame f;

	tagged(&f, 3, kinds, controls);
	expect_other(&f, TYPE_VLAN, 3, 22);
	f.length = 22; /* the third tag is not looked at, so it need not be there */
	expect_other(&f, TYPE_VLAN, 3, 22);
}

Test(net_parse_link, what_is_not_ip)
{
	static const uint16_t types[] = {0x0000, 0x0026 /* 802.3 length */, 0x05dc, 0x0801, 0x8035, 0x8847,
		0x8848, 0x8863, 0x8864, 0x88cc, 0x88f7, 0x9000, 0x9200, 0xffff};
	struct frame f;

	for (unsigned i = 0; i < RTE_DIM(types); i++) {
		frame_start(&f, types[i]);
		expect_other(&f, types[i], 0, 14);
		frame_data(&f, 46);
		expect_other(&f, types[i], 0, 14);
		frame_start(&f, TYPE_VLAN);
		frame_tag(&f, 9, types[i]);
		expect_other(&f, types[i], 9, 18);
	}
	good_arp(&f);
	expect_other(&f, TYPE_ARP, 0, 14);
	frame_data(&f, 18);
	expect_other(&f, TYPE_ARP, 0, 14);
}

/* The context has eleven bits for the port. */
Test(net_parse_link, port_in_context)
{
	static struct spx_burst b;
	struct frame f[3];

	frame_udp4(&f[0], 18);
	good_tagged_udp4(&f[1]);
	frame_udp6(&f[2], 0);
	for (unsigned port = 0; port < 65536; port += 37) {
		struct rte_mbuf *m[3];

		for (unsigned i = 0; i < 3; i++)
			b.pkt[i] = m[i] = frame_mbuf(f[i].bytes, f[i].length);
		b.n = 3;
		b.in_port = (uint16_t)port;
		b.alive = 7;
		spx_net_parse(&b, &parsed_options);
		for (unsigned i = 0; i < 3; i++) {
			const uint8_t *context = i < 2 ? b.key4[i].context : b.key6[i].context;

			cr_assert_eq(context[1] << 8 | context[2], (i == 1 ? 0x4000 : 0) | (port & 0x7ff));
			cr_assert_eq(context[0], i == 1 ? 100 >> 4 : 0);
			frame_mbuf_free(m[i]);
		}
	}
}

/* Every frame gives the same answer wherever it is cut in two, or header_segmented; and once the headers fit
 * into the first segment, they fit into every longer one. */
Test(net_parse_link, two_segments)
{
	for (unsigned i = 0; i < GOOD_FRAMES; i++) {
		struct frame f;
		struct parsed whole;
		bool fits = false;

		good_frames[i](&f);
		frame_data(&f, 4);
		whole = parsed_frame(&f);
		for (uint32_t first = 0; first < f.length; first++) {
			struct rte_mbuf *m = frame_mbuf_split(f.bytes, f.length, first);
			struct parsed p = parsed_by_stage(m, &parsed_options);

			frame_mbuf_free(m);
			if (!fits && p.kind == PARSED_DROP) {
				cr_assert_eq(p.reason, SPX_DROP_header_segmented, "%s", parsed_text(&p));
				continue;
			}
			fits = true;
			cr_assert(
				parsed_equal(&p, &whole), "frame %u first %u: %s", i, first, parsed_text(&p));
		}
		cr_assert(fits, "frame %u", i);
	}
}

/* Where the first segment starts inside its buffer (headroom) changes nothing. */
Test(net_parse_link, headroom)
{
	for (unsigned i = 0; i < GOOD_FRAMES; i++) {
		for (uint32_t room = 1; room <= 130; room += 43) {
			struct frame f, moved;
			struct parsed expected, p;
			struct rte_mbuf *m;

			good_frames[i](&f);
			expected = parsed_frame(&f);
			memset(moved.bytes, 0x5a, room);
			memcpy(moved.bytes + room, f.bytes, f.length);
			m = frame_mbuf(moved.bytes, room + f.length);
			m->data_off = (uint16_t)room;
			m->data_len = (uint16_t)f.length;
			m->pkt_len = f.length;
			p = parsed_by_stage(m, &parsed_options);
			cr_assert(parsed_equal(&p, &expected), "%s", parsed_text(&p));
			frame_mbuf_free(m);
		}
	}
}
