// SPDX-License-Identifier: GPL-2.0
/*
 * Sends crafted frames, and loses none before the other end of the interface.
 *
 *	send [-t SECONDS] [-n FRAMES] [-r FRAMES] IFACE MAC < FLOWS
 *
 * A line of FLOWS is one flow: PROTOCOL SOURCE DESTINATION SOURCE-PORT PORT[-PORT] SIZE [TAG[,TAG]]
 * with PROTOCOL tcp (a SYN), ack (a TCP ACK) or udp, addresses of one family, SIZE of the frame in
 * bytes. SOURCE may be a prefix: each frame has a random address of it. One frame a port is sent,
 * and with -t the whole list again and again until the time is up, SIGTERM comes, or with -n so
 * many frames were sent; with -r at most so many a second. Prints for each flow: packets bytes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FLOWS	   1024
#define FRAME_MOST 9018
#define FRAME_PAD  2048 /* bytes of a frame in the batch; larger ones are sent alone */
#define BATCH	   64	/* half of what veth's ring may still hold */

struct flow {
	uint8_t frame[FRAME_MOST];
	size_t size;
	size_t ip; /* offsets */
	size_t transport;
	bool ipv6, tcp, ack;
	unsigned int first, last;
	unsigned int host_bits; /* bits of the source that are random in each frame */
	uint64_t packets, bytes;
};

static struct flow flow_list[FLOWS];
static size_t flows;
static volatile sig_atomic_t ended;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "send: %s: %s\n", what, why);
	exit(1);
}

static void end(int signal)
{
	(void)signal;
	ended = 1;
}

static uint32_t sum16(const uint8_t *data, size_t length, uint32_t sum)
{
	for (; length > 1; data += 2, length -= 2)
		sum += (uint32_t)(data[0] << 8 | data[1]);
	return length ? sum + (uint32_t)(data[0] << 8) : sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static void put_ipv4(struct flow *flow, const char *source, const char *destination)
{
	struct iphdr ip = {.version = 4, .ihl = 5, .ttl = 64};

	ip.protocol = flow->tcp ? IPPROTO_TCP : IPPROTO_UDP;
	ip.tot_len = htons((uint16_t)(flow->size - flow->ip));
	if (inet_pton(AF_INET, source, &ip.saddr) != 1 ||
	    inet_pton(AF_INET, destination, &ip.daddr) != 1)
		die(source, "no addresses of one family");
	ip.check = fold(sum16((uint8_t *)&ip, sizeof(ip), 0));
	memcpy(flow->frame + flow->ip, &ip, sizeof(ip));
	flow->transport = flow->ip + sizeof(ip);
}

static void put_ipv6(struct flow *flow, const char *source, const char *destination)
{
	struct ip6_hdr ip = {.ip6_flow = htonl(6U << 28), .ip6_hlim = 64};

	ip.ip6_nxt = flow->tcp ? IPPROTO_TCP : IPPROTO_UDP;
	ip.ip6_plen = htons((uint16_t)(flow->size - flow->ip - sizeof(ip)));
	if (inet_pton(AF_INET6, source, &ip.ip6_src) != 1 ||
	    inet_pton(AF_INET6, destination, &ip.ip6_dst) != 1)
		die(source, "no addresses of one family");
	memcpy(flow->frame + flow->ip, &ip, sizeof(ip));
	flow->transport = flow->ip + sizeof(ip);
}

static size_t put_tags(struct flow *flow, char *tags)
{
	size_t at = 2 * ETH_ALEN;
	char *tag;

	while ((tag = strsep(&tags, ","))) {
		uint16_t words[] = {htons(ETHERTYPE_VLAN), htons((uint16_t)atoi(tag))};

		memcpy(flow->frame + at, words, sizeof(words));
		at += sizeof(words);
	}
	return at;
}

static void put_transport(struct flow *flow, uint16_t source)
{
	size_t least =
		flow->transport + (flow->tcp ? sizeof(struct tcphdr) : sizeof(struct udphdr));

	if (flow->size < least || flow->size > FRAME_MOST)
		die("size", "too small for the headers, or too large");
	if (flow->tcp) {
		struct tcphdr tcp = {.source = htons(source),
				     .doff = 5,
				     .syn = !flow->ack,
				     .ack = flow->ack,
				     .window = htons(1024)};

		memcpy(flow->frame + flow->transport, &tcp, sizeof(tcp));
	} else {
		struct udphdr udp = {.source = htons(source)};

		udp.len = htons((uint16_t)(flow->size - flow->transport));
		memcpy(flow->frame + flow->transport, &udp, sizeof(udp));
	}
}

static void read_flow(char *line, const uint8_t source_mac[6], const uint8_t mac[6])
{
	char protocol[8], source[64], destination[64], tags[32] = "", *slash;
	unsigned int source_port, first, last, size;
	struct flow *new = &flow_list[flows];
	uint16_t type;
	size_t at;

	if (flows == FLOWS)
		die("flows", "too many");
	if (sscanf(line, "%7s %63s %63s %u %u-%u %u %31s", protocol, source, destination,
		   &source_port, &first, &last, &size, tags) < 7) {
		if (sscanf(line, "%7s %63s %63s %u %u %u %31s", protocol, source, destination,
			   &source_port, &first, &size, tags) < 6)
			die(line, "is no flow");
		last = first;
	}
	new->ack = !strcmp(protocol, "ack");
	new->tcp = new->ack || !strcmp(protocol, "tcp");
	new->ipv6 = strchr(source, ':');
	slash = strchr(source, '/');
	if (slash) {
		*slash = '\0';
		new->host_bits = (new->ipv6 ? 128 : 32) - (unsigned int)atoi(slash + 1);
	}
	new->first = first;
	new->last = last;
	new->size = size;
	memcpy(new->frame, mac, ETH_ALEN);
	memcpy(new->frame + ETH_ALEN, source_mac, ETH_ALEN);
	at = put_tags(new, *tags ? tags : NULL);
	type = htons(new->ipv6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
	memcpy(new->frame + at, &type, sizeof(type));
	new->ip = at + sizeof(type);
	if (new->ipv6)
		put_ipv6(new, source, destination);
	else
		put_ipv4(new, source, destination);
	put_transport(new, (uint16_t)source_port);
	flows++;
}

static uint32_t next_random(void)
{
	static uint64_t state = 88172645463325252ULL;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

/* Gives the frame another random source of its prefix. */
static void forge(const struct flow *flow, uint8_t *frame)
{
	size_t at = flow->ip + (flow->ipv6 ? 8 + 16 : 12 + 4);
	unsigned int bits = flow->host_bits;
	uint16_t check;

	while (bits) {
		unsigned int here = bits < 8 ? bits : 8;
		uint8_t mask = (uint8_t)(0xff >> (8 - here));

		at--;
		frame[at] = (uint8_t)((flow->frame[at] & ~mask) | (next_random() & mask));
		bits -= here;
	}
	if (flow->ipv6)
		return;
	memset(frame + flow->ip + 10, 0, 2);
	check = fold(sum16(frame + flow->ip, sizeof(struct iphdr), 0));
	memcpy(frame + flow->ip + 10, &check, sizeof(check));
}

/* The frame for one port, with its checksum; the payload is zero. */
static void aim(const struct flow *flow, uint8_t *frame, unsigned int port)
{
	size_t header = flow->tcp ? sizeof(struct tcphdr) : sizeof(struct udphdr);
	size_t at = flow->transport + (flow->tcp ? 16 : 6);
	size_t addresses = flow->ipv6 ? flow->ip + 8 : flow->ip + 12;
	uint16_t destination = htons((uint16_t)port), check;
	uint32_t sum;

	if (flow->host_bits)
		forge(flow, frame);
	memcpy(frame + flow->transport + 2, &destination, sizeof(destination));
	memset(frame + at, 0, 2);
	sum = flow->tcp ? IPPROTO_TCP : IPPROTO_UDP;
	sum += (uint32_t)(flow->size - flow->transport);
	sum = sum16(frame + addresses, flow->ipv6 ? 32 : 8, sum);
	check = fold(sum16(frame + flow->transport, header, sum));
	if (!check)
		check = 0xffff;
	memcpy(frame + at, &check, sizeof(check));
}

/* veth says ENOBUFS when its ring is full: the frame is sent again. */
static void send_batch(int fd, struct mmsghdr *message, unsigned int count)
{
	unsigned int sent = 0;

	while (sent < count) {
		int now = sendmmsg(fd, message + sent, count - sent, 0);

		if (now > 0)
			sent += (unsigned int)now;
		else if (errno == ENOBUFS || errno == EAGAIN)
			sched_yield();
		else if (errno != EINTR)
			die("sendmmsg", strerror(errno));
	}
}

static void send_flow(int fd, struct flow *flow)
{
	static uint8_t frame[BATCH][FRAME_MOST];
	struct iovec part[BATCH];
	struct mmsghdr message[BATCH] = {};
	unsigned int port = flow->first, count;

	for (count = 0; count < BATCH && port + count <= flow->last; count++)
		memcpy(frame[count], flow->frame, flow->size < FRAME_PAD ? FRAME_PAD : flow->size);
	while (port <= flow->last) {
		for (count = 0; count < BATCH && port <= flow->last; count++, port++) {
			aim(flow, frame[count], port);
			part[count] = (struct iovec){frame[count], flow->size};
			message[count].msg_hdr.msg_iov = &part[count];
			message[count].msg_hdr.msg_iovlen = 1;
		}
		send_batch(fd, message, count);
		flow->packets += count;
		flow->bytes += count * flow->size;
	}
}

/* Waits until `sent` frames are due, at `rate` a second. */
static void pace(const struct timespec *since, uint64_t sent, uint64_t rate)
{
	struct timespec due = *since;

	due.tv_sec += (time_t)(sent / rate);
	due.tv_nsec += (long)(sent % rate * 1000000000 / rate);
	if (due.tv_nsec >= 1000000000) {
		due.tv_nsec -= 1000000000;
		due.tv_sec++;
	}
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

static int open_interface(const char *name, uint8_t mac[6])
{
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	struct sockaddr_ll to = {.sll_family = AF_PACKET};
	socklen_t length = sizeof(to);
	int one = 1;

	to.sll_ifindex = (int)if_nametoindex(name);
	if (fd < 0 || !to.sll_ifindex || bind(fd, (struct sockaddr *)&to, sizeof(to)) ||
	    getsockname(fd, (struct sockaddr *)&to, &length) ||
	    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)))
		die(name, strerror(errno));
	memcpy(mac, to.sll_addr, ETH_ALEN);
	return fd;
}

int main(int argc, char **argv)
{
	struct sched_param idle = {};
	uint8_t source_mac[6], mac[6];
	struct timespec now, since, until;
	char line[256];
	double seconds = 0;
	uint64_t frames = UINT64_MAX, rate = 0, sent = 0;
	size_t i;
	int option, fd;

	while ((option = getopt(argc, argv, "t:n:r:")) != -1) {
		switch (option) {
		case 't': seconds = atof(optarg); break;
		case 'n': frames = strtoull(optarg, NULL, 10); break;
		case 'r': rate = strtoull(optarg, NULL, 10); break;
		default: return 2;
		}
	}
	if (argc - optind != 2 || sscanf(argv[optind + 1], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0],
					 &mac[1], &mac[2], &mac[3], &mac[4], &mac[5]) != 6) {
		fputs("usage: send [-t SECONDS] [-n FRAMES] [-r FRAMES] IFACE MAC < FLOWS\n",
		      stderr);
		return 2;
	}
	fd = open_interface(argv[optind], source_mac);
	while (fgets(line, sizeof(line), stdin))
		read_flow(line, source_mac, mac);
	signal(SIGTERM, end);
	sched_setscheduler(0, SCHED_BATCH, &idle);
	clock_gettime(CLOCK_MONOTONIC, &since);
	until = since;
	until.tv_sec += (time_t)seconds;
	until.tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
	do {
		for (i = 0; i < flows; i++) {
			send_flow(fd, &flow_list[i]);
			sent += flow_list[i].last - flow_list[i].first + 1;
			if (rate)
				pace(&since, sent, rate);
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (!ended && sent < frames &&
		 (now.tv_sec < until.tv_sec ||
		  (now.tv_sec == until.tv_sec && now.tv_nsec < until.tv_nsec)));
	for (i = 0; i < flows; i++)
		printf("%llu %llu\n", (unsigned long long)flow_list[i].packets,
		       (unsigned long long)flow_list[i].bytes);
	return 0;
}
