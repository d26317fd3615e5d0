"""A folder that only the daemon may not write to is told apart from one that nobody may."""

from autonomyd.host.sandbox import why_read_only


def test_a_folder_that_others_may_write_to_is_the_sandbox_s_doing(tmp_path):
    (tmp_path / "etc/web").mkdir(parents=True)
    words = why_read_only("/etc/web", machine_root=str(tmp_path))
    assert "add ReadWritePaths=/etc/web" in words


def test_what_can_t_be_seen_is_no_sandbox(tmp_path):
    assert why_read_only("/gone", machine_root=str(tmp_path)) == "the filesystem is mounted read-only"
