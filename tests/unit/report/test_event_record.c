// SPDX-License-Identifier: GPL-2.0
/* An event as an entry of the journal: a field for each key, without null and empty values. */
#include "loader/report/event_record.h"

#include "tests/unit/expect.h"

static void expect_fields(const char *event, const char *expected)
{
	json_t *json = json_loads(event, 0, NULL);
	size_t length = 0;
	__free_text char *fields = NULL;

	assert_non_null(json);
	fields = event_record_fields(json, &length);
	assert_string_equal(fields, expected);
	assert_int_equal(length, strlen(expected));
	json_decref(json);
}

static void test_fields(void **state)
{
	(void)state;
	expect_fields(
		"{\"version\": 1, \"time\": \"2026-11-29T18:10:45.123456Z\", \"interface\": \"eth0\","
		"\"machine\": null, \"direction\": \"in\", \"verdict\": \"drop\","
		"\"rule\": \"source\", \"reason\": \"source\", \"protocol\": \"tcp\","
		"\"source\": \"198.51.100.7\", \"source_port\": 4000,"
		"\"destination\": \"192.0.2.1\", \"destination_port\": 25,"
		"\"flags\": [\"syn\", \"ack\"], \"length\": 60, \"services\": [\"p:a\", \"p:b\"],"
		"\"closed\": [{\"service\": \"p:c\", \"why_closed\": \"feature\"},"
		"{\"service\": \"q:d\", \"why_closed\": \"group\"}]}",
		"MESSAGE=eth0: drop source 198.51.100.7:4000 -> 192.0.2.1:25/tcp syn,ack; "
		"not admitted by p:a, p:b; p:c is closed: feature, q:d is closed: group\n"
		"MESSAGE_ID=" EVENT_RECORD_ID "\nPRIORITY=6\nSYSLOG_IDENTIFIER=portcullis\n"
		"PORTCULLIS_TIME=2026-11-29T18:10:45.123456Z\nPORTCULLIS_INTERFACE=eth0\n"
		"PORTCULLIS_DIRECTION=in\nPORTCULLIS_VERDICT=drop\nPORTCULLIS_RULE=source\n"
		"PORTCULLIS_REASON=source\nPORTCULLIS_PROTOCOL=tcp\n"
		"PORTCULLIS_SOURCE=198.51.100.7\nPORTCULLIS_SOURCE_PORT=4000\n"
		"PORTCULLIS_DESTINATION=192.0.2.1\nPORTCULLIS_DESTINATION_PORT=25\n"
		"PORTCULLIS_FLAGS=syn, ack\nPORTCULLIS_LENGTH=60\nPORTCULLIS_SERVICES=p:a, p:b\n"
		"PORTCULLIS_CLOSED=p:c=feature, q:d=group\n");
}

/* A name with a newline would begin a field of its own. */
static void test_one_line(void **state)
{
	(void)state;
	expect_fields("{\"interface\": \"a\\nPRIORITY=0\", \"verdict\": \"pass\", \"rule\": "
		      "\"non-ip\", \"length\": 42, \"flags\": [], \"closed\": []}",
		      "MESSAGE=a?PRIORITY=0: pass non-ip not IP, 42 bytes\n"
		      "MESSAGE_ID=" EVENT_RECORD_ID "\nPRIORITY=6\nSYSLOG_IDENTIFIER=portcullis\n"
		      "PORTCULLIS_INTERFACE=a?PRIORITY=0\nPORTCULLIS_VERDICT=pass\n"
		      "PORTCULLIS_RULE=non-ip\nPORTCULLIS_LENGTH=42\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_one_line),
	};

	return cmocka_run_group_tests_name("report/event_record", tests, NULL, NULL);
}
