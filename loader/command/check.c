// SPDX-License-Identifier: GPL-2.0
/* `check`: reads profiles and site files, and reports every error in them. */
#include "loader/command/check.h"

#include <jansson.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>

#include "loader/base/invoker.h"
#include "loader/base/memory.h"
#include "loader/compile/compile.h"
#include "loader/recipe/site.h"
#include "loader/recipe/site_check.h"
#include "loader/report/json_forms.h"

static void check_profile(struct catalog *catalog, const char *name, struct diag *diag)
{
	struct names one = {.name = (char **)&name, .count = 1};
	const struct profile **list;
	size_t count;

	if (catalog_find(catalog, name, diag) &&
	    !catalog_resolve(catalog, &one, &list, &count, diag))
		free(list);
}

/* Reads the profiles of the opened folders, and resolves their includes. */
static void check_catalog(struct catalog *catalog, struct diag *diag)
{
	struct names names = {};

	if (catalog_names(catalog, &names, diag))
		return;
	for (size_t i = 0; i < names.count; i++)
		check_profile(catalog, names.name[i], diag);
	if (!names.count)
		diag_error(diag, NULL, "no profile found in %s", catalog->folder.name[0]);
	names_free(&names);
}

static bool is_folder(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* Opens the folders of --catalog after `first`, with its subfolder profiles/ if `deep`. */
static int open_with(const struct options *options, const char *folder, bool deep,
		     struct catalog *catalog, struct diag *diag)
{
	__free_text char *profiles = xasprintf("%s/profiles", folder);
	struct names folders = {};
	int err;

	names_add(&folders, folder);
	if (deep && is_folder(profiles))
		names_add(&folders, profiles);
	names_add_all(&folders, &options->catalog);
	err = catalog_open(&folders, catalog, diag);
	catalog->any_owner = true;
	catalog->passes_over = site_is;
	names_free(&folders);
	return err;
}

/* Checks the limits of the tables, which `apply` would report. */
static void check_tables(struct catalog *catalog, const struct site *site,
			 const struct site_interface *interface, struct diag *diag)
{
	__cleanup(composition_free) struct composition composition = {};
	__cleanup(diag_free) struct diag said = {}, found = {};
	__cleanup(tables_free) struct tables tables = {};

	if (!site_check_interface(catalog, site, interface, &composition, &said) ||
	    !composition.recipe || !compile(&composition, &tables, &found))
		return;
	for (size_t i = 0; i < found.count; i++)
		diag_pass_on(diag, &interface->place, &found.entry[i]);
}

static void check_read(struct catalog *catalog, const struct site *site, struct diag *diag)
{
	if (site_check(catalog, site, diag))
		return;
	for (size_t i = 0; i < site->interfaces; i++)
		if (!site->interface[i].pattern)
			check_tables(catalog, site, &site->interface[i], diag);
	for (size_t i = 0; i < site->patterns; i++)
		check_tables(catalog, site, &site->pattern[i], diag);
}

/* `given`: NULL for the usual file, which may be missing, or readable only for root. */
static void check_site(const struct options *options, const char *given, struct diag *diag)
{
	bool own = !given || !strcmp(given, SITE_FILE);
	__cleanup(catalog_close) struct catalog catalog = {};
	__cleanup(site_free) struct site site = {};
	uid_t caller = own ? invoker_pause() : 0;

	site_read_partial(given, &site, diag);
	if (own)
		invoker_resume(caller);
	if (site.path && !catalog_open(&options->catalog, &catalog, diag))
		check_read(&catalog, &site, diag);
}

/* True if NAME.yaml of a folder is a site file. */
static bool check_site_of(struct catalog *catalog, const char *folder, const char *name,
			  struct diag *diag)
{
	__free_text char *file = xasprintf("%s/%s.yaml", folder, name);
	__cleanup(site_free) struct site site = {};

	if (!site_is(file))
		return false;
	site_read_partial(file, &site, diag);
	if (site.path)
		check_read(catalog, &site, diag);
	return true;
}

/* Checks a folder like /etc/portcullis: its profiles, those in profiles/ below it, and its site
 * files. */
static void check_folder(const struct options *options, const char *path, struct diag *diag)
{
	__cleanup(catalog_close) struct catalog catalog = {};
	__cleanup(names_free) struct names names = {};

	if (open_with(options, path, true, &catalog, diag) || catalog_names(&catalog, &names, diag))
		return;
	for (size_t i = 0; i < names.count; i++) {
		bool site = check_site_of(&catalog, path, names.name[i], diag);

		if (!site || catalog_has(&catalog, names.name[i]))
			check_profile(&catalog, names.name[i], diag);
	}
	if (!names.count)
		diag_error(diag, NULL, "no profile found in %s", path);
}

static void check_argument(const struct options *options, const char *path, struct diag *diag)
{
	__cleanup(catalog_close) struct catalog catalog = {};
	__free_text char *copy = xstrdup(path);

	if (is_folder(path))
		check_folder(options, path, diag);
	else if (!strcmp(path, SITE_FILE) || site_is(path))
		check_site(options, path, diag);
	/* Includes of a file are also searched in the file's own folder. */
	else if (!open_with(options, dirname(copy), false, &catalog, diag))
		catalog_check_file(&catalog, path, diag);
}

static json_t *entries_json(const struct diag *diag, enum diag_level level)
{
	json_t *entries = json_array();
	size_t i;

	for (i = 0; i < diag->count; i++) {
		const struct diag_entry *entry = &diag->entry[i];

		if (entry->level == level)
			json_array_append_new(entries,
					      json_pack("{s:s?, s:i, s:i, s:s, s:s?}", "file",
							entry->file, "line", entry->line, "column",
							entry->column, "message", entry->message,
							"fix", entry->fix));
	}
	return entries;
}

/* The default catalog of commands; it must belong to root, also under sudo. */
static void check_own(const struct options *options, struct diag *diag)
{
	__cleanup(catalog_close) struct catalog catalog = {};
	uid_t caller = options->catalog.count ? 0 : invoker_pause();

	if (!catalog_open(&options->catalog, &catalog, diag))
		check_catalog(&catalog, diag);
	if (!options->catalog.count)
		invoker_resume(caller);
}

static void check(const struct options *options, struct diag *diag)
{
	size_t i;

	for (i = 0; i < options->arguments.count; i++)
		check_argument(options, options->arguments.name[i], diag);
	if (!i)
		check_own(options, diag);
	if (!i || options->site)
		check_site(options, options->site, diag);
}

int command_check(const struct options *options, struct diag *diag)
{
	int code;

	check(options, diag);
	code = diag->errors || (options->strict && diag->count) ? EXIT_FAILED : EXIT_DONE;
	if (options->json) {
		json_t *report = report_new("errors", entries_json(diag, DIAG_ERROR));

		json_object_set_new(report, "warnings", entries_json(diag, DIAG_WARNING));
		report_print(report, NULL);
		diag_free(diag); /* already reported */
	} else if (!code) {
		printf("no errors\n");
	}
	return code;
}
