"""Network file systems, told by the kernel's table of mounts (proc(5), /proc/PID/mountinfo).

SQLite's write-ahead log needs shared memory and true locks, which a file system over a network may lack
(https://www.sqlite.org/wal.html, "Use of a WAL-mode database over a network filesystem").
"""

from __future__ import annotations

import re
from pathlib import Path

_TABLE = Path("/proc/self/mountinfo")
_NETWORK = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|lustre|gpfs|beegfs|ceph|glusterfs|pvfs2|orangefs|afs|ocfs2|gfs2|9p|davfs|coda"
    r"|fuse\.(sshfs|s3fs|rclone|goofys|gcsfuse|glusterfs|ceph.*|juicefs|davfs.*|.*nfs.*)"
)


def network(path: Path) -> str | None:
    """Return the kind of network file system that a path lies on; None on a local disk, or if unknown."""
    try:
        table = _TABLE.read_text(errors="surrogateescape")
    except OSError:
        return None
    return network_kind(table, path.resolve())


def network_kind(table: str, path: Path) -> str | None:
    """Return the kind of network file system of an absolute path, by the text of a mountinfo table.

    A line is `36 35 98:0 /root /mount/point options [tags] - kind source options`; the deepest mount point
    above the path counts, and of equal ones the last, which lies on top.
    """
    depth, kind = -1, ""
    for line in table.splitlines():
        place, separator, rest = line.partition(" - ")
        fields, described = place.split(" "), rest.split(" ")
        if not separator or len(fields) < 5:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[4]))
        if path.is_relative_to(point) and len(point.parts) >= depth:
            depth, kind = len(point.parts), described[0]
    return kind if _NETWORK.fullmatch(kind) else None
