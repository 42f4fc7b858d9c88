/* SPDX-License-Identifier: GPL-2.0 */
/* Looks up names of hosts in options. */
#ifndef PORTCULLIS_COMMAND_DNS_WORDS_H
#define PORTCULLIS_COMMAND_DNS_WORDS_H

#include "loader/command/options.h"

/* Asks for names of --group, also after --machine, that never got an answer (dns_renew.h). */
void dns_words_learn(const struct options *options);

#endif
