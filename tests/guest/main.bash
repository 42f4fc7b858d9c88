# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Runs a scenario in the booted guest: results are lines "ok - NAME", "not ok - NAME" or "skip - NAME: REASON";
# "# TEXT" explains the result before it, and "! WORDS" goes to QEMU's monitor. The last line says that it came to its end.
cd /guest || exit
export PATH=/guest:/usr/sbin:/usr/bin:/sbin:/bin
source ./setting
source ./lib.bash
source ./run
echo '# the end'
sync
systemctl poweroff --force --force
