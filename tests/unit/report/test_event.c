// SPDX-License-Identifier: GPL-2.0
/* An event as JSON and as text: each verdict, who admitted the packet, what the packet lacks. */
#include "loader/report/event.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "loader/report/counters.h"
#include "tests/unit/expect.h"

#define WALL (1764439845ULL * 1000000000 + 123456789) /* 2025-11-29T18:10:45.123456789Z */

/* Services that share ports: source and source port decide which one admits. */
static const char kept[] =
	"{\"recipe\": {\"groups\": {\"office\": [\"10.1.0.0/16\", \"10.0.0.0/24\", "
	"\"172.16.0.0/12\", "
	"\"2001:db8:1::/48\"], \"all6\": [\"::/0\"]}}, \"profiles\": ["
	"{\"name\": \"p\", \"services\": ["
	"{\"name\": \"mail\", \"direction\": \"in\", \"ports\": [\"25/tcp\"], \"from\": [], "
	"\"open\": true, \"why_closed\": null},"
	"{\"name\": \"admin\", \"direction\": \"in\", \"ports\": [\"20-30/tcp\"], "
	"\"from\": [\"office\", \"gone\"], \"open\": true, \"why_closed\": null},"
	"{\"name\": \"near\", \"direction\": \"in\", \"ports\": [\"25/tcp\"], "
	"\"from\": [\"link-local\"], \"open\": true, \"why_closed\": null},"
	"{\"name\": \"six\", \"direction\": \"in\", \"ports\": [\"25/tcp\"], "
	"\"from\": [\"all6\"], \"open\": true, \"why_closed\": null},"
	"{\"name\": \"dns\", \"direction\": \"out\", \"ports\": [\"53/tcp\", \"53/udp\"], "
	"\"from\": [], \"open\": true, \"why_closed\": null},"
	"{\"name\": \"ntp\", \"direction\": \"both\", \"ports\": [\"123/udp\"], \"from\": [], "
	"\"from_ports\": [\"123/udp\"], \"open\": true, \"why_closed\": null},"
	"{\"name\": \"imap\", \"direction\": \"both\", \"ports\": [\"143/tcp\", \"993/tcp\", "
	"\"20/tcp\"], \"from\": [], \"open\": false, \"why_closed\": \"feature\"}]},"
	"{\"name\": \"q\", \"services\": [{\"name\": \"all\", \"direction\": \"in\", "
	"\"ports\": [\"993/tcp\"], \"open\": false, \"why_closed\": \"disabled\"}, {}, 3]}]}";

static struct event_services *services;

static int start(void **state)
{
	json_t *json = json_loads(kept, 0, NULL);

	(void)state;
	setenv("TZ", "UTC-1", 1);
	tzset();
	unsetenv("COLUMNS");
	assert_non_null(json);
	services = event_services_new(json);
	json_decref(json);
	return 0;
}

static int end(void **state)
{
	(void)state;
	event_services_free(&services);
	assert_null(services);
	event_services_free(&services);
	return 0;
}

static bool has_ports(__u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

static struct pc_event packet(__u32 cell, __u8 protocol, const char *remote, __u16 remote_port,
			      __u16 local_port)
{
	bool ipv6 = strchr(remote, ':');
	struct pc_event event = {.cell = cell,
				 .length = 60,
				 .family = ipv6 ? 6 : 4,
				 .protocol = protocol,
				 .remote_port = remote_port,
				 .local_port = local_port,
				 .how = has_ports(protocol) ? PC_EVENT_PORTS : 0};

	assert_int_equal(inet_pton(ipv6 ? AF_INET6 : AF_INET, remote, event.remote), 1);
	assert_int_equal(inet_pton(ipv6 ? AF_INET6 : AF_INET, ipv6 ? "2001:db8::1" : "192.0.2.1",
				   event.local),
			 1);
	return event;
}

static void expect_json(const struct pc_event *event, __u64 wall, const char *expected)
{
	json_t *json = event_json(event, "eth0", wall, services);
	char *text = json_dumps(json, 0);

	if (strcmp(text, expected))
		print_error("is  %s\nnot %s\n", text, expected);
	assert_string_equal(text, expected);
	free(text);
	json_decref(json);
}

/* "VERDICT RULE REASON [SERVICES] [CLOSED]" */
static void expect_verdict(const struct pc_event *event, const char *expected)
{
	json_t *json = event_json(event, "eth0", 0, services);
	char *open = json_dumps(json_object_get(json, "services"), 0);
	char *closed = json_dumps(json_object_get(json, "closed"), JSON_COMPACT);
	const char *reason = json_string_value(json_object_get(json, "reason"));
	char *text =
		xasprintf("%s %s %s %s %s", json_string_value(json_object_get(json, "verdict")),
			  json_string_value(json_object_get(json, "rule")) ?: "null",
			  reason ?: "null", open, closed);

	assert_string_equal(text, expected);
	free(open);
	free(closed);
	free(text);
	json_decref(json);
}

static void test_whole(void **state)
{
	struct pc_event event = packet(PC_CELL_REASON + PC_REASON_UNLISTED, IPPROTO_TCP,
				       "198.51.100.7", 40000, 993);

	(void)state;
	event.how |= PC_EVENT_DROP;
	event.tcp_flags = 0x02;
	expect_json(&event, WALL,
		    "{\"version\": 1, \"time\": \"2025-11-29T18:10:45.123456Z\", "
		    "\"interface\": \"eth0\", \"machine\": null, \"direction\": \"in\", "
		    "\"verdict\": \"drop\", \"rule\": \"unlisted\", \"reason\": \"unlisted\", "
		    "\"protocol\": \"tcp\", \"source\": \"198.51.100.7\", "
		    "\"source_port\": 40000, \"destination\": \"192.0.2.1\", "
		    "\"destination_port\": 993, \"flags\": [\"syn\"], \"length\": 60, "
		    "\"services\": [], \"closed\": [{\"service\": \"p:imap\", "
		    "\"why_closed\": \"feature\"}, {\"service\": \"q:all\", "
		    "\"why_closed\": \"disabled\"}]}");
	/* The packet that `explain` asks about was not sent: no time, no length. */
	event = packet(PC_CELL_EGRESS, IPPROTO_UDP, "2001:db8::5", 53, 40000);
	event.how |= PC_EVENT_OUT;
	expect_json(&event, 0,
		    "{\"version\": 1, \"interface\": \"eth0\", \"machine\": null, "
		    "\"direction\": \"out\", \"verdict\": \"pass\", \"rule\": \"outbound\", "
		    "\"reason\": null, \"protocol\": \"udp\", \"source\": \"2001:db8::1\", "
		    "\"source_port\": 40000, \"destination\": \"2001:db8::5\", "
		    "\"destination_port\": 53, \"flags\": [], \"services\": [\"p:dns\"], "
		    "\"closed\": []}");
}

/* Each rule, in the order of portcullis(8), VERDICTS. */
static void test_rules(void **state)
{
	static const struct {
		__u32 cell;
		__u8 protocol, how;
		__u16 remote_port, local_port;
		const char *expected;
	} cases[] = {
		{PC_CELL_REASON + PC_REASON_MALFORMED, 0, PC_EVENT_DROP, 0, 0,
		 "drop malformed malformed [] []"},
		{PC_CELL_OTHER + PC_OTHER_NON_IP, 0, 0, 0, 0, "pass non-ip null [] []"},
		{PC_CELL_REASON + PC_REASON_FRAGMENT, IPPROTO_TCP, PC_EVENT_DROP | PC_EVENT_LATER,
		 0, 0, "drop fragment fragment [] []"},
		{PC_CELL_REASON + PC_REASON_ICMP, IPPROTO_ICMP,
		 PC_EVENT_DROP | PC_EVENT_WOULD | PC_EVENT_LATER, 0, 0,
		 "would-drop fragment icmp [] []"},
		{PC_CELL_PASS + PC_PORT(PC_TCP, 25), IPPROTO_TCP, PC_EVENT_LATER, 0, 0,
		 "pass fragment null [\"p:mail\"] []"},
		{PC_CELL_OTHER + PC_OTHER_REPLY, IPPROTO_TCP, PC_EVENT_LATER, 0, 0,
		 "pass fragment null [] []"},
		{PC_CELL_OTHER + PC_OTHER_ICMP, IPPROTO_ICMP, 0, 0, 0x0800, "pass icmp null [] []"},
		{PC_CELL_REASON + PC_REASON_ICMP, IPPROTO_ICMP, PC_EVENT_DROP, 0, 0x0500,
		 "drop icmp icmp [] []"},
		{PC_CELL_PASS + PC_PORT(PC_TCP, 25), IPPROTO_TCP, 0, 4000, 25,
		 "pass service null [\"p:mail\"] []"},
		{PC_CELL_PASS + PC_PORT(PC_UDP, 123), IPPROTO_UDP, PC_EVENT_FRAGMENT, 123, 123,
		 "pass service null [\"p:ntp\"] []"},
		{PC_CELL_OTHER + PC_OTHER_REPLY, IPPROTO_UDP, 0, 53, 40000,
		 "pass reply null [\"p:dns\"] []"},
		{PC_CELL_OTHER + PC_OTHER_REPLY, IPPROTO_TCP, 0, 4000, 993,
		 "pass reply null [] []"},
		{PC_CELL_OTHER + PC_OTHER_PROTOCOL, IPPROTO_GRE, 0, 0, 0,
		 "pass protocol null [] []"},
		{PC_CELL_REASON + PC_REASON_PROTOCOL, IPPROTO_GRE, PC_EVENT_DROP | PC_EVENT_WOULD,
		 0, 0, "would-drop protocol protocol [] []"},
		{PC_CELL_REASON + PC_REASON_SOURCE, IPPROTO_TCP, PC_EVENT_DROP, 4000, 20,
		 "drop source source [\"p:admin\"] "
		 "[{\"service\":\"p:imap\",\"why_closed\":\"feature\"}]"},
		{PC_CELL_REASON + PC_REASON_SOURCE, IPPROTO_UDP, PC_EVENT_DROP, 4000, 123,
		 "drop source source [\"p:ntp\"] []"},
		{PC_CELL_REASON + PC_REASON_UNLISTED, IPPROTO_UDP, PC_EVENT_DROP, 4000, 993,
		 "drop unlisted unlisted [] []"},
		{PC_CELL_REASON + PC_REASON_UNLISTED, IPPROTO_TCP, PC_EVENT_DROP, 4000, 143,
		 "drop unlisted unlisted [] "
		 "[{\"service\":\"p:imap\",\"why_closed\":\"feature\"}]"},
		{PC_CELL_REASON + PC_REASON_OUTBOUND, IPPROTO_TCP, PC_EVENT_DROP | PC_EVENT_OUT,
		 993, 25,
		 "drop outbound outbound [] "
		 "[{\"service\":\"p:imap\",\"why_closed\":\"feature\"}]"},
		{PC_CELL_REASON + PC_REASON_OUTBOUND, 0, PC_EVENT_DROP | PC_EVENT_OUT, 0, 0,
		 "drop outbound outbound [] []"},
		{PC_CELL_EGRESS, IPPROTO_ICMP, PC_EVENT_OUT, 0, 0x0800, "pass outbound null [] []"},
		{PC_CELL_EGRESS, IPPROTO_TCP, PC_EVENT_OUT, 4000, 25, "pass outbound null [] []"},
		/* A cell of a later version. */
		{PC_CELL_MACHINES, IPPROTO_TCP, 0, 4000, 25, "pass null null [] []"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pc_event event = packet(cases[i].cell, cases[i].protocol, "198.51.100.7",
					       cases[i].remote_port, cases[i].local_port);

		event.how |= cases[i].how;
		if (event.how & PC_EVENT_LATER)
			event.how &= (__u8)~PC_EVENT_PORTS;
		expect_verdict(&event, cases[i].expected);
	}
}

/* The services that admit a packet, of four with port 25. */
static void test_admitted_by(void **state)
{
	static const struct {
		const char *remote, *services;
	} cases[] = {
		{"198.51.100.7", "[\"p:mail\"]"},
		{"10.1.255.255", "[\"p:mail\", \"p:admin\"]"},
		{"172.31.255.255", "[\"p:mail\", \"p:admin\"]"},
		{"172.32.0.1", "[\"p:mail\"]"},
		{"10.0.0.0", "[\"p:mail\", \"p:admin\"]"},
		{"10.0.1.0", "[\"p:mail\"]"},
		{"10.2.0.1", "[\"p:mail\"]"},
		{"169.254.9.9", "[\"p:mail\", \"p:near\"]"},
		{"169.255.9.9", "[\"p:mail\"]"},
		{"2001:db8:1::5", "[\"p:mail\", \"p:admin\", \"p:six\"]"},
		{"2001:db8:2::5", "[\"p:mail\", \"p:six\"]"},
		{"febf::5", "[\"p:mail\", \"p:near\", \"p:six\"]"},
		{"fec0::5", "[\"p:mail\", \"p:six\"]"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pc_event event = packet(PC_CELL_PASS + PC_PORT(PC_TCP, 25), IPPROTO_TCP,
					       cases[i].remote, 4000, 25);
		__free_text char *expected =
			xasprintf("pass service null %s []", cases[i].services);

		expect_verdict(&event, expected);
	}
}

/* Who admits, and by which prefix, if sources were granted into a group. */
static void test_granted(void **state)
{
	static const struct {
		const char *list, *prefix;
		__u32 until;
	} grants[] = {
		{"office", "198.51.100.0/24", 101}, {"office", "198.51.100.128/25", PC_BAN_FOREVER},
		{"office", "198.51.0.0/16", 101},   {"office", "203.0.113.0/24", 100}, /* over */
		{"other", "192.0.2.0/24", 101},	    {"office", "2001:db8:7::/48", 101},
	};
	static const struct {
		const char *remote, *prefix; /* by which p:admin admits; NULL: it does not */
	} cases[] = {
		{"198.51.100.200", "198.51.100.128/25"},
		{"198.51.100.100", "198.51.100.0/24"},
		{"198.51.7.7", "198.51.0.0/16"},
		{"203.0.113.7", NULL},
		{"192.0.2.7", NULL},
		{"2001:db8:7::7", "2001:db8:7::/48"},
		{"2001:db8:8::7", NULL},
		{"10.1.0.1", "10.1.0.0/16"}, /* as a member */
	};
	struct ban_set set = {};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(grants); i++) {
		struct ban ban = {
			.list = grants[i].list, .until = grants[i].until, .by = "", .comment = ""};
		__free_text char *why = NULL;

		assert_int_equal(prefix_parse(grants[i].prefix, &ban.prefix, &why), 0);
		ban_set_add(&set, &ban);
	}
	event_services_grants(services, &set, 100);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pc_event event = packet(PC_CELL_PASS + PC_PORT(PC_TCP, 22), IPPROTO_TCP,
					       cases[i].remote, 4000, 22);
		json_t *list = event_admissions(&event, services), *one = json_array_get(list, 0);
		const char *prefix = json_string_value(json_object_get(one, "prefix"));

		assert_int_equal(json_array_size(list), cases[i].prefix ? 1 : 0);
		if (cases[i].prefix)
			assert_string_equal(prefix, cases[i].prefix);
		json_decref(list);
	}
	event_services_grants(services, NULL, 0);
	ban_set_free(&set);
}

/* A text that has no group and no service at all. */
static void test_nothing_kept(void **state)
{
	struct event_services *all = services;
	struct pc_event event = packet(PC_CELL_REASON + PC_REASON_UNLISTED, IPPROTO_TCP,
				       "198.51.100.7", 40000, 993);

	(void)state;
	services = event_services_new(NULL);
	event.how |= PC_EVENT_DROP;
	expect_verdict(&event, "drop unlisted unlisted [] []");
	event_services_free(&services);
	services = all;
}

static void expect_text(const struct pc_event *event, bool named, const char *columns,
			const char *expected)
{
	json_t *json = event_json(event, "e\033th", WALL, services);
	size_t length = 0;
	char *text = NULL;
	FILE *to = open_memstream(&text, &length);

	if (columns)
		setenv("COLUMNS", columns, 1);
	event_text(json, named, to);
	unsetenv("COLUMNS");
	fclose(to);
	assert_string_equal(text, expected);
	free(text);
	json_decref(json);
}

static void test_text(void **state)
{
	struct pc_event event = packet(PC_CELL_REASON + PC_REASON_UNLISTED, IPPROTO_TCP,
				       "198.51.100.7", 40000, 993);

	(void)state;
	event.how |= PC_EVENT_DROP;
	event.tcp_flags = 0x12;
	expect_text(&event, true, NULL,
		    "19:10:45.123456 e?th drop unlisted 198.51.100.7:40000 -> 192.0.2.1:993/tcp "
		    "syn,ack; p:imap is closed: feature, q:all is closed: disabled\n");
	expect_text(&event, false, "60",
		    "19:10:45.123456 drop unlisted 198.51.100.7:40000 ->\n"
		    "    192.0.2.1:993/tcp syn,ack; p:imap is closed: feature,\n"
		    "    q:all is closed: disabled\n");
	event.cell = PC_CELL_REASON + PC_REASON_SOURCE;
	event.local_port = 20;
	event.how |= PC_EVENT_DROP | PC_EVENT_WOULD;
	expect_text(&event, false, NULL,
		    "19:10:45.123456 would-drop source 198.51.100.7:40000 -> 192.0.2.1:20/tcp "
		    "syn,ack; not admitted by p:admin; p:imap is closed: feature\n");
	event = packet(PC_CELL_PASS + PC_PORT(PC_TCP, 25), IPPROTO_TCP, "2001:db8:2::5", 4000, 25);
	event.tcp_flags = 0xff;
	expect_text(&event, false, NULL,
		    "19:10:45.123456 pass service [2001:db8:2::5]:4000 -> [2001:db8::1]:25/tcp "
		    "fin,syn,rst,psh,ack,urg,ece,cwr; p:mail, p:six\n");
	event = packet(PC_CELL_REASON + PC_REASON_OUTBOUND, IPPROTO_UDP, "198.51.100.7", 9, 4000);
	event.how |= PC_EVENT_DROP | PC_EVENT_OUT;
	expect_text(&event, false, NULL,
		    "19:10:45.123456 drop outbound 192.0.2.1:4000 -> 198.51.100.7:9/udp\n");
	event = packet(PC_CELL_REASON + PC_REASON_ICMP, IPPROTO_ICMP, "198.51.100.7", 0, 0x0501);
	event.how |= PC_EVENT_DROP;
	expect_text(&event, false, NULL,
		    "19:10:45.123456 drop icmp 198.51.100.7 -> 192.0.2.1/icmp type 5 code 1\n");
	event = (struct pc_event){.cell = PC_CELL_OTHER + PC_OTHER_NON_IP, .length = 42};
	expect_text(&event, false, NULL, "19:10:45.123456 pass non-ip not IP, 42 bytes\n");
}

/* Fields that a packet does not have are null. */
static void test_lacks(void **state)
{
	static const struct {
		__u32 cell;
		__u8 family, protocol, how;
		__u16 remote_port, local_port;
		const char *expected;
	} cases[] = {
		{PC_CELL_OTHER + PC_OTHER_NON_IP, 0, 0, 0, 0, 0, "[null, null, null, null, null]"},
		{PC_CELL_REASON + PC_REASON_MALFORMED, 4, 0, PC_EVENT_DROP, 0, 0,
		 "[null, \"198.51.100.7\", null, null, null]"},
		{PC_CELL_REASON + PC_REASON_MALFORMED, 4, IPPROTO_TCP, PC_EVENT_DROP, 0, 0,
		 "[\"tcp\", \"198.51.100.7\", null, null, null]"},
		{PC_CELL_REASON + PC_REASON_MALFORMED, 4, IPPROTO_ICMP, PC_EVENT_DROP, 0, 0,
		 "[\"icmp\", \"198.51.100.7\", null, null, null]"},
		{PC_CELL_REASON + PC_REASON_UNLISTED, 4, IPPROTO_TCP,
		 PC_EVENT_DROP | PC_EVENT_PORTS, 0, 0, "[\"tcp\", \"198.51.100.7\", 0, 0, null]"},
		{PC_CELL_REASON + PC_REASON_FRAGMENT, 4, IPPROTO_UDP,
		 PC_EVENT_DROP | PC_EVENT_LATER, 0, 0,
		 "[\"udp\", \"198.51.100.7\", null, null, null]"},
		{PC_CELL_OTHER + PC_OTHER_ICMP, 4, IPPROTO_ICMP, 0, 0, 0x0003,
		 "[\"icmp\", \"198.51.100.7\", null, null, [0, 3]]"},
		{PC_CELL_OTHER + PC_OTHER_ICMP, 4, IPPROTO_ICMP, 0, 0, 0,
		 "[\"icmp\", \"198.51.100.7\", null, null, [0, 0]]"},
		{PC_CELL_OTHER + PC_OTHER_ICMP, 4, IPPROTO_ICMP, PC_EVENT_LATER, 0, 0,
		 "[\"icmp\", \"198.51.100.7\", null, null, null]"},
		{PC_CELL_REASON + PC_REASON_PROTOCOL, 4, IPPROTO_ICMPV6, PC_EVENT_DROP, 0, 0,
		 "[\"icmpv6\", \"198.51.100.7\", null, null, null]"},
		{PC_CELL_OTHER + PC_OTHER_ICMP, 6, IPPROTO_ICMPV6, 0, 0, 0x8700,
		 "[\"icmpv6\", \"2001:db8::7\", null, null, [135, 0]]"},
		{PC_CELL_OTHER + PC_OTHER_ICMP, 4, IPPROTO_IGMP, 0, 0, 0,
		 "[\"igmp\", \"198.51.100.7\", null, null, null]"},
		{PC_CELL_REASON + PC_REASON_PROTOCOL, 4, 253, PC_EVENT_DROP, 0, 0,
		 "[\"253\", \"198.51.100.7\", null, null, null]"},
		{PC_CELL_REASON + PC_REASON_PROTOCOL, 4, 253, PC_EVENT_DROP, 0, 0,
		 "[\"253\", \"198.51.100.7\", null, null, null]"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pc_event event =
			packet(cases[i].cell, cases[i].protocol,
			       cases[i].family == 6 ? "2001:db8::7" : "198.51.100.7",
			       cases[i].remote_port, cases[i].local_port);
		json_t *json, *list;
		char *text;

		event.family = cases[i].family;
		event.how = cases[i].how;
		json = event_json(&event, "eth0", WALL, services);
		list = json_pack("[O, O, O, O]", json_object_get(json, "protocol"),
				 json_object_get(json, "source"),
				 json_object_get(json, "source_port"),
				 json_object_get(json, "destination_port"));
		json_array_append_new(list,
				      json_object_get(json, "type") ?
					      json_pack("[O, O]", json_object_get(json, "type"),
							json_object_get(json, "code")) :
					      json_null());
		text = json_dumps(list, 0);
		assert_string_equal(text, cases[i].expected);
		free(text);
		json_decref(list);
		json_decref(json);
	}
}

/* A machine's packet is named by its address if the program took it for a machine's. */
static void test_machine(void **state)
{
	static const char text[] =
		"{\"recipe\": {\"machines\": [{\"name\": \"wide\", \"recipe\": {}}]}, \"profiles\": [], "
		"\"machines\": [{\"name\": \"wide\", \"address\": [\"192.0.2.0/24\"], \"profiles\": []}]}";
	struct pc_event event = packet(PC_CELL_REASON + PC_REASON_UNLISTED, IPPROTO_TCP,
				       "198.51.100.7", 40000, 993);
	json_t *json = json_loads(text, 0, NULL);
	struct event_services *machines = event_services_new(json);

	(void)state;
	assert_null(event_machine(&event, machines));
	event.class = 1;
	assert_string_equal(event_machine(&event, machines), "wide");
	event_services_free(&machines);
	json_decref(json);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),	    cmocka_unit_test(test_rules),
		cmocka_unit_test(test_admitted_by), cmocka_unit_test(test_nothing_kept),
		cmocka_unit_test(test_text),	    cmocka_unit_test(test_lacks),
		cmocka_unit_test(test_machine),	    cmocka_unit_test(test_granted),
	};

	return cmocka_run_group_tests_name("report/event", tests, start, end);
}
