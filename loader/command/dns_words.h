/* SPDX-License-Identifier: GPL-2.0 */
/* Names of hosts that options give. */
#ifndef PORTCULLIS_COMMAND_DNS_WORDS_H
#define PORTCULLIS_COMMAND_DNS_WORDS_H

#include "loader/command/options.h"

/* Asks for those of --group, also behind --machine, that never got an answer (dns_renew.h). */
void dns_words_learn(const struct options *options);

#endif
