/* SPDX-License-Identifier: GPL-2.0 */
/* Keys of flows. */
#ifndef PORTCULLIS_TEST_REPORT_FLOW_KEY_H
#define PORTCULLIS_TEST_REPORT_FLOW_KEY_H

#include <arpa/inet.h>
#include <sys/socket.h>

#include "loader/report/flow.h"
#include "tests/unit/expect.h"

#define TALKED (PC_FLOW_REPLIED | PC_FLOW_ASSURED)

static inline struct pc_flow key_of(__u8 protocol, const char *local, int local_port,
				    const char *remote, int remote_port)
{
	struct pc_flow key = {.protocol = protocol, .family = strchr(local, ':') ? 6 : 4};

	if (key.family == 4) {
		assert_int_equal(inet_pton(AF_INET, local, &key.ipv4.local), 1);
		assert_int_equal(inet_pton(AF_INET, remote, &key.ipv4.remote), 1);
		key.ipv4.local_port = htons(local_port);
		key.ipv4.remote_port = htons(remote_port);
	} else {
		assert_int_equal(inet_pton(AF_INET6, local, key.ipv6.local), 1);
		assert_int_equal(inet_pton(AF_INET6, remote, key.ipv6.remote), 1);
		key.ipv6.local_port = htons(local_port);
		key.ipv6.remote_port = htons(remote_port);
	}
	return key;
}

#endif
