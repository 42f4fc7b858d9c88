// SPDX-License-Identifier: GPL-2.0
/* The findings of `audit`. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "loader/base/memory.h"
#include "loader/report/audit.h"
#include "loader/report/json_forms.h"
#include "loader/report/text.h"
#include "loader/report/text_audit.h"

/* clang-format off */
static const char kept_text[] =
"{\"recipe\": {\"groups\": {\"mgmt\": [], \"trusted\": [\"10.0.0.0/8\"], \"idle\": []}}, \"profiles\": ["
"{\"name\": \"mail\", \"services\": ["
"{\"name\": \"smtp\", \"direction\": \"in\", \"open\": true, \"ports\": [\"25/tcp\"], \"from\": [], \"from_ports\": []},"
"{\"name\": \"imap\", \"direction\": \"in\", \"open\": false, \"ports\": [\"143/tcp\"], \"from\": [], \"from_ports\": []},"
"{\"name\": \"admin\", \"direction\": \"in\", \"open\": true, \"ports\": [\"8000/tcp\"], \"from\": [\"mgmt\"], \"from_ports\": []},"
"{\"name\": \"rtp\", \"direction\": \"both\", \"open\": true, \"ports\": [\"10000-20000/udp\"], \"from\": [\"trusted\"], \"from_ports\": []},"
"{\"name\": \"dns\", \"direction\": \"out\", \"open\": true, \"ports\": [\"53/udp\"], \"to\": [], \"from_ports\": []},"
"{\"name\": \"dhcp\", \"direction\": \"in\", \"open\": true, \"ports\": [\"68/udp\"], \"from\": [], \"from_ports\": [\"67/udp\"]}"
"]}]}";
/* clang-format on */

static json_t *kept;
static struct counters *counters;

static int begin(void **state)
{
	(void)state;
	kept = json_loads(kept_text, 0, NULL);
	counters = calloc(1, sizeof(*counters));
	return kept && counters ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	json_decref(kept);
	free(counters);
	return 0;
}

/* "listens 143/tcp", one after the other; the caller frees. */
static char *findings_of(const struct audit_listener *listener, size_t count)
{
	const struct audit_host host = {.interface = "eth0",
					.kept = kept,
					.counters = counters,
					.listener = listener,
					.listeners = count};
	json_t *list = audit_findings(&host), *finding;
	char *all = xstrdup("");
	size_t i;

	json_array_foreach (list, i, finding) {
		char *before = all;

		all = xasprintf(
			"%s%s%s %lld%s%s", before, *before ? "; " : "", text_of(finding, "kind"),
			(long long)json_integer_value(json_object_get(finding, "port")),
			*text_of(finding, "process") ? " " : "", text_of(finding, "process"));
		free(before);
	}
	json_decref(list);
	return all;
}

static void passed(__u32 port)
{
	counters->cell[PC_CELL_PASS + port].packets = 1;
}

static void finds_what_does_not_fit(void **state)
{
	const struct audit_listener listener[] = {
		{PC_TCP, 25, "master", "postfix.service", NULL},
		{PC_TCP, 143, "dovecot", "dovecot.service", NULL},
		{PC_TCP, 143, "dovecot", "dovecot.service", NULL},
		{PC_TCP, 8080, "docker-proxy", "docker.service", NULL},
		{PC_UDP, 25, NULL, NULL, NULL},
	};
	char *found = findings_of(listener, ARRAY_SIZE(listener));

	(void)state;
	assert_string_equal(found, "listens 143 dovecot; published 8080 docker-proxy; listens 25; "
				   "silent 8000; unused 25; unused 0; empty-group 0");
	free(found);
}

/* The services of a finding: open ones where nothing listens, closed ones where a process
 * listens. */
static void names_services(void **state)
{
	static const struct {
		const char *kind;
		int port;
		const char *services;
	} cases[] = {
		{"silent", 25, "mail:smtp"},
		{"silent", 8000, "mail:admin"},
		{"listens", 143, "mail:imap"},
		{"listens", 26, ""},
	};
	const struct audit_listener listener[] = {{PC_TCP, 143, "dovecot", NULL, NULL},
						  {PC_TCP, 26, "x", NULL, NULL}};
	const struct audit_host host = {.interface = "eth0",
					.kept = kept,
					.counters = counters,
					.listener = listener,
					.listeners = ARRAY_SIZE(listener)};
	json_t *list = audit_findings(&host), *one;
	size_t i, seen = 0;

	(void)state;
	json_array_foreach (list, i, one)
		for (size_t j = 0; j < ARRAY_SIZE(cases); j++) {
			char *services;

			if (strcmp(text_of(one, "kind"), cases[j].kind) ||
			    json_integer_value(json_object_get(one, "port")) != cases[j].port)
				continue;
			services = report_joined(json_object_get(one, "services"), " ");
			assert_string_equal(services, cases[j].services);
			free(services);
			seen++;
		}
	assert_int_equal(seen, ARRAY_SIZE(cases));
	json_decref(list);
}

static void finds_nothing_where_all_fits(void **state)
{
	const struct audit_listener listener[] = {{PC_TCP, 25, "master", NULL, NULL},
						  {PC_TCP, 8000, "java", NULL, NULL}};
	char *found;

	(void)state;
	passed(PC_PORT(PC_TCP, 25));
	passed(PC_PORT(PC_TCP, 8000));
	passed(PC_PORT(PC_UDP, 15000));
	json_array_append_new(
		json_object_get(json_object_get(json_object_get(kept, "recipe"), "groups"), "mgmt"),
		json_string("10.0.0.0/8"));
	found = findings_of(listener, ARRAY_SIZE(listener));
	assert_string_equal(found, "");
	free(found);
}

static void names_who_listens(void **state)
{
	json_t *finding = json_pack("{s:s, s:s, s:s, s:s, s:[s]}", "kind", "listens", "process",
				    "java", "unit", "tomcat9.service", "container",
				    "docker:0123456789ab", "services", "mail:imap");
	char *text = audit_finding_text(finding);

	(void)state;
	assert_string_equal(text,
			    "java (tomcat9.service, docker:0123456789ab) listens, and no open "
			    "service has the port; closed: mail:imap");
	free(text);
	json_decref(finding);
}

static void sums_up_in_a_line(void **state)
{
	json_t *findings = json_pack("[{s:s, s:i, s:s, s:s}, {s:s, s:i, s:s}, {s:s}, {s:s}]",
				     "kind", "listens", "port", 8443, "protocol", "tcp", "process",
				     "java", "kind", "published", "port", 80, "protocol", "tcp",
				     "kind", "silent", "kind", "unused");
	char *text = audit_summary(findings);

	(void)state;
	assert_string_equal(text, "8443/tcp (java) and 1 more port listen and are closed; "
				  "1 open port is silent");
	free(text);
	json_array_clear(findings);
	assert_null(audit_summary(findings));
	json_decref(findings);
}

/* clang-format off */
static const char machines_text[] =
"{\"recipe\": {\"groups\": {\"idle\": []}, \"machines\": [{\"name\": \"core\", \"recipe\": {\"groups\": {\"ops\": []}}}, {\"name\": \"quiet\", \"recipe\": {\"groups\": {}}}]}, \"profiles\": [], \"machines\": ["
"{\"name\": \"core\", \"profiles\": [{\"name\": \"p\", \"services\": ["
"{\"name\": \"a\", \"direction\": \"in\", \"open\": true, \"ports\": [\"25/tcp\"], \"from\": [], \"from_ports\": []},"
"{\"name\": \"b\", \"direction\": \"in\", \"open\": true, \"ports\": [\"25/udp\"], \"from\": [], \"from_ports\": []},"
"{\"name\": \"c\", \"direction\": \"in\", \"open\": true, \"ports\": [\"26/tcp\"], \"from\": [\"ops\"], \"from_ports\": []},"
"{\"name\": \"d\", \"direction\": \"in\", \"open\": false, \"ports\": [\"27/tcp\"], \"from\": [], \"from_ports\": []},"
"{\"name\": \"e\", \"direction\": \"in\", \"open\": true, \"ports\": [\"28/tcp\"], \"from\": [], \"from_ports\": []}]}]},"
"{\"name\": \"quiet\", \"profiles\": [{\"name\": \"p\", \"services\": ["
"{\"name\": \"a\", \"direction\": \"in\", \"open\": true, \"ports\": [\"25/tcp\"], \"from\": [], \"from_ports\": []}]}]}]}";

#define PASSED(port, protocol, direction, packets) \
	"{\"port\": " port ", \"protocol\": \"" protocol "\", \"direction\": \"" direction "\", \"pass\": {\"packets\": " packets "}}"
static const char counted_text[] =
"[{\"name\": \"core\", \"ports\": ["
PASSED("25", "tcp", "in", "3") ", " PASSED("25", "udp", "out", "3") ", " PASSED("26", "tcp", "in", "0") ", " PASSED("28", "tcp", "in", "1") "]}]";
/* clang-format on */

/* For machines: open ports without a passed packet, and groups without a prefix. */
static void finds_of_machines(void **state)
{
	json_t *machines = json_loads(machines_text, 0, NULL);
	json_t *counted = json_loads(counted_text, 0, NULL), *list, *finding;
	const struct audit_host host = {
		.interface = "eth0", .kept = machines, .counters = counters, .machines = counted};
	char *all = xstrdup("");
	size_t i;

	(void)state;
	assert_non_null(machines);
	assert_non_null(counted);
	list = audit_findings(&host);
	json_array_foreach (list, i, finding) {
		__free_text char *services =
			report_joined(json_object_get(finding, "services"), ",");
		char *before = all;

		all = xasprintf("%s%s%s %s %s", before, *before ? "; " : "",
				text_of(finding, "kind"), text_of(finding, "machine"), services);
		free(before);
	}
	assert_string_equal(all, "unused core p:b; unused core p:c; empty-group core p:c");
	free(all);
	json_decref(list);
	json_decref(machines);
	json_decref(counted);
}

static void tells_what_is_open(void **state)
{
	(void)state;
	assert_true(audit_opens(kept, PC_TCP, 25));
	assert_false(audit_opens(kept, PC_UDP, 25));
	assert_false(audit_opens(kept, PC_TCP, 143));
	assert_true(audit_opens(kept, PC_UDP, 10000));
	assert_true(audit_opens(kept, PC_UDP, 20000));
	assert_false(audit_opens(kept, PC_UDP, 20001));
	assert_false(audit_opens(kept, PC_UDP, 53));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(finds_what_does_not_fit, begin, end),
		cmocka_unit_test_setup_teardown(finds_nothing_where_all_fits, begin, end),
		cmocka_unit_test_setup_teardown(names_services, begin, end),
		cmocka_unit_test_setup_teardown(finds_of_machines, begin, end),
		cmocka_unit_test_setup_teardown(tells_what_is_open, begin, end),
		cmocka_unit_test(names_who_listens),
		cmocka_unit_test(sums_up_in_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
