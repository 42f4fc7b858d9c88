// SPDX-License-Identifier: GPL-2.0
/* The verdicts of `explain`, in words. */
#include "loader/report/explain.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/report/counters.h"
#include "loader/report/json_forms.h"
#include "tests/unit/expect.h"

static const char kept_text[] =
	"{\"recipe\": {\"outbound\": \"enforce\", \"deny\": [\"none\", \"bad\"], \"groups\": {\"bad\": [\"192.0.2.0/24\", \"10.1.2.0/24\"], \"office\": [\"10.1.0.0/16\", "
	"\"10.2.0.0/16\"], \"many\": [\"10.1.0.0/16\", \"10.2.0.0/16\", \"10.3.0.0/16\", "
	"\"10.4.0.0/16\"], \"none\": []}}, \"profiles\": [{\"name\": \"p\", \"services\": ["
	"{\"name\": \"mail\", \"direction\": \"in\", \"ports\": [\"25/tcp\"], \"from\": [], "
	"\"limit\": \"20/s\", \"open\": true, \"why_closed\": null},"
	"{\"name\": \"admin\", \"direction\": \"in\", \"ports\": [\"22/tcp\", \"25/tcp\"], "
	"\"from\": [\"office\", \"many\", \"link-local\"], \"open\": true, \"why_closed\": null},"
	"{\"name\": \"dhcp\", \"direction\": \"in\", \"ports\": [\"68/udp\"], \"from\": [\"none\"], "
	"\"from_ports\": [\"67/udp\"], \"open\": true, \"why_closed\": null},"
	"{\"name\": \"web\", \"direction\": \"out\", \"ports\": [\"443/tcp\"], \"to\": [\"cloud\"], "
	"\"open\": false, \"why_closed\": \"group\"},"
	"{\"name\": \"imap\", \"direction\": \"in\", \"ports\": [\"993/tcp\"], \"from\": [], "
	"\"feature\": \"secure\", \"open\": false, \"why_closed\": \"feature\"},"
	"{\"name\": \"tool\", \"direction\": \"in\", \"ports\": [\"993/tcp\"], \"from\": [], "
	"\"open\": false, \"why_closed\": \"local\"},"
	"{\"name\": \"old\", \"direction\": \"in\", \"ports\": [\"993/tcp\"], \"from\": [], "
	"\"open\": false, \"why_closed\": \"disabled\"}]}]}";

static json_t *kept;

static int start(void **state)
{
	(void)state;
	unsetenv("COLUMNS");
	setenv("TZ", "UTC", 1);
	tzset();
	kept = json_loads(kept_text, 0, NULL);
	return !kept;
}

static int end(void **state)
{
	(void)state;
	json_decref(kept);
	return 0;
}

static struct pc_event packet(__u32 cell, __u8 protocol, __u8 how, __u16 port)
{
	struct pc_event event = {.cell = cell,
				 .length = 60,
				 .family = 4,
				 .protocol = protocol,
				 .remote_port = how & PC_EVENT_OUT ? port : 50000,
				 .local_port = how & PC_EVENT_OUT ? 50000 : port,
				 .tcp_flags = protocol == IPPROTO_TCP ? 2 : 0,
				 .generation = 7,
				 .how = how};

	if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP)
		event.how |= PC_EVENT_PORTS;
	inet_pton(AF_INET, "10.1.2.3", event.remote);
	inet_pton(AF_INET, "192.0.2.1", event.local);
	return event;
}

static json_t *verdict_of(const struct pc_event *event)
{
	struct event_services *services = event_services_new(kept);
	json_t *verdict = explain_verdict(event, "eth0", kept, services);

	event_services_free(&services);
	return verdict;
}

/* The text of one verdict; `fill` may add what a caller adds. */
static void expect_text(const struct pc_event *event, const char *more, const char *expected)
{
	json_t *verdict = verdict_of(event), *added = json_loads(more, 0, NULL), *report;
	char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	assert_non_null(added);
	json_object_update(verdict, added);
	json_decref(added);
	report = report_new("verdicts", json_pack("[o]", verdict));
	report_explain_text(report, to);
	fclose(to);
	assert_string_equal(text, expected);
	json_decref(report);
	free(text);
}

#define PORT(n)	  (PC_CELL_PASS + PC_PORT(PC_TCP, n))
#define REASON(r) (PC_CELL_REASON + PC_REASON_##r)
#define OTHER(o)  (PC_CELL_OTHER + PC_OTHER_##o)

static void expect_why(const struct pc_event *event, const char *expected)
{
	json_t *verdict = verdict_of(event);

	assert_string_equal(json_string_value(json_object_get(verdict, "why")), expected);
	json_decref(verdict);
}

static void test_text(void **state)
{
	struct pc_event event;

	(void)state;
	event = packet(PORT(25), IPPROTO_TCP, 0, 25);
	expect_text(
		&event, "{}",
		"eth0: 10.1.2.3:50000 -> 192.0.2.1:25/tcp syn\n"
		"  passes     service: p:mail admits anyone, p:admin admits office (10.1.0.0/16)\n"
		"  behind it  nothing was found that drops it\n");
	expect_text(
		&event, "{\"next\": [\"nftables drops it: here\"], \"dropped_behind\": true}",
		"eth0: 10.1.2.3:50000 -> 192.0.2.1:25/tcp syn\n"
		"  passes     the filter does not drop it: service: p:mail admits anyone, p:admin admits office (10.1.0.0/16)\n"
		"  behind it  nftables drops it: here\n");
	event = packet(REASON(UNLISTED), IPPROTO_TCP, PC_EVENT_DROP, 993);
	expect_text(
		&event,
		"{\"fix\": \"portcullis swap eth0 --enable p:secure\", \"site_line\": \"enable: [p:secure]\"}",
		"eth0: 10.1.2.3:50000 -> 192.0.2.1:993/tcp syn\n"
		"  dropped    unlisted: no open service has 993/tcp\n"
		"  closed     p:imap: feature secure is off\n"
		"  closed     p:tool: for this host's own use only\n"
		"  closed     p:old: disabled\n"
		"  fix        portcullis swap eth0 --enable p:secure\n"
		"  site file  enable: [p:secure]\n");
	setenv("COLUMNS", "50", 1);
	expect_text(&event,
		    "{\"fix\": \"portcullis swap eth0 --enable p:secure --from p:imap=office\"}",
		    "eth0: 10.1.2.3:50000 -> 192.0.2.1:993/tcp syn\n"
		    "  dropped    unlisted: no open service has 993/tcp\n"
		    "  closed     p:imap: feature secure is off\n"
		    "  closed     p:tool: for this host's own use only\n"
		    "  closed     p:old: disabled\n"
		    "  fix        portcullis swap eth0 --enable \\\n"
		    "               p:secure --from p:imap=office\n");
	unsetenv("COLUMNS");
	event.how |= PC_EVENT_DROP | PC_EVENT_WOULD;
	event.local_port = 5000;
	expect_text(
		&event, "{\"listed_by\": [\"q:thing\"]}",
		"eth0: 10.1.2.3:50000 -> 192.0.2.1:5000/tcp syn\n"
		"  passes     now, because the filter observes; enforce would drop it: unlisted: no open service has 5000/tcp\n"
		"  listed by  q:thing\n"
		"  behind it  nothing was found that drops it\n");
	event = packet(REASON(SOURCE), IPPROTO_TCP, PC_EVENT_DROP, 22);
	expect_text(
		&event, "{}",
		"eth0: 10.1.2.3:50000 -> 192.0.2.1:22/tcp syn\n"
		"  dropped    source: p:admin admits only office (10.1.0.0/16, 10.2.0.0/16), many (4 prefixes), link-local (addresses of the link)\n");
	event = packet(REASON(SOURCE), IPPROTO_UDP, PC_EVENT_DROP, 68);
	expect_text(
		&event, "{}",
		"eth0: 10.1.2.3:50000 -> 192.0.2.1:68/udp\n"
		"  dropped    source: p:dhcp admits only none (no prefix), source port 67/udp\n");
	event = packet(REASON(OUTBOUND), IPPROTO_TCP, PC_EVENT_DROP | PC_EVENT_OUT, 443);
	expect_text(
		&event, "{}",
		"eth0: 192.0.2.1:50000 -> 10.1.2.3:443/tcp syn\n"
		"  dropped    outbound: outgoing packets are enforced, and no open service lists 443/tcp for this address\n"
		"  closed     p:web: only for cloud (not defined)\n");
	event = packet(REASON(OUTBOUND), 47, PC_EVENT_DROP | PC_EVENT_OUT, 0);
	expect_text(
		&event, "{}",
		"eth0: 192.0.2.1 -> 10.1.2.3/gre\n"
		"  dropped    outbound: outgoing packets are enforced, and no profile names the protocol\n");
	event = packet(PC_CELL_EGRESS, IPPROTO_TCP, PC_EVENT_OUT, 5000);
	expect_why(&event, "it answers a packet that was admitted, or needs no service");
	event.remote_port = 53;
	json_object_set_new(json_object_get(kept, "recipe"), "outbound", json_string("track"));
	expect_why(&event, "outgoing packets are counted, not filtered");
	json_object_set_new(json_object_get(kept, "recipe"), "outbound", json_string("enforce"));
	event = packet(PORT(25), IPPROTO_TCP, 0, 25);
	expect_text(
		&event,
		"{\"comment\": \"c\", \"confirm\": {\"state\": \"waiting\", \"deadline\": \"2026-01-01T00:00:00Z\", \"fallback\": 6}, \"generation\": 7}",
		"eth0: 10.1.2.3:50000 -> 192.0.2.1:25/tcp syn\n"
		"  passes     service: p:mail admits anyone, p:admin admits office (10.1.0.0/16)\n"
		"  comment    c\n"
		"  answered   by generation 7, until 2026-01-01 00:00:00 UTC unless confirmed; then by generation 6\n"
		"  behind it  nothing was found that drops it\n");
	expect_text(
		&event,
		"{\"confirm\": {\"state\": \"reverted\", \"deadline\": \"2026-01-01T00:00:00Z\", \"fallback\": null}, \"generation\": 6}",
		"eth0: 10.1.2.3:50000 -> 192.0.2.1:25/tcp syn\n"
		"  passes     service: p:mail admits anyone, p:admin admits office (10.1.0.0/16)\n"
		"  answered   by generation 6, which is active again since 2026-01-01 00:00:00 UTC: the change was not confirmed\n"
		"  behind it  nothing was found that drops it\n");
	event = packet(OTHER(ICMP), 2, 0, 0);
	expect_why(&event, "IGMP passes");
	event = packet(OTHER(ICMP), IPPROTO_ICMP, 0, 8 << 8);
	expect_text(&event, "{}",
		    "eth0: 10.1.2.3 -> 192.0.2.1/icmp type 8 code 0\n"
		    "  passes     icmp: ICMP type 8 passes\n"
		    "  behind it  nothing was found that drops it\n");
	event = packet(REASON(ICMP), IPPROTO_ICMP, PC_EVENT_DROP, 5 << 8);
	expect_text(
		&event, "{}",
		"eth0: 10.1.2.3 -> 192.0.2.1/icmp type 5 code 0\n"
		"  dropped    icmp: ICMP type 5 does not pass: its type is not admitted, or this host sent no packet that it answers, or there are too many echo requests\n");
	event = packet(OTHER(PROTOCOL), 47, 0, 0);
	expect_text(&event, "{}",
		    "eth0: 10.1.2.3 -> 192.0.2.1/gre\n"
		    "  passes     protocol: a profile names the IP protocol gre under `protocols`\n"
		    "  behind it  nothing was found that drops it\n");
	event = packet(REASON(UNLISTED), IPPROTO_TCP, PC_EVENT_DROP, 5000);
	event.tcp_flags = 0x12; /* SYN, ACK */
	expect_text(
		&event, "{}",
		"eth0: 10.1.2.3:50000 -> 192.0.2.1:5000/tcp syn,ack\n"
		"  dropped    unlisted: no open service has 5000/tcp, and it answers nothing that this host sent\n");
	event = packet(REASON(LIMIT), IPPROTO_TCP, PC_EVENT_DROP, 25);
	expect_text(&event, "{\"services\": [\"p:mail\"], \"why\": \"\"}",
		    "eth0: 10.1.2.3:50000 -> 192.0.2.1:25/tcp syn\n"
		    "  dropped    limit\n");
	expect_why(
		&event,
		"p:mail lets one source begin 20/s, p:admin lets one source begin ; this source is over that");
	event = packet(REASON(DENIED), IPPROTO_TCP, PC_EVENT_DROP, 25);
	expect_why(&event, "its source is in bad (10.1.2.0/24), a group of deny");
	inet_pton(AF_INET, "203.0.113.1", event.remote);
	expect_why(&event, "its source is in a group of deny");
	event = packet(OTHER(REPLY), IPPROTO_UDP, 0, 5000);
	expect_text(&event, "{}",
		    "eth0: 10.1.2.3:50000 -> 192.0.2.1:5000/udp\n"
		    "  passes     reply: it belongs to an open connection or a live flow\n"
		    "  behind it  nothing was found that drops it\n");
	event = packet(REASON(PROTOCOL), 47, PC_EVENT_DROP, 0);
	expect_text(
		&event, "{}",
		"eth0: 10.1.2.3 -> 192.0.2.1/gre\n"
		"  dropped    protocol: no profile names the IP protocol gre under `protocols`\n");
	event = packet(PC_CELLS_ALL, IPPROTO_TCP, 0, 25);
	expect_text(
		&event, "{}",
		"eth0: 10.1.2.3:50000 -> 192.0.2.1:25/tcp syn\n"
		"  passes     the filter is being attached or detached, and passes everything at the moment\n"
		"  behind it  nothing was found that drops it\n");
}

/* A name from another source must not reach the terminal unchanged. */
static void test_escapes(void **state)
{
	struct pc_event event = packet(PORT(25), IPPROTO_TCP, 0, 25);

	(void)state;
	expect_text(
		&event,
		"{\"next\": [\"table \\u001b[31m\"], \"interface\": \"e\\u001b[2J\", \"fix\": \"portcullis swap 'e\\u001b[2J'\"}",
		"e?[2J: 10.1.2.3:50000 -> 192.0.2.1:25/tcp syn\n"
		"  passes     service: p:mail admits anyone, p:admin admits office (10.1.0.0/16)\n"
		"  fix        portcullis swap 'e?[2J'\n"
		"  behind it  table ?[31m\n");
}

static void test_json(void **state)
{
	struct pc_event event = packet(PORT(25), IPPROTO_TCP, 0, 25);
	json_t *verdict = verdict_of(&event), *expected;

	(void)state;
	expected = json_loads(
		"[{\"service\": \"p:mail\", \"group\": null, \"prefix\": null},"
		" {\"service\": \"p:admin\", \"group\": \"office\", \"prefix\": \"10.1.0.0/16\"}]",
		0, NULL);
	assert_true(json_equal(json_object_get(verdict, "admitted_by"), expected));
	assert_int_equal(json_integer_value(json_object_get(verdict, "generation")), 7);
	assert_null(json_object_get(verdict, "version"));
	assert_null(json_object_get(verdict, "time"));
	assert_null(json_object_get(verdict, "length"));
	assert_true(json_is_null(json_object_get(verdict, "list")));
	json_decref(expected);
	json_decref(verdict);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests_name("report/explain", tests, start, end);
}
