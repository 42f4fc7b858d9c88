// SPDX-License-Identifier: GPL-2.0
/* IPsec of the kernel, by a dump of its states. */
#include "loader/net/ipsec.h"

#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <stdio.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/net/netlink.h"

/* True if the kernel has this bus, NETLINK_*. Opening a socket of the bus would load its module. */
static bool has_bus(int bus)
{
	__close_file FILE *file = fopen("/proc/net/netlink", "re");
	char line[256];
	int number;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*s %d", &number) == 1 && number == bus)
			return true;
	return false;
}

static int read_state(const struct nlmsghdr *message, void *data)
{
	(void)message;
	*(bool *)data = true;
	return MNL_CB_STOP;
}

bool ipsec_decrypts(void)
{
	__cleanup(netlink_close) struct mnl_socket *socket = NULL;
	union netlink_buffer buffer;
	bool found = false;

	if (!has_bus(NETLINK_XFRM) || netlink_open(NETLINK_XFRM, &socket))
		return false;
	netlink_request(&buffer, XFRM_MSG_GETSA, NLM_F_DUMP, 0);
	netlink_ask(socket, &buffer, read_state, &found);
	return found;
}
