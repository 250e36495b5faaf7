/* A packet filter in the language of pcap-filter(7), compiled by libpcap, run on mbufs.
 *
 *   filter.c        compiles and matches
 *   filter_words.c  refuses what libpcap would ask a name server for, and misspelt words with it
 *
 * Traces and captures choose their packets by it. Host and network names are refused: a filter never waits
 * for a name server, not even by a slip of the pen. Names of ports (domain) and protocols come from the local
 * files. Compiling allocates and reads those files: never in a packet loop. Matching does neither, and ends:
 * `protochain`, whose program loops, is refused too.
 */
#ifndef SPX_FILTER_H
#define SPX_FILTER_H

#include "lib/base/base.h"

#define SPX_FILTER_TEXT_MAX 1024u /* bytes of a filter's text */

struct spx_filter;

/* Compiles `text` for Ethernet frames. NULL, an empty text or one of spaces matches every packet: *out is
 * then NULL, which the functions below take. 0, -EINVAL with the filter, the complaint and filters that would
 * be right, -ENOMEM. Any thread. */
int spx_filter_create(const char *text, struct spx_filter **out, struct spx_error *err);
void spx_filter_free(struct spx_filter *filter);

/* True when the frame matches; of a frame in several segments the first one is looked at, with the length of
 * the whole: what lies beyond it matches nothing. Any thread. */
bool spx_filter_match(const struct spx_filter *filter, const struct rte_mbuf *m);

#endif
