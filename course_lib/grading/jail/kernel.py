"""The few Linux calls that Python 3.11 does not offer, each raising OSError as `os` would."""

import ctypes
import os

NEW_MOUNTS = 0x00020000
NEW_HOSTNAME = 0x04000000
NEW_IPC = 0x08000000
NEW_USER = 0x10000000
NEW_PID = 0x20000000
NEW_NETWORK = 0x40000000

MOUNT_NO_SUID = 1 << 1
MOUNT_NO_DEVICES = 1 << 2
MOUNT_NO_EXECUTE = 1 << 3
MOUNT_RECURSIVE = 1 << 14
MOUNT_PRIVATE = 1 << 18

_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_VERSION_3 = 0x20080522
_KEYCTL_JOIN_SESSION_KEYRING = 1
_KEYCTL_NUMBER = {"x86_64": 250, "aarch64": 219}

_libc = ctypes.CDLL(None, use_errno=True)


def _call(what: str, result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(namespaces: int) -> None:
    """Leave these namespaces for new, empty ones (for NEW_PID: from the next fork on)."""
    _call("unshare", _libc.unshare(namespaces))


def enter(namespace: int, kind: int) -> None:
    """Enter the namespace that an open file of /proc/PID/ns stands for."""
    _call("setns", _libc.setns(namespace, kind))


def mount(filesystem: str, target: str, flags: int = 0, options: str = "") -> None:
    """Mount a fresh file system, such as "tmpfs" or "proc", over `target`."""
    source, fstype, data = filesystem.encode(), filesystem.encode(), options.encode()
    made = _libc.mount(source, target.encode(), fstype, ctypes.c_ulong(flags), data)
    _call(f"mount {filesystem} on {target}", made)


def keep_mounts_private() -> None:
    """From here on, what is mounted here is seen here only."""
    flags = ctypes.c_ulong(MOUNT_RECURSIVE | MOUNT_PRIVATE)
    _call("mount --make-rprivate", _libc.mount(b"none", b"/", None, flags, None))


def set_dumpable(dumpable: bool) -> None:
    """Whether others of the same uid may read this process: its memory, files, environment."""
    _call("prctl", _libc.prctl(_PR_SET_DUMPABLE, int(dumpable), 0, 0, 0))


def forbid_new_privileges() -> None:
    """Make set-uid programs powerless, for this process and all that it starts."""
    _call("prctl", _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def drop_capabilities() -> None:
    """Give up every capability, and the means to get one back."""
    with open("/proc/sys/kernel/cap_last_cap") as last:
        for capability in range(int(last.read()) + 1):
            _call("prctl", _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0))
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    none = (ctypes.c_uint32 * 6)()
    _call("capset", _libc.capset(header, none))


def join_empty_keyring() -> None:
    """Leave the session keyring, which would otherwise be one memory shared by all tries."""
    if (number := _KEYCTL_NUMBER.get(os.uname().machine)) is not None:
        _libc.syscall(number, _KEYCTL_JOIN_SESSION_KEYRING, None)
