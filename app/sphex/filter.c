/* Packet filters: text to a BPF program, the program on mbufs; see filter.h. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include "app/sphex/filter.h"
#include "app/sphex/filter_words.h"

#define SNAP  262144 /* bytes of a frame that a filter may look at: all */
#define SHOWN 80     /* characters of a filter that a message repeats */

struct spx_filter {
	struct bpf_program program;
};

/* `filter "TEXT": COMPLAINT; such as ... expected`, printable whatever the text is. */
static int
refuse(const char *text, const char *complaint, struct spx_error *err)
{
	char shown[SHOWN + 1], why[PCAP_ERRBUF_SIZE];

	snprintf(shown, sizeof(shown), "%s", text);
	snprintf(why, sizeof(why), "%s", complaint);
	for (char *c = shown; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	for (char *c = why; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return spx_error(err, -EINVAL,
		"filter \"%s%s\": %s; such as \"udp port 53\" or \"host 10.0.0.1 and not arp\" expected "
		"(pcap-filter(7))",
		shown, strlen(text) > SHOWN ? "..." : "", why);
}

static int
compile(const char *text, struct spx_filter *filter, struct spx_error *err)
{
	pcap_t *ethernet = pcap_open_dead(DLT_EN10MB, SNAP);
	int rc = 0;

	if (ethernet == NULL)
		return spx_error(err, -ENOMEM, "no memory for a filter");
	if (pcap_compile(ethernet, &filter->program, text, 1, PCAP_NETMASK_UNKNOWN) != 0)
		rc = refuse(text, pcap_geterr(ethernet), err);
	pcap_close(ethernet);
	return rc;
}

int
spx_filter_create(const char *text, struct spx_filter **out, struct spx_error *err)
{
	struct spx_filter *filter;
	struct spx_error why;
	int rc;

	*out = NULL;
	if (text == NULL || text[strspn(text, " \t\n")] == '\0')
		return 0;
	if (strlen(text) > SPX_FILTER_TEXT_MAX)
		return spx_error(err, -EINVAL, "the filter has %zu bytes; at most %u expected", strlen(text),
			SPX_FILTER_TEXT_MAX);
	if (spx_filter_check_words(text, &why) != 0)
		return refuse(text, why.text, err);
	filter = calloc(1, sizeof(*filter));
	if (filter == NULL)
		return spx_error(err, -ENOMEM, "no memory for a filter");
	rc = compile(text, filter, err);
	if (rc != 0) {
		free(filter);
		return rc;
	}
	*out = filter;
	return 0;
}

void
spx_filter_free(struct spx_filter *filter)
{
	if (filter == NULL)
		return;
	pcap_freecode(&filter->program);
	free(filter);
}

bool
spx_filter_match(const struct spx_filter *filter, const struct rte_mbuf *m)
{
	return filter == NULL || bpf_filter(filter->program.bf_insns, rte_pktmbuf_mtod(m, const u_char *),
					 m->pkt_len, m->data_len) != 0;
}
