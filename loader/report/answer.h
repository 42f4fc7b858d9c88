/* SPDX-License-Identifier: GPL-2.0 */
/* The JSON answer of a command that changes filters: apply, attach, swap, confirm, detach. */
#ifndef PORTCULLIS_REPORT_ANSWER_H
#define PORTCULLIS_REPORT_ANSWER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "loader/base/message.h"
#include "loader/base/sha256.h"

enum answer_action {
	ANSWER_NONE, /* the interface already is as wanted */
	ANSWER_ATTACH,
	ANSWER_SWAP,
	ANSWER_DETACH,
};

struct answer_interface {
	json_t *json;
	char digest[SHA256_TEXT]; /* digest of its two kept texts; "": no change */
};

struct answer {
	bool collects; /* the answer is asked for; otherwise nothing is computed */
	bool json;
	bool confirmed; /* a change was confirmed */
	bool admitted;	/* bans or grants changed */
	json_t *more;	/* further keys of the answer; NULL: none */
	struct answer_interface *interface;
	size_t interfaces;
	json_t *warnings, *errors;
	FILE *text; /* the real stdout, while --json keeps it silent */
	struct message_sink messages;
};

/*
 * With `json`, the command's text and messages are kept from the terminal. `collects` without
 * `json`: collects only for answer_changes and answer_digest.
 */
void answer_begin(struct answer *answer, bool json, bool collects);

/*
 * Adds an interface. `before` and `after`: the kept texts; NULL: no filter. It counts as a change
 * if the filter is attached or detached, or if the texts differ in what they admit.
 */
void answer_interface(struct answer *answer, const char *name, enum answer_action action,
		      const json_t *before, const json_t *after);
/* The generation that filters an interface that was added, and the seconds left to confirm it. */
void answer_result(struct answer *answer, const char *name, unsigned long long generation,
		   unsigned int confirm);

/* Adds an item to the list of that name, which is next to `interfaces`: a ban, a grant. */
void answer_item(struct answer *answer, const char *list, json_t *item);

/* Removes the interfaces that were added last, because their change failed. */
void answer_take_back(struct answer *answer, size_t count);

/* True if an added interface changes or was confirmed, or if bans or grants change. */
bool answer_changes(const struct answer *answer);

/* A digest of all changes that were added: equal texts before and after give equal digests. False:
 * there is no change. */
#define ANSWER_DIGEST 33 /* with its NUL */
bool answer_digest(const struct answer *answer, char digest[ANSWER_DIGEST]);

/*
 * Prints {"version", "changed", "dry_run", "digest", "interfaces", "warnings", "errors"} if JSON
 * was asked for, lets text reach the terminal again, and frees the answer.
 */
void answer_end(struct answer *answer, bool dry_run);

#endif
