/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Loads libpcap when it is needed: it brings ten other libraries along (D-Bus, cryptography,
 * compression), which would make every start of a command half as long again.
 */
#ifndef PORTCULLIS_REPORT_PCAP_LIBRARY_H
#define PORTCULLIS_REPORT_PCAP_LIBRARY_H

#include "loader/base/library.h"

/*
 * Sets the pointers. -ENOENT where libpcap is not installed or lacks a function, and in `*why` (the
 * caller frees) how to install it.
 */
int pcap_library_load(const struct library_symbol *symbol, size_t count, char **why);

#endif
