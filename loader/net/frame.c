// SPDX-License-Identifier: GPL-2.0
/*
 * Tells which header the frames of an interface begin with, from the interface's type and kind, and
 * which interfaces cannot be filtered.
 */
#include "loader/net/frame.h"

#include <stdio.h>
#include <string.h>
#include <net/if_arp.h>

#include "loader/base/memory.h"

#define TYPE_NONE 0xfffe /* ARPHRD_NONE of linux/if_arp.h, which net/if_arp.h excludes */

/* True if tunnels of the kernel remove the outer header before the hook: 5.14 and newer. */
static bool has_inner_frames(const char *release)
{
	int major, minor;

	return sscanf(release, "%d.%d", &major, &minor) != 2 || major > 5 ||
	       (major == 5 && minor >= 14);
}

/* --- interfaces by type and kind --- */

/* The header that the frames of such an interface begin with. */
enum layout {
	LAYOUT_ETHERNET,
	LAYOUT_IP,
	LAYOUT_TUNNEL, /* IP; before Linux 5.14 the tunnel's outer header */
	LAYOUT_GRE,    /* a tunnel of any ethertype */
	LAYOUT_UNSEEN, /* packets enter the host past its hook */
	LAYOUT_XFRM,   /* IP or Ethernet, as on the interface below */
};

/* The first row that matches decides. A kind of "" matches any kind. */
static const struct row {
	__u16 type;
	const char *kind;
	enum layout layout;
} rows[] = {
	{ARPHRD_ETHER, "vrf", LAYOUT_UNSEEN},  {ARPHRD_ETHER, "ifb", LAYOUT_UNSEEN},
	{ARPHRD_ETHER, "", LAYOUT_ETHERNET},   {ARPHRD_LOOPBACK, "", LAYOUT_ETHERNET},
	{ARPHRD_PPP, "", LAYOUT_IP},	       {TYPE_NONE, "xfrm", LAYOUT_XFRM},
	{TYPE_NONE, "geneve", LAYOUT_GRE},     {TYPE_NONE, "gtp", LAYOUT_TUNNEL},
	{TYPE_NONE, "bareudp", LAYOUT_TUNNEL}, {TYPE_NONE, "", LAYOUT_IP},
	{ARPHRD_TUNNEL, "vti", LAYOUT_XFRM},   {ARPHRD_TUNNEL, "", LAYOUT_TUNNEL},
	{ARPHRD_TUNNEL6, "vti6", LAYOUT_XFRM}, {ARPHRD_TUNNEL6, "", LAYOUT_TUNNEL},
	{ARPHRD_SIT, "", LAYOUT_TUNNEL},       {ARPHRD_IPGRE, "", LAYOUT_GRE},
	{TYPE_IP6GRE, "", LAYOUT_GRE},
};

static const struct row *row_of(const struct frame_link *link)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].type == link->type &&
		    (!rows[i].kind[0] || !strcmp(rows[i].kind, link->kind)))
			return &rows[i];
	return NULL;
}

char *frame_classify(const struct frame_link *link, const char *release, enum pc_frame *frame)
{
	const struct row *row = row_of(link);
	enum layout layout = row ? row->layout : LAYOUT_UNSEEN;

	*frame = PC_FRAME_ETHERNET;
	if (!row)
		return xasprintf("its frames begin with neither Ethernet nor IP (link type %u)",
				 link->type);
	if (layout == LAYOUT_UNSEEN)
		return xasprintf("packets do not pass the XDP hook of this kind (%s)", link->kind);
	if (link->ipvlan_l3s)
		return xstrdup("packets do not pass the XDP hook of an ipvlan in mode l3s");
	if (layout == LAYOUT_XFRM)
		return xasprintf(
			"packets that IPsec decrypts for this kind (%s) begin with bytes that the interface below left there",
			link->kind);
	if ((layout == LAYOUT_TUNNEL || layout == LAYOUT_GRE) && !has_inner_frames(release))
		return xasprintf(
			"on this kernel (%s) the hook sees the outer header of a tunnel; Linux 5.14 or newer is needed",
			release);
	if (layout == LAYOUT_GRE && link->many_peers)
		return xstrdup("the hook sees the outer header of a gre tunnel to many peers");
	*frame = layout == LAYOUT_ETHERNET ? PC_FRAME_ETHERNET :
		 layout == LAYOUT_GRE	   ? PC_FRAME_GRE :
					     PC_FRAME_IP;
	return NULL;
}
