"""Make `.venv` from requirements.lock. Needs nothing but this Python (3.11 or later) and a package index.

The packages come through uv, which is the quicker installer: the one on the PATH, or the one that the lock pins,
brought in by pip. uv does not read pip's configuration, so what this machine says there (index, certificates,
extra wheels) is translated here, at run time: no address is ever written into the project.
"""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.lock"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
WORKSPACE = sorted(path.parent for path in ROOT.glob("*/*/pyproject.toml"))

# pip's option -> uv's variable. pip separates several addresses by blanks or lines, and so does uv, by blanks.
_TRANSLATION = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}


def main(extras: Sequence[str]) -> int:
    """Exit status 0 when the environment holds what the lock says, else 1 with one line that says why.

    `extras` are locks of what is wanted besides.
    """
    try:
        uv = _uv_at_hand() or _pinned_uv()
        environment = os.environ | uv_settings(pip_settings(os.environ), os.environ)
        if not PYTHON.exists():
            subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, VENV], check=True, env=environment)
        install = [uv, "pip", "install", "--quiet", "--python", str(PYTHON)]
        for lock in (LOCK, *extras):
            subprocess.run([*install, "--require-hashes", "-r", str(lock)], check=True, env=environment)
        editable = [part for package in WORKSPACE for part in ("--editable", str(package))]
        subprocess.run([*install, "--no-deps", *editable], check=True, env=environment)
    except subprocess.CalledProcessError as error:
        return _fail(f"the environment could not be made: {Path(error.cmd[0]).name} said no (above)")
    return 0


def _uv_at_hand() -> str | None:
    """The path of a uv that works, or None. A version manager's stand-in may be on the PATH and do nothing."""
    for uv in (str(VENV / "bin" / "uv"), shutil.which("uv")):
        if uv and Path(uv).exists() and _succeeds([uv, "--version"]):
            return uv
    return None


def _succeeds(command: Sequence[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _pinned_uv() -> str:
    """uv's path inside the environment, brought in by pip at the version and hashes of the lock."""
    _make_venv()
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command = [*pip, "--no-deps", "--require-hashes", "-r", "/dev/stdin"]
    subprocess.run(command, check=True, input=pinned("uv", LOCK.read_text()), text=True)
    return str(VENV / "bin" / "uv")


def _make_venv() -> None:
    """A fresh environment with pip in it; one left over from an interrupted try is replaced."""
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True, stdout=subprocess.DEVNULL)
    except subprocess.CalledProcessError as error:
        # Debian ships Python without the part that makes environments.
        sys.stderr.write("Python cannot make an environment: on Debian or Ubuntu, `apt install python3-venv`.\n")
        raise error


def pinned(name: str, lock: str) -> str:
    """The lines of the lock that pin one package, with its hashes. Raises `ValueError` when it is not there."""
    lines = lock.splitlines()
    start = next((i for i, line in enumerate(lines) if line.startswith(f"{name}==")), None)
    if start is None:
        raise ValueError(f"requirements.lock does not pin {name}")
    end = start
    while lines[end].endswith("\\"):
        end += 1
    return "\n".join(lines[start : end + 1]) + "\n"


def pip_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """What pip is told on this machine, by its option's long name: its files first, its variables over them."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    settings: dict[str, str] = {}
    for line in asked.stdout.splitlines():
        key, _, value = line.partition("=")
        section, _, option = key.rpartition(".")
        if section in {"global", "install"}:
            settings[option] = str(ast.literal_eval(value))
    for name, value in environment.items():
        if name.startswith("PIP_"):
            settings[name.removeprefix("PIP_").lower().replace("_", "-")] = value
    return settings


def uv_settings(pip: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that tell uv what pip was told. What the caller's environment says already stays as it is."""
    told = {_TRANSLATION[option]: " ".join(value.split()) for option, value in pip.items() if option in _TRANSLATION}
    wheels = [place for place in pip.get("find-links", "").split() if "://" in place or Path(place).is_dir()]
    if wheels:
        told["UV_FIND_LINKS"] = ",".join(wheels)
    # Without bytecode each start of the product pays half a second and more.
    told |= {"UV_PYTHON_DOWNLOADS": "never", "UV_COMPILE_BYTECODE": "1"}
    return {name: value for name, value in told.items() if name not in environment}


def _fail(reason: str) -> int:
    sys.stderr.write(f"{reason}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
