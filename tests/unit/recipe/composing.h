/* SPDX-License-Identifier: GPL-2.0 */
/* A small catalog, and compositions by options as on a command line. */
#ifndef PORTCULLIS_TEST_RECIPE_COMPOSING_H
#define PORTCULLIS_TEST_RECIPE_COMPOSING_H

#include <unistd.h>

#include "loader/base/diag.h"
#include "loader/base/memory.h"
#include "loader/base/names.h"
#include "loader/catalog/catalog.h"
#include "loader/catalog/ports.h"
#include "loader/recipe/machines.h"
#include "loader/recipe/compose.h"
#include "loader/recipe/recipe.h"
#include "tests/unit/expect.h"

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

static inline void write_profile(const char *name, const char *text)
{
	__free_text char *path = xasprintf("%s/%s.yaml", folder, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static inline int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	write_profile("mail", mail);
	write_profile("base", base);
	write_profile("other", other);
	return 0;
}

static inline int tear_down(void **state)
{
	static const char *const names[] = {"mail", "base", "other"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		__free_text char *path = xasprintf("%s/%s.yaml", folder, names[i]);

		unlink(path);
	}
	return rmdir(folder);
}

struct run {
	struct catalog catalog;
	struct recipe recipe;
	struct composition composition;
	struct diag diag;
	int result;
};

/* Options as on a command line, each "--option argument"; with the profile "mail" unless another is
 * given. */
static inline void read_options(struct recipe *recipe, const char *const *option, struct diag *diag)
{
	static const struct {
		const char *name;
		int (*add)(struct recipe *recipe, const char *argument, struct diag *diag);
	} known[] = {
		{"--profile ", recipe_profiles}, {"--enable ", recipe_enable},
		{"--disable ", recipe_disable},	 {"--set ", recipe_set},
		{"--from ", recipe_from},	 {"--group ", recipe_group},
		{"--open ", recipe_open},	 {"--limit ", recipe_limit},
	};

	struct recipe *interface = recipe;

	for (; *option; option++) {
		size_t i = 0;

		/* The next options are about the machine. */
		if (!strncmp(*option, "--machine ", 10)) {
			struct machine *machine =
				machines_word(interface, *option + 10, NULL, diag);

			assert_non_null(machine);
			names_add(&machine->own.profiles, "mail");
			recipe = &machine->own;
			continue;
		}
		while (strncmp(*option, known[i].name, strlen(known[i].name)))
			assert_true(++i < ARRAY_SIZE(known));
		assert_int_equal(0, known[i].add(recipe, *option + strlen(known[i].name), diag));
	}
	if (!interface->profiles.count)
		names_add(&interface->profiles, "mail");
	machines_inherit(interface);
}

static inline void start(struct run *run, const char *const *option)
{
	__cleanup(names_free) struct names given = {0};

	*run = (struct run){0};
	names_add(&given, folder);
	assert_int_equal(0, catalog_open(&given, &run->catalog, &run->diag));
	read_options(&run->recipe, option, &run->diag);
}

static inline void finish(struct run *run)
{
	composition_free(&run->composition);
	recipe_free(&run->recipe);
	catalog_close(&run->catalog);
	diag_free(&run->diag);
}

static inline void compose_with(struct run *run, bool strict, const char *const *option)
{
	start(run, option);
	run->result = compose(&run->catalog, &run->recipe, strict, &run->composition, &run->diag);
	if (run->result)
		assert_null(run->composition.service);
}

static inline void compose_well(struct run *run, const char *const *option)
{
	compose_with(run, false, option);
	if (run->result)
		diag_print(&run->diag, stderr);
	assert_int_equal(run->result, 0);
}

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NONE	     ((const char *const[]){NULL})

/* "in 25/tcp open"; if one service has two objects, both, with "; " between them. */
static inline char *state_of(const struct run *run, const char *profile, const char *service)
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

static inline void expect_state(const struct run *run, const char *profile, const char *service,
				const char *expected)
{
	__free_text char *text = state_of(run, profile, service);

	assert_string_equal(text, expected);
}

#endif
