# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the scripts know of the points at which a command fails or is killed (faults.c).

# leaves_nothing POINT: a command that is killed after this call leaves the same as one that is killed before it.
leaves_nothing()
{
	[[ $1 =~ ^bpf:(OBJ_GET|OBJ_GET_INFO_BY_FD|MAP_LOOKUP_ELEM|MAP_GET_NEXT_KEY|MAP_CREATE|PROG_LOAD|BTF_LOAD|PROG_QUERY|[A-Z]+_GET_(FD_BY|NEXT)_ID): ]]
}
