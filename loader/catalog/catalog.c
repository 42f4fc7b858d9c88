// SPDX-License-Identifier: GPL-2.0
/* The catalog: folders of profiles, searched in order, and the profiles that they include. */
#include "loader/catalog/catalog.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/base/memory.h"
#include "loader/base/trust.h"
#include "loader/catalog/group.h"

#define SITE_FOLDER	 "/etc/portcullis/profiles"
#define INSTALLED_FOLDER PORTCULLIS_PREFIX "/share/portcullis/profiles"
#define SUFFIX		 ".yaml"
#define INCLUDE_DEPTH	 64 /* the longest chain of profiles that include each other */

static void folder_close(DIR **folder)
{
	if (*folder)
		closedir(*folder);
}

/* The folder PATH/profiles of a program PATH/build/portcullis; NULL if there is none. */
static char *tree_folder(void)
{
	static const char end[] = "/build/portcullis";
	char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	size_t start;
	struct stat status;
	char *folder;

	if (length < (ssize_t)sizeof(end))
		return NULL;
	path[length] = '\0';
	start = (size_t)length - strlen(end);
	if (strcmp(path + start, end))
		return NULL;
	folder = xasprintf("%.*s/profiles", (int)start, path);
	if (!stat(folder, &status) && S_ISDIR(status.st_mode))
		return folder;
	free(folder);
	return NULL;
}

int catalog_open(const struct names *given, struct catalog *catalog, struct diag *diag)
{
	__free_text char *tree = tree_folder();
	int err = 0;

	*catalog = (struct catalog){0};
	for (size_t i = 0; given && i < given->count; i++) {
		DIR *folder __cleanup(folder_close) = opendir(given->name[i]);
		struct place place = {.file = given->name[i]};

		if (!folder) {
			diag_errno(diag, &place, -errno, "cannot read the catalog");
			err = -EINVAL;
		}
		names_add_once(&catalog->folder, given->name[i]);
	}
	names_add_once(&catalog->folder, SITE_FOLDER);
	names_add_once(&catalog->folder, tree ? tree : INSTALLED_FOLDER);
	if (err)
		catalog_close(catalog);
	return err;
}

void catalog_close(struct catalog *catalog)
{
	for (size_t i = 0; i < catalog->profiles; i++)
		profile_free(catalog->profile[i]);
	free(catalog->profile);
	names_free(&catalog->folder);
	*catalog = (struct catalog){0};
}

/* The path of NAME.yaml in the first folder from `*folder` on that has it; NULL if none has.
 * `*folder` is moved behind that folder. */
static char *find_file(const struct catalog *catalog, const char *name, size_t *folder)
{
	while (*folder < catalog->folder.count) {
		char *path = xasprintf("%s/%s" SUFFIX, catalog->folder.name[(*folder)++], name);
		struct stat status;

		/*
		 * A file that exists but cannot be read is an error: the next folder is not
		 * searched.
		 */
		if ((!stat(path, &status) || (errno != ENOENT && errno != ENOTDIR)) &&
		    (!catalog->passes_over || !catalog->passes_over(path)))
			return path;
		free(path);
	}
	return NULL;
}

bool catalog_has(const struct catalog *catalog, const char *name)
{
	size_t folder = 0;
	__free_text char *path = find_file(catalog, name, &folder);

	return path != NULL;
}

static void report_unknown(struct catalog *catalog, const char *name, const struct place *place,
			   struct diag *diag)
{
	struct names names = {0};
	struct diag unused = {0};
	const char *near;

	catalog_names(catalog, &names, &unused);
	near = nearest_name(name, &names);
	if (!strcmp(name, PROFILE_SITE))
		diag_error(diag, place,
			   "'%s' is the name of the ports that --open opens, not of a profile",
			   name);
	else if (near)
		diag_error(diag, place, "unknown profile '%s'; did you mean '%s'?", name, near);
	else
		diag_error(diag, place,
			   "unknown profile '%s'; 'portcullis profiles' lists those there are",
			   name);
	names_free(&names);
	diag_free(&unused);
}

/* A user who can write a profile can open ports, so every user who can must be trusted. */
static int check_trust(const struct catalog *catalog, const char *path, struct diag *diag)
{
	struct place place = {.file = path};
	__free_text char *why = NULL, *fix = NULL;
	int err = file_trusted(path, &why, &fix);

	if (!why) /* a path that cannot be looked up is reported by whichever function reads it */
		return 0;
	if (catalog->any_owner)
		diag_warning_fix(diag, &place, fix, "attach and swap will not take it: %s", why);
	else
		diag_error_fix(diag, &place, fix, "%s", why);
	return catalog->any_owner ? 0 : err;
}

static struct profile *read_profile(struct catalog *catalog, const char *name,
				    const struct place *place, struct diag *diag)
{
	size_t folder = 0;
	__free_text char *path = name_valid(name) ? find_file(catalog, name, &folder) : NULL;
	struct profile *profile = NULL;

	if (!path) {
		report_unknown(catalog, name, place, diag);
		return NULL;
	}
	if (check_trust(catalog, path, diag) || profile_read(path, &profile, diag))
		return NULL;
	if (strcmp(profile->name, name)) {
		diag_error(diag, &profile->name_place,
			   "the file is %s" SUFFIX ", but the profile is '%s'; rename one of them",
			   name, profile->name);
		profile_free(profile);
		return NULL;
	}
	profile->shadows = find_file(catalog, name, &folder);
	return profile;
}

static void add(struct catalog *catalog, struct profile *profile)
{
	catalog->profile = grow(catalog->profile, catalog->profiles, sizeof(struct profile *));
	catalog->profile[catalog->profiles++] = profile;
}

/* `place`: where the name was given, for messages; NULL: on the command line. */
static const struct profile *find(struct catalog *catalog, const char *name,
				  const struct place *place, struct diag *diag)
{
	struct profile *profile;

	for (size_t i = 0; i < catalog->profiles; i++) {
		if (!strcmp(catalog->profile[i]->name, name))
			return catalog->profile[i];
	}
	profile = read_profile(catalog, name, place, diag);
	if (!profile)
		return NULL;
	add(catalog, profile);
	return profile;
}

int catalog_give(struct catalog *catalog, const char *path, const char *text, struct diag *diag)
{
	struct profile *profile = NULL;
	int err = profile_parse(path, text, strlen(text), &profile, diag);

	if (err)
		return err;
	profile->text = xstrdup(text);
	add(catalog, profile);
	return 0;
}

const struct profile *catalog_find(struct catalog *catalog, const char *name, struct diag *diag)
{
	return find(catalog, name, NULL, diag);
}

/* The state of a profile in the search for cycles. */
enum search {
	SEARCH_NEW,
	SEARCH_ACTIVE,
	SEARCH_DONE,
};

/* The list that catalog_resolve makes, and the state of each profile in the search for cycles. */
struct resolution {
	const struct profile **profile;
	size_t count;
	struct names wrong; /* profiles whose errors are reported already */
	enum search *state;
};

static size_t position(const struct resolution *resolution, const char *name)
{
	size_t i = 0;

	while (i < resolution->count && strcmp(resolution->profile[i]->name, name))
		i++;
	return i;
}

static void add_profile(struct resolution *resolution, struct catalog *catalog, const char *name,
			const struct place *place, struct diag *diag)
{
	const struct profile *profile;

	if (position(resolution, name) < resolution->count || names_have(&resolution->wrong, name))
		return;
	profile = find(catalog, name, place, diag);
	if (!profile) {
		names_add(&resolution->wrong, name);
		return;
	}
	resolution->profile =
		grow(resolution->profile, resolution->count, sizeof(*resolution->profile));
	resolution->profile[resolution->count++] = profile;
}

/* "a -> b -> a": the part of the chain of includes from `name` on, and `name` again. */
static char *cycle_text(const struct names *chain, const char *name)
{
	struct names cycle = {0};
	size_t start = 0;
	char *text;

	while (strcmp(chain->name[start], name))
		start++;
	for (; start < chain->count; start++)
		names_add(&cycle, chain->name[start]);
	names_add(&cycle, name);
	text = names_join(&cycle, " -> ");
	names_free(&cycle);
	return text;
}

/* Depth first from profile `at`; `chain` names those on the way to it. */
static void check_cycles(struct resolution *resolution, size_t at, struct names *chain,
			 struct diag *diag)
{
	const struct profile *profile = resolution->profile[at];

	names_add(chain, profile->name);
	resolution->state[at] = SEARCH_ACTIVE;
	for (size_t i = 0; i < profile->include.count; i++) {
		const char *name = profile->include.name[i];
		size_t next = position(resolution, name);

		if (next == resolution->count || resolution->state[next] == SEARCH_DONE)
			continue;
		if (resolution->state[next] == SEARCH_ACTIVE) {
			__free_text char *text = cycle_text(chain, name);

			diag_error(diag, &profile->include_place[i],
				   "include cycle: %s; remove one of these includes", text);
		} else if (chain->count == INCLUDE_DEPTH) {
			diag_error(diag, &profile->include_place[i],
				   "includes go deeper than %d profiles", INCLUDE_DEPTH);
		} else {
			check_cycles(resolution, next, chain, diag);
		}
	}
	resolution->state[at] = SEARCH_DONE;
	free(chain->name[--chain->count]);
}

int catalog_resolve(struct catalog *catalog, const struct names *chosen,
		    const struct profile ***list, size_t *count, struct diag *diag)
{
	struct resolution resolution = {0};
	size_t errors = diag->errors;
	struct names chain = {0};

	for (size_t i = 0; i < chosen->count; i++)
		add_profile(&resolution, catalog, chosen->name[i], NULL, diag);
	/* The list grows while it is walked: an included profile is added at its end. */
	for (size_t i = 0; i < resolution.count; i++) {
		const struct profile *profile = resolution.profile[i];

		for (size_t j = 0; j < profile->include.count; j++)
			add_profile(&resolution, catalog, profile->include.name[j],
				    &profile->include_place[j], diag);
	}
	resolution.state = xcalloc(resolution.count, sizeof(*resolution.state));
	for (size_t i = 0; i < resolution.count; i++) {
		if (resolution.state[i] == SEARCH_NEW)
			check_cycles(&resolution, i, &chain, diag);
	}
	free(resolution.state);
	names_free(&resolution.wrong);
	names_free(&chain);
	if (diag->errors != errors) {
		free(resolution.profile);
		return -EINVAL;
	}
	*list = resolution.profile;
	*count = resolution.count;
	return 0;
}

void catalog_check_file(struct catalog *catalog, const char *path, struct diag *diag)
{
	const char *slash = strrchr(path, '/');
	struct names one = {.count = 1};
	const struct profile **list;
	__free_text char *file = NULL;
	size_t errors = diag->errors, count;
	struct profile *profile;

	if (profile_read_partial(path, &profile, diag))
		return;
	for (size_t i = 0; i < profile->include.count; i++)
		find(catalog, profile->include.name[i], &profile->include_place[i], diag);
	if (profile->name) {
		file = xasprintf("%s" SUFFIX, profile->name);
		if (strcmp(slash ? slash + 1 : path, file))
			diag_warning(diag, &profile->name_place,
				     "in the catalog this file must be named %s", file);
		/* the list has it already, but a cycle may go through it */
		else if (diag->errors == errors)
			one.name = &profile->name;
	}
	if (one.name && !catalog_resolve(catalog, &one, &list, &count, diag))
		free(list);
	profile_free(profile);
}

static bool has_suffix(const char *text, const char *suffix)
{
	size_t length = strlen(text), end = strlen(suffix);

	return length >= end && !strcmp(text + length - end, suffix);
}

static void add_file(const char *folder, const char *file, struct names *names, struct diag *diag)
{
	__free_text char *path = xasprintf("%s/%s", folder, file);
	__free_text char *name = NULL;
	struct place place = {.file = path};

	/* Editors make hidden files. */
	if (file[0] == '.')
		return;
	if (has_suffix(file, ".yml")) {
		diag_warning(diag, &place, "not read: a profile's file ends in " SUFFIX);
	} else if (has_suffix(file, SUFFIX)) {
		name = xstrndup(file, strlen(file) - strlen(SUFFIX));
		if (name_valid(name))
			names_add(names, name);
		else
			diag_warning(diag, &place, "not read: '%s' is not a profile name", name);
	}
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_once(struct names *names)
{
	size_t kept = 0;

	if (!names->count)
		return;
	qsort(names->name, names->count, sizeof(*names->name), compare_names);
	for (size_t i = 1; i < names->count; i++) {
		if (strcmp(names->name[kept], names->name[i]))
			names->name[++kept] = names->name[i];
		else
			free(names->name[i]);
	}
	names->count = kept + 1;
}

int catalog_names(const struct catalog *catalog, struct names *names, struct diag *diag)
{
	int err = 0;

	for (size_t i = 0; i < catalog->folder.count; i++) {
		DIR *folder __cleanup(folder_close) = opendir(catalog->folder.name[i]);
		struct place place = {.file = catalog->folder.name[i]};
		const struct dirent *entry;

		if (!folder && errno != ENOENT) {
			diag_errno(diag, &place, -errno, "cannot read the catalog");
			err = -EINVAL;
		}
		while (folder && (entry = readdir(folder)))
			add_file(catalog->folder.name[i], entry->d_name, names, diag);
	}
	sort_once(names);
	return err;
}

void catalog_groups(struct catalog *catalog, struct names *groups)
{
	struct names names = {0};
	struct diag unused = {0};

	names_add(groups, GROUP_LINK_LOCAL);
	catalog_names(catalog, &names, &unused);
	for (size_t i = 0; i < names.count; i++) {
		const struct profile *profile = catalog_find(catalog, names.name[i], &unused);

		for (size_t j = 0; profile && j < profile->services; j++) {
			const struct service *service = &profile->service[j];

			for (size_t k = 0; k < service->from.count; k++)
				names_add(groups, service->from.name[k]);
			for (size_t k = 0; k < service->to.count; k++)
				names_add(groups, service->to.name[k]);
		}
	}
	sort_once(groups);
	names_free(&names);
	diag_free(&unused);
}
