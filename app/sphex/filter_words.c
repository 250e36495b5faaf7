/* No filter asks a name server; see filter.h.
 *
 * libpcap takes every word that it does not know for a name and looks it up, a host's by default:
 * "host 10.0.0.1 or upd" would wait for a name server, and tell it. It has no switch against that. So its
 * words are listed here, and any other word is refused, but for names behind `port`, `portrange` and `proto`,
 * which local files know.
 *
 * What a word without a qualifier of its own means follows from the last qualifier written before it (also
 * across brackets), so one look from left to right is enough. Where this reading and libpcap's grammar
 * differ, libpcap has a syntax error. Words are delimited as libpcap's scanner does it. Source:
 * pcap-filter(7) of libpcap 1.10.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "app/sphex/choices.h"
#include "app/sphex/filter_words.h"

#define WORD_MAX   64u /* of what a message shows, and of an address */
#define LOCAL      3u /* qualifiers at the head of the list: names behind them are looked up in local files */
#define QUALIFIERS 20u /* at its head: names behind the others would be hosts or networks */

static const char *const words[] = {
	/* qualifiers */
	"port", "portrange", "proto", "host", "net", "src", "dst", "ether", "link", "ip", "ip6", "arp",
	"rarp", "tcp", "udp", "sctp", "icmp", "icmp6", "iso", "isis",
	/* other words of the language; `gateway` needs a host's name, `protochain` loops */
	"and", "or", "not", "mask", "less", "greater", "len", "length", "broadcast", "multicast", "vlan",
	"mpls", "pppoed", "pppoes", "geneve", "igmp", "igrp", "pim", "vrrp", "carp", "ah", "esp", "atalk",
	"aarp", "decnet", "lat", "sca", "moprc", "mopdl", "esis", "es-is", "is-is", "clnp", "l1", "l2", "iih",
	"lsp", "snp", "csnp", "psnp", "stp", "ipx", "netbeui",
	/* numbers */
	"icmptype", "icmpcode", "icmp6type", "icmp6code", "tcpflags", "tcp-fin", "tcp-syn", "tcp-rst",
	"tcp-push", "tcp-ack", "tcp-urg", "tcp-ece", "tcp-cwr", "icmp-echoreply", "icmp-unreach",
	"icmp-sourcequench", "icmp-redirect", "icmp-echo", "icmp-routeradvert", "icmp-routersolicit",
	"icmp-timxceed", "icmp-paramprob", "icmp-tstamp", "icmp-tstampreply", "icmp-ireq", "icmp-ireqreply",
	"icmp-maskreq", "icmp-maskreply", "icmp6-packettoobig", "icmp6-timeexceeded",
	"icmp6-parameterproblem", "icmp6-echo", "icmp6-echoreply", "icmp6-routersolicit",
	"icmp6-routeradvert", "icmp6-neighborsolicit", "icmp6-neighboradvert", "icmp6-redirect",
	"icmp6-destinationunreach", "icmp6-multicastlistenerquery", "icmp6-multicastlistenerreportv1",
	"icmp6-multicastlistenerdone", "icmp6-routerrenum", "icmp6-nodeinformationquery",
	"icmp6-nodeinformationresponse", "icmp6-ineighbordiscoverysolicit", "icmp6-ineighbordiscoveryadvert",
	"icmp6-multicastlistenerreportv2", "icmp6-homeagentdiscoveryrequest", "icmp6-homeagentdiscoveryreply",
	"icmp6-mobileprefixsolicit", "icmp6-mobileprefixadvert", "icmp6-certpathsolicit",
	"icmp6-certpathadvert", "icmp6-multicastrouteradvert", "icmp6-multicastroutersolicit",
	"icmp6-multicastrouterterm", NULL};

const char *const *
spx_filter_words(unsigned *n_language)
{
	for (*n_language = 0; strcmp(words[*n_language], "icmptype") != 0;)
		++*n_language;
	return words;
}

/* Index in `words`, or that of the NULL at its end. */
static unsigned
find(const char *word, size_t length)
{
	unsigned i = 0;

	while (words[i] != NULL && (strlen(words[i]) != length || memcmp(words[i], word, length) != 0))
		i++;
	return i;
}

/* A decimal or hexadecimal number, or up to four decimals with dots between. Everything else that begins with
 * a digit may be a name. */
static bool
is_number(const char *word, size_t length)
{
	size_t at = 0;

	if (length > 2 && word[0] == '0' && (word[1] == 'x' || word[1] == 'X')) {
		for (at = 2; at < length && isxdigit((unsigned char)word[at]);)
			at++;
		return at == length;
	}
	for (unsigned parts = 0; parts < 4; parts++) {
		size_t from = at;

		while (at < length && isdigit((unsigned char)word[at]))
			at++;
		if (at == from)
			return false;
		if (at == length)
			return true;
		if (word[at++] != '.')
			return false;
	}
	return false;
}

/* Twelve hexadecimal digits in groups of the same size, six of two or three of four. */
static bool
is_mac(const char *word, size_t length)
{
	size_t group = length == 17 ? 2 : 4;

	if (length != 17 && length != 14)
		return false;
	for (size_t i = 0; i < length; i++) {
		bool between = i % (group + 1) == group;

		if (between ? word[i] != word[group] || strchr(".-:", word[i]) == NULL
			    : !isxdigit((unsigned char)word[i]))
			return false;
	}
	return group == 2 || word[group] == '.';
}

static bool
is_ipv6(const char *word, size_t length)
{
	struct in6_addr address;
	char copy[WORD_MAX];

	if (length >= sizeof(copy))
		return false;
	memcpy(copy, word, length);
	copy[length] = '\0';
	return inet_pton(AF_INET6, copy, &address) == 1;
}

static int
refuse(const char *word, size_t length, struct spx_error *err)
{
	struct spx_choices choices;
	char shown[WORD_MAX];

	snprintf(shown, sizeof(shown), "%.*s", (int)RTE_MIN(length, sizeof(shown) - 1), word);
	for (char *c = shown; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	spx_choices_init(&choices, shown);
	for (unsigned i = 0; words[i] != NULL; i++)
		spx_choices_add(&choices, words[i]);
	if (choices.nearest != NULL)
		return spx_error(err, -EINVAL, "\"%s\" is no word of a filter, did you mean \"%s\"?", shown,
			choices.nearest);
	return spx_error(err, -EINVAL,
		"\"%s\" is no word of a filter, and names of hosts and networks are not looked up: write the "
		"address",
		shown);
}

/* Bytes of the word at the head of the text: a whole address, or up to what ends a word for libpcap. */
static size_t
word_length(const char *text)
{
	size_t length = strspn(text, ":-_.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

	if (memchr(text, ':', length) != NULL && !is_mac(text, length) && !is_ipv6(text, length))
		length = strcspn(text, ":"); /* a part of a header: tcp[13:1] */
	return length;
}

int
spx_filter_check_words(const char *text, struct spx_error *err)
{
	bool names = false; /* the last qualifier was one of the local ones */

	while (*text != '\0') {
		bool escaped = *text == '\\'; /* a name, even if it looks like a word */
		size_t length = escaped ? 1 + strcspn(text + 1, " !()\n\t") : word_length(text);
		unsigned word = escaped ? RTE_DIM(words) - 1 : find(text, length);

		if (length == 0 || (!escaped && !isalnum((unsigned char)*text) && *text != ':'))
			length = 1; /* blanks, brackets, operators */
		else if (word < QUALIFIERS)
			names = word < LOCAL;
		else if (words[word] == NULL && !names && !is_number(text, length) && !is_mac(text, length) &&
			 !is_ipv6(text, length))
			return refuse(text, length, err);
		text += length;
	}
	return 0;
}
