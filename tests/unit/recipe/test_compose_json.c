// SPDX-License-Identifier: GPL-2.0
/* A composition as JSON. */
#include "loader/base/memory.h"
#include "loader/recipe/compose_json.h"
#include "tests/unit/expect.h"
#include "tests/unit/recipe/composing.h"

static void test_json(void **state)
{
	static const char expected[] =
		"[{\"name\":\"mail\",\"title\":\"Mail\",\"document\":\"mail.txt\",\"release\":null,\"as_of\":null,\"url\":null,\"second_hand\":false,\"path\":\"%s/mail.yaml\",\"included\":false,\"outbound\":null,\"protocols\":[\"esp\"],\"services\":["
		"{\"name\":\"smtp\",\"title\":\"SMTP\",\"direction\":\"in\",\"ports\":[\"25/tcp\"],\"from\":[],\"to\":[],\"feature\":null,\"from_ports\":[],\"limit\":null,\"open\":true,\"why_closed\":null,\"fixed\":true,\"local\":false,\"dynamic\":false,\"configured_in\":null,\"note\":\"A note.\"},"
		"{\"name\":\"imap\",\"title\":null,\"direction\":\"in\",\"ports\":[\"143/tcp\",\"993/tcp\"],\"from\":[],\"to\":[],\"feature\":\"imap\",\"from_ports\":[],\"limit\":null,\"open\":false,\"why_closed\":\"feature\",\"fixed\":false,\"local\":false,\"dynamic\":false,\"configured_in\":null,\"note\":null},"
		"{\"name\":\"admin\",\"title\":null,\"direction\":\"in\",\"ports\":[\"8443/tcp\"],\"from\":[\"trusted\"],\"to\":[],\"feature\":null,\"from_ports\":[],\"limit\":null,\"open\":true,\"why_closed\":null,\"fixed\":false,\"local\":false,\"dynamic\":false,\"configured_in\":{\"file\":\"conf/server.xml\",\"xpath\":\"/Server/@port\"},\"note\":null},"
		"{\"name\":\"tftp\",\"title\":null,\"direction\":\"in\",\"ports\":[\"69/udp\"],\"from\":[\"trusted\",\"phones\"],\"to\":[],\"feature\":null,\"from_ports\":[],\"limit\":null,\"open\":true,\"why_closed\":null,\"fixed\":false,\"local\":false,\"dynamic\":false,\"configured_in\":null,\"note\":null},"
		"{\"name\":\"relay\",\"title\":null,\"direction\":\"both\",\"ports\":[\"2525/tcp\"],\"from\":[\"cluster\"],\"to\":[\"cluster\"],\"feature\":null,\"from_ports\":[],\"limit\":null,\"open\":false,\"why_closed\":\"group\",\"fixed\":false,\"local\":false,\"dynamic\":false,\"configured_in\":null,\"note\":null},"
		"{\"name\":\"sip\",\"title\":null,\"direction\":\"in\",\"ports\":[\"5060/tcp\",\"5060/udp\"],\"from\":[],\"to\":[],\"feature\":null,\"from_ports\":[],\"limit\":null,\"open\":true,\"why_closed\":null,\"fixed\":false,\"local\":false,\"dynamic\":false,\"configured_in\":null,\"note\":null},"
		"{\"name\":\"sip\",\"title\":null,\"direction\":\"out\",\"ports\":[\"5060/udp\"],\"from\":[],\"to\":[\"pbx\"],\"feature\":null,\"from_ports\":[],\"limit\":null,\"open\":false,\"why_closed\":\"group\",\"fixed\":false,\"local\":false,\"dynamic\":false,\"configured_in\":null,\"note\":null},"
		"{\"name\":\"fetch\",\"title\":null,\"direction\":\"out\",\"ports\":[\"110/tcp\"],\"from\":[],\"to\":[],\"feature\":null,\"from_ports\":[],\"limit\":null,\"open\":true,\"why_closed\":null,\"fixed\":false,\"local\":false,\"dynamic\":false,\"configured_in\":null,\"note\":null},"
		"{\"name\":\"db\",\"title\":null,\"direction\":\"in\",\"ports\":[\"3306/tcp\"],\"from\":[],\"to\":[],\"feature\":null,\"from_ports\":[],\"limit\":null,\"open\":false,\"why_closed\":\"local\",\"fixed\":false,\"local\":true,\"dynamic\":false,\"configured_in\":null,\"note\":null},"
		"{\"name\":\"plugin\",\"title\":null,\"direction\":\"in\",\"ports\":[],\"from\":[],\"to\":[],\"feature\":\"plugins\",\"from_ports\":[],\"limit\":null,\"open\":false,\"why_closed\":\"dynamic\",\"fixed\":false,\"local\":false,\"dynamic\":true,\"configured_in\":\"the plugin's page\",\"note\":null},"
		"{\"name\":\"doc\",\"title\":\"No ports\",\"direction\":\"in\",\"ports\":[],\"from\":[],\"to\":[],\"feature\":null,\"from_ports\":[],\"limit\":null,\"open\":false,\"why_closed\":\"no-ports\",\"fixed\":false,\"local\":false,\"dynamic\":false,\"configured_in\":null,\"note\":null}]},"
		"{\"name\":\"base\",\"title\":null,\"document\":null,\"release\":null,\"as_of\":null,\"url\":null,\"second_hand\":false,\"path\":\"%s/base.yaml\",\"included\":true,\"outbound\":null,\"protocols\":[\"gre\"],\"services\":["
		"{\"name\":\"dhcp\",\"title\":null,\"direction\":\"in\",\"ports\":[\"68/udp\"],\"from\":[],\"to\":[],\"feature\":null,\"from_ports\":[\"67/udp\"],\"limit\":null,\"open\":true,\"why_closed\":null,\"fixed\":false,\"local\":false,\"dynamic\":false,\"configured_in\":null,\"note\":null},"
		"{\"name\":\"dhcpv6\",\"title\":null,\"direction\":\"in\",\"ports\":[\"546/udp\"],\"from\":[\"link-local\"],\"to\":[],\"feature\":null,\"from_ports\":[],\"limit\":null,\"open\":true,\"why_closed\":null,\"fixed\":false,\"local\":false,\"dynamic\":false,\"configured_in\":null,\"note\":null},"
		"{\"name\":\"ntp\",\"title\":null,\"direction\":\"in\",\"ports\":[\"123/udp\"],\"from\":[],\"to\":[],\"feature\":\"ntp\",\"from_ports\":[],\"limit\":null,\"open\":false,\"why_closed\":\"feature\",\"fixed\":false,\"local\":false,\"dynamic\":false,\"configured_in\":null,\"note\":null}]}]";
	__cleanup(finish) struct run run;
	__free_text char *text = NULL, *filled = NULL;
	const char *hole = strstr(expected, "%s"), *second = strstr(hole + 2, "%s");
	json_t *json;

	(void)state;
	compose_well(&run, OPTIONS("--group trusted=10.0.0.0/8"));
	json = composition_json(&run.composition);
	text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	filled = xasprintf("%.*s%s%.*s%s%s", (int)(hole - expected), expected, folder,
			   (int)(second - hole - 2), hole + 2, folder, second + 2);
	assert_string_equal(text, filled);
}

/* A kept text has no empty parts; they are added again when it is read. */
static void test_contract(void **state)
{
	static const char *const empty[] = {"null", "false", "[]"};
	__cleanup(finish) struct run run;
	__free_text char *text = NULL;
	json_t *json, *contracted;

	(void)state;
	compose_well(&run, OPTIONS("--group trusted=10.0.0.0/8"));
	json = composition_json(&run.composition);
	contracted = profiles_contract(json);
	text = json_dumps(contracted, JSON_COMPACT);
	for (size_t i = 0; i < ARRAY_SIZE(empty); i++)
		assert_null(strstr(text, empty[i]));
	assert_false(json_equal(contracted, json));
	profiles_expand(contracted);
	assert_true(json_equal(contracted, json));
	json_decref(contracted);
	json_decref(json);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_contract),
	};

	return cmocka_run_group_tests_name("recipe/compose_json", tests, set_up, tear_down);
}
