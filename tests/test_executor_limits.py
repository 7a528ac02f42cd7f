"""What the machine has: control groups, and GPUs within the inherited variables."""

import os
from pathlib import Path

import pytest

from xpc.runtime.executor.gpus import Device, find_gpus
from xpc.runtime.executor.limits import find_cpus, find_memory


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


MEMINFO = {"proc/meminfo": "MemTotal:       1000 kB\nMemFree: 1 kB\n"}
VERSION_2 = {
    **MEMINFO,
    "proc/self/cgroup": "0::/user.slice/job\n",
    "proc/self/mountinfo": "24 1 0:21 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n",
}


def test_memory_is_the_smallest_limit_of_all_enclosing_groups(tmp_path: Path) -> None:
    """A limit of an outer group holds for the inner ones; `max` limits nothing."""
    write(tmp_path, VERSION_2)
    assert find_memory(tmp_path) == 1_024_000

    write(tmp_path, {"sys/fs/cgroup/user.slice/job/memory.max": "max\n"})
    assert find_memory(tmp_path) == 1_024_000

    write(tmp_path, {"sys/fs/cgroup/user.slice/memory.max": "4096\n"})
    assert find_memory(tmp_path) == 4096


def test_quota_rounds_up(tmp_path: Path) -> None:
    """A quota of 0.5 is one processor, and never more than the affinity allows."""
    write(tmp_path, {**VERSION_2, "sys/fs/cgroup/user.slice/job/cpu.max": "50000 100000\n"})
    assert find_cpus(tmp_path) == 1

    write(tmp_path, {"sys/fs/cgroup/user.slice/job/cpu.max": "99900000 100000\n"})
    assert find_cpus(tmp_path) == len(os.sched_getaffinity(0))


def test_version_1_and_a_container_that_sees_a_part_of_the_tree(tmp_path: Path) -> None:
    """The mount shows the group itself, so its files are at the mount point."""
    files = {
        **MEMINFO,
        "proc/self/cgroup": "4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n",
        "proc/self/mountinfo": "1 1 0:2 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
        "1 1 0:3 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu,cpuacct\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "8192\n",
        "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
        "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    }
    write(tmp_path, files)

    assert find_memory(tmp_path) == 8192
    assert find_cpus(tmp_path) == len(os.sched_getaffinity(0))


def test_machine_that_shows_nothing(tmp_path: Path) -> None:
    """Unknown memory is unknown, and there is at least one processor."""
    assert find_memory(tmp_path) is None
    assert find_cpus(tmp_path) >= 1


TWO_NVIDIA = {
    "dev/nvidia0": "",
    "dev/nvidia1": "",
    "dev/nvidiactl": "",
    "proc/driver/nvidia/gpus/0000:41:00.0/information": "GPU UUID: \t GPU-bbb\nDevice Minor: \t 0\n",
    "proc/driver/nvidia/gpus/0000:01:00.0/information": "GPU UUID: \t GPU-aaa\nDevice Minor: \t 1\n",
}


def test_devices_in_the_order_of_the_bus(tmp_path: Path) -> None:
    """Index 0 is the device with the lowest PCI address, as CUDA counts them then."""
    found = find_gpus({}, write(tmp_path, TWO_NVIDIA))

    assert found.devices == (Device("0", "GPU-aaa"), Device("1", "GPU-bbb"))
    assert found.environment(found.devices[1:]) == {"CUDA_VISIBLE_DEVICES": "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    assert found.environment(()) == {"CUDA_VISIBLE_DEVICES": ""}


def test_container_that_shows_one_device_of_two(tmp_path: Path) -> None:
    """What has no device file here is not ours; the one that is left is index 0."""
    write(tmp_path, TWO_NVIDIA)
    (tmp_path / "dev/nvidia1").unlink()

    assert find_gpus({}, tmp_path).devices == (Device("0", "GPU-bbb"),)


def test_device_files_alone(tmp_path: Path) -> None:
    """Without the driver's folder the device files are counted."""
    assert find_gpus({}, write(tmp_path, {"dev/nvidia3": ""})).devices == (Device("0", "nvidia3"),)


@pytest.mark.parametrize(
    ("inherited", "names"),
    [
        ("", []),
        ("-1", []),
        ("NoDevFiles", []),
        ("1", ["1"]),
        ("1, 0", ["1", "0"]),
        ("0,-1,1", ["0"]),
        ("0,0", ["0"]),
        ("GPU-aaa", ["GPU-aaa"]),
        ("MIG-GPU-aaa/1/0,MIG-5f-2", ["MIG-GPU-aaa/1/0", "MIG-5f-2"]),
    ],
)
def test_only_what_was_inherited_is_shared_out(tmp_path: Path, inherited: str, names: list[str]) -> None:
    """A scheduler's or a user's own choice holds, in every form that CUDA reads."""
    found = find_gpus({"CUDA_VISIBLE_DEVICES": inherited}, write(tmp_path, TWO_NVIDIA))

    assert [device.name for device in found.devices] == names


def test_index_and_uuid_are_one_device(tmp_path: Path) -> None:
    """Two executors that call a device differently meet at its lock."""
    write(tmp_path, TWO_NVIDIA)
    by_index = find_gpus({"CUDA_VISIBLE_DEVICES": "1"}, tmp_path).devices[0]
    by_uuid = find_gpus({"CUDA_VISIBLE_DEVICES": "GPU-bbb"}, tmp_path).devices[0]

    assert by_index.key == by_uuid.key


def test_amd(tmp_path: Path) -> None:
    """ROCm's devices have a variable of their own; processors among the topology's nodes are no devices."""
    nodes = "sys/class/kfd/kfd/topology/nodes"
    write(tmp_path, {f"{nodes}/0/gpu_id": "0\n", f"{nodes}/1/gpu_id": "77\n", f"{nodes}/2/gpu_id": "88\n"})
    found = find_gpus({}, tmp_path)

    assert [device.name for device in found.devices] == ["0", "1"]
    assert found.environment(found.devices[:1]) == {"HIP_VISIBLE_DEVICES": "0"}
    assert found.environment(()) == {"HIP_VISIBLE_DEVICES": "-1", "CUDA_VISIBLE_DEVICES": ""}
    assert find_gpus({"ROCR_VISIBLE_DEVICES": "1"}, tmp_path).environment(()) == {
        "ROCR_VISIBLE_DEVICES": "-1",
        "CUDA_VISIBLE_DEVICES": "",
    }
