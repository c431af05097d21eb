"""The few Linux calls that Python 3.11 does not offer, each raising OSError as `os` would."""

import ctypes
import errno
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
_PR_SET_SECCOMP = 22
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_VERSION_3 = 0x20080522

# Calls for memory and memories that no limit counts and no namespace holds: memfd_create and
# memfd_secret; shmget, semget and msgget; mq_open; io_uring_setup; add_key, request_key, keyctl.
_FORBIDDEN = {
    "x86_64": (0xC000003E, (319, 447, 29, 64, 68, 240, 425, 248, 249, 250)),
    "aarch64": (0xC00000B7, (279, 447, 194, 190, 186, 180, 425, 217, 218, 219)),
}
_X32_CALLS = 0x40000000  # the same calls by other numbers, on x86_64
_SECCOMP_MODE_FILTER = 2

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


class _Step(ctypes.Structure):
    """An instruction of a filter: what to do, how far to jump if true or if false, a number."""

    _fields_ = (
        ("do", ctypes.c_uint16),
        ("if_true", ctypes.c_uint8),
        ("if_false", ctypes.c_uint8),
        ("number", ctypes.c_uint32),
    )


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("steps", ctypes.POINTER(_Step)))


def forbid_hidden_memory() -> None:
    """From here on the calls listed above are refused, for this process and all that it starts.

    It takes a process that can get no new privileges. On a processor that is not in the list
    nothing is forbidden.
    """
    if (known := _FORBIDDEN.get(os.uname().machine)) is None:
        return
    load, equal, at_least, answer = 0x20, 0x15, 0x35, 0x06
    refuse, allow = 0x00050000 | errno.EPERM, 0x7FFF0000
    architecture, calls = known
    checks = [(equal, call) for call in calls] + [(at_least, _X32_CALLS)]
    steps = [
        (load, 0, 0, 4),  # the architecture that the call is made for
        (equal, 0, len(checks) + 2, architecture),  # of another one every call is refused
        (load, 0, 0, 0),  # the number of the call
        *((check, len(checks) - place, 0, number) for place, (check, number) in enumerate(checks)),
        (answer, 0, 0, allow),
        (answer, 0, 0, refuse),
    ]
    program = _Filter(len(steps), (_Step * len(steps))(*(_Step(*step) for step in steps)))
    address = ctypes.addressof(program)
    done = _libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.c_void_p(address), 0, 0)
    _call("prctl", done)
