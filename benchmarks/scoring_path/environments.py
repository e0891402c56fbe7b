"""Where the peers live: an environment each, made once and kept. The product never needs them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from purchase_path.measuring import Failed

LIFETIMES, PYMC_MARKETING = "lifetimes", "pymc-marketing"
PINS = {
    LIFETIMES: ("lifetimes==0.11.3", "numpy==2.4.6", "pandas==3.1.1", "pyarrow==26.0.1", "scipy==1.17.1"),
    PYMC_MARKETING: (
        *("pymc-marketing==0.19.2", "pymc==5.28.5", "pymc-extras==0.10.0", "pytensor==2.38.3"),
        *("numpy==2.4.6", "pandas==3.1.1", "scipy==1.17.1"),
    ),
}


def python_of(peer: str, home: Path) -> Path:
    """The interpreter of the peer's environment, which is made when it is not there, or was made of other packages."""
    folder, packages = home / peer, "\n".join(PINS[peer])
    python, done = folder / "bin" / "python", folder / "installed"
    if not done.exists() or done.read_text() != packages:
        uv = Path(sys.executable).with_name("uv")
        _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder)
        _run(uv, "pip", "install", "--quiet", "--python", python, *PINS[peer])
        done.write_text(packages)
    return python


def _run(*command: str | Path) -> None:
    try:
        subprocess.run(command, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Failed(f"the peers' environments could not be made: {error}") from None
