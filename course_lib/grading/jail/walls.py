"""What a child puts between itself and everything else, before it reads its job.

Each wall is there because a submission went through the place where it stands, or could. A wall
that cannot be built raises OSError, and then the child ends without having seen its job.
"""

import os
from collections.abc import Sequence

from . import kernel
from .limits import Limits, confine

NOBODY = 65534

_HARMLESS = kernel.MOUNT_NO_SUID | kernel.MOUNT_NO_DEVICES


def become_nobody() -> None:
    """Cease to be root: its uid ignores limits on processes and owns files everywhere."""
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def found_a_realm() -> None:
    """Enter user, PID and mount namespaces in which this uid may make further ones.

    Owning the realm is what makes a try cheap: a child then needs one fork, not two, to be the
    first process of its own PID namespace. Returns in a new process, which is the realm's first;
    the calling one waits for its end.
    """
    uid, gid = os.getuid(), os.getgid()
    kernel.set_dumpable(True)  # or /proc/self/uid_map would belong to root
    kernel.unshare(kernel.NEW_USER | kernel.NEW_PID | kernel.NEW_MOUNTS)
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{uid} {uid} 1")
    _write("/proc/self/gid_map", f"{gid} {gid} 1")
    kernel.set_dumpable(False)
    if founder := os.fork():
        _, status = os.waitpid(founder, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    kernel.keep_mounts_private()
    mount_proc()


def mount_proc() -> None:
    """A /proc that shows this PID namespace and those below it, and nobody else."""
    kernel.mount("proc", "/proc", _HARMLESS | kernel.MOUNT_NO_EXECUTE)


def build(limits: Limits, writable: Sequence[str]) -> None:
    """Everything between a forked child, first in its PID namespace, and the world.

    The folders in `writable` are made empty, and are the only ones that can be written to; the
    first becomes the working folder.
    """
    # No network, not even a loopback that another try could listen on; no shared memory,
    # semaphores or message queues; no mounts but those below.
    kernel.unshare(kernel.NEW_MOUNTS | kernel.NEW_NETWORK | kernel.NEW_IPC | kernel.NEW_HOSTNAME)
    kernel.keep_mounts_private()
    # Empty and small, and they end with the try: nothing is found there, nothing stays behind.
    for folder in writable:
        kernel.mount("tmpfs", folder, _HARMLESS, f"size={limits.disk},mode=0700,nr_inodes=10000")
    mount_proc()
    # A user namespace below the one that made the mounts: they can no more be undone from here.
    # The limit on processes is counted in it, so that one try's fork bomb leaves room for others.
    kernel.unshare(kernel.NEW_USER)
    confine(limits)
    # No namespaces inside this one: they would bring capabilities back, if only in there.
    _write("/proc/sys/user/max_user_namespaces", "0")
    kernel.drop_capabilities()
    kernel.forbid_new_privileges()
    kernel.forbid_hidden_memory()
    os.chdir(writable[0])
    kernel.set_dumpable(True)  # its own /proc/self, which debuggers and multiprocessing read


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
