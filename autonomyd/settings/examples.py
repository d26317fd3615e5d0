"""Pieces of configuration that the reference and etc/autonomyd.toml show. Tests load every one of them."""

from collections.abc import Mapping

SERVICES = """\
[services.web]
control = { type = "process", command = ["python3", "server.py"], cwd = "/srv/web", env = { PORT = "8000" }, \
stdout = "/var/log/web.log", pidfile = "/srv/web/run/web.pid", stop_timeout_s = 10.0 }  \
# pidfile: the one the service writes, if it does
# or { type = "systemd", unit = "nginx.service" }
# or { type = "container", name = "web" }
# or { type = "launchd", label = "org.example.web", domain = "system" }
# or { type = "command", start = [..], stop = [..], restart = [..], pidfile = "...", match = "regex" }
autonomy = "act"            # observe, shadow, ask, act; default: act for what is declared here, observe for what was \
only discovered
depends_on = ["cache"]
logs = ["/var/log/web.log"]
rotate = { keep = 3 }       # consent to rotate these logs when their disk fills
config_files = ["/srv/web/app.toml"]            # a bad edit gives way to the last good one
release = { link = "/srv/web/current" }         # so does a bad release
ports = [8000]              # whoever else holds it is seen
may_end = ["old-server"]    # programs that may be ended when they hold it
start_grace_s = 8.0         # checks do not count while it starts; it is up as soon as they pass
checks = [
  { type = "http", url = "http://127.0.0.1:8000/health", status = 200, timeout_s = 2.0, latency_ms = 500, \
every_s = 5.0, failures = 2 },
  { type = "tcp", host = "127.0.0.1", port = 8000 },            # every check takes timeout_s, every_s, failures
  { type = "heartbeat", file = "/srv/web/run/heartbeat", max_age_s = 30 },
  { type = "command", argv = ["/usr/lib/nagios/plugins/check_x"], timeout_s = 10.0 },
  # and: log, mount, directory, file, certificate, dns, ping, network, unit, container, redis, postgres, mysql, sqlite
]
limits = { rss_mb = 512, cpu_percent = 90, fds = 900, children = 50, zombies = 20, for_s = 30.0 }
restart = { max = 5, within_s = 300.0 }
fallback = { command = ["/srv/web/maintenance-page"], retry_s = 900.0 }    # runs when nothing else helped

[[services.web.tune]]       # a number that may be changed, by bounded steps, against what it helps
name = "request-delay"
file = "/srv/web/app.toml"
format = "toml"
key = "client.delay"
floor = 0.8
ceiling = 5.0
helps = ["rate_limited"]

[services.cache]
control = { type = "systemd", unit = "redis-server.service" }
checks = [{ type = "tcp", port = 6379 }]
"""

CLEANUP = """\
[[cleanup]]
root = "/srv/web/log"       # when its disk is 90 % full, the oldest rotated logs in it go until it is 80 % full

[[cleanup]]
root = "/srv/uploads/tmp"
quota_mb = 2048             # watched like a disk of 2 GB
enter_percent = 95
target_percent = 70
keep = 2
"""

EXAMPLES: Mapping[str, str] = {
    "daemon": """\
[daemon]
state_dir = "/var/lib/autonomyd"
socket = "/run/autonomyd/control.sock"
log_level = "info"
""",
    "intervals": """\
[intervals]
monitoring_s = 10.0
healing_s = 30.0
goals_s = 60.0
optimization_s = 300.0
""",
    "thresholds": """\
[thresholds]
memory_percent = 92                                                             # only the level; the rest stays
cpu_percent = { enter = 80, clear = 75, for_s = 60, consecutive = 3 }
latency_ms = { enter = 500, x_of_y = [4, 5] }
custom = { queue_length = { enter = 100, clear = 80 }, free_slots = { enter = 2, clear = 5 } }
""",
    "risk": """\
[risk]
k = 4.0
norm = 0.69
foretell_percent = 80
quiet = [{ begin = "01:00", end = "05:00" }, { days = ["sat", "sun"], begin = "00:00", end = "24:00" }]
""",
    "detectors": """\
[detectors]
rates = { queue_length = { change = 100 }, "disk:/var/disk.used_percent" = { change = 5, within_s = 600 } }
absence = { queue_length = 120 }
flap = { high_percent = 40, low_percent = 30 }
""",
    "logs": """\
[logs]
rules = "rules.d"
max_templates = 300
""",
    "monitoring": """\
[monitoring]
network = false
ignore_disks = ["/snap/*", "/mnt/backup"]
""",
    "healing": """\
[healing]
confidence = 90
cooldown = { first_s = 10, factor = 2, cap_s = 1800 }
[[healing.windows]]
days = ["sun"]
begin = "02:00"
end = "04:00"
zone = "Europe/Berlin"
reason = "weekly backup of the machine"
""",
    "cleanup": CLEANUP,
    "forecast": """\
[forecast]
warn_days = 7
horizon_days = 180
""",
    "goals": """\
[goals]
failures_per_day = 2
suggest_checks = false
""",
    "optimization": """\
[optimization]
enabled = true
target_percent = 0.05
""",
    "retention": """\
[retention]
days = 90
max_mb = 500
""",
    "containers": """\
[containers]
socket = "/run/podman/podman.sock"
prune = true
prune_after_h = 72
""",
    "dependencies": """\
[dependencies.postgres]
failures = 2
recovery_s = 60
""",
    "alerts": """\
[alerts]
targets = { team = "slack://TokenA/TokenB/TokenC", log = "json://127.0.0.1:9000/alerts" }
escalation = { phone = "pover://USER@TOKEN" }
escalate_after_s = 900
quiet_hours = "22:00-07:00"
ping_url = "https://dead-man.example.org/0f5c"
""",
    "services": SERVICES,
}
"""One example for each top-level table, by its name."""

PLACEHOLDERS: Mapping[str, str] = {
    "daemon.state_dir": '"/var/lib/autonomyd"',
    "daemon.socket": '"/run/autonomyd/control.sock"',
}
"""What stands in etc/autonomyd.toml for settings whose default depends on the user."""
