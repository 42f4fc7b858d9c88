// SPDX-License-Identifier: GPL-2.0
/* `export`: the live filters in another form. */
#include "loader/command/export.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/utf8.h"
#include "loader/filter/confirm.h"
#include "loader/filter/flow_maps.h"
#include "loader/host/attached.h"
#include "loader/object/privilege.h"
#include "loader/recipe/recipe_json.h"
#include "loader/recipe/site.h"
#include "loader/recipe/site_write.h"

#define SITE "site"

/* What the reader of the file should know of an interface. */
static const char *note_of(const struct filter *filter)
{
	if (filter->reverted.copy || filter->current.copy->reverted_at)
		return "the last change was not confirmed in time, and was undone";
	if (filter->current.copy->deadline)
		return "the last change is not confirmed yet";
	return NULL;
}

static int read_entry(const struct live *live, struct site_entry *entry, struct diag *diag)
{
	__u32 flows = flow_maps_size(&live->filter);

	*entry = (struct site_entry){
		.name = live->hook.name,
		.note = note_of(&live->filter),
		.mode = live->hook.mode == HOOK_GENERIC ? HOOK_GENERIC : HOOK_AUTO,
		.flows = PC_FLOWS_CONNECTIONS(flows) == PC_FLOWS_CONNECTIONS(PC_FLOWS) ? 0 : flows,
	};
	return recipe_from_json(&entry->recipe, json_object_get(live->kept, "recipe"), diag);
}

static void write_head(FILE *to)
{
	char host[65] = "", when[64];
	__free_text char *shown = NULL;
	time_t now = time(NULL);
	struct tm tm;

	gethostname(host, sizeof(host) - 1);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S %Z", localtime_r(&now, &tm));
	shown = text_printable(host);
	fprintf(to, "# The filters of %s on %s.\n# portcullis-site(5) explains each key.\n", shown,
		when);
}

/* The catalogs of --catalog are no part of a site file: `apply` has to be told of them again. */
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
	err = left_out ? -1 : 0; /* said already: what is printed has to be the whole of it */
	for (i = 0; i < count && !err; i++)
		err = read_entry(&list[i], &entry[i], diag);
	if (!err) {
		__free_text char *text = NULL;
		size_t length;
		FILE *to = open_memstream(&text, &length);

		write_head(to);
		write_catalogs(list, count, to);
		err = site_write(entry, count, site.management_given ? &site.management : NULL, to,
				 diag);
		fclose(to);
		if (!err)
			fputs(text, stdout);
	}
	for (i = 0; i < count; i++)
		recipe_free(&entry[i].recipe);
	free(entry);
	live_free(list, count);
	return err ? EXIT_FAILED : EXIT_DONE;
}

int command_export(const struct options *options, struct diag *diag)
{
	const struct names *arguments = &options->arguments;

	if (arguments->count != 1 || strcmp(arguments->name[0], SITE)) {
		error("export: say what: portcullis export " SITE);
		return EXIT_USAGE;
	}
	if (kernel_readable("export"))
		return EXIT_FAILED;
	return export_site(options, diag);
}
