/* SPDX-License-Identifier: GPL-2.0 */
/* Site files, the messages about them, and a small catalog. */
#ifndef PORTCULLIS_TEST_RECIPE_SITE_FILES_H
#define PORTCULLIS_TEST_RECIPE_SITE_FILES_H

#include <ftw.h>
#include <sys/stat.h>

#include "loader/base/diag.h"
#include "loader/base/memory.h"
#include "loader/recipe/site.h"
#include "loader/base/message.h"
#include "tests/unit/expect.h"

/* An interface; the text continues its keys, from line 4 and column 5 on. */
#define ETH0 "interfaces:\n  eth0:\n    profiles: [ssh, shop]\n"

/* "LINE:COLUMN+WIDTH MESSAGE" a line, warnings with that word; empties `diag`. */
static inline char *places(struct diag *diag)
{
	char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);

	for (size_t i = 0; i < diag->count; i++)
		fprintf(to, "%d:%d+%d %s%s%s%s\n", diag->entry[i].line, diag->entry[i].column,
			diag->entry[i].width,
			diag->entry[i].level == DIAG_WARNING ? "warning: " : "",
			diag->entry[i].message, diag->entry[i].fix ? MESSAGE_FIX : "",
			diag->entry[i].fix ?: "");
	fclose(to);
	diag_free(diag);
	return text;
}

static inline bool expect_text(const char *text, const char *got, const char *expected)
{
	if (!strcmp(got, expected))
		return true;
	print_error("text:\n%s\nsaid:\n%sexpected:\n%s", text, got, expected);
	return false;
}

static inline struct site parse(const char *text)
{
	struct diag diag = {0};
	struct site site;

	site_parse("site.yaml", text, strlen(text), &site, &diag);
	expect_said(&diag, "");
	assert_non_null(site.path);
	return site;
}

static char folder[] = "/tmp/portcullis-site-XXXXXX";

static inline void put(const char *name, const char *text)
{
	__free_text char *path = xasprintf("%s/%s", folder, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static inline int start(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	put("ssh.yaml", "profile: ssh\nservices:\n  - {name: ssh, in: 22/tcp}\n");
	put("shop.yaml", "profile: shop\ninclude: base\nservices:\n"
			 "  - {name: web, in: 443/tcp, out: 443/tcp}\n"
			 "  - {name: admin, in: 8443/tcp, from: trusted, formerly: console}\n"
			 "  - {name: query, out: 53/udp, to: dns-servers}\n"
			 "  - {name: mail, in: 25/tcp, feature: mta, fixed: true}\n");
	put("base.yaml", "profile: base\nservices:\n  - {name: ping, in: 7/udp}\n");
	put("bad.yaml", "profile: bad\nservices:\n  - {name: x, in: 25}\n");
	return 0;
}

static inline int remove_one(const char *path, const struct stat *status, int kind,
			     struct FTW *where)
{
	(void)status;
	(void)kind;
	(void)where;
	return remove(path);
}

static inline int finish(void **state)
{
	(void)state;
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
