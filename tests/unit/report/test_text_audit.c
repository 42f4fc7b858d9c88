// SPDX-License-Identifier: GPL-2.0
/* The text forms of `audit`: findings, and the evidence. */
#include "loader/report/text_audit.h"

#include "loader/report/audit.h"

#include "tests/unit/report/forms.h"

#define FINDINGS                                                                                                                                                                      \
	"\"findings\": ["                                                                                                                                                             \
	"{\"interface\": \"eth0\", \"kind\": \"silent\", \"port\": 25, \"protocol\": \"tcp\", \"services\": [\"mail:smtp\"], \"fix\": \"portcullis swap eth0 --disable mail:smtp\"}," \
	"{\"interface\": \"eth0\", \"kind\": \"unused\", \"port\": 26, \"protocol\": \"tcp\", \"services\": [\"mail:a\", \"mail:b\"], \"machine\": \"core\"},"                        \
	"{\"interface\": \"eth0\", \"kind\": \"empty-group\", \"group\": \"office\", \"services\": [\"mail:admin\"]},"                                                                \
	"{\"interface\": \"eth0\", \"kind\": \"closed\", \"port\": 8080, \"protocol\": \"tcp\", \"process\": \"java\", \"unit\": \"tomcat9.service\", \"services\": [\"mail:web\"]}," \
	"{\"interface\": \"eth0\", \"kind\": \"closed\", \"port\": 8081, \"protocol\": \"udp\", \"unit\": \"a.service\", \"container\": \"pod\"},"                                    \
	"{\"interface\": \"eth0\", \"kind\": \"closed\", \"port\": 8082, \"protocol\": \"udp\", \"process\": \"x\", \"container\": \"pod\"},"                                         \
	"{\"interface\": \"eth0\", \"kind\": \"published\", \"port\": 8083, \"protocol\": \"tcp\", \"process\": \"docker-proxy\"},"                                                   \
	"{\"interface\": \"eth0\", \"kind\": \"closed\", \"port\": 8084, \"protocol\": \"tcp\", \"process\": \"" AUDIT_TRANSLATES                                                     \
	"\"}]"

static const char audit_input[] =
	"{\"interfaces\": [{\"name\": \"eth0\", \"policy\": \"enforce\", \"since\": \"2026-11-29T10:00:00Z\"},"
	"{\"name\": \"eth1\", \"policy\": \"observe\", \"since\": \"2026-11-29T11:00:00Z\"}], " FINDINGS
	"}";

static const char evidence_input[] =
	"{\"host\": \"mx\", \"date\": \"2026-11-30T10:00:00Z\", \"portcullis\": \"0.1.0\", \"interfaces\": ["
	"{\"name\": \"eth0\", \"policy\": \"enforce\", \"since\": \"2026-11-29T10:00:00Z\", \"open\": ["
	"{\"ports\": [\"25/tcp\", \"587/tcp\"], \"service\": \"mail:smtp\", \"from\": [], \"product\": \"Mail\", \"release\": \"12\", \"as_of\": \"2026-01-01\", \"url\": \"https://a.example/\"},"
	"{\"ports\": [\"22/tcp\"], \"service\": \"mail:ssh\", \"from\": [\"office\", \"b\"], \"product\": \"Mail\", \"release\": null, \"as_of\": \"2026-01-01\", \"url\": null}],"
	"\"groups\": {\"office\": [\"10.0.0.0/8\", \"::1\"], \"b\": []}, \"exceptions\": ["
	"{\"text\": \"open 3389/tcp\", \"comment\": \"ticket 7\", \"since\": \"2026-11-28T10:00:00Z\", \"by\": \"anna\", \"confirmed_by\": \"bob\"},"
	"{\"text\": \"open 3390/tcp\", \"comment\": null, \"since\": null, \"by\": null, \"confirmed_by\": null}],"
	"\"machines\": [{\"name\": \"core\", \"address\": \"192.0.2.9\", \"open\": [{\"ports\": [\"80/tcp\"], \"service\": \"web:http\", \"from\": [], \"product\": \"Web\", \"release\": null, \"as_of\": \"2026-01-02\", \"url\": null}], \"groups\": {}, \"exceptions\": []}]},"
	"{\"name\": \"eth1\", \"policy\": \"observe\", \"since\": \"2026-11-29T11:00:00Z\", \"open\": [], \"groups\": {}, \"exceptions\": []}], " FINDINGS
	"}";

/* FINDINGS as text. */
#define FINDINGS_TEXT                                                                                            \
	"  silent      25/tcp     mail:smtp is open, and nothing listens\n"                                      \
	"                         portcullis swap eth0 --disable mail:smtp\n"                                    \
	"  unused      26/tcp     core: mail:a, mail:b has passed no packet since counting began\n"              \
	"  empty-group            group office has no prefix, so that mail:admin admits no source\n"             \
	"  closed      8080/tcp   java (tomcat9.service) listens, and no open service has the port; closed:\n"   \
	"                         mail:web\n"                                                                    \
	"  closed      8081/udp   a socket without a process (a.service, pod) listens, and no open service\n"    \
	"                         has the port\n"                                                                \
	"  closed      8082/udp   x (pod) listens, and no open service has the port\n"                           \
	"  published   8083/tcp   docker-proxy publishes it for a container, and no open service has the port\n" \
	"  closed      8084/tcp   nftables hands it on, and no open service has the port\n"

static const char audit_expected[] =
	"eth0: enforce, counting since 2026-11-29 10:00:00 UTC\n" FINDINGS_TEXT "\n"
	"eth1: observe, counting since 2026-11-29 11:00:00 UTC\n"
	"  the rules fit: every port that listens is open, and every open port is in use\n";

static const char evidence_expected[] =
	"mx, 2026-11-30 10:00:00 UTC, portcullis 0.1.0\n"
	"\n"
	"eth0: enforce, counting since 2026-11-29 10:00:00 UTC\n"
	"  OPEN             SERVICE    FROM       PRODUCT  LIST OF     SOURCE\n"
	"  25/tcp, 587/tcp  mail:smtp  anyone     Mail 12  2026-01-01  https://a.example/\n"
	"  22/tcp           mail:ssh   office, b  Mail     2026-01-01\n"
	"  group office: 10.0.0.0/8, ::1\n"
	"  group b: no prefix\n"
	"  exception open 3389/tcp: ticket 7; since 2026-11-28 10:00:00 UTC by anna, confirmed by bob\n"
	"  exception open 3390/tcp: no comment\n"
	"eth0: machine core: 192.0.2.9\n"
	"  OPEN    SERVICE   FROM    PRODUCT  LIST OF     SOURCE\n"
	"  80/tcp  web:http  anyone  Web      2026-01-02\n"
	"  no exception to the profiles\n" FINDINGS_TEXT "\n"
	"eth1: observe, counting since 2026-11-29 11:00:00 UTC\n"
	"  no port is open\n"
	"  no exception to the profiles\n"
	"  the rules fit: every port that listens is open, and every open port is in use\n";

static void expect_form(const char *input, void (*form)(const json_t *report, FILE *to),
			const char *expected)
{
	json_t *report = json_loads(input, 0, NULL);
	__free_text char *text = NULL;

	assert_non_null(report);
	setenv("TZ", "UTC", 1);
	setenv("COLUMNS", "100", 1);
	text = text_form(report, NULL, false, form);
	assert_string_equal(text, expected);
	json_decref(report);
}

static void test_audit(void **state)
{
	(void)state;
	expect_form(audit_input, report_audit_text, audit_expected);
}

static void test_evidence(void **state)
{
	(void)state;
	expect_form(evidence_input, report_evidence_text, evidence_expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_audit),
					   cmocka_unit_test(test_evidence)};

	return cmocka_run_group_tests_name("report/text_audit", tests, NULL, NULL);
}
