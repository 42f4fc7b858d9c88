// SPDX-License-Identifier: GPL-2.0
/* Compares a filter with its host. */
#include "loader/host/audit.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/net/link.h"
#include "loader/report/audit.h"

#define EPHEMERAL_FIRST 32768 /* used where the kernel's setting cannot be read */
#define EPHEMERAL_LAST	60999
/* ports of a range that are listed one by one; a wider range is listed as a whole */
#define RANGE		16

/* The ports that the kernel gives to sockets that ask for no particular one, as UDP clients do. */
static void read_ephemeral(unsigned int *first, unsigned int *last)
{
	__close_file FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");

	if (file && fscanf(file, "%u %u", first, last) == 2)
		return;
	*first = EPHEMERAL_FIRST;
	*last = EPHEMERAL_LAST;
}

/* Removes UDP sockets of clients: resolvers, NTP clients. */
static void drop_clients(struct audited_host *host)
{
	unsigned int first, last;
	size_t kept = 0, i;

	read_ephemeral(&first, &last);
	for (i = 0; i < host->sockets; i++) {
		const struct socket_info *socket = &host->socket[i];

		if (socket->protocol == IPPROTO_UDP && socket->local_port >= first &&
		    socket->local_port <= last)
			continue;
		host->socket[kept++] = *socket;
	}
	host->sockets = kept;
}

/* Sorts the sockets, because the kernel lists them in the order of its hash table, which
 * changes. */
static int compare_sockets(const void *one, const void *other)
{
	const struct socket_info *a = one, *b = other;
	int order = a->local_port - b->local_port;

	if (!order)
		order = a->protocol - b->protocol;
	if (!order)
		order = memcmp(a->local, b->local, sizeof(a->local));
	return order ? order : (a->inode > b->inode) - (a->inode < b->inode);
}

int audited_host_list(struct audited_host *host)
{
	int err = links_read(&host->links);

	if (!err)
		err = sockets_list(IPPROTO_TCP, SOCKET_STATE(TCP_LISTEN), &host->socket,
				   &host->sockets);
	if (!err)
		err = sockets_list(IPPROTO_UDP, SOCKET_STATE(TCP_CLOSE), &host->socket,
				   &host->sockets);
	drop_clients(host);
	if (host->sockets)
		qsort(host->socket, host->sockets, sizeof(*host->socket), compare_sockets);
	return err;
}

int audited_host_read(struct audited_host *host)
{
	int err = audited_host_list(host);

	/* If the rules cannot be read, no port counts as published; the sockets are more
	 * important. */
	published_read(&host->published, &host->publishes);
	host->owner = xcalloc(host->sockets + 1, sizeof(*host->owner));
	owners_find("/proc", host->socket, host->sockets, host->owner);
	return err;
}

void audited_host_free(struct audited_host *host)
{
	owners_free(host->owner, host->owner ? host->sockets : 0);
	free(host->socket);
	free(host->published);
	links_free(&host->links);
	*host = (struct audited_host){};
}

static bool is_loopback(const struct socket_info *socket)
{
	static const __u8 one[16] = {[15] = 1};

	return socket->family == AF_INET ? socket->local[0] == 127 :
					   !memcmp(socket->local, one, sizeof(one));
}

/* Linux accepts packets for any of its addresses by any interface. */
bool audited_takes(const struct audited_host *host, const struct socket_info *socket,
		   unsigned int ifindex)
{
	if (is_loopback(socket))
		return false;
	return !socket->device || socket->device == ifindex ||
	       links_comes_by(&host->links, socket->device, ifindex);
}

static enum pc_transport transport_of(const struct socket_info *socket)
{
	return socket->protocol == IPPROTO_TCP ? PC_TCP : PC_UDP;
}

bool audited_listens(const struct audited_host *host, unsigned int ifindex,
		     enum pc_transport transport, __u16 port)
{
	for (size_t i = 0; i < host->sockets; i++)
		if (host->socket[i].local_port == port &&
		    transport_of(&host->socket[i]) == transport &&
		    audited_takes(host, &host->socket[i], ifindex))
			return true;
	return false;
}

struct audit_listener audited_listener(const struct audited_host *host, size_t at)
{
	const struct socket_owner *owner = &host->owner[at];

	return (struct audit_listener){
		.transport = transport_of(&host->socket[at]),
		.port = host->socket[at].local_port,
		.process = *owner->process ? owner->process : NULL,
		.unit = owner->unit,
		.container = owner->container,
	};
}

static bool has_listener(const struct audit_listener *list, size_t count,
			 const struct audit_listener *one)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].transport == one->transport && list[i].port == one->port)
			return true;
	return false;
}

struct audit_listener *audited_listeners(const struct audited_host *host, unsigned int ifindex,
					 bool addressed, size_t *count)
{
	struct audit_listener *list =
		xcalloc(host->sockets + RANGE * host->publishes + 1, sizeof(*list));
	size_t i;

	*count = 0;
	for (i = 0; i < host->sockets; i++)
		if (audited_takes(host, &host->socket[i], ifindex))
			list[(*count)++] = audited_listener(host, i);
	for (i = 0; i < host->publishes; i++) {
		const struct published *range = &host->published[i];
		struct audit_listener one = {.transport = range->protocol == IPPROTO_TCP ? PC_TCP :
											   PC_UDP,
					     .process = AUDIT_TRANSLATES};

		if (range->last - range->port >= RANGE || (range->addressed && !addressed) ||
		    !published_comes_by(range, &host->links, ifindex))
			continue;
		for (__u32 port = range->port; port <= range->last; port++) {
			one.port = (__u16)port;
			if (!has_listener(list, *count, &one))
				list[(*count)++] = one;
		}
	}
	return list;
}

json_t *audited_findings(const struct audited_host *host, const char *interface,
			 unsigned int ifindex, const json_t *kept, const struct counters *counters,
			 const json_t *machines)
{
	struct audit_host audited = {
		.interface = interface, .kept = kept, .counters = counters, .machines = machines};
	/* The rule's address may be that of a machine behind this host. */
	bool own = !json_array_size(json_object_get(kept, "machines"));
	struct audit_listener *list = audited_listeners(host, ifindex, own, &audited.listeners);
	json_t *findings;

	audited.listener = list;
	findings = audit_findings(&audited);
	free(list);
	return findings;
}
