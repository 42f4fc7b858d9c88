# SPDX-License-Identifier: GPL-2.0
# Podman with its own network: published ports, what containers ask, and what doctor says of them.

load helper

setup_file()
{
	sandbox_start
	two_hosts
	on host ip route add default via 192.0.2.2
	on host ip -6 route add default via 2001:db8::2
	on client ip address add 203.0.113.9/32 dev lo
	on client ip address add 2001:db8:9::9/128 dev lo
	on host sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'
	! has_podman || containers_start > "$DIR/podman.log" 2>&1 || { cat "$DIR/podman.log" >&2; return 1; }
}

teardown_file()
{
	sandbox_end
}

setup()
{
	has_podman || skip "needs podman with netavark: apt install podman netavark iptables busybox-static"
}

teardown()
{
	! has_podman || detach_all host
}

has_podman()
{
	command -v podman iptables busybox > /dev/null && [ -x /usr/lib/podman/netavark ]
}

podman()
{
	on host podman --root /var/lib/containers --runroot /run/containers --tmpdir /run/libpod --storage-driver vfs \
		--cgroup-manager cgroupfs --network-backend netavark --network-config-dir /run/networks --events-backend none "$@"
}

# An image of busybox; a web server with published ports, in a network of both families. crun needs cgroup v2 alone, and
# podman's locks are in /dev/shm.
containers_start()
{
	inside sh -c 'umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup && mount -t tmpfs tmpfs /dev/shm'
	mkdir -p "$DIR/root/bin"
	cp "$(command -v busybox)" "$DIR/root/bin/busybox"
	echo hello > "$DIR/root/index.html"
	tar -C "$DIR/root" -cf "$DIR/image.tar" .
	podman import --quiet "$DIR/image.tar" box
	podman network create --ipv6 --disable-dns --subnet 10.90.0.0/24 --subnet fd00:90::/64 pods
	podman run --quiet --detach --cgroups=disabled --network pods --name web --publish 8080:80 --publish '[::]:8080:80' \
		--publish 5300:53/udp box /bin/busybox httpd -f -h / -p 80
}

# asks_world ADDRESS: the answer of the outside host to a container.
asks_world()
{
	podman exec web /bin/busybox nc -w 1 "$1" 8000
}

@test "podman: a published port is closed until it is listed, IPv4 and IPv6, also after the container began anew" {
	connects client 192.0.2.1 8080
	connects client 2001:db8::1 8080
	exits 0 pc attach eth0 -p ssh
	unanswered client 192.0.2.1 8080
	unanswered client 2001:db8::1 8080
	exits 0 pc swap eth0 --open 8080/tcp
	connects client 192.0.2.1 8080
	connects client 2001:db8::1 8080
	unanswered client 192.0.2.1 80
	podman restart --time 0 web
	CONNECT_TIMEOUT=1 until_true 10 connects client 192.0.2.1 8080
	exits 0 pc swap eth0 --no-open 8080/tcp
	unanswered client 192.0.2.1 8080
}

@test "podman: what a container asks of the world is answered with --forward" {
	in_background client socat TCP6-LISTEN:8000,ipv6-v6only=0,fork,reuseaddr SYSTEM:'echo hello'
	until_true 10 listening client 8000
	exits 0 pc attach eth0 -p ssh
	same '' "$(asks_world 203.0.113.9 2> /dev/null || true)"
	same '' "$(asks_world 2001:db8:9::9 2> /dev/null || true)"
	exits 0 pc swap eth0 --forward
	same hello "$(asks_world 203.0.113.9)"
	same hello "$(asks_world 2001:db8:9::9)"
}

@test "podman: doctor names each published port that nothing lists" {
	exits 0 pc attach eth0 -p ssh
	output=$(pc doctor eth0 --json) || true
	json_is '[.checks[] | select(.check == "published") | .fix] | unique == ["portcullis swap eth0 --open 5300/udp", "portcullis swap eth0 --open 8080/tcp"]'
	exits 0 pc swap eth0 --open 8080/tcp --open 5300/udp
	output=$(pc doctor eth0 --json) || true
	json_is '[.checks[] | select(.check == "published")] == []'
	exits 0 pc explain eth0 192.0.2.2 8080/tcp
	says '8080/tcp'
}
