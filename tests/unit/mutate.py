#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""scripts/mutate on a tree of one function: what a test notices is killed, what means nothing lives, nothing is left."""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LEAST = """/* The lesser one: if (a < b) is said here, too. */
int least(int a, int b);

int least(int a, int b)
{
	if (a < b)
		return a;
	return b;
}
"""
TEST = """#include <assert.h>
int least(int a, int b);
int main(void)
{
	assert(least(1, 2) == 1 && least(4, 3) == 3 && least(-1, 0) == -1);
	return 0;
}
"""
MAKEFILE = """unit: build/unit/base/test_least
build/unit/base/test_least: loader/least.c tests/test_least.c
	@mkdir -p build/unit/base
	@cc -Wall -Werror -o $@ $^
"""
failures = []


def expect(what, true, shown=""):
    if not true:
        failures.append(f"{what}\n{shown}")


def tree(folder, test=TEST):
    for name, text in (("loader/least.c", LEAST), ("tests/test_least.c", test), ("Makefile", MAKEFILE)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return [str(ROOT / "scripts/mutate"), "--tree", str(folder), "--seed", "3", "loader/least.c"]


def mutate(words, temporary, *more):
    done = subprocess.run([*words, *more], capture_output=True, text=True, timeout=100, check=False,
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TMPDIR": str(temporary)})
    return done.returncode, done.stdout + done.stderr


def left(pattern):
    """The processes of that command line."""
    return subprocess.run(["pgrep", "-f", pattern], capture_output=True, text=True, check=False).stdout.split()


def comes(condition, seconds):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def end(running):
    running.send_signal(signal.SIGTERM)
    try:
        expect("ended by SIGTERM", running.wait(timeout=20) == 143)
    except subprocess.TimeoutExpired:
        expect("ended by SIGTERM", False)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder, temporary = pathlib.Path(name) / "tree", pathlib.Path(name) / "tmp"
        temporary.mkdir()
        words = tree(folder)
        code, said = mutate(words, temporary)
        expect("exit 1, for one lives", code == 1, said)
        expect("a < b to a <= b is the same", "lived: loader/least.c:6 compare" in said, said)
        expect("and is shown", "-\tif (a < b)\n+\tif (a <= b)\n" in said, said)
        expect("the condition is watched", "killed by base/test_least: loader/least.c:6 negate" in said, said)
        expect("so is what is returned", said.count("killed by base/test_least: loader/least.c:7 return") == 1, said)
        expect("the comment is no code", ":1 " not in said, said)
        expect("the sum", "killed 3 of 4, 75 %" in said, said)
        expect("the tree is as it was", (folder / "loader/least.c").read_text() == LEAST)
        expect("nothing is built in it", not (folder / "build").exists())
        code, again = mutate(words, temporary)
        expect("one seed, one order", again == said, again)
        code, said = mutate(words, temporary, "--kinds", "negate,return", "--count", "2")
        expect("none lives: exit 0", code == 0 and "killed 2 of 2, 100 %" in said, said)
        code, said = mutate(words, temporary, "--minutes", "0")
        expect("ends by time", code == 0 and "killed 0 of 0" in said, said)
        code, said = mutate(words, temporary, "--kinds", "nonsense")
        expect("wrong usage", code == 2 and "no such kind: nonsense" in said, said)
        code, said = mutate(tree(folder, TEST.replace("== 3", "== 4")), temporary)
        expect("tests that fail anyway tell nothing", code == 2 and "without a mutant base/test_least fails" in said, said)
        # A test that never ends is ended together with the script, and the copy is removed.
        words = tree(folder, "#include <unistd.h>\nint main(void)\n{\n\tfor (;;)\n\t\tpause();\n}\n")
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              env={"PATH": "/usr/bin:/bin", "TMPDIR": str(temporary)}) as running:
            pattern = f"^{temporary}/[^ ]*/test_least$"  # not the compiler, whose arguments also have the name
            expect("the test runs", comes(lambda: left(pattern), 60))
            end(running)
            # A killed process still exists for a moment.
            expect("no test is left running", comes(lambda: not left(pattern), 30))
            for process in left(pattern):
                os.kill(int(process), signal.SIGKILL)
        expect("no folder is left", not list(temporary.iterdir()), str(list(temporary.iterdir())))
        # Nor are processes that the compiler started.
        words = tree(folder)
        (folder / "Makefile").write_text("unit:\n\t@sleep 60 | cc -x c -c -o /dev/null -\n")
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              env={"PATH": "/usr/bin:/bin", "TMPDIR": str(temporary)}) as running:
            expect("the compiler runs", comes(lambda: list(temporary.rglob("cc*.s")), 60))
            end(running)
        expect("nothing of the compiler is left", not list(temporary.iterdir()), str(list(temporary.iterdir())))
    for failure in failures:
        print(f"not ok - {failure}")
    print(f"{'not ok' if failures else 'ok'} 1 - scripts/mutate\n1..1")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
