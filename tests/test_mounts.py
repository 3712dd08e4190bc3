from pathlib import Path

import pytest

from evogen.mounts import network, network_kind

TABLE = r"""21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
22 21 0:20 / /proc rw - proc proc rw
30 21 0:40 / /home rw,relatime - nfs4 server:/home rw,vers=4.2
31 30 8:2 / /home/me/local rw - xfs /dev/sdb1 rw
32 21 0:41 / /mnt/with\040space rw - cifs //server/share rw
33 21 0:42 / /mnt/ssh rw - fuse.sshfs me@there:/ rw
34 21 0:43 / /mnt/zip rw - fuse.archivemount - rw
35 21 0:44 / /scratch rw - lustre 10.0.0.1@tcp:/fs rw
36 35 8:3 / /scratch rw - ext4 /dev/sdc1 rw
37 21 0:45 / /host rw - 9p host rw
damaged line
38 21 0:46 / /work rw master:3 propagate_from:2 - beegfs beegfs_nodev rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/tmp/run", None),
        ("/home/me/run", "nfs4"),
        ("/home", "nfs4"),
        ("/homely/run", None),
        ("/home/me/local/run", None),
        ("/mnt/with space/run", "cifs"),
        ("/mnt/ssh/run", "fuse.sshfs"),
        ("/mnt/zip/run", None),
        ("/scratch/run", None),  # what is mounted last lies on top
        ("/host/run", "9p"),
        ("/work/run", "beegfs"),
    ],
)
def test_the_deepest_mount_above_a_path_says_its_kind(path, kind):
    assert network_kind(TABLE, Path(path)) == kind


def test_a_table_without_mounts_says_nothing():
    assert network_kind("", Path("/run")) is None


def test_proc_is_no_network(tmp_path, monkeypatch):
    assert network(Path("/proc/self")) is None
    monkeypatch.setattr("evogen.mounts._TABLE", tmp_path / "absent")
    assert network(Path("/")) is None
