/* Packet filters: what matches, what is refused and how, and that nobody is asked for a name. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>

#include <criterion/criterion.h>
#include <pcap/pcap.h>

#include <pcap/namedb.h>

#include "app/sphex/filter.h"
#include "app/sphex/filter_words.h"

#define FRAME 60

static unsigned asked; /* for addresses of names */

/* libpcap has the C library read addresses, too. */
static bool
is_address(const char *name, const struct addrinfo *hints)
{
	struct in6_addr address;

	return (hints != NULL && (hints->ai_flags & AI_NUMERICHOST) != 0) ||
	       inet_pton(AF_INET6, name, &address) == 1;
}

/* In place of the C library's, for libpcap too. */
int
getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
	int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
		dlsym(RTLD_NEXT, "getaddrinfo");

	if (name == NULL || is_address(name, hints))
		return next(name, service, hints, result);
	asked++;
	return EAI_NONAME;
}

/* 10.0.0.1:4096 -> 10.0.1.1:53, UDP, from 02:00:00:00:00:02. */
static const uint8_t udp[FRAME] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, 0x45, 0, 0, 46, 0, 0, 0, 0,
	64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 1, 1, 0x10, 0x00, 0, 53, 0, 26};
static const uint8_t tagged[FRAME + 4] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x81, 0x00, 0, 7, 0x08, 0x00,
	0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 1, 1, 0x10, 0x00, 0, 53, 0, 26};

static struct spx_filter *
create(const char *text)
{
	struct spx_filter *filter = NULL;
	struct spx_error err = {""};

	cr_assert_eq(spx_filter_create(text, &filter, &err), 0, "%s", err.text);
	return filter;
}

/* The frame as an mbuf whose first segment has `first` bytes. */
static bool
match_first(const char *text, const uint8_t *frame, uint16_t length, uint16_t first)
{
	struct spx_filter *filter = create(text);
	struct rte_mbuf m = {.buf_addr = (void *)(uintptr_t)frame, .data_len = first, .pkt_len = length};
	bool matches = spx_filter_match(filter, &m);

	spx_filter_free(filter);
	return matches;
}

static bool
match(const char *text, const uint8_t *frame, uint16_t length)
{
	return match_first(text, frame, length, length);
}

Test(filter, matches)
{
	static const char *const yes[] = {"udp", "udp port 53", "udp port domain", "port domain or http",
		"portrange 50-53", "host 10.0.0.1", "src host 10.0.0.1 and dst 10.0.1.1", "net 10.0.0.0/8",
		"net 10.0", "ether src 02:00:00:00:00:02",
		"ether host 2:0:0:0:0:1 or ether src 0200.0000.0002", "ether proto \\ip", "proto \\udp",
		"ip proto \\udp", "ether[12:2] = 0x800", "ip[8]=64", "not tcp", "!(tcp or arp)", "greater 60",
		"len == 60 && udp", "udp[2:2]&1 != 0"};
	static const char *const no[] = {"tcp", "port 54", "host 10.0.0.2", "ip6", "vlan", "arp", "less 59",
		"ip6 host 2001:db8::1", "net ::/0", "tcp[tcpflags] & (tcp-syn|tcp-ack) != 0",
		"ether host ff:ff:ff:ff:ff:ff", "ip[200] = 0", "ip[0] / ip[1] = 1"};

	for (size_t i = 0; i < RTE_DIM(yes); i++)
		cr_expect(match(yes[i], udp, sizeof(udp)), "%s", yes[i]);
	for (size_t i = 0; i < RTE_DIM(no); i++)
		cr_expect(!match(no[i], udp, sizeof(udp)), "%s", no[i]);
}

Test(filter, tags_are_looked_behind_when_asked)
{
	cr_expect(!match("udp port 53", tagged, sizeof(tagged)));
	cr_expect(match("vlan and udp port 53", tagged, sizeof(tagged)));
	cr_expect(match("vlan 7", tagged, sizeof(tagged)));
	cr_expect(!match("vlan 8", tagged, sizeof(tagged)));
}

Test(filter, only_the_first_segment_is_read)
{
	cr_expect(match_first("udp", udp, sizeof(udp), 34));
	cr_expect(!match_first("udp port 53", udp, sizeof(udp), 34));
	cr_expect(match_first("udp port 53", udp, sizeof(udp), 38));
	cr_expect(match_first("len = 60", udp, sizeof(udp), 14));
	cr_expect(!match_first("ip", udp, sizeof(udp), 0));
}

Test(filter, nothing_matches_everything)
{
	static const char *const all[] = {NULL, "", " \t \n"};

	for (size_t i = 0; i < RTE_DIM(all); i++) {
		cr_expect_null(create(all[i]));
		cr_expect(match(all[i], udp, sizeof(udp)));
	}
}

/* The filter, the complaint, and what would be right. */
Test(filter, mistakes)
{
	static const char *const mistakes[][2] = {{"udp port", "syntax error"}, {"port 70000", "70000"},
		{"tcp or or", "syntax error"}, {"vlan 5000", "5000"}, {"udpp", "did you mean \"udp\"?"},
		{"host 10.0.0.1 or prot 5", "did you mean \"port\"?"}, {"len >", "syntax error"},
		{"inbound", "\"inbound\" is no word"}, {"port nonesuch", "nonesuch"},
		{"ip6 protochain 6", "\"protochain\" is no word"}, {"udp\x01\xff", "syntax error"},
		{"ip[", "syntax"}};
	struct spx_filter *filter;
	struct spx_error err;

	for (size_t i = 0; i < RTE_DIM(mistakes); i++) {
		filter = (void *)&err;
		cr_expect_eq(spx_filter_create(mistakes[i][0], &filter, &err), -EINVAL, "%s", mistakes[i][0]);
		cr_expect_null(filter);
		cr_expect_not_null(strstr(err.text, mistakes[i][1]), "%s", err.text);
		cr_expect_not_null(strstr(err.text, "such as \"udp port 53\""), "%s", err.text);
		cr_expect_eq(strncmp(err.text, "filter \"", 8), 0);
		for (const char *c = err.text; *c != '\0'; c++)
			cr_expect(*c >= ' ' && *c <= '~', "%s", err.text);
	}
	spx_filter_create("udp port", &filter, &err);
	cr_expect_eq(strncmp(err.text, "filter \"udp port\": ", 19), 0, "%s", err.text);
}

/* Words that libpcap would look up as hosts or networks. */
Test(filter, names_of_hosts_are_refused)
{
	static const char *const names[] = {"host www", "src www", "dst www.example.com", "net loopback",
		"ether host www", "host 10.0.0.1 or www", "port 53 or host www", "port 53 or src www",
		"host cafe", "host 1.2.3.4.5", "host 1..2", "host 10.", "host 0xg", "host 3com.com",
		"host \\tcp", "host \\a,b", "host a:b", "host cafe:1", "gateway www", "host ab.cd.ef",
		"host aa-bb-cc", "src \\1.x"};
	struct spx_filter *filter;
	struct spx_error err;

	for (size_t i = 0; i < RTE_DIM(names); i++) {
		cr_expect_eq(spx_filter_create(names[i], &filter, &err), -EINVAL, "%s", names[i]);
		cr_expect_not_null(strstr(err.text, "is no word of a filter"), "%s: %s", names[i], err.text);
	}
	cr_assert_eq(asked, 0);
	cr_assert_null(pcap_nametoaddrinfo("www"));
	cr_assert_eq(asked, 1); /* libpcap would have come here */
}

/* Every word that is let through as a number is one for libpcap too; the words of the language pass. */
Test(filter, words)
{
	unsigned n;
	const char *const *words = spx_filter_words(&n);
	char text[64];

	for (unsigned i = 0; words[i] != NULL; i++)
		cr_expect_eq(spx_filter_check_words(words[i], NULL), 0, "%s", words[i]);
	for (; words[n] != NULL; n++) {
		snprintf(text, sizeof(text), "len = %s", words[n]);
		spx_filter_free(create(text));
	}
}

Test(filter, length)
{
	char text[SPX_FILTER_TEXT_MAX + 2];
	struct spx_filter *filter;
	struct spx_error err;

	memset(text, ' ', sizeof(text));
	memcpy(text, "udp", 3);
	text[SPX_FILTER_TEXT_MAX + 1] = '\0';
	cr_expect_eq(spx_filter_create(text, &filter, &err), -EINVAL);
	cr_expect_not_null(strstr(err.text, "1025 bytes; at most 1024 expected"), "%s", err.text);
	text[SPX_FILTER_TEXT_MAX] = '\0';
	cr_expect_eq(spx_filter_create(text, &filter, &err), 0);
	spx_filter_free(filter);
}
