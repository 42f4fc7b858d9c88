/* SPDX-License-Identifier: GPL-2.0 */
/* Attaches a filter to the XDP hook of an interface. */
#ifndef PORTCULLIS_FILTER_ATTACH_H
#define PORTCULLIS_FILTER_ATTACH_H

#include "loader/filter/filter.h"
#include "loader/filter/hook.h"

/*
 * Attaches by a bpf_link (filter->link). `*mode`: the wanted mode; returns the actual one. -EBUSY
 * with a message (id and name) if another program is there; -EAGAIN without a message if it is the
 * program of a hold (hold.h).
 */
int hook_attach(struct filter *filter, const struct hook *hook, enum hook_mode *mode);

#endif
