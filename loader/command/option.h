/* SPDX-License-Identifier: GPL-2.0 */
/* What the options of a command say, and a row of their table. */
#ifndef PORTCULLIS_COMMAND_OPTION_H
#define PORTCULLIS_COMMAND_OPTION_H

#include "loader/base/moment.h"
#include "loader/catalog/group.h"
#include "loader/command/command.h"
#include "loader/recipe/recipe.h"
#include "loader/recipe/site_interface.h"

struct answer;
struct options;

/* One --machine: its word, and the options behind it, which are about that machine. */
struct machine_words {
	const char *word;
	struct options *options;
};

struct options {
	struct names arguments;
	struct names catalog;
	struct names profile, open, enable, disable, set, from, limit, group; /* as given */
	struct names no_open, no_enable, no_disable, no_set, no_from, no_limit, no_group,
		no_machine;
	struct machine_words *machine;
	size_t machines;
	const char *interface;
	int policy;	      /* enum pc_policy; -1 in this one and the next three: not given */
	int outbound;	      /* enum pc_outbound */
	int forward;	      /* 0 or 1 */
	int echo_limit;	      /* echo requests a second on a CPU, 0: no limit */
	int top;	      /* lines, or unlisted ports of each direction; -1: not given */
	int mode;	      /* enum hook_mode */
	int format;	      /* enum metrics_format */
	int refresh;	      /* enum groups_refresh; 0: not given */
	int by;		      /* enum drops_by */
	int port;	      /* PC_PORT; -1: any */
	unsigned int reasons; /* bit n: enum pc_reason n; 0: any */
	struct prefix source; /* of the remote address; family 0: any */
	struct moment since;
	unsigned int flows;	  /* size of the flow map, 0: not given */
	unsigned int watch;	  /* seconds, 0: once */
	unsigned int confirm;	  /* seconds, 0: not given */
	unsigned int source_port; /* 0: not given */
	unsigned int wait;	  /* seconds for interfaces to appear, 0: none */
	const char *capture;	  /* file of suggest --replay; NULL: none */
	const char *root;	  /* folder of another host's files; NULL: this host */
	const char *site;	  /* NULL: SITE_FILE, if there is one */
	const char *comment;	  /* for the record of the change; NULL: none */
	const char *as;		  /* the name that the interface is about to get; NULL: its own */
	const char *flags;    /* of the packet that explain asks about; NULL: syn, as the next */
	const char *icmp;     /* TYPE[/CODE] */
	const char *protocol; /* by name or number */
	const char *local;    /* address of this host; replay: prefixes, with commas between */
	const char *machine_name; /* behind this host, that explain asks about */
	const char *write;	  /* file for packets, "-": stdout; NULL: none */
	int write_fd;		  /* what monitor_open_file opened, and for whom; -1: nothing */
	bool write_made;	  /* it was not there before */
	uid_t write_user;
	unsigned int count; /* packets to show, 0: no limit */
	int rate;	    /* events a second and CPU, 0: no limit; -1: not given */
	const char *list;   /* of bans; NULL: not given */
	const char *until;  /* as given; NULL: no end */
	unsigned int span;  /* seconds, of --for; 0: not given */
	const char *expect; /* digest of the difference that is to be applied; NULL: any */
	bool all, replace, park, take_up, boot, clear, dry_run, evidence, exit_code, force, fresh,
		http, journal, json, listing, out, reload, resumed, strict;
	struct answer *answer; /* where a command that changes filters says what it did */
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

/* An option that is given: its argument goes into the field of its row. */
struct option_given {
	const struct command *command;
	const struct option_row *row;
	struct options *options;
	void *field;
	const char *text; /* NULL: it takes none */
};

/* Stores the argument, or reports what is wrong with it: -EINVAL. */
typedef int option_store(const struct option_given *given);

/* A row of the table of options, which gives parsing, help and completion. */
struct option_row {
	const char *name;
	const char *argument; /* "PROFILE[,PROFILE]", "native|generic"; NULL: it takes none */
	const char *help;
	enum option_group group;     /* the commands that name it take this option */
	option_store *store;	     /* NULL: --help */
	size_t field_at, field_size; /* of the field in struct options */
	int value;		     /* of store_choice, and of the first word of store_word */
	unsigned int least, most;
	char letter; /* the short option, or 0 */
	/* Adds a word of the option to a recipe (options_apply); NULL: no word of a recipe. */
	int (*add)(struct recipe *recipe, const char *text, struct diag *diag);
	/* Whether one command cannot give both words; NULL: it can give any two. */
	bool (*same)(const char *a, const char *b);
	/* Takes a word out of a recipe (options_take_back); NULL: it takes none. */
	int (*take)(struct recipe *recipe, const char *text, struct diag *diag);
};

#endif
