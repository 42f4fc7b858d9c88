// SPDX-License-Identifier: GPL-2.0
/* `check`: reads profiles and reports every error in them. */
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

#include "loader/command.h"
#include "loader/report.h"

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

static void check_folder(const struct options *options, const char *path, struct diag *diag)
{
	__cleanup(catalog_close) struct catalog catalog = {};
	struct names folders = {};

	names_add(&folders, path);
	names_add_all(&folders, &options->catalog);
	if (!catalog_open(&folders, &catalog, diag))
		check_catalog(&catalog, diag);
	names_free(&folders);
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

int command_check(const struct options *options, struct diag *diag)
{
	__cleanup(catalog_close) struct catalog catalog = {};
	const struct names *arguments = &options->arguments;
	int code;
	size_t i;

	if (catalog_open(&options->catalog, &catalog, diag))
		return EXIT_FAILED;
	if (!arguments->count)
		check_catalog(&catalog, diag);
	for (i = 0; i < arguments->count; i++) {
		struct stat st;

		if (!stat(arguments->name[i], &st) && S_ISDIR(st.st_mode))
			check_folder(options, arguments->name[i], diag);
		else
			catalog_check_file(&catalog, arguments->name[i], diag);
	}
	code = diag->errors ? EXIT_FAILED : EXIT_DONE;
	if (options->json) {
		report_print(report_new("errors", errors_json(diag)), NULL);
		diag_free(diag); /* said already */
	} else if (!code) {
		printf("no errors\n");
	}
	return code;
}
