// SPDX-License-Identifier: GPL-2.0
/* The differences of two kept texts as JSON, and the digest of an answer. */
#include "loader/report/answer.h"
#include "loader/report/difference_json.h"
#include "tests/unit/expect.h"

#define SERVICE(name, ports, from)                                               \
	"{'name': '" name "', 'direction': 'in', 'open': true, 'ports': [" ports \
	"], 'from': [" from "], 'to': [], 'from_ports': []}"
#define KEPT(policy, groups, services)                           \
	"{'recipe': {'policy': '" policy "', 'groups': {" groups \
	"}}, 'profiles': [{'name': 'x', 'services': [" services "]}]}"

/* `text` has ' for ". */
static json_t *parse(const char *text)
{
	__free_text char *copy = xstrdup(text);
	json_error_t error;
	json_t *json;

	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	json = json_loads(copy, 0, &error);
	if (!json)
		fail_msg("%s: %s", text, error.text);
	return json;
}

static void test_difference(void **state)
{
	static const struct {
		const char *before, *after, *difference;
	} cases[] = {
		{NULL, KEPT("enforce", "", SERVICE("a", "'25/tcp', '587/tcp'", "")),
		 "{'opens': ['25/tcp', '587/tcp'], 'closes': [], 'changes': [], 'groups': []}"},
		{KEPT("enforce", "", SERVICE("a", "'25/tcp'", "")),
		 KEPT("observe", "", SERVICE("b", "'60000-60099/udp'", "")),
		 "{'opens': ['60000-60099/udp'], 'closes': ['25/tcp'], 'changes': ['the policy from enforce to observe'], 'groups': []}"},
		{KEPT("enforce", "'g': ['10.0.0.0/8', '192.0.2.0/24']",
		      SERVICE("a", "'25/tcp'", "'g'")),
		 KEPT("enforce", "'g': ['192.0.2.0/24', '2001:db8::/32']",
		      SERVICE("a", "'25/tcp'", "'g'")),
		 "{'opens': [], 'closes': [], 'changes': ['25/tcp (x:a): + 2001:db8::/32, - 10.0.0.0/8'],"
		 " 'groups': [{'name': 'g', 'added': ['2001:db8::/32'], 'removed': ['10.0.0.0/8']}]}"},
		{KEPT("enforce", "'old': ['10.0.0.0/8']", SERVICE("a", "'25/tcp'", "")),
		 KEPT("enforce", "'new': ['10.0.0.0/8']", SERVICE("a", "'25/tcp'", "")),
		 "{'opens': [], 'closes': [], 'changes': [], 'groups': [{'name': 'new', 'added': ['10.0.0.0/8'], 'removed': []},"
		 " {'name': 'old', 'added': [], 'removed': ['10.0.0.0/8']}]}"},
		{KEPT("enforce", "", SERVICE("a", "'25/tcp'", "")),
		 KEPT("enforce", "", SERVICE("a", "'25/tcp'", "")),
		 "{'opens': [], 'closes': [], 'changes': [], 'groups': []}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *before = cases[i].before ? parse(cases[i].before) : NULL;
		json_t *after = parse(cases[i].after), *wanted = parse(cases[i].difference);
		json_t *difference = difference_json(before, after);

		if (!json_equal(difference, wanted))
			fail_msg("%zu: %s", i, json_dumps(difference, JSON_COMPACT));
		assert_int_equal(difference_json_any(difference), i != 4);
		json_decref(before);
		json_decref(after);
		json_decref(wanted);
		json_decref(difference);
	}
}

/* The digest of one swap from `before` to `after`; "": none. */
static void digest(const char *name, const char *before, const char *after,
		   char text[ANSWER_DIGEST])
{
	json_t *old = parse(before), *now = parse(after);
	struct answer answer;

	answer_begin(&answer, false, true);
	answer_interface(&answer, "lo", ANSWER_NONE, NULL, NULL);
	answer_interface(&answer, name, ANSWER_SWAP, old, now);
	if (!answer_digest(&answer, text))
		*text = '\0';
	assert_int_equal(answer_changes(&answer), *text != '\0');
	answer_take_back(&answer, 1);
	assert_false(answer_changes(&answer));
	answer_end(&answer, false);
	json_decref(old);
	json_decref(now);
}

static void test_digest(void **state)
{
	static const char *const one = KEPT("enforce", "", SERVICE("a", "'25/tcp'", ""));
	static const char *const two = KEPT("enforce", "", SERVICE("a", "'26/tcp'", ""));
	static const char *const three = KEPT("enforce", "", SERVICE("a", "'27/tcp'", ""));
	char first[ANSWER_DIGEST], again[ANSWER_DIGEST];

	(void)state;
	digest("eth0", one, two, first);
	assert_int_equal(strlen(first), ANSWER_DIGEST - 1);
	digest("eth0", one, two, again);
	assert_string_equal(first, again);
	digest("eth1", one, two, again);
	assert_string_not_equal(first, again);
	digest("eth0", one, three, again);
	assert_string_not_equal(first, again);
	digest("eth0", three, two, again);
	assert_string_not_equal(first, again);
	digest("eth0", one, one, again);
	assert_string_equal(again, "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_difference),
		cmocka_unit_test(test_digest),
	};

	return cmocka_run_group_tests_name("report/difference_json", tests, NULL, NULL);
}
