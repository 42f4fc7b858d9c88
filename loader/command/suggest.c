// SPDX-License-Identifier: GPL-2.0
/* `suggest`: the site file for this host, with the evidence for each line. It applies nothing. */
#include "loader/command/suggest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "loader/base/clock.h"
#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/utf8.h"
#include "loader/command/live_entry.h"
#include "loader/command/options.h"
#include "loader/command/suggest_child.h"
#include "loader/command/suggest_live.h"
#include "loader/command/suggest_nft.h"
#include "loader/command/suggest_replay.h"
#include "loader/filter/hook.h"
#include "loader/host/attached.h"
#include "loader/host/audit.h"
#include "loader/host/suggest_links.h"
#include "loader/net/link.h"
#include "loader/object/privilege.h"
#include "loader/recipe/site.h"
#include "loader/recipe/site_write.h"
#include "loader/report/json_forms.h"
#include "loader/report/suggest.h"
#include "loader/report/suggest_carry.h"
#include "loader/report/text.h"

/* stands for an interface of another host, of which there are only files */
#define ANOTHER_HOST "eth0"

/* An interface of the suggested site file. */
struct suggested {
	const char *name;
	const struct live *live; /* its filter; NULL: none is attached */
	/* the interface is a part of the suggestion; else its filter stays as it is */
	bool asked;
	struct site_entry entry; /* its recipe is that of the suggestion */
	struct suggestion suggestion;
	struct audit_listener *listener;
};

struct suggesting {
	const struct options *options;
	struct catalog catalog;
	struct claims claims;
	struct audited_host host;
	struct suggest_evidence capture;
	json_t *ruleset; /* rules of nftables; NULL: none */
	struct live *live;
	size_t lives;
	struct site site;	 /* the present site file */
	struct names interfaces; /* interfaces in question */
	struct names remarks;	 /* remarks about the whole file */
	struct suggested *list;
	size_t count;
};

static void suggesting_free(struct suggesting *suggesting)
{
	for (size_t i = 0; i < suggesting->count; i++) {
		suggestion_free(&suggesting->list[i].suggestion);
		free(suggesting->list[i].listener);
	}
	free(suggesting->list);
	names_free(&suggesting->interfaces);
	names_free(&suggesting->remarks);
	claims_free(&suggesting->claims);
	audited_host_free(&suggesting->host);
	json_decref(suggesting->ruleset);
	free(suggesting->capture.knock);
	live_free(suggesting->live, suggesting->lives);
	site_free(&suggesting->site);
	catalog_close(&suggesting->catalog);
}

/* --- reading --- */

/* "postfix@-.service", "tomcat10.service": the profile of the unit's name, or NULL. */
static char *profile_of_unit(const struct catalog *catalog, const char *unit)
{
	size_t length = strcspn(unit, "@.");
	__free_text char *name = NULL;

	while (length && unit[length - 1] >= '0' && unit[length - 1] <= '9')
		length--;
	name = xstrndup(unit, length);
	return name_valid(name) && catalog_has(catalog, name) ? xstrdup(name) : NULL;
}

/* Adds products whose units listen, wherever their files are. */
static void claim_units(struct suggesting *suggesting)
{
	const struct audited_host *host = &suggesting->host;

	for (size_t i = 0; i < host->sockets; i++) {
		const char *unit = host->owner[i].unit;
		__free_text char *profile = unit && !host->owner[i].container ?
						    profile_of_unit(&suggesting->catalog, unit) :
						    NULL;

		if (profile)
			claims_product(&suggesting->claims, profile, unit);
	}
}

static int choose_interfaces(struct suggesting *suggesting)
{
	const struct names *given = &suggesting->options->arguments;
	struct names *names = &suggesting->interfaces;

	if (given->count)
		names_copy(names, given);
	else if (suggesting->options->root)
		names_add(names, ANOTHER_HOST);
	else
		suggest_links(&suggesting->host.links, names, &suggesting->remarks);
	for (size_t i = 0; i < suggesting->lives && !given->count; i++)
		names_add_once(names, suggesting->live[i].hook.name);
	if (names->count > 1 && suggesting->options->capture) {
		__free_text char *list = names_join(names, ", ");

		error("suggest: a capture is of one interface; name it: %s", list);
		return -EINVAL;
	}
	if (names->count)
		return 0;
	error_fix("portcullis suggest IFACE",
		  "suggest: no interface is up and has an address; name the one to filter");
	return -ENODEV;
}

/* The evidence of the capture, instead of a filter's. */
static void follow_capture(struct suggesting *suggesting, struct suggested *one,
			   const struct suggest_host *of, struct diag *diag)
{
	__free_text char *span =
		suggest_span(suggesting->capture.until - suggesting->capture.since);
	__free_text char *remark = xasprintf("seen in the capture, of %s", span);

	suggest_forget_closed(&one->suggestion, NULL);
	names_add(&one->suggestion.remarks, remark);
	suggest_evidence(&suggesting->capture, &suggesting->catalog, of, &one->suggestion, diag);
}

/* The suggestion for an interface without a filter, from the files alone. */
static int suggest_new(struct suggesting *suggesting, struct suggested *one,
		       const struct suggest_host *of, struct diag *diag)
{
	suggest_products(&suggesting->claims, &suggesting->catalog, of, &one->suggestion, diag);
	if (suggesting->ruleset)
		suggest_carry(suggesting->ruleset, one->name, &suggesting->catalog, of,
			      &one->suggestion, diag);
	if (suggesting->options->capture)
		follow_capture(suggesting, one, of, diag);
	one->suggestion.recipe.policy = PC_POLICY_OBSERVE;
	suggest_line(&one->suggestion, "observe", NULL,
		     "drops nothing yet; later 'portcullis suggest %s' tells what came in",
		     one->name);
	return diag->errors ? -EINVAL : 0;
}

/* A filter's own rules, with additions by its evidence; the suggestion enforces them. */
static int suggest_further(struct suggesting *suggesting, struct suggested *one,
			   const struct suggest_host *of, struct diag *diag)
{
	struct suggestion found;
	int err;

	suggestion_begin(&found);
	suggest_products(&suggesting->claims, &suggesting->catalog, of, &found, diag);
	suggest_reasons(&one->suggestion, &found);
	suggestion_free(&found);
	one->suggestion.recipe.policy = PC_POLICY_ENFORCE;
	if (suggesting->options->capture) {
		follow_capture(suggesting, one, of, diag);
		return diag->errors ? -EINVAL : 0;
	}
	err = suggest_live(one->live, &suggesting->catalog, of, &one->suggestion, diag);
	return err ? err : diag->errors ? -EINVAL : 0;
}

static int suggest_one(struct suggesting *suggesting, struct suggested *one, unsigned int ifindex,
		       struct diag *diag)
{
	struct suggest_host of = {};
	int err = 0;

	if (one->live) {
		err = live_entry(one->live, &one->entry, diag);
		one->suggestion.recipe = one->entry.recipe;
		ifindex = one->live->hook.ifindex;
	}
	if (err || !one->asked)
		return err;
	if (!suggesting->options->root) {
		one->listener = audited_listeners(&suggesting->host, ifindex, true, &of.listeners);
		of.listener = one->listener;
		of.known = true;
	}
	return one->live ? suggest_further(suggesting, one, &of, diag) :
			   suggest_new(suggesting, one, &of, diag);
}

static void add_suggested(struct suggesting *suggesting, const char *name, const struct live *live)
{
	struct suggested *one = &suggesting->list[suggesting->count++];

	one->name = name;
	one->live = live;
	one->asked = names_have(&suggesting->interfaces, name);
	suggestion_begin(&one->suggestion);
}

static bool has_filter(const struct suggesting *suggesting, const char *name)
{
	for (size_t i = 0; i < suggesting->lives; i++)
		if (!strcmp(suggesting->live[i].hook.name, name))
			return true;
	return false;
}

/* Adds the attached filters, because the file is for the whole host. */
static int suggest_all(struct suggesting *suggesting, struct diag *diag)
{
	const struct names *names = &suggesting->interfaces;
	int err = 0;

	suggesting->list = xcalloc(suggesting->lives + names->count, sizeof(*suggesting->list));
	for (size_t i = 0; i < suggesting->lives; i++)
		add_suggested(suggesting, suggesting->live[i].hook.name, &suggesting->live[i]);
	for (size_t i = 0; i < names->count; i++)
		if (!has_filter(suggesting, names->name[i]))
			add_suggested(suggesting, names->name[i], NULL);
	for (size_t i = 0; i < suggesting->count && !err; i++) {
		struct suggested *one = &suggesting->list[i];
		char real[IF_NAMESIZE];
		int ifindex =
			one->live || suggesting->options->root ? 0 : link_find(one->name, real);

		if (!one->live && !suggesting->options->root && ifindex <= 0) {
			__free_text char *there = links_there(one->name);

			error("suggest: there is no interface %s%s", one->name, there);
			return -ENODEV;
		}
		err = suggest_one(suggesting, one, (unsigned int)ifindex, diag);
	}
	return err;
}

/* --- the site file --- */

static void write_lines(const char *start, const struct names *lines, FILE *to)
{
	for (size_t i = 0; i < lines->count; i++) {
		text_print(to, "# %s%s", start, lines->name[i]);
		fputc('\n', to);
	}
}

static void write_head(const struct suggesting *suggesting, FILE *to)
{
	const char *root = suggesting->options->root;
	char host[65] = "", when[64];
	time_t now = time(NULL);
	struct tm tm;

	gethostname(host, sizeof(host) - 1);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S %Z", localtime_r(&now, &tm));
	text_print(to, "# Suggested for %s on %s. Nothing is applied yet: read it, then",
		   root ?: host, when);
	fputs("\n#   portcullis check FILE, portcullis apply --site FILE --dry-run, and save it as " SITE_FILE
	      "\n# portcullis-site(5) explains each key.\n",
	      to);
	if (root && !suggesting->options->arguments.count)
		fputs("# " ANOTHER_HOST " stands for the interface: write its name instead.\n", to);
	write_lines("not known: ", &suggesting->claims.problems, to);
	write_lines("", &suggesting->remarks, to);
	write_lines("Apply it with --catalog ", &suggesting->options->catalog, to);
}

static struct site_entry entry_of(const struct suggested *one)
{
	struct site_entry entry = one->entry;

	entry.name = one->name;
	entry.recipe = one->suggestion.recipe;
	if (one->asked) {
		entry.notes = one->suggestion.lines;
		entry.remarks = &one->suggestion.remarks;
	}
	return entry;
}

/* The file's text; the caller frees. */
static char *site_text(const struct suggesting *suggesting)
{
	struct site_entry *entry = xcalloc(suggesting->count, sizeof(*entry));
	char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	for (size_t i = 0; i < suggesting->count; i++)
		entry[i] = entry_of(&suggesting->list[i]);
	write_head(suggesting, to);
	site_write(entry, suggesting->count,
		   suggesting->site.management_given ? &suggesting->site.management : NULL, to);
	fclose(to);
	free(entry);
	return text;
}

static void add_all(json_t *to, const json_t *list, const char *interface)
{
	json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		json_object_set_new(item, "interface", text_json(interface));
		json_array_append(to, item);
	}
}

static void print_json(const struct suggesting *suggesting, const char *text)
{
	json_t *lines = json_array(), *closed = json_array(), *report;

	for (size_t i = 0; i < suggesting->count; i++) {
		const struct suggested *one = &suggesting->list[i];

		add_all(lines, one->suggestion.lines, one->name);
		add_all(closed, one->suggestion.closed, one->name);
	}
	report = report_new("lines", lines);
	json_object_set_new(report, "site", text_json(text));
	json_object_set_new(report, "closed", closed);
	json_object_set_new(report, "problems", names_json(&suggesting->claims.problems));
	report_print(report, NULL);
}

static void print(const struct suggesting *suggesting)
{
	__free_text char *text = site_text(suggesting);

	if (suggesting->options->json)
		print_json(suggesting, text);
	else
		fputs(text, stdout);
	for (size_t i = 0; i < suggesting->claims.problems.count; i++)
		warning("%s", suggesting->claims.problems.name[i]);
}

/* --- the command --- */

/* True if the site file is empty: the shell makes it before `suggest > FILE` runs. */
static bool is_empty(const char *path)
{
	struct stat status;

	return !stat(path, &status) && S_ISREG(status.st_mode) && !status.st_size;
}

static int read_host(struct suggesting *suggesting, struct diag *diag)
{
	bool left_out = false;
	int err = kernel_privileged("suggest");

	if (!err && !is_empty(SITE_FILE))
		err = site_open(NULL, &suggesting->site, diag);
	if (!err)
		err = live_read(&(struct names){}, "suggest", &suggesting->live, &suggesting->lives,
				&left_out);
	/* Already reported; the file must be complete. */
	if (!err && left_out)
		err = -EPROTO;
	if (err)
		return err;
	err = audited_host_read(&suggesting->host);
	if (err)
		error("suggest: cannot list what listens on this host: %s", strerror(-err));
	return err;
}

int command_suggest(const struct options *options, struct diag *diag)
{
	__cleanup(suggesting_free) struct suggesting suggesting = {.options = options};
	int err = catalog_open(&options->catalog, &suggesting.catalog, diag);

	if (!err && options->root && access(options->root, R_OK)) {
		error("%s: %s", options->root, strerror(errno));
		err = -ENOENT;
	}
	/* Runs before anything is open that the reading process should not have. */
	if (!err && options->capture)
		err = suggest_replay(options->capture, options->local, &suggesting.capture);
	if (!err && !options->root)
		err = read_host(&suggesting, diag);
	if (!err)
		err = suggest_child_claims(options->root ?: "/", &options->catalog,
					   &suggesting.claims);
	if (err)
		return EXIT_FAILED;
	claim_units(&suggesting);
	if (!options->root)
		suggesting.ruleset = suggest_nft(&suggesting.remarks);
	err = choose_interfaces(&suggesting) ?: suggest_all(&suggesting, diag);
	if (err)
		return EXIT_FAILED;
	print(&suggesting);
	return options->strict && suggesting.claims.problems.count ? EXIT_FAILED : EXIT_DONE;
}
