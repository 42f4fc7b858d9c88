// SPDX-License-Identifier: GPL-2.0
/* Reads the snapshot that was confirmed last, and the list of tried files. */
#include "loader/recipe/state.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/recipe/recipe_json.h"
#include "loader/recipe/site_check.h"

#define ABOUT_LIMIT (1 << 20) /* bytes of a file */

bool state_is_of(const char *site_path)
{
	return !site_path || !strcmp(site_path, SITE_FILE);
}

static json_t *interface_json(const struct site_interface *interface)
{
	json_t *recipe = recipe_json(&interface->recipe);

	recipe_json_forget_answers(recipe);
	return json_pack("{s:o, s:i, s:i}", "recipe", recipe, "mode", interface->mode, "flows",
			 (int)interface->flows);
}

void site_digest(const struct site *site, char text[SHA256_TEXT])
{
	json_t *all = json_object();
	struct sha256 sha;
	char *canonical;
	size_t i;

	for (i = 0; i < site->interfaces; i++)
		if (!site->interface[i].pattern)
			json_object_set_new_nocheck(all, site->interface[i].name,
						    interface_json(&site->interface[i]));
	for (i = 0; i < site->patterns; i++)
		json_object_set_new_nocheck(all, site->pattern[i].name,
					    interface_json(&site->pattern[i]));
	canonical = json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS);
	sha256_start(&sha);
	sha256_add(&sha, canonical, strlen(canonical));
	sha256_end(&sha, text);
	free(canonical);
	json_decref(all);
}

/* Reads about.json: version, content, interfaces. */
static int read_about(const char *folder, struct snapshot *snapshot, struct diag *diag)
{
	__free_text char *path = xasprintf("%s/about.json", folder);
	const struct place place = {.file = path};
	__free_text char *text = NULL;
	const json_t *interface;
	json_t *about = NULL;
	size_t length, i;
	int version;
	int err = read_file(path, ABOUT_LIMIT, &text, &length);

	if (!err)
		about = json_loadb(text, length, 0, NULL);
	version = json_integer_value(json_object_get(about, "version"));
	if (err)
		diag_errno(diag, &place, err, NULL);
	else if (version != STATE_VERSION)
		diag_error(diag, &place, "is of another version of portcullis, and is not used; portcullis apply writes a new one");
	snprintf(snapshot->content, sizeof(snapshot->content), "%s",
		 json_string_value(json_object_get(about, "content")) ?
			 json_string_value(json_object_get(about, "content")) :
			 "");
	json_array_foreach (json_object_get(about, "interfaces"), i, interface)
		if (json_is_string(interface))
			names_add(&snapshot->interfaces, json_string_value(interface));
	json_decref(about);
	return err ? err : version == STATE_VERSION ? 0 : -EPROTO;
}

/* A snapshot is used only if it is complete: a missing part would be taken from elsewhere. */
static int check(struct snapshot *snapshot, const char *profiles, struct diag *diag)
{
	const struct place place = {.file = profiles};
	__cleanup(diag_free) struct diag found = {};
	int err;

	if (access(profiles, R_OK | X_OK)) {
		err = -errno;
		diag_errno(diag, &place, err, NULL);
		return err;
	}
	err = site_check(&snapshot->catalog, &snapshot->site, &found);
	if (err)
		diag_take(diag, &found);
	return err;
}

int snapshot_open(const char *path, struct snapshot *snapshot, struct diag *diag)
{
	__free_text char *site = xasprintf("%s/site.yaml", path);
	__free_text char *profiles = xasprintf("%s/profiles", path);
	int err;

	*snapshot = (struct snapshot){};
	if (access(path, F_OK))
		return errno == ENOENT ? 0 : -errno;
	err = read_about(path, snapshot, diag);
	if (!err)
		err = site_saved(site, &snapshot->site, diag);
	names_add(&snapshot->catalog.folder, profiles);
	if (!err)
		err = check(snapshot, profiles, diag);
	if (err) {
		snapshot_free(snapshot);
		return err;
	}
	site_digest(&snapshot->site, snapshot->digest);
	snapshot->there = true;
	return 0;
}

void snapshot_free(struct snapshot *snapshot)
{
	site_free(&snapshot->site);
	catalog_close(&snapshot->catalog);
	names_free(&snapshot->interfaces);
	*snapshot = (struct snapshot){};
}

bool state_tried(const char *digest)
{
	__free_text char *text = NULL;
	size_t length;

	/* Searching the text is enough: no other word in the file is as long as a digest. */
	return !read_file(STATE_TRIED, STATE_TRIES * SHA256_TEXT, &text, &length) &&
	       strstr(text, digest);
}
