// SPDX-License-Identifier: GPL-2.0
/* Chooses between the present site file and the snapshot that was confirmed last. */
#include "loader/command/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/host/dns_renew.h"
#include "loader/host/site_links.h"

static const char *path_of(const struct options *options)
{
	return options->site ? options->site : SITE_FILE;
}

const struct site *source_site(const struct source *source)
{
	return source->saved ? &source->confirmed.site : &source->site;
}

struct catalog *source_catalog(struct source *source)
{
	return source->saved ? &source->confirmed.catalog : &source->catalog;
}

/* If the snapshot cannot be read, the present file and catalog are used. */
static void open_confirmed(struct source *source)
{
	__cleanup(diag_free) struct diag found = {};

	if (snapshot_open(STATE_CONFIRMED, &source->confirmed, &found)) {
		warning("the site file that was confirmed last cannot be used: see below");
		diag_report(&found);
	}
	if (source->confirmed.there)
		names_add(&source->folders, source->confirmed.catalog.folder.name[0]);
}

/* Uses the snapshot instead of a file that cannot be used, or returns -errno. */
static int fall_back(struct source *source, bool quiet, const char *path, const char *why, int err,
		     struct diag *diag)
{
	if (!source->confirmed.there) {
		error("apply: %s: %s, and no earlier site file was confirmed: every interface is left as it is",
		      path, why);
		return err;
	}
	if (!quiet) {
		diag_report(diag);
		error("apply: %s: %s: the site file that was confirmed last is applied", path, why);
	}
	diag_free(diag);
	source->saved = true;
	return 0;
}

static int check_keys(const struct site *site, const char *path)
{
	if (site->interfaces_given)
		return 0;
	error("apply: %s: key 'interfaces' is missing; list the interfaces to filter, or write 'interfaces: {}' to detach every filter of this network namespace",
	      path);
	return -EINVAL;
}

/* An interface of the command line may appear only later, or under another name. */
static void take_links(struct source *source, const struct options *options, struct diag *diag)
{
	__cleanup(names_free) struct names named = {};
	__cleanup(diag_free) struct diag unused = {};

	size_t errors = diag->errors;

	names_copy(&named, &options->arguments);
	if (options->as)
		names_add_once(&named, options->as);
	site_take_links(&source->site, &named, diag);
	site_take_links(&source->confirmed.site, &named, &unused);
	if (!named.count && diag->errors == errors)
		site_warn_unmatched(source_site(source), diag);
}

/* Returns 0 with `wrong` set if the file has errors but can be used at boot. */
static int read_site(struct source *source, const char *path, bool lenient, struct diag *diag)
{
	int err = lenient ? site_read_partial(path, &source->site, diag) :
			    site_read(path, &source->site, diag);

	/* Boot waits for no name server. */
	if (!err && !lenient && dns_learn_site(&source->site)) {
		site_free(&source->site);
		err = site_read(path, &source->site, diag);
	}
	if (!err)
		return check_keys(&source->site, path);
	if (!lenient || !source->site.path || !source->site.interfaces_given)
		return err;
	source->wrong = true;
	return 0;
}

int source_open(const struct options *options, bool lenient, struct source *source,
		struct diag *diag)
{
	bool quiet = lenient && options->arguments.count;
	const char *path = path_of(options);
	__cleanup(names_free) struct names folders = {};
	char digest[SHA256_TEXT];
	size_t errors;
	int err;

	*source = (struct source){.kept = state_is_of(options->site)};
	if (lenient && source->kept)
		open_confirmed(source);
	err = read_site(source, path, lenient, diag);
	if (err && err != -ENOENT && lenient && source->kept)
		err = fall_back(source, quiet, path, "cannot be used", err, diag);
	if (err)
		return err;
	if (source->kept && !source->wrong && !source->saved) {
		site_digest(&source->site, digest);
		source->tried = state_tried(digest);
	}
	if (source->tried && lenient)
		err = fall_back(source, quiet, path, "was applied and not confirmed", -EBUSY, diag);
	errors = diag->errors;
	take_links(source, options, diag);
	if (diag->errors != errors) {
		source->wrong = true;
		err = err || lenient ? err : -EINVAL;
	}
	names_add_all(&folders, &source->folders);
	names_add_all(&folders, &options->catalog);
	return err ? err : catalog_open(&folders, &source->catalog, diag);
}

static struct site_interface *find_exactly(struct site *site, const char *name)
{
	const struct site_interface *found = site_interface(site, name);

	return found ? &site->interface[found - site->interface] : NULL;
}

/*
 * udev runs `apply` before it renames a new interface, because no network manager uses an interface
 * that udev's database does not have yet. So the entries for the old and the new name are
 * exchanged. False: the file has no entry for the new name.
 */
static bool rename_ahead(struct site *site, const char *name, const char *as)
{
	struct site_interface *future = find_exactly(site, as), *present;
	char *text;

	if (!future || !strcmp(name, as))
		return future;
	present = find_exactly(site, name);
	text = future->name;
	future->name = present ? present->name : xstrdup(name);
	if (present)
		present->name = text;
	else
		free(text);
	return true;
}

bool source_rename(struct source *source, const char *name, const char *as)
{
	bool present = rename_ahead(&source->site, name, as);
	bool confirmed = rename_ahead(&source->confirmed.site, name, as);

	return source->saved ? confirmed : present;
}

void source_free(struct source *source)
{
	site_free(&source->site);
	snapshot_free(&source->confirmed);
	names_free(&source->folders);
	catalog_close(&source->catalog);
}
