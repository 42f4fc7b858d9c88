#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What fault_each_call.bash sends, and what is to pass in each state.

# As the lines of flows_of; 1: passes.
declare -A passes=(
	[none]=1111111111111111
	[before]=0101010101010101
	[after]=0010101011001011
)

# flows_of HOST PREFIX4 PREFIX6: the flows of one interface.
flows_of()
{
	cat <<-END
		$1 $2.2 host $2.1 7005
		$1 $2.2 host $2.1 7002
		$1 $2.2 host $2.1 7003
		$1 $2.2 host $2.1 7004
		$1 $2.3 host $2.1 7004
		$1 $3::2 host $3::1 7002
		$1 $3::2 host $3::1 7003
		$1 $3::2 host $3::1 7004
		$1 $3::3 host $3::1 7004
		$1 $2.2 host $2.1 7001 !
		host $2.1 $1 $2.2 7105
		host $2.1 $1 $2.2 7102
		host $2.1 $1 $2.2 7103
		host $2.1 $1 $2.2 7104
		host $2.1 $1 $2.3 7104
		host $2.1 $1 $2.2 7101 !
	END
}
