// SPDX-License-Identifier: GPL-2.0
/* Suggestions from products' configuration and from what listens. */
#include "loader/report/suggest.h"

#include "loader/base/json.h"
#include "loader/recipe/recipe_json.h"
#include "loader/recipe/site_write.h"
#include "tests/unit/expect.h"

struct case_of {
	struct claims claims;
	struct catalog catalog;
	struct suggest_host host;
	struct suggestion suggestion;
};

static void start(struct case_of *of, const struct audit_listener *listener, size_t count)
{
	const struct names folders = {.name = (char *[]){(char *)"profiles"}, .count = 1};
	struct diag diag = {};

	*of = (struct case_of){.host = {listener, listener, count}};
	assert_int_equal(catalog_open(&folders, &of->catalog, &diag), 0);
	suggestion_begin(&of->suggestion);
}

static void give(struct case_of *of, const char *name, const char *text)
{
	struct diag diag = {};

	assert_int_equal(catalog_give(&of->catalog, name, text, &diag), 0);
}

/* "postfix:smtp=2525/tcp"; without ports it does not listen. */
static void claim(struct case_of *of, const char *word)
{
	__free_text char *copy = xstrdup(word), *why = NULL;
	char *service = strchr(copy, ':'), *ports = strchr(copy, '=');
	struct claim_file file = {&of->claims, copy, "/etc/conf"};
	const struct setting setting = {(char *)"Port", (char *)"x", 7};

	*service++ = *ports++ = '\0';
	claims_product(&of->claims, copy, "/etc/conf");
	claims_add(&file, service, NULL, &setting);
	if (*ports)
		assert_int_equal(ports_parse_list(ports,
						  &of->claims.claim[of->claims.count - 1].ports,
						  &why),
				 0);
}

/* The site file for it, without its first two lines; ends the case. */
static void expect_site(struct case_of *of, const char *expected)
{
	struct site_entry entry;
	struct diag diag = {};
	char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	suggest_products(&of->claims, &of->catalog, &of->host, &of->suggestion, &diag);
	expect_said(&diag, "");
	entry = (struct site_entry){.name = "eth0",
				    .recipe = of->suggestion.recipe,
				    .notes = of->suggestion.lines,
				    .remarks = &of->suggestion.remarks};
	site_write(&entry, 1, NULL, to);
	fclose(to);
	if (strcmp(text, expected))
		print_error("suggested:\n%s\nexpected:\n%s\n", text, expected);
	assert_string_equal(text, expected);
	free(text);
	claims_free(&of->claims);
	suggestion_free(&of->suggestion);
	catalog_close(&of->catalog);
}

static void test_moved(void **state)
{
	static const struct audit_listener listener[] = {
		{PC_TCP, 22, "sshd", "ssh.service", NULL},
		{PC_TCP, 2525, "master", "postfix@-.service", NULL},
		{PC_TCP, 8005, "java", NULL, NULL},
		{PC_TCP, 8081, "java", "tomcat10.service", NULL},
		{PC_TCP, 9100, NULL, NULL, NULL},
		{PC_TCP, 9100, NULL, NULL, NULL},
		{PC_UDP, 68, "dhclient", NULL, NULL},
	};
	struct case_of of;

	(void)state;
	start(&of, listener, ARRAY_SIZE(listener));
	claim(&of, "ssh:ssh=22/tcp");
	claim(&of, "postfix:smtp=2525/tcp");
	claim(&of, "postfix:submission=587/tcp");
	claim(&of, "postfix:smtp-client=26/tcp");
	claim(&of, "tomcat:http=8081/tcp,8090-8091/tcp");
	claim(&of, "tomcat:https=");
	claim(&of, "dovecot:imap=143/tcp");
	expect_site(
		&of,
		"interfaces:\n  eth0:\n    profiles:\n"
		"      - ssh  # SSH server: /etc/conf, sshd (ssh.service)\n"
		"      - postfix  # Postfix mail server: /etc/conf, master (postfix@-.service)\n"
		"      - tomcat  # Apache Tomcat: /etc/conf, java (tomcat10.service)\n"
		"    enable:\n"
		"      - 'postfix:submission'  # /etc/conf:7: Port x\n"
		"    set:\n"
		"      'postfix:smtp': [2525/tcp]  # /etc/conf:7: Port x\n"
		"      'postfix:smtp-client': [26/tcp]  # /etc/conf:7: Port x\n"
		"      'tomcat:http': [8081/tcp, 8090-8091/tcp]  # /etc/conf:7: Port x\n"
		"    # dovecot is left out: /etc/conf is there, but nothing listens on its ports\n"
		"    # closed: 8005/tcp: java listens; tomcat:shutdown is for this host alone\n"
		"    # closed: 9100/tcp: a socket without a process listens, and none of these profiles has it; to open it: "
		"'open: {9100/tcp: anyone}'\n");
}

/* Services that the product has switched off are closed; those that listen are enabled; groups have
 * to be filled in. */
static void test_features(void **state)
{
	static const struct audit_listener listener[] = {
		{PC_TCP, 993, "dovecot", NULL, NULL},	{PC_TCP, 4190, "dovecot", NULL, NULL},
		{PC_TCP, 995, "other", NULL, NULL},	{PC_TCP, 5038, "asterisk", NULL, NULL},
		{PC_UDP, 5060, "asterisk", NULL, NULL},
	};
	struct case_of of;

	(void)state;
	start(&of, listener, ARRAY_SIZE(listener));
	claim(&of, "dovecot:imap=");
	claim(&of, "dovecot:imaps=993/tcp");
	claim(&of, "dovecot:pop3s=");
	claims_product(&of.claims, "asterisk", "asterisk.service");
	expect_site(
		&of,
		"groups:\n  trusted: []  # admits no source yet: write the prefixes that may reach asterisk:manager here\n"
		"interfaces:\n  eth0:\n    profiles:\n"
		"      - dovecot  # Dovecot IMAP and POP3 server: /etc/conf, dovecot\n"
		"      - asterisk  # Asterisk PBX: asterisk.service, asterisk\n"
		"    enable:\n"
		"      - 'dovecot:managesieve'  # dovecot listens on 4190/tcp\n"
		"      - 'asterisk:manager'  # asterisk listens on 5038/tcp\n"
		"    disable:\n"
		"      - 'dovecot:imap'  # /etc/conf:7: Port x\n"
		"    # closed: 995/tcp: other listens, and none of these profiles has it; to open it: 'open: {995/tcp: anyone}'\n");
}

/* For another host's files it is unknown what listens. */
static void test_elsewhere(void **state)
{
	struct case_of of;

	(void)state;
	start(&of, NULL, 0);
	claim(&of, "postfix:smtp=25/tcp");
	claim(&of, "tomcat:ajp=8009/tcp");
	expect_site(
		&of,
		"groups:\n  trusted: []  # admits no source yet: write the prefixes that may reach tomcat:ajp here\n"
		"interfaces:\n  eth0:\n    profiles:\n"
		"      - postfix  # Postfix mail server: /etc/conf\n"
		"      - tomcat  # Apache Tomcat: /etc/conf\n"
		"    enable:\n"
		"      - 'tomcat:ajp'  # /etc/conf:7: Port x\n");
	start(&of, NULL, 0);
	expect_site(&of,
		    "interfaces:\n  eth0:\n    profiles:\n"
		    "      - host  # what every host needs; no product of the catalog was found\n");
}

/* A site's profile says where services of a shipped profile are configured. */
static void test_included(void **state)
{
	struct case_of of;

	(void)state;
	start(&of, NULL, 0);
	give(&of, "shop",
	     "profile: shop\nservices:\n  - {name: web, in: 80/tcp}\n  - {name: mail, in: 25/tcp, fixed: true}\n"
	     "  - {name: pop, in: 110/tcp, out: 110/tcp, feature: pop}\n");
	give(&of, "our-shop",
	     "profile: our-shop\ninclude: [shop]\nservices:\n  - {name: web, dynamic: true}\n"
	     "  - {name: mail, dynamic: true}\n  - {name: pop, dynamic: true}\n");
	claim(&of, "our-shop:web=8080/tcp");
	claim(&of, "our-shop:mail=2525/tcp");
	claim(&of, "our-shop:pop=1110/tcp");
	expect_site(&of, "interfaces:\n  eth0:\n    profiles:\n"
			 "      - our-shop  # /etc/conf\n"
			 "    enable:\n"
			 "      - 'shop:pop'  # /etc/conf:7: Port x\n"
			 "    disable:\n"
			 "      - 'shop:mail'  # /etc/conf:7: Port x\n"
			 "    set:\n"
			 "      'shop:web': [8080/tcp]  # /etc/conf:7: Port x\n"
			 "      'our-shop:mail': [2525/tcp]  # /etc/conf:7: Port x\n"
			 "      'shop:pop:in': [1110/tcp]  # /etc/conf:7: Port x\n");
}

/* The reasons of what a live filter has: those that were found, else that it has it. */
static void test_reasons(void **state)
{
	static const char *const words[][2] = {
		{"profiles", "mail"},	  {"profiles", "ssh"},	 {"enable", "mail:imap"},
		{"disable", "mail:pop3"}, {"set", "ssh:ssh"},	 {"from", "ssh:ssh"},
		{"open", "80/tcp"},	  {"limits", "ssh:ssh"}, {"groups", "office"},
	};
	struct suggestion to, found;
	struct diag diag = {};
	__free_text char *remarks = NULL;

	(void)state;
	suggestion_begin(&to);
	suggestion_begin(&found);
	recipe_profiles(&to.recipe, "mail,ssh", &diag);
	recipe_enable(&to.recipe, "mail:imap", &diag);
	recipe_disable(&to.recipe, "mail:pop3", &diag);
	recipe_set(&to.recipe, "ssh:ssh=2222/tcp", &diag);
	recipe_from(&to.recipe, "ssh:ssh=office", &diag);
	recipe_open(&to.recipe, "80/tcp", &diag);
	recipe_limit(&to.recipe, "ssh:ssh=3/m", &diag);
	recipe_group(&to.recipe, "office=192.0.2.0/24", &diag);
	recipe_profiles(&found.recipe, "mail,shop,host", &diag);
	expect_said(&diag, "");
	suggest_line(&found, "profiles", "mail", "by file");
	suggest_line(&found, "set", "ssh:ssh", "sshd_config has it");
	suggest_reasons(&to, &found);
	assert_int_equal(json_array_size(to.lines), ARRAY_SIZE(words));
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const json_t *line = json_array_get(to.lines, i);
		const char *why = json_string_value(json_object_get(line, "why"));

		assert_string_equal(json_string_value(json_object_get(line, "key")), words[i][0]);
		assert_string_equal(json_string_value(json_object_get(line, "word")), words[i][1]);
		assert_string_equal(why, !i	? "by file" :
					 i == 4 ? "sshd_config has it" :
						  "as the filter has it");
	}
	remarks = names_join(&to.remarks, "|");
	assert_string_equal(
		remarks, "profile shop is not in the filter, though its product is on this host");
	suggestion_free(&to);
	suggestion_free(&found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reasons),	 cmocka_unit_test(test_moved),
		cmocka_unit_test(test_features), cmocka_unit_test(test_elsewhere),
		cmocka_unit_test(test_included),
	};

	return cmocka_run_group_tests_name("report/suggest", tests, NULL, NULL);
}
