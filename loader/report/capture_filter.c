// SPDX-License-Identifier: GPL-2.0
/* Capture filters, compiled by libpcap. */
#include "loader/report/capture_filter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/report/pcap_library.h"

#define ADDRESSES   (2 * ETH_ALEN) /* bytes before the ethertype or the first VLAN tag */
#define TAG	    4
#define TAGS	    2	   /* tags that the BPF programs skip; with more a frame is malformed */
#define SNAPLEN	    262144 /* the snapshot length of tcpdump: no frame is longer */
#define FRAME_LIMIT 65536

/* The functions of libpcap that are used. */
struct pcap_library {
	pcap_t *(*open_dead)(int link_type, int snaplen);
	int (*compile)(pcap_t *pcap, struct bpf_program *program, const char *text, int optimize,
		       bpf_u_int32 netmask);
	char *(*geterr)(pcap_t *pcap);
	int (*offline_filter)(const struct bpf_program *program, const struct pcap_pkthdr *header,
			      const u_char *bytes);
	void (*freecode)(struct bpf_program *program);
	void (*close)(pcap_t *pcap);
};

struct capture_filter {
	bool ethernet;
	struct pcap_library library;
	struct bpf_program program;
	__u8 untagged[FRAME_LIMIT];
};

static int load_library(struct pcap_library *library, char **why)
{
	const struct library_symbol symbol[] = {
		{"pcap_open_dead", &library->open_dead},
		{"pcap_compile", &library->compile},
		{"pcap_geterr", &library->geterr},
		{"pcap_offline_filter", &library->offline_filter},
		{"pcap_freecode", &library->freecode},
		{"pcap_close", &library->close},
	};

	return pcap_library_load(symbol, ARRAY_SIZE(symbol), why);
}

/* libpcap's message, without the prefix that libpcap 1.10 adds to some. */
static char *explained(const char *why)
{
	static const char useless[] = "can't parse filter expression: ";

	return xstrdup(strncmp(why, useless, strlen(useless)) ? why : why + strlen(useless));
}

int capture_filter_compile(const char *text, bool ethernet, struct capture_filter **compiled,
			   char **why)
{
	__cleanup(capture_filter_free) struct capture_filter *filter = xcalloc(1, sizeof(*filter));
	int err = load_library(&filter->library, why);
	pcap_t *pcap;

	if (err)
		return err;
	filter->ethernet = ethernet;
	pcap = filter->library.open_dead(ethernet ? DLT_EN10MB : DLT_RAW, SNAPLEN);
	if (!pcap) {
		*why = xstrdup(strerror(ENOMEM));
		return -ENOMEM;
	}
	if (filter->library.compile(pcap, &filter->program, text, 1, PCAP_NETMASK_UNKNOWN)) {
		*why = explained(filter->library.geterr(pcap));
		err = -EINVAL;
	}
	filter->library.close(pcap);
	if (err)
		return err;
	*compiled = filter;
	filter = NULL;
	return 0;
}

/* The bytes of the VLAN tags after the Ethernet addresses. */
static size_t vlan_bytes(const __u8 *bytes, size_t captured)
{
	size_t tags = 0;

	while (tags < TAGS && ADDRESSES + (tags + 1) * TAG + 2 <= captured) {
		__be16 type;

		memcpy(&type, bytes + ADDRESSES + tags * TAG, sizeof(type));
		if (type != htons(ETH_P_8021Q) && type != htons(ETH_P_8021AD))
			break;
		tags++;
	}
	return tags * TAG;
}

bool capture_filter_match(struct capture_filter *filter, const __u8 *bytes, size_t captured,
			  size_t length)
{
	size_t tags = filter->ethernet ? vlan_bytes(bytes, captured) : 0;
	struct pcap_pkthdr header;

	if (captured > sizeof(filter->untagged))
		captured = sizeof(filter->untagged);
	if (tags) {
		memcpy(filter->untagged, bytes, ADDRESSES);
		memcpy(filter->untagged + ADDRESSES, bytes + ADDRESSES + tags,
		       captured - tags - ADDRESSES);
		bytes = filter->untagged;
	}
	header = (struct pcap_pkthdr){.caplen = (bpf_u_int32)(captured - tags),
				      .len = (bpf_u_int32)(length - tags)};
	return filter->library.offline_filter(&filter->program, &header, bytes);
}

void capture_filter_free(struct capture_filter **freed)
{
	struct capture_filter *filter = *freed;

	if (!filter)
		return;
	if (filter->program.bf_insns)
		filter->library.freecode(&filter->program);
	free(filter);
	*freed = NULL;
}
