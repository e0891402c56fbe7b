"""Make the keys of a composed installation, once: `make compose-keys`. What is there already stays as it is.

`.env` gets what compose fills in (passwords of the databases, the key of the identifiers' hashes); `.compose/` the
files that it mounts as secrets (the API key that opens everything, the pair that signs principals). Neither is
committed. Needs Python and the `openssl` program, and no environment.
"""

import secrets
import subprocess
import sys
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".compose"
ENVIRONMENT = ROOT / ".env"
SERVICES = sorted(manifest.parent.name for manifest in ROOT.glob("services/*/pyproject.toml"))
IDENTIFIER_KEY = "REGULARS_IDENTIFIER_KEY"


def main() -> None:
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    admin_key, private, public = (
        FOLDER / name for name in ("admin-key", "principal-private.pem", "principal-public.pem")
    )
    if not admin_key.exists():
        write(admin_key, new_api_key() + "\n")
    if not private.exists():
        write(private, openssl("genpkey", "-algorithm", "ed25519"))
        write(public, openssl("pkey", "-in", str(private), "-pubout"))
    names = ["POSTGRES_PASSWORD", IDENTIFIER_KEY, *(f"{service.upper()}_DATABASE_PASSWORD" for service in SERVICES)]
    known = ENVIRONMENT.read_text() if ENVIRONMENT.exists() else ""
    missing = [name for name in names if f"{name}=" not in known]
    lines = "".join(f"{name}={secrets.token_hex(32)}\n" for name in missing)
    ENVIRONMENT.touch(mode=0o600)
    with ENVIRONMENT.open("a") as file:
        file.write(lines)
    sys.stdout.write(f"The keys are in {FOLDER} and {ENVIRONMENT}: keep them, the data are worth nothing without.\n")


def write(path: Path, text: str) -> None:
    """The folder is closed to others; the files are not, since a container's user reads them by their mount."""
    path.write_text(text)
    path.chmod(0o644)


def new_api_key() -> str:
    """`rk_`, 256 random bits in hexadecimal, and their CRC-32: as the gateway makes them."""
    secret = secrets.token_hex(32)
    return f"rk_{secret}{zlib.crc32(secret.encode()):08x}"


def openssl(*arguments: str) -> str:
    try:
        return subprocess.run(["openssl", *arguments], check=True, capture_output=True, text=True).stdout
    except FileNotFoundError:
        sys.exit("openssl is missing: install it (on Debian or Ubuntu, `apt-get install openssl`).")


if __name__ == "__main__":
    main()
