/* SPDX-License-Identifier: GPL-2.0 */
/* The options of a command as a struct, and a row of their table. */
#ifndef PORTCULLIS_COMMAND_OPTION_H
#define PORTCULLIS_COMMAND_OPTION_H

#include "loader/base/moment.h"
#include "loader/catalog/group.h"
#include "loader/command/command.h"
#include "loader/recipe/recipe.h"
#include "loader/recipe/site_interface.h"

struct answer;
struct options;

/* One --machine: its word, and the options after it, which are for that machine. */
struct machine_words {
	const char *word;
	struct options *options;
};

struct options {
	struct names arguments;
	struct names catalog;
	/* in the given form */
	struct names profile, open, enable, disable, set, from, limit, group;
	struct names no_open, no_enable, no_disable, no_set, no_from, no_limit, no_group,
		no_machine;
	struct machine_words *machine;
	size_t machines;
	const char *interface;
	int policy;	      /* enum pc_policy; -1 in this one and the next three: not given */
	int outbound;	      /* enum pc_outbound */
	int forward;	      /* 0 or 1 */
	int echo_limit;	      /* echo requests a second on a CPU, 0: no limit */
	int top;	      /* rows, or unlisted ports of each direction; -1: not given */
	int mode;	      /* enum hook_mode */
	int format;	      /* enum metrics_format */
	int refresh;	      /* enum groups_refresh; 0: not given */
	int by;		      /* enum drops_by */
	int port;	      /* PC_PORT; -1: any */
	unsigned int reasons; /* bit n: enum pc_reason n; 0: any */
	struct prefix source; /* prefix of the remote address; family 0: any */
	struct moment since;
	unsigned int flows;	  /* size of the flow map; 0: not given */
	unsigned int watch;	  /* seconds, 0: once */
	unsigned int confirm;	  /* seconds, 0: not given */
	unsigned int source_port; /* 0: not given */
	unsigned int wait;	  /* seconds for interfaces to appear, 0: none */
	const char *capture;	  /* file of suggest --replay; NULL: not given */
	const char *root;	  /* folder of another host's files; NULL: this host */
	const char *site;	  /* NULL: SITE_FILE, if there is one */
	const char *comment;	  /* comment in the record of the change; NULL: none */
	const char *as;		  /* the name that the interface is about to get; NULL: its own */
	/* flags of the packet that explain asks about; NULL: syn; also the next */
	const char *flags;
	const char *icmp;     /* TYPE[/CODE] */
	const char *protocol; /* by name or number */
	const char *local;    /* address of this host; replay: prefixes, with commas between */
	const char *machine_name; /* machine that explain asks about */
	const char *write;	  /* file for packets; "-": stdout; NULL: none */
	int write_fd;		  /* descriptor from monitor_open_file, and its user; -1: none */
	bool write_made;	  /* monitor_open_file made the file */
	uid_t write_user;
	unsigned int count; /* packets to show, 0: no limit */
	int rate;	    /* events a second and CPU, 0: no limit; -1: not given */
	const char *list;   /* list of bans; NULL: not given */
	const char *until;  /* in the given form; NULL: no end */
	unsigned int span;  /* seconds, of --for; 0: not given */
	const char *expect; /* digest that the difference must have; NULL: any */
	bool all, replace, park, take_up, boot, clear, dry_run, evidence, exit_code, force, fresh,
		http, journal, json, listing, out, reload, resumed, strict;
	struct answer *answer; /* answer of a command that changes filters */
};

#define OPTIONS_NONE                        \
	((struct options){.policy = -1,     \
			  .outbound = -1,   \
			  .forward = -1,    \
			  .echo_limit = -1, \
			  .top = -1,        \
			  .port = -1,       \
			  .rate = -1,       \
			  .write_fd = -1})

/* groups --refresh WORD */
enum groups_refresh {
	GROUPS_DNS = 1,
	GROUPS_FILE,
};

/* A given option: its argument goes to the field of its row. */
struct option_given {
	const struct command *command;
	const struct option_row *row;
	struct options *options;
	void *field;
	const char *text; /* NULL: the option has no argument */
};

/* Stores the argument, or reports what is wrong with it: -EINVAL. */
typedef int option_store(const struct option_given *given);

/* A row of the table of options, which gives parsing, help and completion. */
struct option_row {
	const char *name;
	const char *argument; /* "PROFILE[,PROFILE]", "native|generic"; NULL: it takes none */
	const char *help;
	enum option_group group;     /* commands with one of these groups take the option */
	option_store *store;	     /* NULL: --help */
	size_t field_at, field_size; /* offset of the field in struct options */
	int value;		     /* first value, for store_choice and store_word */
	unsigned int least, most;
	char letter; /* the short option, or 0 */
	/* Adds a word of the option to a recipe (options_apply); NULL: the option is not about a
	 * recipe. */
	int (*add)(struct recipe *recipe, const char *text, struct diag *diag);
	/* Whether a command may not have both words; NULL: it may have any two. */
	bool (*same)(const char *a, const char *b);
	/* Removes a word from a recipe (options_take_back); NULL: the option does not. */
	int (*take)(struct recipe *recipe, const char *text, struct diag *diag);
};

#endif
