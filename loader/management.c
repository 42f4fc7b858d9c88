// SPDX-License-Identifier: GPL-2.0
/* Ports by which hosts are managed. */
#include "loader/management.h"

const struct management_port management_port[MANAGEMENT_PORTS] = {
	{22, PC_TCP, true},    /* SSH */
	{23, PC_TCP, true},    /* Telnet */
	{135, PC_TCP, false},  /* Windows RPC */
	{161, PC_UDP, false},  /* SNMP */
	{445, PC_TCP, false},  /* SMB */
	{623, PC_UDP, false},  /* IPMI */
	{2375, PC_TCP, false}, /* Docker */
	{3389, PC_TCP, true},  /* RDP */
	{5900, PC_TCP, true},  /* VNC */
	{5985, PC_TCP, true},  /* WinRM */
	{5986, PC_TCP, true},
};

bool management_watched(const struct ports *given, enum pc_transport transport, __u16 port)
{
	size_t i;

	if (given)
		return ports_have(given, transport, port);
	for (i = 0; i < MANAGEMENT_PORTS; i++)
		if (management_port[i].port == port && management_port[i].transport == transport)
			return management_port[i].login;
	return false;
}
