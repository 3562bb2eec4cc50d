"""Nothing is fetched and nobody is told: whole commands under an eye that sees every connection."""

from __future__ import annotations

import subprocess
import sys

WATCHED = """
import sys

def watch(event, arguments):
    if event.split(".")[0] in ("urllib", "http", "ftplib", "smtplib") or event in (
        "socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"
    ):
        print("NETWORK", event, arguments, flush=True)

sys.addaudithook(watch)
"""
RUN = """
from napari_shiftseg.cli.commands import main

def run(*words):
    try:
        main(words)
    except SystemExit as stop:
        assert not stop.code, words

run("demo", "-o", "demo", "--no-napari")
run("check", "demo/nuclei-2d-same-naive.tif", "--tile", "100")
run("audit", "nuclei-2d")
run("models")
"""


def told(code, folder):
    done = subprocess.run(
        [sys.executable, "-c", WATCHED + code], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith("NETWORK")]


def test_commands_open_no_connection(tmp_path):
    assert not told(RUN, tmp_path)


def test_one_would_be_seen(tmp_path):
    lookup = "import socket\ntry: socket.getaddrinfo('localhost', 9)\nexcept OSError: pass"
    assert told(lookup, tmp_path)
