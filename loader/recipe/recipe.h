/* SPDX-License-Identifier: GPL-2.0 */
/* The recipe of a generation, which options fill, and which is kept with the generation. */
#ifndef PORTCULLIS_RECIPE_RECIPE_H
#define PORTCULLIS_RECIPE_RECIPE_H

#include <jansson.h>

#include "loader/base/diag.h"
#include "loader/catalog/group.h"
#include "loader/catalog/ports.h"
#include "loader/recipe/limit.h"
#include "loader/recipe/opens.h"

enum direction {
	DIRECTION_IN = 1,
	DIRECTION_OUT = 2,
	DIRECTION_BOTH = 3,
};

/* --set PROFILE:SERVICE[:in|:out]=PORTS */
struct override_set {
	char *profile;
	char *service;
	enum direction direction; /* both: in each direction that the service has */
	struct ports ports;
};

/* --from PROFILE:SERVICE=GROUP[,GROUP] */
struct override_from {
	char *profile;
	char *service;
	struct names groups; /* only GROUP_ANYONE: no restriction */
};

/* --limit PROFILE:SERVICE=RATE */
struct override_limit {
	char *profile;
	char *service;
	struct limit limit;
};

#define ECHO_LIMIT_DEFAULT 100
#define ECHO_LIMIT_NONE	   (-1)

/* All zero: every setting is at its default. */
struct recipe {
	struct names profiles;
	struct names features; /* as given: FEATURE or PROFILE:FEATURE */
	struct names disabled; /* PROFILE:SERVICE */
	struct opens opens;
	struct names parked; /* "--enable imap": words that no present profile knows */
	struct override_set *set;
	size_t sets;
	struct override_from *from;
	size_t froms;
	struct override_limit *limit;
	size_t limits;
	struct groups groups;
	struct names deny;	/* groups whose members are dropped */
	struct names never_ban; /* groups whose members pass in spite of bans and `deny` */
	enum pc_policy policy;
	enum pc_outbound outbound;
	bool forward;
	/* in the form of recipe_limit_echo; read it by recipe_echo_limit */
	int echo_limit;
	struct machine *machine; /* the machines behind this one, in the order of the options */
	size_t machines;
};

/* A machine behind this one: its own recipe decides about packets to its addresses. */
struct machine {
	char *name;
	struct prefix *address; /* in the order of prefix_compare */
	size_t addresses;
	/*
	 * Has no machines. Its groups are only those given for this machine; they hide the
	 * interface's groups of the same names. Policy and outbound are the interface's unless
	 * given (machines_inherit).
	 */
	struct recipe own;
	bool policy_given;
	bool outbound_given;
};

/* The kinds of words in a recipe; each word has the form of its option's argument. */
enum recipe_word {
	RECIPE_PROFILE, /* one name: of a profile */
	RECIPE_OPEN,
	RECIPE_ENABLE,
	RECIPE_DISABLE,
	RECIPE_SET,
	RECIPE_FROM,
	RECIPE_LIMIT,
	RECIPE_WORDS,
};

/* The names of enum pc_policy, without PC_POLICY_START. */
extern const char *const policy_name[2];
extern const char *const outbound_name[2]; /* The names of enum pc_outbound. */

/* These parse the names: -EINVAL for an unknown one. */
int outbound_parse(const char *text, enum pc_outbound *outbound);

/* Echo requests that a CPU admits in a second, at most PC_ECHO_LIMIT_MAX; 0: no limit. */
void recipe_limit_echo(struct recipe *recipe, unsigned int limit);
unsigned int recipe_echo_limit(const struct recipe *recipe);

/*
 * Each adds the argument of one option, replacing an older word on the same service or group. They
 * check form only (names, ports, prefixes), not the catalog. Return 0, or -EINVAL (-errno of the
 * file for NAME=@FILE) with the error in `diag`, naming the option.
 */
int recipe_profiles(struct recipe *recipe, const char *list, struct diag *diag);
int recipe_open(struct recipe *recipe, const char *ports, struct diag *diag);
int recipe_enable(struct recipe *recipe, const char *feature, struct diag *diag);
int recipe_disable(struct recipe *recipe, const char *service, struct diag *diag);
int recipe_set(struct recipe *recipe, const char *override, struct diag *diag);
int recipe_from(struct recipe *recipe, const char *override, struct diag *diag);
int recipe_limit(struct recipe *recipe, const char *override, struct diag *diag);
int recipe_group(struct recipe *recipe, const char *group, struct diag *diag);
/* Removes the words of --from, --limit and --disable on the service of an open port, "587-tcp". */
void recipe_forget_port(struct recipe *recipe, const char *service);
/* Adds a word of this kind; errors are reported at `place` in a file. */
int recipe_add(struct recipe *recipe, enum recipe_word kind, const char *word,
	       const struct place *place, struct diag *diag);

/*
 * True if a command may not give both words of one option, because they name the same service, the
 * same service and direction, the same group, or a common port.
 */
bool recipe_same_target(const char *a, const char *b);
bool recipe_same_port(const char *a, const char *b);

/* An override as the argument of its option; the caller frees. */
char *override_set_text(const struct override_set *set);
char *override_from_text(const struct override_from *from);
char *override_limit_text(const struct override_limit *limit);

void override_set_free(struct override_set *set);
void override_from_free(struct override_from *from);
void override_limit_free(struct override_limit *limit);
void machine_free(struct machine *machine);
void recipe_free(struct recipe *recipe);

#endif
