// SPDX-License-Identifier: GPL-2.0
/* `check`: reads profiles and site files, and reports every error in them. */
#include <jansson.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>

#include "loader/command.h"
#include "loader/report.h"
#include "loader/site.h"

/* Reads the profiles of the opened folders, and resolves their includes. */
static void check_catalog(struct catalog *catalog, struct diag *diag)
{
	struct names names = {};
	size_t i;

	if (catalog_names(catalog, &names, diag))
		return;
	for (i = 0; i < names.count; i++) {
		struct names one = {.name = &names.name[i], .count = 1};
		const struct profile **list;
		size_t count;

		if (catalog_find(catalog, names.name[i], diag) &&
		    !catalog_resolve(catalog, &one, &list, &count, diag))
			free(list);
	}
	if (!names.count)
		diag_error(diag, NULL, "no profile found in %s", catalog->folder.name[0]);
	names_free(&names);
}

/* The folders of --catalog, behind one that goes first. */
static int open_with(const struct options *options, const char *folder, struct catalog *catalog,
		     struct diag *diag)
{
	struct names folders = {};
	int err;

	names_add(&folders, folder);
	names_add_all(&folders, &options->catalog);
	err = catalog_open(&folders, catalog, diag);
	catalog->any_owner = true;
	names_free(&folders);
	return err;
}

/* `given`: NULL for the usual file, which need not be there. */
static void check_site(const struct options *options, const char *given, struct diag *diag)
{
	__cleanup(catalog_close) struct catalog catalog = {};
	__cleanup(site_free) struct site site = {};

	if (!site_open(given, &site, diag) && !catalog_open(&options->catalog, &catalog, diag))
		site_check(&catalog, &site, diag);
}

static void check_argument(const struct options *options, const char *path, struct diag *diag)
{
	__cleanup(catalog_close) struct catalog catalog = {};
	__free_text char *copy = xstrdup(path);
	struct stat st;

	if (!stat(path, &st) && S_ISDIR(st.st_mode)) {
		if (!open_with(options, path, &catalog, diag))
			check_catalog(&catalog, diag);
		return;
	}
	if (site_is(path)) {
		check_site(options, path, diag);
		return;
	}
	/* What a file includes may stand beside it. */
	if (!open_with(options, dirname(copy), &catalog, diag))
		catalog_check_file(&catalog, path, diag);
}

static json_t *errors_json(const struct diag *diag)
{
	json_t *errors = json_array();
	size_t i;

	for (i = 0; i < diag->count; i++) {
		const struct diag_entry *entry = &diag->entry[i];

		if (entry->level == DIAG_ERROR)
			json_array_append_new(errors,
					      json_pack("{s:s?, s:i, s:i, s:s}", "file",
							entry->file, "line", entry->line, "column",
							entry->column, "message", entry->message));
	}
	return errors;
}

static void check(const struct options *options, struct diag *diag)
{
	__cleanup(catalog_close) struct catalog catalog = {};
	size_t i;

	for (i = 0; i < options->arguments.count; i++)
		check_argument(options, options->arguments.name[i], diag);
	if (!i && !catalog_open(&options->catalog, &catalog, diag))
		check_catalog(&catalog, diag);
	if (!i || options->site)
		check_site(options, options->site, diag);
}

int command_check(const struct options *options, struct diag *diag)
{
	int code;

	check(options, diag);
	code = diag->errors ? EXIT_FAILED : EXIT_DONE;
	if (options->json) {
		report_print(report_new("errors", errors_json(diag)), NULL);
		diag_free(diag); /* said already */
	} else if (!code) {
		printf("no errors\n");
	}
	return code;
}
