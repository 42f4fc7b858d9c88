/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Loads libpcap when it is needed: with it come ten other libraries (D-Bus, cryptography,
 * compression), which would make the start of every command 50 % slower.
 */
#ifndef PORTCULLIS_REPORT_PCAP_LIBRARY_H
#define PORTCULLIS_REPORT_PCAP_LIBRARY_H

#include "loader/base/library.h"

/*
 * Sets the pointers. -ENOENT if libpcap is not installed or lacks a function; `*why` (the caller
 * frees) says how to install it.
 */
int pcap_library_load(const struct library_symbol *symbol, size_t count, char **why);

#endif
