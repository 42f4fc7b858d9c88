/* SPDX-License-Identifier: GPL-2.0 */
/* Stores the arguments of options: an option_store for each kind of field. */
#ifndef PORTCULLIS_COMMAND_OPTION_VALUES_H
#define PORTCULLIS_COMMAND_OPTION_VALUES_H

#include "loader/command/option.h"

option_store store_flag;    /* bool: true */
option_store store_text;    /* const char * */
option_store store_comment; /* const char *: a comment (comment_valid) */
option_store store_names;   /* struct names: appends */
option_store store_word;    /* int: index of the word in `argument`, counted from `value` */
option_store store_number;  /* unsigned int from `least` to `most` */
option_store store_time;    /* the same in seconds, with duration_parse */
option_store store_moment;  /* struct moment */
option_store store_prefix;  /* struct prefix; a bare address too */
option_store store_port;    /* int: PC_PORT, of one port and protocol */
option_store store_reasons; /* unsigned int: sets bit n for enum pc_reason n */
option_store store_machine; /* struct machine_words: appends one, which gets the options after it */

/* Reports that `explain` takes a packet without options. Returns -EINVAL. */
int option_explain_word(const struct command *command);

#endif
