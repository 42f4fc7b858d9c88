/* SPDX-License-Identifier: GPL-2.0 */
/* Settings of CommuniGate Pro, in its textual form of objects. */
#ifndef PORTCULLIS_CATALOG_SETTINGS_COMMUNIGATE_H
#define PORTCULLIS_CATALOG_SETTINGS_COMMUNIGATE_H

#include "loader/catalog/settings.h"

/*
 * "{Listener = ({Port = 25;}, {Port = 2525;});}" has the keys "Listener/0/Port" and
 * "Listener/1/Port". The outermost braces are optional. As settings_keys.
 */
int settings_communigate(const char *text, size_t length, struct settings *settings, char **why);

#endif
