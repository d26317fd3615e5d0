"""Checks of what is around a service: mounts, folders, certificates, names, other machines, units, the network."""

import asyncio
import os
import socket
import ssl
import struct
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from autonomyd.host import connectivity
from autonomyd.host.failure import NetworkFailure
from autonomyd.host.icmp import PingNotAllowed, _checksum
from autonomyd.host.tls import validity
from autonomyd.host.unit_facts import parsed
from autonomyd.model.reading import ReadingState
from autonomyd.monitor.probes.certificate import CertificateOptions, CertificateProbe
from autonomyd.monitor.probes.directory import DirectoryOptions, DirectoryProbe
from autonomyd.monitor.probes.dns import DnsOptions, DnsProbe
from autonomyd.monitor.probes.http import HttpOptions, HttpProbe
from autonomyd.monitor.probes.mount import MountOptions, MountProbe
from autonomyd.monitor.probes.network import NetworkOptions, NetworkProbe
from autonomyd.monitor.probes.ping import PingOptions, PingProbe
from autonomyd.monitor.probes.tcp import TcpOptions, TcpProbe
from autonomyd.monitor.probes.unit import UnitOptions, UnitProbe
from autonomyd.testing import ManualClock

OK, FAILED, UNKNOWN = ReadingState.OK, ReadingState.FAILED, ReadingState.UNKNOWN
DAY_S = 86_400.0


# --- mount ------------------------------------------------------------------------------------------------------------


def mount(path, **more):
    return MountProbe(MountOptions(type="mount", path=str(path), **more), ManualClock()).look_now()


def test_the_room_of_a_disk(tmp_path):
    well = mount(tmp_path, used_percent=100, inodes_percent=100)
    assert well.state is OK
    assert 0 < well.values["mount_used_percent"] <= 100
    assert mount(tmp_path, used_percent=0).state is FAILED
    assert "MB free" in mount(tmp_path, used_percent=0).message


def test_what_is_not_there_or_not_mounted(tmp_path):
    assert mount(tmp_path / "none").message.endswith("does not exist")
    assert mount(tmp_path, used_percent=100, mounted=True).state is FAILED
    assert mount("/proc", mounted=True, used_percent=100).state is OK


def test_a_read_only_disk(tmp_path, monkeypatch):
    class ReadOnly:
        f_blocks, f_bfree, f_bavail, f_frsize, f_files, f_ffree, f_favail = 100, 50, 50, 4096, 0, 0, 0
        f_flag = os.ST_RDONLY

    monkeypatch.setattr(os, "statvfs", lambda path: ReadOnly)
    assert "read-only" in mount(tmp_path).message
    assert mount(tmp_path, read_only=True).state is OK


# --- directory --------------------------------------------------------------------------------------------------------


async def test_files_room_and_growth_of_a_folder(tmp_path):
    clock = ManualClock()
    options = {"path": str(tmp_path), "max_files": 3, "max_files_per_hour": 10}
    probe = DirectoryProbe(DirectoryOptions(type="directory", **options), clock)
    for number in range(3):
        (tmp_path / f"{number}").write_text("x")
    assert (await probe.look()).state is OK
    (tmp_path / "3").write_text("x")
    found = await probe.look()
    assert found.message == f"4 files in {tmp_path}, at most 3 are allowed"
    for number in range(3):
        (tmp_path / f"{number}").unlink()
    clock.advance(60.0)
    assert (await probe.look()).state is OK
    clock.advance(240.0)
    (tmp_path / "4").write_text("x")
    (tmp_path / "5").write_text("x")
    assert (await probe.look()).values["files_per_hour"] == 0.0
    assert (await probe.look()).state is OK


async def test_a_folder_too_large_to_be_seen_whole(tmp_path):
    for number in range(150):
        (tmp_path / f"{number}").write_text("")
    options = {"path": str(tmp_path), "max_entries": 100}
    assert (await DirectoryProbe(DirectoryOptions(type="directory", **options), ManualClock()).look()).state is UNKNOWN
    options["max_files"] = 50
    assert (await DirectoryProbe(DirectoryOptions(type="directory", **options), ManualClock()).look()).state is FAILED


# --- certificate ------------------------------------------------------------------------------------------------------


def made_certificate(folder, days, name="localhost"):
    pem, key = folder / f"{days}.pem", folder / f"{days}.key"
    end = (datetime.now(UTC) + timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")
    begin = (datetime.now(UTC) - timedelta(days=100)).strftime("%Y%m%d%H%M%SZ")
    argv = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", pem,
            "-subj", f"/CN={name}",
            "-not_before", begin, "-not_after", end]  # fmt: skip
    done = subprocess.run(argv, capture_output=True)
    if done.returncode:
        argv = [*argv[:-4], "-days", str(days)]
        if days < 0 or subprocess.run(argv, capture_output=True).returncode:
            pytest.skip("needs openssl >= 3.4 for certificates of the past")
    return pem, key


def clock_now():
    return ManualClock(wall=datetime.now(UTC).timestamp())


async def test_certificates_in_a_file(tmp_path):
    pem, _ = made_certificate(tmp_path, 30)

    async def look(**more):
        return await CertificateProbe(CertificateOptions(type="certificate", **more), clock_now()).look()

    found = await look(file=str(pem), days=14)
    assert found.state is OK
    assert found.values["days_left"] == pytest.approx(30, abs=0.1)
    assert (await look(file=str(pem), days=40)).state is FAILED
    late = clock_now()
    late.advance(31 * DAY_S)
    expired = await CertificateProbe(CertificateOptions(type="certificate", file=str(pem)), late).look()
    assert "expired 1.0 days ago" in expired.message
    (tmp_path / "none.pem").write_text("nothing")
    assert (await look(file=str(tmp_path / "none.pem"))).state is FAILED
    assert (await look(file=str(tmp_path / "missing.pem"))).state is FAILED


async def test_the_certificate_of_a_server(tmp_path):
    pem, key = made_certificate(tmp_path, 30)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]

    async def look(**more):
        options = CertificateOptions(type="certificate", host="127.0.0.1", port=port, **more)
        return await CertificateProbe(options, clock_now()).look()

    try:
        trusted = await look(verify=False, days=14)
        assert trusted.values["days_left"] == pytest.approx(30, abs=0.1)
        strange = await look(server_name="localhost")
        assert strange.state is FAILED
        assert "self-signed" in strange.message or "self signed" in strange.message
        assert (await look(verify=False, days=40)).state is FAILED
    finally:
        server.close()
    assert (await look(verify=False)).state is FAILED


async def test_a_server_that_speaks_no_tls():
    """OpenSSL's error numbers once read as the system's: "operation not permitted"."""

    async def greet(reader, writer):
        writer.write(b"220 plain text here\r\n")
        await writer.drain()
        await reader.read()
        writer.close()
        over.set()

    over = asyncio.Event()
    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    options = CertificateOptions(type="certificate", host="127.0.0.1", port=port)
    try:
        look = await CertificateProbe(options, clock_now()).look()
        await over.wait()
    finally:
        server.close()
    assert (look.state, look.message[:8]) == (FAILED, "no TLS: ")


def test_what_is_no_certificate():
    for junk in (b"", b"\x30", b"\x30\x82\xff\xff", b"\x30\x03\x02\x01\x05", os.urandom(200)):
        with pytest.raises(ValueError, match=r"early|not a|time"):
            validity(junk)


# --- dns --------------------------------------------------------------------------------------------------------------


class NameServer(asyncio.DatagramProtocol):
    """Answers every question with 192.0.2.7, or with `code`."""

    def __init__(self, code=0):
        self.code = code

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        answer = b"" if self.code else b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + bytes([192, 0, 2, 7])
        head = data[:2] + struct.pack("!HHHHH", 0x8180 | self.code, 1, int(not self.code), 0, 0)
        self.transport.sendto(head + data[12:] + answer, addr)


async def named(code=0, **more):
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: NameServer(code), local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    options = {"type": "dns", "name": "www.example.org", "server": "127.0.0.1", "port": port, "timeout_s": 2.0} | more
    try:
        return await DnsProbe(DnsOptions(**options), ManualClock()).look()
    finally:
        transport.close()


async def test_a_name_server_that_answers():
    found = await named(addresses=["192.0.2.7"])
    assert (found.state, found.message) == (OK, "www.example.org is 192.0.2.7")
    assert "expected 192.0.2.8" in (await named(addresses=["192.0.2.8"])).message


@pytest.mark.parametrize(("code", "word"), [(3, "NXDOMAIN"), (2, "SERVFAIL"), (5, "REFUSED"), (9, "code 9")])
async def test_a_name_server_that_says_no(code, word):
    found = await named(code)
    assert found.state is FAILED
    assert word in found.message


async def test_a_name_server_that_is_silent_or_away():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        found = await named(port=silent.getsockname()[1], timeout_s=0.2)
        assert (found.state, "did not answer within" in found.message) == (FAILED, True)
        port = silent.getsockname()[1]
    assert (await named(port=port)).state is FAILED


async def test_the_machines_own_names():
    options = DnsOptions(type="dns", name="localhost", addresses=["127.0.0.1", "::1"])
    assert (await DnsProbe(options, ManualClock()).look()).state is OK
    with pytest.raises(ValueError, match="host name"):
        DnsOptions(type="dns")


# --- ping -------------------------------------------------------------------------------------------------------------


async def test_this_machine_answers_a_ping():
    for host in ("127.0.0.1", "localhost"):
        found = await PingProbe(PingOptions(type="ping", host=host), ManualClock()).look()
        if found.state is UNKNOWN:
            assert "ping_group_range" in found.message
            pytest.skip("needs the right to send ICMP")
        assert found.state is OK
        assert 0 < found.values["ping_ms"] < 1000
    slow = await PingProbe(PingOptions(type="ping", host="127.0.0.1", max_ms=1e-6), ManualClock()).look()
    assert slow.state is FAILED


async def test_without_permission_nothing_is_known(monkeypatch):
    def refuse(*args):
        raise PermissionError

    with monkeypatch.context() as patched:  # the loop needs sockets to end
        patched.setattr(socket, "socket", refuse)
        found = await PingProbe(PingOptions(type="ping", host="127.0.0.1"), ManualClock()).look()
    assert found.state is UNKNOWN
    assert "CAP_NET_RAW" in found.message
    assert issubclass(PingNotAllowed, Exception)


def test_the_checksum_of_an_example():
    # RFC 1071, section 3: the sum of 00 01 f2 03 f4 f5 f6 f7 is ddf2, the checksum its complement
    assert _checksum(bytes([0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7])) == 0xFFFF ^ 0xDDF2


# --- unit -------------------------------------------------------------------------------------------------------------


def unit(clock=None, **more):
    return UnitProbe(UnitOptions(type="unit", unit="x.service", **more), clock or ManualClock())


def shown(**more):
    told = {"LoadState": "loaded", "ActiveState": "active", "SubState": "running", "Result": "success"} | more
    return parsed("".join(f"{key}={value}\n" for key, value in told.items()))


@pytest.mark.parametrize(
    ("told", "options", "state", "word"),
    [
        ({}, {}, OK, "active (running)"),
        ({"ActiveState": "failed", "Result": "exit-code", "ExecMainStatus": "3"}, {}, FAILED, "exit status 3"),
        ({"ActiveState": "failed", "Result": "start-limit-hit"}, {}, FAILED, "gave up"),
        (
            {"ActiveState": "failed", "NRestarts": "5", "StartLimitBurst": "5"},
            {},
            FAILED,
            "gave up",
        ),
        ({"ActiveState": "inactive", "SubState": "dead"}, {}, FAILED, "inactive"),
        ({"ActiveState": "inactive", "SubState": "dead"}, {"active": False}, OK, "inactive"),
        ({"ActiveState": "inactive", "Result": "timeout"}, {"active": False}, FAILED, "timeout"),
        ({"ActiveState": "activating", "SubState": "start"}, {}, UNKNOWN, "activating"),
        ({"LoadState": "not-found"}, {}, FAILED, "not found"),
    ],
)
def test_what_systemd_tells(told, options, state, word):
    look = unit(**options)._judged(shown(**told), 0.0)
    assert look.state is state
    assert word in look.message


def test_restarts_within_a_time():
    probe = unit(max_restarts=2, within_s=100.0)
    for at, count, state in [(0, 5, OK), (10, 6, OK), (20, 8, FAILED), (110, 8, FAILED), (115, 8, OK), (130, 0, OK)]:
        assert probe._judged(shown(NRestarts=count), float(at)).state is state, at


async def test_where_systemd_does_not_run(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    assert (await unit().look()).state is UNKNOWN


# --- the network itself ----------------------------------------------------------------------------------------------

HEAD = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
WAY_OUT = "eth9\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
ARP = "IP address       HW type     Flags       HW address            Mask     Device\n"


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """The kernel's tables, as a test writes them."""

    def tables(routes="", neighbours=""):
        for name, text in (("route", HEAD + routes), ("arp", ARP + neighbours), ("six", "")):
            (tmp_path / name).write_text(text)
        monkeypatch.setattr(connectivity, "ROUTES", str(tmp_path / "route"))
        monkeypatch.setattr(connectivity, "NEIGHBOURS", str(tmp_path / "arp"))
        monkeypatch.setattr(connectivity, "ROUTES_6", str(tmp_path / "six"))

    return tables


def neighbour(flags):
    return f"192.0.2.1        0x1         {flags}         02:00:00:00:00:01     *        eth9\n"


@pytest.mark.parametrize(
    ("routes", "neighbours", "word"),
    [
        ("", "", "no default route"),
        (WAY_OUT, neighbour("0x0"), "gateway 192.0.2.1 does not answer"),
        (WAY_OUT, neighbour("0x2"), ""),
        (WAY_OUT, "", ""),
    ],
)
async def test_off_the_network(kernel, routes, neighbours, word):
    kernel(routes, neighbours)
    why = connectivity.why_off_the_network()
    assert word in why
    assert bool(why) is bool(word)
    look = await NetworkProbe(NetworkOptions(type="network"), ManualClock()).look()
    assert look.state is (FAILED if word else OK)
    fault = await connectivity.own_fault("www.example.org", NetworkFailure("no such name", stage="resolve"))
    assert bool(fault) is bool(word)


async def test_what_is_here_is_never_excused(kernel):
    """A refused connection to this machine is a fault of the service, whatever the network does."""
    kernel("", "")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert (await TcpProbe(TcpOptions(type="tcp", port=port), ManualClock()).look()).state is FAILED
    http = HttpProbe(HttpOptions(type="http", url=f"http://localhost:{port}/"), ManualClock())
    assert (await http.look()).state is FAILED
    assert await connectivity.own_fault("127.0.0.1", NetworkFailure("refused", stage="connect")) == ""
    assert await connectivity.own_fault("192.0.2.9", NetworkFailure("silence", stage="answer")) == ""


async def test_targets(kernel):
    kernel(WAY_OUT, "")
    over = asyncio.Event()

    async def take(reader, writer):
        await reader.read()
        writer.close()
        over.set()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        targets = [f"127.0.0.1:{port}", "127.0.0.1:1"]
        look = await NetworkProbe(NetworkOptions(type="network", targets=targets), ManualClock()).look()
        assert (look.state, look.message) == (OK, "1 of 2 targets answer")
        await over.wait()
    finally:
        server.close()
    look = await NetworkProbe(NetworkOptions(type="network", targets=targets[1:]), ManualClock()).look()
    assert look.state is FAILED
