// SPDX-License-Identifier: GPL-2.0
/* A network namespace of the test's own, and the real sockets of fixture.h in it. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/if_tun.h>
#include <linux/ipv6.h>
#include <linux/route.h>
#include <linux/sockios.h>

#include "loader/base/message.h"
#include "tests/packet/check.h"
#include "tests/packet/fixture.h"

#define FAR4   "198.51.100.7"
#define FAR6   "2001:db8:f::7"
#define DEVICE "far0"
#define OUT    "out0"
#define NEAR4  "10.77.0.1" /* the host's address on that device */
#define BEYOND "10.77.0.2"
#define BRIDGE "br0"
#define PORT   "port0"
#define ABOVE4 "10.78.0.1" /* the host's address on the bridge */
#define BEHIND "10.78.0.2"

static int tun = -1;
static int tap = -1;
static int bridged = -1; /* port0, of the bridge */

/* Sockets that are closed to be made again; the others live as long as the process. */
static int brief[8];
static size_t briefs;

#define TRY(call)                                                         \
	do {                                                              \
		if ((call) < 0) {                                         \
			int try_err = -errno;                             \
                                                                          \
			error("fixture: %s: %s", #call, strerror(errno)); \
			return try_err;                                   \
		}                                                         \
	} while (0)

/* --- devices and addresses --- */

static struct sockaddr_in address4(const char *text, uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

	inet_pton(AF_INET, text, &address.sin_addr);
	return address;
}

/* The IPv4 address of a dual-stack socket as ::ffff:. */
static struct sockaddr_in6 address6(const char *text, uint16_t port)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	char mapped[64];

	if (!strchr(text, ':')) {
		snprintf(mapped, sizeof(mapped), "::ffff:%s", text);
		text = mapped;
	}
	inet_pton(AF_INET6, text, &address.sin6_addr);
	return address;
}

static int add4(int control, const char *label, const char *text)
{
	struct sockaddr_in address = address4(text, 0), mask = address4("255.255.255.255", 0);
	struct ifreq request = {0};

	snprintf(request.ifr_name, IFNAMSIZ, "%s", label);
	memcpy(&request.ifr_addr, &address, sizeof(address));
	TRY(ioctl(control, SIOCSIFADDR, &request));
	memcpy(&request.ifr_addr, &mask, sizeof(mask));
	TRY(ioctl(control, SIOCSIFNETMASK, &request));
	return 0;
}

static int add6(int control, const char *device, const char *text, unsigned int bits)
{
	struct in6_ifreq request = {.ifr6_prefixlen = bits,
				    .ifr6_ifindex = (int)if_nametoindex(device)};

	inet_pton(AF_INET6, text, &request.ifr6_addr);
	TRY(ioctl(control, SIOCSIFADDR, &request));
	return 0;
}

static int up(int control, const char *device)
{
	struct ifreq request = {.ifr_flags = IFF_UP | IFF_RUNNING};

	snprintf(request.ifr_name, IFNAMSIZ, "%s", device);
	TRY(ioctl(control, SIOCSIFFLAGS, &request));
	return 0;
}

/* A device behind which FAR would be. Packets sent there are never read. */
static int make_far(int control)
{
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI, .ifr_name = DEVICE};
	struct sockaddr_in to = address4(FAR4, 0), mask = address4("255.255.255.255", 0);
	char device[] = DEVICE;
	struct rtentry route = {.rt_flags = RTF_UP | RTF_HOST, .rt_dev = device};

	TRY(tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
	TRY(ioctl(tun, TUNSETIFF, &request));
	TRY(up(control, DEVICE));
	memcpy(&route.rt_dst, &to, sizeof(to));
	memcpy(&route.rt_genmask, &mask, sizeof(mask));
	TRY(ioctl(control, SIOCADDRT, &route));
	return 0;
}

static int set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	TRY(fd);
	TRY(write(fd, value, strlen(value)));
	close(fd);
	return 0;
}

/* An Ethernet device, without ARP, whose outgoing packets can be read. */
static int make_out(int control)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI, .ifr_name = OUT};
	struct sockaddr_in mask = address4("255.255.255.0", 0);

	TRY(tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
	TRY(ioctl(tap, TUNSETIFF, &request));
	TRY(add4(control, OUT, NEAR4));
	memcpy(&request.ifr_addr, &mask, sizeof(mask));
	TRY(ioctl(control, SIOCSIFNETMASK, &request));
	request.ifr_flags = IFF_UP | IFF_RUNNING | IFF_NOARP;
	TRY(ioctl(control, SIOCSIFFLAGS, &request));
	TRY(set("/proc/sys/net/ipv4/ip_forward", "1"));
	return 0;
}

static int make_devices(void)
{
	int control4, control6;

	TRY(control4 = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	TRY(control6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	TRY(up(control4, "lo"));
	TRY(add4(control4, "lo:1", FRAME_TARGET4));
	TRY(add4(control4, "lo:2", FRAME_SOURCE4));
	/* Addresses without duplicate address detection, so that they can be used at once. */
	TRY(set("/proc/sys/net/ipv6/conf/all/accept_dad", "0"));
	TRY(set("/proc/sys/net/ipv6/conf/default/accept_dad", "0"));
	TRY(add6(control6, "lo", FRAME_TARGET6, 128));
	TRY(add6(control6, "lo", FRAME_SOURCE6, 128));
	TRY(make_far(control4));
	TRY(add6(control6, DEVICE, "2001:db8:f::1", 64));
	TRY(make_out(control4));
	close(control4);
	close(control6);
	return 0;
}

/* --- sockets --- */

static int bind_and_connect(int fd, int family, const char *local, uint16_t local_port,
			    const char *remote, uint16_t remote_port)
{
	struct sockaddr_in from4 = address4(local, local_port), to4 = {0};
	struct sockaddr_in6 from6 = address6(local, local_port), to6 = {0};
	bool ipv4 = family == AF_INET;
	int yes = 1, failed = -1;

	TRY(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)));
	/* A new IPv6 address can be used only a moment later. */
	for (int tries = 0; tries < 200; tries++) {
		failed = ipv4 ? bind(fd, (void *)&from4, sizeof(from4)) :
				bind(fd, (void *)&from6, sizeof(from6));
		if (!failed || errno != EADDRNOTAVAIL)
			break;
		usleep(10000);
	}
	TRY(failed);
	if (!remote)
		return 0;
	to4 = address4(remote, remote_port);
	to6 = address6(remote, remote_port);
	if ((ipv4 ? connect(fd, (void *)&to4, sizeof(to4)) :
		    connect(fd, (void *)&to6, sizeof(to6))) &&
	    errno != EINPROGRESS) {
		int err = -errno;

		error("fixture: port %u to %s port %u: %s", local_port, remote, remote_port,
		      strerror(errno));
		return err;
	}
	return 0;
}

/* With SOCK_NONBLOCK in `type` it does not wait for the connection. Returns the descriptor. */
static int make_socket(int family, int type, const char *device, const char *local,
		       uint16_t local_port, const char *remote, uint16_t remote_port)
{
	int fd;

	TRY(fd = socket(family, type | SOCK_CLOEXEC, 0));
	if (device)
		TRY(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device)));
	TRY(bind_and_connect(fd, family, local, local_port, remote, remote_port));
	return fd;
}

static int listener(int family, const char *address, uint16_t port)
{
	int fd = make_socket(family, SOCK_STREAM, NULL, address, port, NULL, 0);

	TRY(fd);
	TRY(listen(fd, 16));
	return fd;
}

static int listeners[5]; /* sockets of PEER: 993 and 9000, both families */
static int host_listener[2];
static int talking[2]; /* both ends of the connection of 40102 */

static int make_listeners(void)
{
	TRY(listeners[0] = listener(AF_INET, FRAME_SOURCE4, 993));
	TRY(listeners[1] = listener(AF_INET6, FRAME_SOURCE6, 993));
	TRY(listeners[2] = listener(AF_INET, FRAME_SOURCE4, 9000));
	TRY(listeners[3] = listener(AF_INET6, FRAME_SOURCE6, 9000));
	TRY(host_listener[0] = listener(AF_INET, FRAME_TARGET4, 2222));
	TRY(host_listener[1] = listener(AF_INET6, "::", 2223));
	return 0;
}

static int connected(int family, const char *local, uint16_t local_port, const char *remote,
		     uint16_t remote_port)
{
	return make_socket(family, SOCK_STREAM, NULL, local, local_port, remote, remote_port);
}

/* No host answers its SYN: it is repeated for as long as a slow machine may take, and not for 127
 * s. */
static int connecting(const char *device, uint16_t port)
{
	int fd, syns = 127;

	TRY(fd = make_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, device, FRAME_TARGET4, port,
			     FAR4, 9000));
	return setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &syns, sizeof(syns));
}

static int make_tcp(void)
{
	int fd;

	TRY(connected(AF_INET, FRAME_TARGET4, 40100, FRAME_SOURCE4, 993));
	TRY(accept4(listeners[0], NULL, NULL, SOCK_CLOEXEC));
	TRY(connected(AF_INET6, FRAME_TARGET6, 40100, FRAME_SOURCE6, 993));
	TRY(accept4(listeners[1], NULL, NULL, SOCK_CLOEXEC));
	TRY(talking[0] = connected(AF_INET6, FRAME_TARGET4, 40102, FRAME_SOURCE4, 9000));
	TRY(talking[1] = accept4(listeners[2], NULL, NULL, SOCK_CLOEXEC));
	TRY(connected(AF_INET, FRAME_SOURCE4, 50000, FRAME_TARGET4, 2222));
	TRY(accept4(host_listener[0], NULL, NULL, SOCK_CLOEXEC));
	TRY(connected(AF_INET6, FRAME_SOURCE6, 50000, FRAME_TARGET6, 2223));
	TRY(accept4(host_listener[1], NULL, NULL, SOCK_CLOEXEC));

	TRY(connected(AF_INET, FRAME_TARGET4, 40107, FRAME_SOURCE4, 9000));
	TRY(fd = accept4(listeners[2], NULL, NULL, SOCK_CLOEXEC));
	TRY(shutdown(fd, SHUT_WR));

	TRY(connecting(NULL, 40105));
	TRY(connecting(DEVICE, 40106));
	return 0;
}

static int make_udp(void)
{
	TRY(make_socket(AF_INET, SOCK_DGRAM, NULL, FRAME_TARGET4, 40200, FRAME_SOURCE4, 53));
	TRY(make_socket(AF_INET6, SOCK_DGRAM, NULL, FRAME_TARGET6, 40200, FRAME_SOURCE6, 53));
	TRY(make_socket(AF_INET6, SOCK_DGRAM, NULL, FRAME_TARGET4, 40202, FRAME_SOURCE4, 53));
	TRY(make_socket(AF_INET, SOCK_DGRAM, NULL, FRAME_TARGET4, 40203, NULL, 0));
	TRY(make_socket(AF_INET6, SOCK_DGRAM, NULL, "::", 40204, NULL, 0));
	TRY(make_socket(AF_INET, SOCK_DGRAM, DEVICE, FRAME_TARGET4, 40205, FRAME_SOURCE4, 53));
	TRY(make_socket(AF_INET, SOCK_DGRAM, NULL, FRAME_TARGET4, 40206, FRAME_SOURCE4, 5300));
	return 0;
}

/* --- sockets that end by themselves --- */

/* The host closes first, so that it keeps the time-wait; `half` leaves the peer's side open. */
static int make_closing(int family, int peer_listener, uint16_t port, bool half)
{
	bool ipv4 = family == AF_INET;
	int near, far;

	TRY(near = connected(family, ipv4 ? FRAME_TARGET4 : FRAME_TARGET6, port,
			     ipv4 ? FRAME_SOURCE4 : FRAME_SOURCE6, 9000));
	TRY(far = accept4(peer_listener, NULL, NULL, SOCK_CLOEXEC));
	close(near);
	if (half)
		brief[briefs++] = far;
	else
		close(far);
	return 0;
}

static uint16_t checksum(const uint8_t *data, size_t length, uint32_t sum)
{
	for (size_t i = 0; i < length; i++)
		sum += i & 1 ? data[i] : (uint32_t)data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void put_checksum(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* A SYN from FAR. No host gets the answer, so the request stays. */
static int send_syn(int family, uint16_t port)
{
	struct frame_spec spec = {.family = family,
				  .protocol = 6,
				  .source = family == 4 ? FAR4 : FAR6,
				  .source_port = 50010,
				  .port = port};
	static struct frame frame;
	uint8_t *ip, *tcp;
	uint16_t sum;

	frame_build(&spec, &frame);
	ip = frame.data + frame.ip;
	tcp = frame.data + frame.upper;
	if (family == 4)
		put_checksum(ip + 10, checksum(ip, 20, 0));
	/* The pseudo header: addresses, protocol, length. */
	sum = (uint16_t)~checksum(family == 4 ? ip + 12 : ip + 8, family == 4 ? 8 : 32, 6 + 20);
	put_checksum(tcp + 16, checksum(tcp, 20, sum));
	TRY(write(tun, ip, frame.length - frame.ip));
	return 0;
}

/* The kernel wants IPv4's own checksum for packets that it forwards. */
int fixture_forward(struct frame *frame, int family)
{
	uint8_t *ip = frame->data + frame->ip;

	if (family == 4) {
		put_checksum(ip + 10, 0);
		put_checksum(ip + 10, checksum(ip, 20, 0));
	}
	TRY(write(tun, ip, frame->length - frame->ip));
	return 0;
}

bool fixture_went_out(uint16_t source_port)
{
	uint8_t data[2048];
	bool found = false;
	ssize_t length;

	while ((length = read(tap, data, sizeof(data))) > 0)
		found |= length >= 38 && data[12] == 8 && data[13] == 0 &&
			 (uint16_t)(data[34] << 8 | data[35]) == source_port;
	return found;
}

unsigned int fixture_out(void)
{
	return if_nametoindex(OUT);
}

int fixture_send(uint16_t local_port, uint16_t remote_port, bool peer, const char *device)
{
	struct sockaddr_in to = address4(BEYOND, remote_port);
	int fd;

	TRY(fd = make_socket(AF_INET, SOCK_DGRAM, device, NEAR4, local_port, peer ? BEYOND : NULL,
			     remote_port));
	TRY(sendto(fd, "", 1, 0, peer ? NULL : (void *)&to, peer ? 0 : sizeof(to)));
	close(fd);
	return 0;
}

/* --- a bridge: what is sent by it goes out by another device --- */

static void cannot(const char *what)
{
	note("no bridge: %s: %s", what, strerror(errno));
}

/* BEHIND has a fixed link address, so that no neighbour has to be resolved. */
static int add_neighbour(int control)
{
	struct arpreq request = {
		.arp_flags = ATF_COM | ATF_PERM,
		.arp_ha = {.sa_family = ARPHRD_ETHER, .sa_data = {2, 0, 0, 0, 0, 9}},
		.arp_dev = BRIDGE};
	struct sockaddr_in address = address4(BEHIND, 0);

	memcpy(&request.arp_pa, &address, sizeof(address));
	TRY(ioctl(control, SIOCSARP, &request));
	return 0;
}

/* Waits until the bridge sees that its port has a carrier. */
static bool comes_up(int control, const char *device)
{
	struct ifreq request = {0};

	snprintf(request.ifr_name, IFNAMSIZ, "%s", device);
	for (int tries = 0; tries < 200; tries++) {
		if (!ioctl(control, SIOCGIFFLAGS, &request) && request.ifr_flags & IFF_RUNNING)
			return true;
		usleep(10000);
	}
	errno = ENETDOWN;
	return false;
}

int fixture_bridge(void)
{
	struct ifreq tap_request = {.ifr_flags = IFF_TAP | IFF_NO_PI, .ifr_name = PORT};
	struct ifreq request = {.ifr_name = BRIDGE};
	struct sockaddr_in mask = address4("255.255.255.0", 0);
	int control;

	TRY(control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	if (ioctl(control, SIOCBRADDBR, BRIDGE)) {
		cannot("SIOCBRADDBR");
		close(control);
		return -ENODEV;
	}
	TRY(bridged = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
	TRY(ioctl(bridged, TUNSETIFF, &tap_request));
	request.ifr_ifindex = (int)fixture_port();
	TRY(ioctl(control, SIOCBRADDIF, &request));
	TRY(up(control, PORT));
	TRY(add4(control, BRIDGE, ABOVE4));
	memcpy(&request.ifr_addr, &mask, sizeof(mask));
	TRY(ioctl(control, SIOCSIFNETMASK, &request));
	TRY(up(control, BRIDGE));
	TRY(add_neighbour(control));
	if (!comes_up(control, BRIDGE)) {
		cannot("carrier");
		close(control);
		return -ENETDOWN;
	}
	usleep(50000); /* its queue appears a moment later */
	close(control);
	return 0;
}

unsigned int fixture_port(void)
{
	return if_nametoindex(PORT);
}

int fixture_send_bridged(uint8_t protocol, uint16_t local_port, bool peer, bool bound)
{
	struct sockaddr_in to = address4(BEHIND, 5300);
	const char *device = bound ? BRIDGE : NULL;
	int fd;

	if (protocol == 6) {
		TRY(fd = make_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, device, ABOVE4,
				     local_port, BEHIND, 5300));
	} else {
		TRY(fd = make_socket(AF_INET, SOCK_DGRAM, device, ABOVE4, local_port,
				     peer ? BEHIND : NULL, 5300));
		TRY(sendto(fd, "", 1, 0, peer ? NULL : (void *)&to, peer ? 0 : sizeof(to)));
	}
	close(fd);
	return 0;
}

int fixture_talk(void)
{
	char byte;

	for (int i = 0; i < 2; i++) {
		TRY(send(talking[i], "", 1, 0));
		usleep(2000);
		TRY(recv(talking[!i], &byte, 1, MSG_DONTWAIT));
	}
	return 0;
}

int fixture_begin(void)
{
	int fd = make_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, NULL, FRAME_TARGET4, 40109,
			     FRAME_SOURCE4, 9000);

	TRY(fd);
	close(fd);
	return 0;
}

int fixture_refresh(void)
{
	while (briefs)
		close(brief[--briefs]);
	TRY(make_closing(AF_INET, listeners[2], 40103, false));
	TRY(make_closing(AF_INET6, listeners[3], 40103, false));
	TRY(make_closing(AF_INET, listeners[2], 40104, true));
	TRY(send_syn(4, 2222));
	TRY(send_syn(6, 2223));
	return 0;
}

int fixture_open(void)
{
	TRY(unshare(CLONE_NEWNET));
	TRY(make_devices());
	TRY(make_listeners());
	TRY(make_tcp());
	TRY(make_udp());
	return fixture_refresh();
}
