// SPDX-License-Identifier: GPL-2.0
/* `export`: the live filters in another form. */
#include "loader/command/export.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/utf8.h"
#include "loader/command/live_entry.h"
#include "loader/host/attached.h"
#include "loader/net/link.h"
#include "loader/object/privilege.h"
#include "loader/recipe/kept_machines.h"
#include "loader/recipe/site.h"
#include "loader/recipe/site_write.h"
#include "loader/report/nftables.h"

#define SITE	 "site"
#define NFTABLES "nftables"

static void write_head(FILE *to, const char *more)
{
	char host[65] = "", when[64];
	__free_text char *shown = NULL;
	time_t now = time(NULL);
	struct tm tm;

	gethostname(host, sizeof(host) - 1);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S %Z", localtime_r(&now, &tm));
	shown = text_printable(host);
	fprintf(to, "# The filters of %s on %s.\n%s", shown, when, more ?: "");
}

/* Folders of --catalog are not a part of a site file: they must be given to `apply` again. */
static void write_catalogs(const struct live *list, size_t count, FILE *to)
{
	__cleanup(names_free) struct names folders = {};
	const json_t *folder;
	size_t i, j;

	for (i = 0; i < count; i++)
		json_array_foreach (json_object_get(list[i].kept, "catalog"), j, folder)
			names_add_once(&folders, json_string_value(folder));
	for (i = 0; i < folders.count; i++) {
		__free_text char *shown = text_printable(folders.name[i]);

		fprintf(to, "# Apply it with --catalog %s\n", shown);
	}
}

static int export_site(const struct options *options, struct diag *diag)
{
	__cleanup(site_free) struct site site = {};
	struct site_entry *entry;
	struct live *list;
	size_t count, i;
	bool left_out = false;
	int err;

	if (site_open(options->site, &site, diag) ||
	    live_read_kept(&(struct names){}, "export", &list, &count, &left_out))
		return EXIT_FAILED;
	entry = xcalloc(count, sizeof(*entry));
	err = left_out ? -1 : 0; /* already reported: the output must be complete */
	for (i = 0; i < count && !err; i++)
		err = live_entry(&list[i], &entry[i], diag);
	if (!err) {
		__free_text char *text = NULL;
		size_t length;
		FILE *to = open_memstream(&text, &length);

		write_head(to, "# portcullis-site(5) explains each key.\n");
		write_catalogs(list, count, to);
		site_write(entry, count, site.management_given ? &site.management : NULL, to);
		fclose(to);
		fputs(text, stdout);
	}
	for (i = 0; i < count; i++)
		recipe_free(&entry[i].recipe);
	free(entry);
	live_free(list, count);
	return err ? EXIT_FAILED : EXIT_DONE;
}

/* --- nftables --- */

/* The interfaces under whose names the kernel sees what comes in by this one. */
static json_t *above_json(unsigned int ifindex)
{
	__u32 upper[PC_UPPERS] = {};
	char name[IF_NAMESIZE];
	json_t *list = json_array();

	link_uppers(ifindex, upper);
	for (size_t i = 0; i < PC_UPPERS && upper[i]; i++)
		if (if_indextoname(upper[i], name))
			json_array_append_new(list, text_json(name));
	return list;
}

static const char nftables_note[] =
	"# Replies are told by connection tracking, and fragments are put together before these rules: both differ from the\n"
	"# filter in what a flood costs. Of an interface below a bridge the rules see what comes in by its other ports, too.\n"
	"# The limit of echo requests is one for all CPUs. Bans, grants, and limits of services are not in these rules.\n";

/* A machine as an interface of its own, for the packets to and from its addresses. */
static void add_machines(const struct live *live, json_t *interfaces)
{
	for (size_t i = 0; i < kept_machines(live->kept); i++) {
		const json_t *machine = json_array_get(json_object_get(live->kept, "machines"), i);
		json_t *own = kept_machine(live->kept, i);

		json_array_append_new(
			interfaces,
			json_pack("{s:o, s:o, s:O?, s:o, s:O?, s:O?}", "name",
				  text_json(live->hook.name), "above",
				  above_json(live->hook.ifindex), "policy",
				  json_object_get(json_object_get(own, "recipe"), "policy"), "kept",
				  own, "address", json_object_get(machine, "address"), "machine",
				  json_object_get(machine, "name")));
	}
}

static int export_nftables(void)
{
	json_t *interfaces = json_array();
	struct live *list;
	size_t count, i;
	bool left_out = false;

	if (live_read_kept(&(struct names){}, "export", &list, &count, &left_out) || left_out) {
		json_decref(interfaces);
		return EXIT_FAILED;
	}
	for (i = 0; i < count; i++) {
		const struct pc_generation *generation = list[i].filter.current.copy;

		add_machines(&list[i], interfaces);
		json_array_append_new(
			interfaces,
			json_pack("{s:o, s:o, s:s, s:O}", "name", text_json(list[i].hook.name),
				  "above", above_json(list[i].hook.ifindex), "policy",
				  generation->policy == PC_POLICY_ENFORCE ? "enforce" : "observe",
				  "kept", list[i].kept));
	}
	live_free(list, count);
	puts("#!/usr/sbin/nft -f");
	write_head(stdout, NULL);
	fputs(nftables_note, stdout);
	report_nftables(interfaces, stdout);
	json_decref(interfaces);
	return EXIT_DONE;
}

int command_export(const struct options *options, struct diag *diag)
{
	const struct names *arguments = &options->arguments;
	const char *what = arguments->count == 1 ? arguments->name[0] : "";
	bool site = !strcmp(what, SITE);

	if (!site && strcmp(what, NFTABLES)) {
		error("export: say what: portcullis export " SITE ", or " NFTABLES);
		return EXIT_USAGE;
	}
	if (kernel_readable("export"))
		return EXIT_FAILED;
	return site ? export_site(options, diag) : export_nftables();
}
