// SPDX-License-Identifier: GPL-2.0
/* The present rules of nftables, as nft lists them: from nft's own library, if it is installed. */
#include "loader/command/suggest_nft.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/library.h"
#include "loader/base/memory.h"
#include "loader/net/nft.h"

/* Constants of libnftables(3). */
#define CONTEXT_DEFAULT 0
#define OUTPUT_JSON	(1 << 4)

struct nft_ctx;

static struct {
	struct nft_ctx *(*open)(uint32_t flags);
	void (*close)(struct nft_ctx *context);
	void (*set_output)(struct nft_ctx *context, unsigned int flags);
	int (*buffer_output)(struct nft_ctx *context);
	int (*buffer_error)(struct nft_ctx *context);
	int (*run)(struct nft_ctx *context, const char *command);
	const char *(*output)(struct nft_ctx *context);
} library;

static const struct library_symbol symbol[] = {
	{"nft_ctx_new", &library.open},
	{"nft_ctx_free", &library.close},
	{"nft_ctx_output_set_flags", &library.set_output},
	{"nft_ctx_buffer_output", &library.buffer_output},
	{"nft_ctx_buffer_error", &library.buffer_error},
	{"nft_run_cmd_from_buffer", &library.run},
	{"nft_ctx_get_output_buffer", &library.output},
};

static bool has_rules(void)
{
	struct nft_rules rules = {};
	bool any = !nft_read(&rules) && rules.rules;

	nft_rules_free(&rules);
	return any;
}

static bool load(void)
{
	static const char *const names[] = {"libnftables.so.1", NULL};

	return !library_load(names, symbol, ARRAY_SIZE(symbol));
}

static json_t *list(void)
{
	struct nft_ctx *context = library.open(CONTEXT_DEFAULT);
	json_t *ruleset = NULL;

	if (!context)
		return NULL;
	library.set_output(context, OUTPUT_JSON);
	library.buffer_output(context);
	library.buffer_error(context);
	if (!library.run(context, "list ruleset"))
		ruleset = json_loads(library.output(context), 0, NULL);
	library.close(context);
	return ruleset;
}

json_t *suggest_nft(struct names *remarks)
{
	bool loaded;
	json_t *ruleset = NULL;

	if (!has_rules())
		return NULL;
	loaded = load();
	if (loaded)
		ruleset = list();
	if (!loaded)
		names_add(
			remarks,
			"not carried over: nftables has rules, and libnftables, which lists them, is not installed (Debian: nftables)");
	else if (!ruleset)
		names_add(remarks, "not carried over: the rules of nftables cannot be listed");
	return ruleset;
}
