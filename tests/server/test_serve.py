"""`unveil serve` as a process: it says where, ends cleanly, and finishes what it began."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from clips import black_box, faces, write_clip
from serving import until

from unveil.cli import main
from unveil.files import encode

SOURCE = str(Path(__file__).parents[2] / "src")
FACE = {"photo": ("a.png", encode(np.full((64, 64, 3), 9, np.uint8), "PNG"))}


@pytest.fixture
def process(model, tmp_path):
    """The server and its address; ready."""
    (tmp_path / "temporary").mkdir()
    command = [sys.executable, "-m", "unveil", "serve", "--port", "0", "--model", model]
    env = os.environ | {"PYTHONPATH": SOURCE, "UNVEIL_TOKEN": "t0ken"}
    env["TMPDIR"] = str(tmp_path / "temporary")

    def listen():
        # Where tests start in the background, or by nohup, children inherit that these are ignored.
        for name in ("SIGINT", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), signal.SIG_DFL)

    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=env, preexec_fn=listen
    ) as server:
        line = server.stderr.readline()
        url = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert url, line
        end = time.monotonic() + 60
        while httpx.get(f"{url[0]}/readyz").status_code != 200 and time.monotonic() < end:
            time.sleep(0.05)
        yield server, url[0]
        if server.poll() is None:
            server.kill()


def begin_clip(url, path):
    """Hand in a clip that takes long; its first frames are done."""
    frames, _ = black_box(faces(20, step=0), slice(103, 118), slice(65, 95))
    clip = write_clip(path, frames * 60).read_bytes()
    told = {"headers": {"Authorization": "Bearer t0ken"}, "timeout": 30}
    at = httpx.post(f"{url}/v1/video", files={"clip": ("c", clip)}, **told).headers["location"]
    assert until(lambda: httpx.get(f"{url}{at}", **told).json()["done"] > 0)


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_finishes_what_it_began(process, ending):
    server, url = process
    request = httpx.Request("POST", f"{url}/v1/restore", files=FACE, data={"aligned": "true"})
    body = request.read()
    head = (
        "POST /v1/restore HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer t0ken\r\n"
        + "".join(f"{k}: {v}\r\n" for k, v in request.headers.items() if k != "host")
    )
    with socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1]))) as line:
        line.sendall(head.encode() + b"\r\n" + body[:100])
        time.sleep(0.3)
        server.send_signal(ending)
        time.sleep(0.5)
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{url}/healthz")  # nothing new is begun
        line.sendall(body[100:])
        answer = line.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"\x89PNG" in answer
    assert server.wait(20) == (0 if ending == signal.SIGTERM else 130)
    assert "Traceback" not in server.stderr.read()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no SIGHUP here")
def test_a_closed_terminal_leaves_no_clip_behind(process, tmp_path):
    server, url = process
    begin_clip(url, tmp_path / "long.mp4")
    assert list((tmp_path / "temporary").glob("unveil-*"))
    server.send_signal(signal.SIGHUP)
    server.wait(20)
    assert not list((tmp_path / "temporary").glob("unveil-*"))
    assert "Traceback" not in server.stderr.read()


@pytest.mark.slow
def test_a_second_ctrl_c_ends_it_at_once(process, tmp_path):
    server, url = process
    begin_clip(url, tmp_path / "long.mp4")
    with socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1]))) as line:
        head = "POST /v1/restore HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer t0ken\r\n"
        kind = "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 99\r\n\r\n--b"
        line.sendall((head + kind).encode())
        time.sleep(0.3)
        server.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert server.poll() is None  # it waits for what was begun
        server.send_signal(signal.SIGINT)
        assert server.wait(20) == 130  # where what was begun would take 95 s
    assert server.stderr.read() == "unveil: stopped\n"


@pytest.mark.slow
def test_what_strangers_send_is_not_its_owners_reading(process):
    server, url = process
    wanted = {"Authorization": "Bearer t0ken"}
    form = wanted | {"Content-Type": "multipart/form-data; boundary=b"}
    assert httpx.post(f"{url}/v1/restore", content=b"garbage", headers=form).status_code == 400
    upgrade = wanted | {"Connection": "Upgrade", "Upgrade": "websocket"}
    assert httpx.get(f"{url}/v1/models", headers=upgrade).status_code == 200
    with socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1]))) as line:
        line.sendall(b"no HTTP\r\n\r\n")
        assert line.makefile("rb").read().startswith(b"HTTP/1.1 400")
    server.send_signal(signal.SIGTERM)
    assert server.wait(20) == 0
    assert server.stderr.read() == ""


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--jobs", "0"], 2, "'--jobs'"),
        (["--queue", "-1"], 2, "'--queue'"),
        (["--clips", "-1"], 2, "'--clips'"),
        (["--max-faces", "0"], 2, "'--max-faces'"),
        (["--timeout", "0"], 2, "--timeout must be above 0"),
        (["--timeout", "nan"], 2, "--timeout must be above 0"),
        (["--max-megabytes", "inf"], 2, "--max-megabytes must be above 0"),
        (["--max-megapixels", "-1"], 2, "--max-megapixels must be above 0"),
        (["--max-megapixels", "101"], 2, "--max-megapixels must be above 0 and at most 100"),
        (["--model", "nobody"], 2, "no model 'nobody' that restores; there are: lite, paper"),
        (["--model", "aligner"], 2, "no model 'aligner' that restores; there are: lite, paper"),
        (["--model", "no/where"], 2, "no model 'no/where': no has no manifest.json"),
        (["--allow-host", "http://foo:80/"], 2, "'http://foo:80/' is not the name of a host"),
        (
            ["--token-file", "/nonexistent"],
            2,
            "/nonexistent: cannot be read: No such file",
        ),
        (["--browser-runtime", "/nonexistent"], 2, "npm run runtime"),
    ],
)
def test_wrong_calls(monkeypatch, capsys, arguments, status, message):
    monkeypatch.setattr(sys, "argv", ["unveil", "serve", *arguments])
    monkeypatch.setattr("unveil.server.run.run", lambda *_: pytest.fail("it would listen"))
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == status
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "LOCALHOST", "::1", "0.0.0.0"])
def test_a_server_of_this_machine_answers_to_its_own_names_only(monkeypatch, model, host):
    """Else a page of another site could reach it, under a name of its own that leads here."""
    hosts = []
    monkeypatch.setattr(
        "unveil.server.app.create_app", lambda settings: hosts.extend(settings.hosts)
    )
    monkeypatch.setattr("unveil.server.run.run", lambda *_: True)
    monkeypatch.setattr(sys, "argv", ["unveil", "serve", "--host", host, "--model", model])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    assert host in hosts
    assert ("*" in hosts) == (host == "0.0.0.0")


def test_an_address_where_nothing_can_listen(monkeypatch, capsys, model):
    def serve(host, port):
        line = ["unveil", "serve", "--host", host, "--port", str(port), "--model", model]
        monkeypatch.setattr(sys, "argv", line)
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code, capsys.readouterr().err

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for host in ("127.0.0.1", "localhost"):
            status, said = serve(host, port)
            assert status == 2
            assert f"--host {host} --port {port}: cannot listen there: Address already in" in said
    assert "--host 192.0.2.1 --port 0: cannot listen" in serve("192.0.2.1", 0)[1]  # of nobody


@pytest.mark.parametrize("where", ["file", "environment"])
@pytest.mark.parametrize(
    ("token", "says"), [("", "is empty"), (" \n", "is empty"), ("schlüssel", "must be of ASCII")]
)
def test_who_means_to_ask_for_a_token_never_serves_without(
    monkeypatch, capsys, tmp_path, where, token, says
):
    line = ["unveil", "serve"]
    if where == "file":
        (tmp_path / "token").write_text(token, encoding="utf-8")
        line += ["--token-file", str(tmp_path / "token")]
    else:
        monkeypatch.setenv("UNVEIL_TOKEN", token)
    monkeypatch.setattr(sys, "argv", line)
    monkeypatch.setattr("unveil.server.run.run", lambda *_: pytest.fail("it would listen"))
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert says in capsys.readouterr().err


def test_the_library_does_not_load_the_server():
    code = "import unveil, unveil.cli, sys; unveil.Restorer; print(*sys.modules)"
    env = os.environ | {"PYTHONPATH": SOURCE}
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env
    ).stdout.split()
    assert not {"fastapi", "uvicorn", "pydantic", "prometheus_client"} & set(loaded)
