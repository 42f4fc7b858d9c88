// SPDX-License-Identifier: GPL-2.0
/* Composition: what each option does to the services of a catalog, and what is said about it. */
#include "loader/base/memory.h"
#include "loader/compile/admit.h"
#include "loader/compile/compile.h"
#include "loader/recipe/compose_json.h"
#include "loader/recipe/prune.h"
#include "loader/recipe/recipe_json.h"
#include "loader/report/difference.h"
#include "tests/unit/expect.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static const char mail[] = "profile: mail\n"
			   "title: Mail\n"
			   "document: mail.txt\n"
			   "include: [base]\n"
			   "protocols: [esp]\n"
			   "services:\n"
			   "  - name: smtp\n"
			   "    title: SMTP\n"
			   "    in: 25/tcp\n"
			   "    fixed: true\n"
			   "    note: A note.\n"
			   "  - name: imap\n"
			   "    in: [143/tcp, 993/tcp]\n"
			   "    feature: imap\n"
			   "    formerly: {name: imap4, feature: mail-read}\n"
			   "  - name: admin\n"
			   "    in: 8443/tcp\n"
			   "    from: trusted\n"
			   "    configured-in: {file: conf/server.xml, xpath: /Server/@port}\n"
			   "  - name: tftp\n"
			   "    in: 69/udp\n"
			   "    from: [trusted, phones]\n"
			   "  - name: relay\n"
			   "    in: 2525/tcp\n"
			   "    out: 2525/tcp\n"
			   "    from: cluster\n"
			   "    to: cluster\n"
			   "  - name: sip\n"
			   "    in: 5060/tcp+udp\n"
			   "    out: 5060/udp\n"
			   "    to: pbx\n"
			   "  - name: fetch\n"
			   "    out: 110/tcp\n"
			   "  - name: db\n"
			   "    in: 3306/tcp\n"
			   "    local: true\n"
			   "  - name: plugin\n"
			   "    dynamic: true\n"
			   "    feature: plugins\n"
			   "    configured-in: the plugin's page\n"
			   "  - name: doc\n"
			   "    title: No ports\n";

static const char base[] = "profile: base\n"
			   "protocols: [gre]\n"
			   "services:\n"
			   "  - name: dhcp\n"
			   "    in: 68/udp\n"
			   "    from-port: 67/udp\n"
			   "  - name: dhcpv6\n"
			   "    in: 546/udp\n"
			   "    from: link-local\n"
			   "  - name: ntp\n"
			   "    in: 123/udp\n"
			   "    feature: ntp\n";

static const char other[] = "profile: other\n"
			    "services:\n"
			    "  - name: web\n"
			    "    in: 80/tcp\n"
			    "    from: browsers\n";

static char folder[] = "/tmp/pc-catalog-XXXXXX";

static void write_profile(const char *name, const char *text)
{
	__free_text char *path = xasprintf("%s/%s.yaml", folder, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	write_profile("mail", mail);
	write_profile("base", base);
	write_profile("other", other);
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = {"mail", "base", "other"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		__free_text char *path = xasprintf("%s/%s.yaml", folder, names[i]);

		unlink(path);
	}
	return rmdir(folder);
}

/* --- one run: options in, composition out --- */

struct run {
	struct catalog catalog;
	struct recipe recipe;
	struct composition composition;
	struct diag diag;
	int result;
};

/* Options as on a command line, each "--option argument"; of the profile "mail" by default. */
static void read_options(struct recipe *recipe, const char *const *option, struct diag *diag)
{
	static const struct {
		const char *name;
		int (*add)(struct recipe *recipe, const char *argument, struct diag *diag);
	} known[] = {
		{"--profile ", recipe_profiles}, {"--enable ", recipe_enable},
		{"--disable ", recipe_disable},	 {"--set ", recipe_set},
		{"--from ", recipe_from},	 {"--group ", recipe_group},
	};

	for (; *option; option++) {
		size_t i = 0;

		while (strncmp(*option, known[i].name, strlen(known[i].name)))
			assert_true(++i < ARRAY_SIZE(known));
		assert_int_equal(0, known[i].add(recipe, *option + strlen(known[i].name), diag));
	}
	if (!recipe->profiles.count)
		names_add(&recipe->profiles, "mail");
}

static void start(struct run *run, const char *const *option)
{
	__cleanup(names_free) struct names given = {0};

	*run = (struct run){0};
	names_add(&given, folder);
	assert_int_equal(0, catalog_open(&given, &run->catalog, &run->diag));
	read_options(&run->recipe, option, &run->diag);
}

static void finish(struct run *run)
{
	composition_free(&run->composition);
	recipe_free(&run->recipe);
	catalog_close(&run->catalog);
	diag_free(&run->diag);
}

static void compose_with(struct run *run, bool strict, const char *const *option)
{
	start(run, option);
	run->result = compose(&run->catalog, &run->recipe, strict, &run->composition, &run->diag);
	if (run->result)
		assert_null(run->composition.service);
}

static void compose_well(struct run *run, const char *const *option)
{
	compose_with(run, false, option);
	if (run->result)
		diag_print(&run->diag, stderr);
	assert_int_equal(run->result, 0);
}

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NONE	     ((const char *const[]){NULL})

/* "in 25/tcp open", and of two objects of one service both, with "; " between them. */
static char *state_of(const struct run *run, const char *profile, const char *service)
{
	static const char *const direction[] = {"", "in", "out", "both"};
	__cleanup(names_free) struct names found = {0};

	for (size_t i = 0; i < run->composition.services; i++) {
		const struct composed *composed = &run->composition.service[i];
		__cleanup(names_free) struct names ports = {0};
		__free_text char *list = NULL, *text = NULL;

		if (strcmp(composed->profile->name, profile) ||
		    strcmp(composed->service->name, service))
			continue;
		ports_strings(&composed->ports, &ports);
		list = names_join(&ports, ",");
		text = xasprintf("%s %s %s", direction[composed->direction], list,
				 composed->why ? why_closed_name[composed->why] : "open");
		names_add(&found, text);
	}
	return names_join(&found, "; ");
}

static void expect_state(const struct run *run, const char *profile, const char *service,
			 const char *expected)
{
	__free_text char *text = state_of(run, profile, service);

	assert_string_equal(text, expected);
}

/* --- tests --- */

static void test_plain(void **state)
{
	__cleanup(finish) struct run run;

	(void)state;
	compose_well(&run, NONE);
	assert_int_equal(run.composition.profiles, 2);
	assert_string_equal(run.composition.profile[0]->name, "mail");
	assert_string_equal(run.composition.profile[1]->name, "base");
	expect_state(&run, "mail", "smtp", "in 25/tcp open");
	expect_state(&run, "mail", "imap", "in 143/tcp,993/tcp feature");
	expect_state(&run, "mail", "admin", "in 8443/tcp group");
	expect_state(&run, "mail", "relay", "both 2525/tcp group");
	expect_state(&run, "mail", "sip", "in 5060/tcp,5060/udp open; out 5060/udp group");
	expect_state(&run, "mail", "fetch", "out 110/tcp open");
	expect_state(&run, "mail", "db", "in 3306/tcp local");
	expect_state(&run, "mail", "plugin", "in  dynamic");
	expect_state(&run, "mail", "doc", "in  no-ports");
	expect_state(&run, "base", "dhcp", "in 68/udp open");
	expect_state(&run, "base", "dhcpv6", "in 546/udp open");
	expect_said(
		&run.diag,
		"portcullis: warning: mail: admin, tftp, relay, sip:out are closed: groups trusted, phones, cluster, pbx are not defined; define them with --group trusted=PREFIX --group phones=PREFIX --group cluster=PREFIX --group pbx=PREFIX\n");
}

/* One line of output, or none, for options that leave the composition possible. */
static void test_warnings(void **state)
{
	static const struct {
		const char *const option[7];
		const char *said;
	} cases[] = {
		{{"--profile base"}, ""},
		{{"--profile other"},
		 "warning: other: web is closed: group browsers is not defined; define it with --group browsers=PREFIX"},
		/* Of several groups the defined ones count. */
		{{"--group trusted=10.0.0.0/8", "--group cluster=10.0.0.0/8", "--group pbx=::/0"},
		 ""},
		{{"--group phones=10.0.0.0/8", "--group cluster=10.0.0.0/8", "--group pbx=::/0"},
		 "warning: mail: admin is closed: group trusted is not defined; define it with --group trusted=PREFIX"},
		{{"--group trusted=10.0.0.0/8", "--group pbx=::/0"},
		 "warning: mail: relay is closed: group cluster is not defined; define it with --group cluster=PREFIX"},
		/* What is closed for another reason needs no group. */
		{{"--disable mail:admin", "--disable mail:tftp", "--disable mail:relay",
		  "--disable mail:sip"},
		 ""},
		{{"--profile other", "--from other:web=link-local"}, ""},
		{{"--profile other", "--from other:web=trusted"},
		 "warning: other: web is closed: group trusted is not defined; define it with --group trusted=PREFIX"},
		{{"--profile other", "--from other:web=mine", "--group mine=::/0"}, ""},
		/* Old names work, and say so. */
		{{"--group trusted=::/0", "--group cluster=::/0", "--group pbx=::/0",
		  "--enable mail-read"},
		 "--enable: warning: the feature mail:mail-read is now named mail:imap"},
		{{"--group trusted=::/0", "--group cluster=::/0", "--group pbx=::/0",
		  "--set mail:imap4=993/tcp"},
		 "--set: warning: mail:imap4 is now named mail:imap"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__free_text char *expected =
			*cases[i].said ? xasprintf("portcullis: %s\n", cases[i].said) : xstrdup("");
		__cleanup(finish) struct run run;

		compose_with(&run, false, cases[i].option);
		expect_said(&run.diag, expected);
		assert_int_equal(run.result, 0);
	}
}

static void test_errors(void **state)
{
	static const struct {
		const char *const option[3];
		const char *said;
	} cases[] = {
		{{"--profile mial"}, "unknown profile 'mial'; did you mean 'mail'?"},
		{{"--enable imab"},
		 "--enable: no chosen profile has the feature 'imab'; did you mean 'imap'?"},
		{{"--enable xyzzy"}, "--enable: no chosen profile has the feature 'xyzzy'"},
		{{"--enable mail:ntp"}, "--enable: mail has no feature 'ntp'"},
		{{"--enable base:nto"}, "--enable: base has no feature 'nto'; did you mean 'ntp'?"},
		{{"--enable bass:ntp"},
		 "--enable: no chosen profile is named 'bass'; did you mean 'base'?"},
		{{"--enable other:ntp"}, "--enable: no chosen profile is named 'other'"},
		{{"--disable mail:smpt"},
		 "--disable: mail has no service 'smpt'; did you mean 'smtp'?"},
		{{"--disable other:web"}, "--disable: no chosen profile is named 'other'"},
		{{"--set mail:smtp=26/tcp"},
		 "--set: mail:smtp is fixed by the vendor (25/tcp) and cannot be moved"},
		{{"--set mail:smtp:out=26/tcp"},
		 "--set: mail:smtp is fixed by the vendor (25/tcp) and cannot be moved"},
		{{"--set mail:imap:out=26/tcp"},
		 "--set: mail:imap has no direction out; write mail:imap:in=PORTS"},
		{{"--set mail:plugin:out=26/tcp"},
		 "--set: mail:plugin has no direction out; write mail:plugin:in=PORTS"},
		{{"--set mail:fetch:in=26/tcp"},
		 "--set: mail:fetch has no direction in; write mail:fetch:out=PORTS"},
		{{"--set mail:doc=26/tcp"}, "--set: mail:doc uses no ports, so none can be set"},
		{{"--set base:dhcp=68/tcp+udp"},
		 "--set: base:dhcp admits only from source port 67/udp, which has not the protocol of 68/tcp, 68/udp"},
		{{"--from mail:fetch=trusted"},
		 "--from: mail:fetch listens on no port, so nobody can be kept from it"},
		{{"--from mail:doc=trusted"},
		 "--from: mail:doc listens on no port, so nobody can be kept from it"},
		{{"--from mail:db=trustd"},
		 "--from: no such group 'trustd'; did you mean 'trusted'? define it with --group trustd=PREFIX"},
		{{"--from mail:db=xyzzy"},
		 "--from: no such group 'xyzzy'; define it with --group xyzzy=PREFIX"},
		{{"--from mail:db=offices", "--group office=::/0"},
		 "--from: no such group 'offices'; did you mean 'office'? define it with --group offices=PREFIX"},
		/* All of them in one run, and no word about groups before they are right. */
		{{"--enable imab", "--disable mail:x"},
		 "--enable: no chosen profile has the feature 'imab'; did you mean 'imap'?\n"
		 "portcullis: --disable: mail has no service 'x'"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__free_text char *expected = xasprintf("portcullis: %s\n", cases[i].said);
		__cleanup(finish) struct run run;

		compose_with(&run, false, cases[i].option);
		expect_said(&run.diag, expected);
		assert_int_equal(run.result, -EINVAL);
	}
}

static void test_strict(void **state)
{
	__cleanup(finish) struct run closed, open;

	(void)state;
	compose_with(&closed, true, OPTIONS("--profile other"));
	assert_int_equal(closed.result, -EINVAL);
	expect_said(
		&closed.diag,
		"portcullis: other: web is closed: group browsers is not defined; define it with --group browsers=PREFIX\n");
	compose_with(&open, true, OPTIONS("--profile other", "--group browsers=::/0"));
	assert_int_equal(open.result, 0);
}

static void test_set(void **state)
{
	static const struct {
		const char *const option[4];
		const char *service, *state;
	} cases[] = {
		{{"--set mail:imap=1143/tcp"}, "imap", "in 1143/tcp feature"},
		{{"--set mail:imap=1143/tcp", "--enable imap"}, "imap", "in 1143/tcp open"},
		{{"--set mail:plugin=7000-7009/tcp"}, "plugin", "in 7000-7009/tcp feature"},
		{{"--set mail:plugin:in=7000/tcp", "--enable plugins"},
		 "plugin",
		 "in 7000/tcp open"},
		{{"--enable plugins"}, "plugin", "in  dynamic"},
		{{"--set mail:fetch=995/tcp"}, "fetch", "out 995/tcp open"},
		{{"--set mail:relay=26/tcp"}, "relay", "both 26/tcp group"},
		{{"--set mail:relay:in=26/tcp"}, "relay", "in 26/tcp group; out 2525/tcp group"},
		{{"--set mail:relay=26/tcp", "--set mail:relay:out=27/tcp"},
		 "relay",
		 "in 26/tcp group; out 27/tcp group"},
		{{"--set mail:sip:out=5060/tcp+udp", "--group pbx=::/0"},
		 "sip",
		 "both 5060/tcp,5060/udp open"},
		{{"--set mail:sip:out=5060/tcp+udp"}, "sip", "both 5060/tcp,5060/udp group"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__cleanup(finish) struct run run;

		compose_well(&run, cases[i].option);
		expect_state(&run, "mail", cases[i].service, cases[i].state);
	}
}

/* The first that holds of disabled, no-ports, dynamic, feature, local, group. */
static void test_why_closed(void **state)
{
	static const char *const why[] = {NULL,	     "disabled", "no-ports", "dynamic",
					  "feature", "local",	 "group"};
	static const struct {
		const char *keys; /* of the service "x" */
		const char *option[4];
		const char *state;
	} cases[] = {
		{"note: none", {"--disable p:x"}, "in  disabled"},
		{"note: none", {NULL}, "in  no-ports"},
		{"{dynamic: true, feature: f, local: true}", {"--disable p:x"}, "in  disabled"},
		{"{dynamic: true, feature: f, local: true}", {NULL}, "in  dynamic"},
		{"{dynamic: true, feature: f, local: true}",
		 {"--set p:x=1/tcp"},
		 "in 1/tcp feature"},
		{"{dynamic: true, feature: f, local: true}",
		 {"--set p:x=1/tcp", "--enable f"},
		 "in 1/tcp local"},
		{"{in: 1/tcp, feature: f, local: true}",
		 {"--disable p:x", "--enable f"},
		 "in 1/tcp disabled"},
		{"{in: 1/tcp, feature: f, local: true}", {NULL}, "in 1/tcp feature"},
		{"{in: 1/tcp, feature: f, from: g}", {NULL}, "in 1/tcp feature"},
		{"{in: 1/tcp, feature: f, from: g}", {"--enable p:f"}, "in 1/tcp group"},
		{"{in: 1/tcp, local: true}", {NULL}, "in 1/tcp local"},
		{"{in: 1/tcp, local: true, from: g}", {NULL}, "in 1/tcp local"},
		{"{in: 1/tcp, local: true, from: g}", {"--group g=::/0"}, "in 1/tcp local"},
		{"{in: 1/tcp, local: true}", {"--from p:x=trusted"}, "in 1/tcp group"},
		{"{in: 1/tcp, local: true}",
		 {"--from p:x=trusted", "--group trusted=::/0"},
		 "in 1/tcp open"},
		{"{in: 1/tcp, out: 1/tcp, from: g}", {NULL}, "both 1/tcp group"},
		{"{out: 1/tcp, to: g}", {NULL}, "out 1/tcp group"},
		{"{out: 1/tcp, to: [g, h]}", {"--group h=::/0"}, "out 1/tcp open"},
		{"{in: 1/tcp, out: 1/tcp, from: g, to: g}", {"--group g=::/0"}, "both 1/tcp open"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(why); i++) {
		if (why[i])
			assert_string_equal(why_closed_name[i], why[i]);
		else
			assert_null(why_closed_name[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool flow = *cases[i].keys == '{';
		__free_text char *text = xasprintf(
			"profile: other\nservices:\n  - %s%s\n  - {name: y, in: 9/tcp, from: trusted}\n",
			flow ? "{name: x, " : "name: x\n    ", cases[i].keys + flow);
		const char *option[6] = {"--profile other"};
		__cleanup(finish) struct run run;

		write_profile("other", text);
		for (size_t j = 0; cases[i].option[j]; j++) {
			/* p stands for the profile */
			char *p = strstr(cases[i].option[j], "p:");
			char *word = p ? xasprintf("%.*sother%s", (int)(p - cases[i].option[j]),
						   cases[i].option[j], p + 1) :
					 xstrdup(cases[i].option[j]);

			option[j + 1] = word;
		}
		compose_well(&run, option);
		for (size_t j = 1; option[j]; j++)
			free((char *)option[j]);
		expect_state(&run, "other", "x", cases[i].state);
	}
	write_profile("other", other);
}

/* Of two objects of one service, each has the groups of its own direction only. */
static void test_groups_by_direction(void **state)
{
	__cleanup(finish) struct run run;
	size_t found = 0;

	(void)state;
	compose_well(&run, OPTIONS("--set mail:relay:out=27/tcp"));
	for (size_t i = 0; i < run.composition.services; i++) {
		const struct composed *composed = &run.composition.service[i];

		if (strcmp(composed->service->name, "relay"))
			continue;
		assert_int_equal(composed->from.count, composed->direction == DIRECTION_IN);
		assert_int_equal(composed->to.count, composed->direction == DIRECTION_OUT);
		found++;
	}
	assert_int_equal(found, 2);
}

static void test_effective_groups(void **state)
{
	__cleanup(finish) struct run run;
	__cleanup(tables_free) struct tables tables = {0};
	static const __u8 trusted[16] = {10, 1}, stranger[16] = {11, 1};
	const struct composed *tftp = NULL;

	(void)state;
	compose_well(&run, OPTIONS("--group trusted=10.0.0.0/8", "--from mail:db=trusted,phones",
				   "--from mail:imap=phones", "--from mail:smtp=trusted"));
	/* All names stay, only the defined ones admit. */
	for (size_t i = 0; i < run.composition.services; i++) {
		if (!strcmp(run.composition.service[i].service->name, "tftp"))
			tftp = &run.composition.service[i];
	}
	assert_non_null(tftp);
	assert_int_equal(tftp->from.count, 2);
	assert_int_equal(tftp->why, WHY_OPEN);
	expect_state(&run, "mail", "db", "in 3306/tcp open");
	expect_state(&run, "mail", "imap", "in 143/tcp,993/tcp feature");
	assert_int_equal(0, compile(&run.composition, &tables, &run.diag));
	assert_int_equal(tables_admit(&tables, AF_INET, trusted, PC_UDP, 9, 69), ADMIT_PASS);
	assert_int_equal(tables_admit(&tables, AF_INET, stranger, PC_UDP, 9, 69), ADMIT_SOURCE);
	assert_int_equal(tables_admit(&tables, AF_INET, trusted, PC_TCP, 9, 3306), ADMIT_PASS);
	assert_int_equal(tables_admit(&tables, AF_INET, stranger, PC_TCP, 9, 25), ADMIT_SOURCE);
	assert_int_equal(tables_admit(&tables, AF_INET, trusted, PC_TCP, 9, 143), ADMIT_UNLISTED);
	assert_int_equal(tables_admit(&tables, AF_INET, stranger, PC_UDP, 67, 68), ADMIT_PASS);
	assert_int_equal(tables_admit(&tables, AF_INET, stranger, PC_UDP, 68, 68), ADMIT_SOURCE);
	/* What goes out: to the groups of `to`, of which none is defined for sip and relay. */
	assert_true(tables_covers(&tables, AF_INET, stranger, PC_TCP, 110));
	assert_false(tables_covers(&tables, AF_INET, trusted, PC_TCP, 25));
	assert_false(tables_covers(&tables, AF_INET, trusted, PC_UDP, 5060));
	assert_false(tables_covers(&tables, AF_INET, trusted, PC_TCP, 2525));
	/* Protocols of the whole closure. */
	assert_int_equal(tables.generation->protocol[47], 1);
	assert_int_equal(tables.generation->protocol[50], 1);
	assert_int_equal(tables.generation->protocol[51], 0);
}

static void test_json(void **state)
{
	static const char expected[] =
		"[{\"name\":\"mail\",\"title\":\"Mail\",\"document\":\"mail.txt\",\"path\":\"%s/mail.yaml\",\"included\":false,\"protocols\":[\"esp\"],\"services\":["
		"{\"name\":\"smtp\",\"title\":\"SMTP\",\"direction\":\"in\",\"ports\":[\"25/tcp\"],\"from\":[],\"to\":[],\"feature\":null,\"from_ports\":[],\"open\":true,\"why_closed\":null,\"fixed\":true,\"local\":false,\"dynamic\":false,\"configured_in\":null,\"note\":\"A note.\"},"
		"{\"name\":\"imap\",\"title\":null,\"direction\":\"in\",\"ports\":[\"143/tcp\",\"993/tcp\"],\"from\":[],\"to\":[],\"feature\":\"imap\",\"from_ports\":[],\"open\":false,\"why_closed\":\"feature\",\"fixed\":false,\"local\":false,\"dynamic\":false,\"configured_in\":null,\"note\":null},"
		"{\"name\":\"admin\",\"title\":null,\"direction\":\"in\",\"ports\":[\"8443/tcp\"],\"from\":[\"trusted\"],\"to\":[],\"feature\":null,\"from_ports\":[],\"open\":true,\"why_closed\":null,\"fixed\":false,\"local\":false,\"dynamic\":false,\"configured_in\":{\"file\":\"conf/server.xml\",\"xpath\":\"/Server/@port\"},\"note\":null},"
		"{\"name\":\"tftp\",\"title\":null,\"direction\":\"in\",\"ports\":[\"69/udp\"],\"from\":[\"trusted\",\"phones\"],\"to\":[],\"feature\":null,\"from_ports\":[],\"open\":true,\"why_closed\":null,\"fixed\":false,\"local\":false,\"dynamic\":false,\"configured_in\":null,\"note\":null},"
		"{\"name\":\"relay\",\"title\":null,\"direction\":\"both\",\"ports\":[\"2525/tcp\"],\"from\":[\"cluster\"],\"to\":[\"cluster\"],\"feature\":null,\"from_ports\":[],\"open\":false,\"why_closed\":\"group\",\"fixed\":false,\"local\":false,\"dynamic\":false,\"configured_in\":null,\"note\":null},"
		"{\"name\":\"sip\",\"title\":null,\"direction\":\"in\",\"ports\":[\"5060/tcp\",\"5060/udp\"],\"from\":[],\"to\":[],\"feature\":null,\"from_ports\":[],\"open\":true,\"why_closed\":null,\"fixed\":false,\"local\":false,\"dynamic\":false,\"configured_in\":null,\"note\":null},"
		"{\"name\":\"sip\",\"title\":null,\"direction\":\"out\",\"ports\":[\"5060/udp\"],\"from\":[],\"to\":[\"pbx\"],\"feature\":null,\"from_ports\":[],\"open\":false,\"why_closed\":\"group\",\"fixed\":false,\"local\":false,\"dynamic\":false,\"configured_in\":null,\"note\":null},"
		"{\"name\":\"fetch\",\"title\":null,\"direction\":\"out\",\"ports\":[\"110/tcp\"],\"from\":[],\"to\":[],\"feature\":null,\"from_ports\":[],\"open\":true,\"why_closed\":null,\"fixed\":false,\"local\":false,\"dynamic\":false,\"configured_in\":null,\"note\":null},"
		"{\"name\":\"db\",\"title\":null,\"direction\":\"in\",\"ports\":[\"3306/tcp\"],\"from\":[],\"to\":[],\"feature\":null,\"from_ports\":[],\"open\":false,\"why_closed\":\"local\",\"fixed\":false,\"local\":true,\"dynamic\":false,\"configured_in\":null,\"note\":null},"
		"{\"name\":\"plugin\",\"title\":null,\"direction\":\"in\",\"ports\":[],\"from\":[],\"to\":[],\"feature\":\"plugins\",\"from_ports\":[],\"open\":false,\"why_closed\":\"dynamic\",\"fixed\":false,\"local\":false,\"dynamic\":true,\"configured_in\":\"the plugin's page\",\"note\":null},"
		"{\"name\":\"doc\",\"title\":\"No ports\",\"direction\":\"in\",\"ports\":[],\"from\":[],\"to\":[],\"feature\":null,\"from_ports\":[],\"open\":false,\"why_closed\":\"no-ports\",\"fixed\":false,\"local\":false,\"dynamic\":false,\"configured_in\":null,\"note\":null}]},"
		"{\"name\":\"base\",\"title\":null,\"document\":null,\"path\":\"%s/base.yaml\",\"included\":true,\"protocols\":[\"gre\"],\"services\":["
		"{\"name\":\"dhcp\",\"title\":null,\"direction\":\"in\",\"ports\":[\"68/udp\"],\"from\":[],\"to\":[],\"feature\":null,\"from_ports\":[\"67/udp\"],\"open\":true,\"why_closed\":null,\"fixed\":false,\"local\":false,\"dynamic\":false,\"configured_in\":null,\"note\":null},"
		"{\"name\":\"dhcpv6\",\"title\":null,\"direction\":\"in\",\"ports\":[\"546/udp\"],\"from\":[\"link-local\"],\"to\":[],\"feature\":null,\"from_ports\":[],\"open\":true,\"why_closed\":null,\"fixed\":false,\"local\":false,\"dynamic\":false,\"configured_in\":null,\"note\":null},"
		"{\"name\":\"ntp\",\"title\":null,\"direction\":\"in\",\"ports\":[\"123/udp\"],\"from\":[],\"to\":[],\"feature\":\"ntp\",\"from_ports\":[],\"open\":false,\"why_closed\":\"feature\",\"fixed\":false,\"local\":false,\"dynamic\":false,\"configured_in\":null,\"note\":null}]}]";
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

static void test_prune(void **state)
{
	__cleanup(finish) struct run run, wrong;
	__cleanup(names_free) struct names dropped = {0};
	__free_text char *gone = NULL, *left = NULL;
	json_t *json;

	(void)state;
	start(&run,
	      OPTIONS("--profile base", "--enable imap", "--enable ntp", "--enable mail:imap",
		      "--enable base:ntp", "--enable base:imap", "--enable mail:ntp",
		      "--disable mail:smtp", "--disable base:dhcp", "--set mail:imap:in=1143/tcp",
		      "--set base:ntp=124/udp", "--from mail:db=trusted",
		      "--from base:ntp=trusted,phones", "--group trusted=10.0.0.0/8"));
	assert_int_equal(0, recipe_prune(&run.recipe, &run.catalog, &dropped, &run.diag));
	assert_int_equal(run.diag.count, 0);
	gone = names_join(&dropped, "\n");
	assert_string_equal(
		gone, "--enable imap\n--enable mail:imap\n--enable base:imap\n--enable mail:ntp\n"
		      "--disable mail:smtp\n--set mail:imap:in=1143/tcp\n--from mail:db=trusted");
	json = recipe_json(&run.recipe);
	left = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	assert_string_equal(
		left,
		"{\"profiles\":[\"base\"],\"policy\":\"enforce\",\"outbound\":\"track\",\"forward\":false,\"echo_limit\":100,"
		"\"features\":[\"ntp\",\"base:ntp\"],"
		"\"groups\":{\"trusted\":[\"10.0.0.0/8\"]},\"overrides\":{\"set\":[\"base:ntp=124/udp\"],"
		"\"from\":[\"base:ntp=trusted,phones\"],\"disable\":[\"base:dhcp\"]}}");
	run.result = compose(&run.catalog, &run.recipe, false, &run.composition, &run.diag);
	assert_int_equal(run.result, 0);

	/* An old name of what is still there is known. */
	start(&wrong, OPTIONS("--profile mail", "--enable mail-read", "--disable mail:imap4"));
	names_free(&dropped);
	assert_int_equal(0, recipe_prune(&wrong.recipe, &wrong.catalog, &dropped, &wrong.diag));
	assert_int_equal(dropped.count, 0);
	names_add(&wrong.recipe.profiles, "mial");
	assert_int_equal(-EINVAL,
			 recipe_prune(&wrong.recipe, &wrong.catalog, &dropped, &wrong.diag));
	expect_said(&wrong.diag, "portcullis: unknown profile 'mial'; did you mean 'mail'?\n");
}

/* --- what a swap prints --- */

/* What is kept with a generation, as plan_make has it. */
static json_t *kept_of(const char *const *option, const struct recipe *settings)
{
	__cleanup(finish) struct run run;

	start(&run, option);
	run.recipe.policy = settings->policy;
	run.recipe.outbound = settings->outbound;
	run.recipe.forward = settings->forward;
	run.recipe.echo_limit = settings->echo_limit;
	assert_int_equal(0, compose(&run.catalog, &run.recipe, false, &run.composition, &run.diag));
	return json_pack("{s:o, s:o}", "recipe", recipe_json(&run.recipe), "profiles",
			 composition_json(&run.composition));
}

static void expect_difference(const json_t *before, const json_t *after, const char *expected)
{
	__free_text char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);

	difference_print(before, after, to);
	fclose(to);
	if (strcmp(text, expected))
		print_error("printed:\n%sexpected:\n%s", text, expected);
	assert_string_equal(text, expected);
}

#define PARTIES "--group cluster=10.0.0.0/8", "--group pbx=11.0.0.0/8", "--group trusted=::/0"

static void test_difference_ports(void **state)
{
	static const struct {
		const char *const before[7], *const after[7];
		const char *printed, *reversed;
	} cases[] = {
		{{PARTIES},
		 {PARTIES},
		 "  no port opens or closes\n",
		 "  no port opens or closes\n"},
		{{PARTIES},
		 {PARTIES, "--disable mail:fetch"},
		 "  closes  out 110/tcp to anyone (mail:fetch)\n",
		 "  opens   out 110/tcp to anyone (mail:fetch)\n"},
		{{PARTIES},
		 {PARTIES, "--set mail:fetch=110-112/tcp"},
		 "  opens   out 111-112/tcp to anyone (mail:fetch)\n",
		 "  closes  out 111-112/tcp to anyone (mail:fetch)\n"},
		{{PARTIES},
		 {PARTIES, "--disable mail:relay"},
		 "  closes  2525/tcp from cluster (mail:relay)\n"
		 "  closes  out 2525/tcp to cluster (mail:relay)\n",
		 "  opens   2525/tcp from cluster (mail:relay)\n"
		 "  opens   out 2525/tcp to cluster (mail:relay)\n"},
		/* Each direction has groups of its own. */
		{{PARTIES},
		 {PARTIES, "--from mail:relay=trusted"},
		 "  changes 2525/tcp from cluster to trusted (anyone over IPv6) (mail:relay)\n"
		 "  changes 2525/tcp (mail:relay): + ::/0, - 10.0.0.0/8; that is anyone over IPv6\n",
		 "  changes 2525/tcp from trusted (anyone over IPv6) to cluster (mail:relay)\n"
		 "  changes 2525/tcp (mail:relay): + 10.0.0.0/8, - ::/0\n"},
		{{PARTIES},
		 {PARTIES, "--set mail:fetch=5060/udp"},
		 "  closes  out 110/tcp to anyone (mail:fetch)\n"
		 "  changes out 5060/udp from pbx to anyone (mail:sip)\n",
		 "  opens   out 110/tcp to anyone (mail:fetch)\n"
		 "  changes out 5060/udp from anyone to pbx (mail:sip)\n"},
	};
	static const struct recipe enforced = {.outbound = PC_OUTBOUND_ENFORCE};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *before = kept_of(cases[i].before, &enforced);
		json_t *after = kept_of(cases[i].after, &enforced);

		expect_difference(before, after, cases[i].printed);
		expect_difference(after, before, cases[i].reversed);
		json_decref(before);
		json_decref(after);
	}
}

/* Which prefixes come and go, service by service. */
static void test_difference_groups(void **state)
{
	static const struct {
		const char *const before[7], *const after[7];
		const char *printed;
	} cases[] = {
		{{"--group cluster=192.0.2.0/24"},
		 {"--group cluster=0.0.0.0/0"},
		 "  changes 2525/tcp (mail:relay): + 0.0.0.0/0, - 192.0.2.0/24; that is anyone over IPv4\n"
		 "  changes out 2525/tcp (mail:relay): + 0.0.0.0/0, - 192.0.2.0/24; that is anyone over IPv4\n"},
		{{"--group cluster=0.0.0.0/0"},
		 {"--group cluster=0.0.0.0/0,::/0"},
		 "  changes 2525/tcp (mail:relay): + ::/0; that is anyone\n"
		 "  changes out 2525/tcp (mail:relay): + ::/0; that is anyone\n"},
		{{"--group cluster=192.0.2.0/24"},
		 {"--group cluster=0.0.0.0/1,128.0.0.0/1,192.0.2.0/24"},
		 "  changes 2525/tcp (mail:relay): + 0.0.0.0/1, + 128.0.0.0/1; that is anyone over IPv4\n"
		 "  changes out 2525/tcp (mail:relay): + 0.0.0.0/1, + 128.0.0.0/1; that is anyone over IPv4\n"},
		/* What another group of the service has, neither comes nor goes. */
		{{"--from mail:tftp=a,b", "--group a=10.0.0.0/8", "--group b=11.0.0.0/8"},
		 {"--from mail:tftp=a,b", "--group a=10.0.0.0/8,11.0.0.0/8",
		  "--group b=11.0.0.0/8"},
		 "  no port opens or closes\n"},
		/* The first four of each kind, or five. */
		{{"--from mail:tftp=a", "--group a=10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4,10.0.0.5"},
		 {"--from mail:tftp=a",
		  "--group a=11.0.0.1,11.0.0.2,11.0.0.3,11.0.0.4,11.0.0.5,11.0.0.6"},
		 "  changes 69/udp (mail:tftp): + 11.0.0.1/32, + 11.0.0.2/32, + 11.0.0.3/32, + 11.0.0.4/32 and 2 more,"
		 " - 10.0.0.1/32, - 10.0.0.2/32, - 10.0.0.3/32, - 10.0.0.4/32, - 10.0.0.5/32\n"},
		{{"--group none=10.0.0.0/8"},
		 {"--group none=11.0.0.0/8"},
		 "  changes group none: + 11.0.0.0/8, - 10.0.0.0/8; no open service has it\n"},
	};
	static const struct recipe enforced = {.outbound = PC_OUTBOUND_ENFORCE};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *before = kept_of(cases[i].before, &enforced);
		json_t *after = kept_of(cases[i].after, &enforced);

		expect_difference(before, after, cases[i].printed);
		json_decref(before);
		json_decref(after);
	}
}

/* 100,000 come: four are told, in no time. */
static void test_difference_long_group(void **state)
{
	json_t *before = json_loads(
		"{\"recipe\": {\"groups\": {\"g\": [\"192.0.2.0/24\"]}}, \"profiles\": [{\"name\": \"p\","
		" \"services\": [{\"name\": \"s\", \"direction\": \"in\", \"open\": true, \"ports\": [\"22/tcp\"],"
		" \"from\": [\"g\"]}]}]}",
		0, NULL);
	json_t *after = json_deep_copy(before);
	json_t *list =
		json_object_get(json_object_get(json_object_get(after, "recipe"), "groups"), "g");

	(void)state;
	for (int i = 0; i < 100000; i++)
		json_array_append_new(
			list, json_sprintf("10.%d.%d.%d/32", i >> 16, i >> 8 & 255, i & 255));
	expect_difference(
		before, after,
		"  changes 22/tcp (p:s): + 10.0.0.0/32, + 10.0.0.1/32, + 10.0.0.2/32, + 10.0.0.3/32 and 99,996 more\n");
	json_decref(before);
	json_decref(after);
}

/* As long as nothing that goes out is dropped, nothing opens or closes. */
static void test_difference_tracked(void **state)
{
	static const struct recipe tracked = {0}, enforced = {.outbound = PC_OUTBOUND_ENFORCE};
	json_t *all = kept_of(OPTIONS(PARTIES), &tracked);
	json_t *less = kept_of(OPTIONS(PARTIES, "--disable mail:fetch"), &tracked);
	json_t *held = kept_of(OPTIONS(PARTIES, "--disable mail:fetch"), &enforced);

	(void)state;
	expect_difference(all, less, "  unlists out 110/tcp to anyone (mail:fetch)\n");
	expect_difference(less, all, "  lists   out 110/tcp to anyone (mail:fetch)\n");
	expect_difference(all, held,
			  "  closes  out 110/tcp to anyone (mail:fetch)\n"
			  "  changes outbound from track to enforce\n");
	expect_difference(held, all,
			  "  lists   out 110/tcp to anyone (mail:fetch)\n"
			  "  changes outbound from enforce to track\n");
	json_decref(all);
	json_decref(less);
	json_decref(held);
}

/* Source ports restrict what comes in alone. */
static void test_difference_from_port(void **state)
{
	static const char both[] = "profile: other\n"
				   "services:\n"
				   "  - {name: web, in: 80/tcp, out: 80/tcp, from-port: 90/tcp}\n";
	static const struct recipe none = {0};
	json_t *nothing = json_object(), *kept;

	(void)state;
	write_profile("other", both);
	kept = kept_of(OPTIONS("--profile other"), &none);
	write_profile("other", other);
	expect_difference(nothing, kept,
			  "  opens   80/tcp from anyone, source port 90/tcp (other:web)\n"
			  "  lists   out 80/tcp to anyone (other:web)\n");
	json_decref(nothing);
	json_decref(kept);
}

static void test_difference_settings(void **state)
{
	static const struct {
		struct recipe before, after;
		const char *printed;
	} cases[] = {
		{{},
		 {.policy = PC_POLICY_OBSERVE},
		 "  changes the policy from enforce to observe\n"},
		{{},
		 {.outbound = PC_OUTBOUND_ENFORCE},
		 "  changes outbound from track to enforce\n"},
		{{.outbound = PC_OUTBOUND_ENFORCE},
		 {},
		 "  changes outbound from enforce to track\n"},
		{{}, {.forward = true}, "  changes forward from no to yes\n"},
		{{.forward = true}, {}, "  changes forward from yes to no\n"},
		{{}, {.echo_limit = 100}, "  no port opens or closes\n"},
		{{}, {.echo_limit = 5}, "  changes the echo limit from 100 to 5\n"},
		{{.echo_limit = 5},
		 {.echo_limit = ECHO_LIMIT_NONE},
		 "  changes the echo limit from 5 to none\n"},
		{{.echo_limit = ECHO_LIMIT_NONE},
		 {.outbound = PC_OUTBOUND_ENFORCE, .forward = true},
		 "  changes outbound from track to enforce\n"
		 "  changes forward from no to yes\n"
		 "  changes the echo limit from none to 100\n"},
	};
	static const struct recipe none = {0};
	json_t *old, *new;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		old = kept_of(OPTIONS("--profile base"), &cases[i].before);
		new = kept_of(OPTIONS("--profile base"), &cases[i].after);
		expect_difference(old, new, cases[i].printed);
		json_decref(old);
		json_decref(new);
	}
	/* A recipe of an older version, which says nothing of them, had the defaults. */
	old = kept_of(OPTIONS("--profile base"), &none);
	new = kept_of(OPTIONS("--profile base"), &none);
	json_object_del(json_object_get(old, "recipe"), "outbound");
	json_object_del(json_object_get(old, "recipe"), "forward");
	json_object_del(json_object_get(old, "recipe"), "echo_limit");
	expect_difference(old, new, "  no port opens or closes\n");
	json_decref(old);
	json_decref(new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_why_closed),
		cmocka_unit_test(test_groups_by_direction),
		cmocka_unit_test(test_effective_groups),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_prune),
		cmocka_unit_test(test_difference_ports),
		cmocka_unit_test(test_difference_groups),
		cmocka_unit_test(test_difference_long_group),
		cmocka_unit_test(test_difference_tracked),
		cmocka_unit_test(test_difference_from_port),
		cmocka_unit_test(test_difference_settings),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
