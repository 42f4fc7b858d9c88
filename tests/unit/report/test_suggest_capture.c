// SPDX-License-Identifier: GPL-2.0
/* The sources in a capture that got answers. */
#include "loader/report/suggest_capture.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>

#include "tests/unit/expect.h"

/* A packet from or to a remote host; `local`: this host's port. */
static void packet(struct suggest_capture *capture, bool in, __u8 protocol, __u32 remote,
		   __u16 remote_port, __u16 local, __u8 flags)
{
	static __u64 at = 5000000000;
	struct replay_packet one = {.way = in ? REPLAY_IN : REPLAY_OUT, .tcp_flags = flags};
	struct replay_tuple *tuple = &one.tuple;

	tuple->family = 4;
	tuple->protocol = protocol;
	tuple->ports = true;
	*(in ? tuple->source : tuple->destination) = htonl(remote);
	*(in ? tuple->destination : tuple->source) = htonl(0xc0000201);
	tuple->source_port = in ? remote_port : local;
	tuple->destination_port = in ? local : remote_port;
	suggest_capture_take(capture, &one, at += 1000000000);
}

/* "7 25 3 answered" for each source 192.0.2.7, sorted by port. */
static void expect_knocks(struct suggest_capture *capture, const char *expected)
{
	struct suggest_evidence evidence = {};
	__cleanup(names_free) struct names lines = {};

	suggest_capture_evidence(capture, &evidence);
	for (__u32 port = 0; port < 65536; port++)
		for (size_t i = 0; i < evidence.count; i++) {
			const struct suggest_knock *knock = &evidence.knock[i];
			__free_text char *line = NULL;

			if (knock->port != port)
				continue;
			line = xasprintf("%u %u %llu%s,", knock->address[3], port,
					 (unsigned long long)knock->packets,
					 knock->answered ? " answered" : "");
			names_add(&lines, line);
		}
	expect_names(&lines, expected);
	assert_true(evidence.since >= 5 && evidence.until >= evidence.since);
	free(evidence.knock);
}

static void test_tcp(void **state)
{
	__cleanup(suggest_capture_free) struct suggest_capture *capture = suggest_capture_new();

	(void)state;
	/* A connection; a half-open scan, which resets; a refusal; a connection that this host
	 * began. */
	packet(capture, true, IPPROTO_TCP, 0xc0000207, 5000, 25, TH_SYN);
	packet(capture, false, IPPROTO_TCP, 0xc0000207, 5000, 25, TH_SYN | TH_ACK);
	packet(capture, true, IPPROTO_TCP, 0xc0000207, 5000, 25, TH_ACK);
	packet(capture, true, IPPROTO_TCP, 0xc0000208, 5000, 25, TH_SYN);
	packet(capture, false, IPPROTO_TCP, 0xc0000208, 5000, 25, TH_SYN | TH_ACK);
	packet(capture, true, IPPROTO_TCP, 0xc0000208, 5000, 25, TH_RST | TH_ACK);
	packet(capture, true, IPPROTO_TCP, 0xc0000208, 5001, 26, TH_SYN);
	packet(capture, false, IPPROTO_TCP, 0xc0000208, 5001, 26, TH_RST | TH_ACK);
	packet(capture, false, IPPROTO_TCP, 0xc0000209, 443, 40000, TH_SYN);
	packet(capture, true, IPPROTO_TCP, 0xc0000209, 443, 40000, TH_SYN | TH_ACK);
	packet(capture, true, IPPROTO_TCP, 0xc0000209, 443, 40000, TH_ACK);
	/* A stray ACK after a SYN that got no answer. */
	packet(capture, true, IPPROTO_TCP, 0xc000020a, 5000, 27, TH_SYN);
	packet(capture, true, IPPROTO_TCP, 0xc000020a, 5000, 27, TH_ACK);
	expect_knocks(capture, "7 25 2 answered, 8 25 2, 8 26 1, 10 27 2,");
}

static void test_udp(void **state)
{
	__cleanup(suggest_capture_free) struct suggest_capture *capture = suggest_capture_new();

	(void)state;
	packet(capture, true, IPPROTO_UDP, 0xc0000207, 5060, 5060, 0);
	packet(capture, false, IPPROTO_UDP, 0xc0000207, 5060, 5060, 0);
	packet(capture, true, IPPROTO_UDP, 0xc0000207, 5060, 161, 0);
	/* This host's own question, and its answer. */
	packet(capture, false, IPPROTO_UDP, 0xc0000235, 53, 40000, 0);
	packet(capture, true, IPPROTO_UDP, 0xc0000235, 53, 40000, 0);
	packet(capture, true, IPPROTO_UDP, 0xc0000236, 53, 40000, 0);
	expect_knocks(capture, "7 161 1, 7 5060 1 answered, 54 40000 1,");
}

/* A flood of sources ends at the limit, which is reported. */
static void test_bound(void **state)
{
	__cleanup(suggest_capture_free) struct suggest_capture *capture = suggest_capture_new();
	struct suggest_evidence evidence = {};
	double start = now();

	(void)state;
	for (__u32 i = 0; i < SUGGEST_KNOCKS + 1000; i++)
		packet(capture, true, IPPROTO_UDP, i, 1, 1, 0);
	suggest_capture_evidence(capture, &evidence);
	assert_int_equal(evidence.count, SUGGEST_KNOCKS);
	assert_true(evidence.sampled);
	expect_fast("flood", start, 4);
	free(evidence.knock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_udp),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests_name("report/suggest_capture", tests, NULL, NULL);
}
