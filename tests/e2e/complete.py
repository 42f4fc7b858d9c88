#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Types lines into an interactive shell, with tabs, and prints what each became: complete.py SHELL TREE LINE..."""
import fcntl
import os
import pty
import re
import select
import subprocess
import sys
import termios
import time

# The completed line prints itself; the completion asks the program.
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"],
             ". /usr/share/bash-completion/bash_completion; . {tree}/completion/portcullis.bash",
             "portcullis() {{ if [ \"$1\" = complete ]; then command portcullis \"$@\"; else printf 'GOT<%s>\\n' \"$*\"; fi; }}"),
    "zsh": (["zsh", "-f", "-i"],
            "mkdir -p {folder}/z; cp {tree}/completion/portcullis.zsh {folder}/z/_portcullis; fpath=({folder}/z $fpath);"
            " autoload -Uz compinit; compinit -u -d {folder}/dump; setopt no_beep",
            "portcullis() {{ if [ \"$1\" = complete ]; then command portcullis \"$@\"; else printf 'GOT<%s>\\n' \"$*\"; fi; }}"),
    "fish": (["fish", "--no-config", "-i"],
             "source {tree}/completion/portcullis.fish",
             "function portcullis; if test \"$argv[1]\" = complete; command portcullis $argv;"
             " else; printf 'GOT<%s>\\n' \"$argv\"; end; end"),
}


def read_until(fd, pattern, seconds):
    """What the shell wrote until the pattern came; its terminal queries are answered."""
    got = ""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not re.search(pattern, got):
        if select.select([fd], [], [], 0.1)[0]:
            got += os.read(fd, 65536).decode(errors="replace")
    return got


def settle(fd):
    """Until the shell has written nothing for a while."""
    while select.select([fd], [], [], 0.5)[0]:
        os.read(fd, 65536)


def main():
    shell, tree, lines = sys.argv[1], sys.argv[2], sys.argv[3:]
    command, setup, function = SHELLS[shell]
    folder = os.environ["DIR"]
    master, slave = pty.openpty()
    environment = dict(os.environ, TERM="dumb", PS1="", HOME=folder, XDG_DATA_HOME=folder, XDG_CONFIG_HOME=folder)
    child = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment, cwd=tree,
                             start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(slave)
    try:
        for text in (setup, function, "printf 'REA%s\\n' DY"):
            os.write(master, (text.format(tree=tree, folder=folder) + "\n").encode())
        if "READY" not in read_until(master, "READY", 20):
            sys.exit(f"{shell} does not start")
        settle(master)
        for line in lines:
            for part in re.split("(\t)", "portcullis " + line):
                os.write(master, part.encode())
                settle(master)
            os.write(master, b"\n")
            got = re.search("GOT<(.*?)>", read_until(master, "GOT<.*>", 10))
            print(got.group(1).rstrip() if got else "nothing")
            settle(master)
    finally:
        child.kill()
        child.wait()


main()
