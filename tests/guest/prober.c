// SPDX-License-Identifier: GPL-2.0
/*
 * The stranger outside: from before the link is up it asks 20 ports, and says what answers.
 *
 *	prober IFACE MAC ADDRESS PORT
 *
 * Every 20 ms a SYN and a datagram go out of IFACE to every fourth of the ports 7001 to 7020 of MAC
 * and ADDRESS (IPv4 or IPv6), the next time to the ports behind these, and a SYN to PORT, which the
 * site file opens. Prints a line for what comes back, flushed: "SECONDS open|reply PROTOCOL PORT"
 * in boot time: open is an answer of PORT (one in 100 ms is told), reply is one of the others, or
 * an ICMP error. Runs until it is killed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FIRST 7001
#define LAST  7020
#define ROUND 0.02 /* seconds */
#define PARTS 4

struct prober {
	int fd;
	int family;
	uint8_t own_mac[6], mac[6];
	uint8_t own[16], address[16];
	uint16_t open, source_port;
	uint16_t part;
	double told;
};

static void die(const char *what)
{
	fprintf(stderr, "prober: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_BOOTTIME, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static uint32_t sum(const void *data, size_t size)
{
	const uint8_t *byte = data;
	uint32_t total = 0;
	size_t i;

	for (i = 0; i < size; i++)
		total += i % 2 ? byte[i] : byte[i] << 8;
	return total;
}

static uint16_t fold(uint32_t total)
{
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return htons(~total);
}

static size_t put_ethernet(const struct prober *prober, uint8_t *frame)
{
	uint16_t type = htons(prober->family == AF_INET ? ETHERTYPE_IP : ETHERTYPE_IPV6);
	size_t at = 12;

	memcpy(frame, prober->mac, 6);
	memcpy(frame + 6, prober->own_mac, 6);
	memcpy(frame + at, &type, sizeof(type));
	return at + sizeof(type);
}

static size_t put_ip(const struct prober *prober, uint8_t *at, int protocol, size_t size)
{
	struct iphdr *ip = (void *)at;
	struct ip6_hdr *ip6 = (void *)at;

	if (prober->family == AF_INET) {
		*ip = (struct iphdr){.version = 4, .ihl = 5, .ttl = 64, .protocol = protocol};
		ip->tot_len = htons(sizeof(*ip) + size);
		memcpy(&ip->saddr, prober->own, 4);
		memcpy(&ip->daddr, prober->address, 4);
		ip->check = fold(sum(ip, sizeof(*ip)));
		return sizeof(*ip);
	}
	*ip6 = (struct ip6_hdr){.ip6_flow = htonl(6u << 28), .ip6_hlim = 64, .ip6_nxt = protocol};
	ip6->ip6_plen = htons(size);
	memcpy(&ip6->ip6_src, prober->own, 16);
	memcpy(&ip6->ip6_dst, prober->address, 16);
	return sizeof(*ip6);
}

static void send_one(const struct prober *prober, int protocol, uint16_t port)
{
	size_t addresses = prober->family == AF_INET ? 4 : 16;
	size_t size = protocol == IPPROTO_TCP ? sizeof(struct tcphdr) : sizeof(struct udphdr);
	uint8_t frame[128] = {0}, *at = frame;
	struct tcphdr *tcp;
	struct udphdr *udp;
	uint32_t total;

	at += put_ethernet(prober, at);
	at += put_ip(prober, at, protocol, size);
	total = sum(prober->own, addresses) + sum(prober->address, addresses) + protocol + size;
	tcp = (void *)at;
	udp = (void *)at;
	if (protocol == IPPROTO_TCP) {
		tcp->source = htons(prober->source_port);
		tcp->dest = htons(port);
		tcp->seq = htonl(prober->source_port * 7919);
		tcp->doff = sizeof(*tcp) / 4;
		tcp->syn = 1;
		tcp->window = htons(1024);
		tcp->check = fold(total + sum(tcp, sizeof(*tcp)));
	} else {
		udp->source = htons(prober->source_port);
		udp->dest = htons(port);
		udp->len = htons(sizeof(*udp));
		udp->check = fold(total + sum(udp, sizeof(*udp)));
	}
	/* The link may be down, or the queue full: the next round comes soon. */
	(void)!send(prober->fd, frame, at + size - frame, 0);
}

static void send_round(struct prober *prober)
{
	uint16_t port;

	prober->source_port = prober->source_port < 60000 ? prober->source_port + 1 : 20000;
	prober->part = (prober->part + 1) % PARTS;
	for (port = FIRST + prober->part; port <= LAST; port += PARTS) {
		send_one(prober, IPPROTO_TCP, port);
		send_one(prober, IPPROTO_UDP, port);
	}
	send_one(prober, IPPROTO_TCP, prober->open);
}

static void tell(struct prober *prober, const char *protocol, uint16_t port)
{
	if (port == prober->open && now() - prober->told < 0.1)
		return;
	if (port == prober->open)
		prober->told = now();
	printf("%.3f %s %s %u\n", now(), port == prober->open ? "open" : "reply", protocol, port);
	fflush(stdout);
}

static void read_frame(struct prober *prober, const uint8_t *frame, ssize_t size)
{
	const struct iphdr *ip = (const void *)(frame + ETH_HLEN);
	const struct ip6_hdr *ip6 = (const void *)(frame + ETH_HLEN);
	const uint8_t *transport = frame + ETH_HLEN + (prober->family == AF_INET ? 20 : 40);
	uint16_t type = frame[12] << 8 | frame[13], port;
	int protocol;

	if (size < (transport - frame) + 4 || memcmp(frame + 6, prober->mac, 6))
		return;
	if (type != (prober->family == AF_INET ? ETHERTYPE_IP : ETHERTYPE_IPV6))
		return;
	if (prober->family == AF_INET ? memcmp(&ip->saddr, prober->address, 4) :
					memcmp(&ip6->ip6_src, prober->address, 16))
		return;
	protocol = prober->family == AF_INET ? ip->protocol : ip6->ip6_nxt;
	port = transport[0] << 8 | transport[1];
	if (protocol == IPPROTO_TCP)
		tell(prober, "tcp", port);
	else if (protocol == IPPROTO_UDP && port >= FIRST && port <= LAST)
		tell(prober, "udp", port);
	else if (protocol == IPPROTO_ICMP && *transport == ICMP_DEST_UNREACH)
		tell(prober, "icmp", 0);
	else if (protocol == IPPROTO_ICMPV6 && *transport == ICMP6_DST_UNREACH)
		tell(prober, "icmp6", 0);
}

/* Reads incoming packets until the round is over. */
static void read_until(struct prober *prober, double end)
{
	struct pollfd poll_fd = {.fd = prober->fd, .events = POLLIN};
	uint8_t frame[2048];

	while (now() < end) {
		ssize_t size = recv(prober->fd, frame, sizeof(frame), MSG_DONTWAIT);

		if (size > 0)
			read_frame(prober, frame, size);
		else
			poll(&poll_fd, 1, 1 + (end - now()) * 1000);
	}
}

static void open_socket(struct prober *prober, const char *name)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex(name),
	};
	struct ifreq request = {};

	prober->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (prober->fd < 0 || ioctl(prober->fd, SIOCGIFHWADDR, &request) ||
	    bind(prober->fd, (void *)&address, sizeof(address)))
		die(name);
	memcpy(prober->own_mac, request.ifr_hwaddr.sa_data, 6);
}

/* Our own address: the one next to theirs, whose last byte is 250 (IPv6 link-local: fe80::fa). */
static void choose_addresses(struct prober *prober, const char *text)
{
	prober->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(prober->family, text, prober->address) != 1)
		die(text);
	memcpy(prober->own, prober->address, 16);
	if (prober->family == AF_INET)
		prober->own[3] = 250;
	else
		inet_pton(AF_INET6, "fe80::fa", prober->own);
}

int main(int argc, char **argv)
{
	struct prober prober = {.source_port = 20000};
	double next;

	if (argc != 5 || !ether_aton_r(argv[2], (void *)prober.mac)) {
		fprintf(stderr, "usage: prober IFACE MAC ADDRESS PORT\n");
		return 2;
	}
	prober.open = atoi(argv[4]);
	choose_addresses(&prober, argv[3]);
	open_socket(&prober, argv[1]);
	for (next = now();; next = now() > next + 1 ? now() : next + ROUND) {
		send_round(&prober);
		read_until(&prober, next + ROUND);
	}
}
