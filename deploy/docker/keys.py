"""Make the keys of a composed installation, once: `make compose-keys`. What is there already stays as it is.

`.env` gets what compose fills in (passwords of the databases, the key of the identifiers' hashes); `.compose/` the
files that it mounts as secrets (the API key that opens everything, the pair that signs principals, the key by which
campaign asks customer). Neither is committed. Needs Python and the `openssl` program, and no environment.
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
CAMPAIGN_KEY = "REGULARS_CAMPAIGN_PUBLIC_KEY"


def main() -> None:
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    admin_key = FOLDER / "admin-key"
    if not admin_key.exists():
        write(admin_key, new_api_key() + "\n")
    new_pair("principal")
    names = ["POSTGRES_PASSWORD", IDENTIFIER_KEY, *(f"{service.upper()}_DATABASE_PASSWORD" for service in SERVICES)]
    wanted = {name: secrets.token_hex(32) for name in names} | {CAMPAIGN_KEY: bare(new_pair("campaign"))}
    known = ENVIRONMENT.read_text() if ENVIRONMENT.exists() else ""
    lines = "".join(f"{name}={text}\n" for name, text in wanted.items() if f"{name}=" not in known)
    ENVIRONMENT.touch(mode=0o600)
    with ENVIRONMENT.open("a") as file:
        file.write(lines)
    sys.stdout.write(f"The keys are in {FOLDER} and {ENVIRONMENT}: keep them, the data are worth nothing without.\n")


def new_pair(name: str) -> str:
    """The public half of a pair to sign by, made where it is missing."""
    private, public = FOLDER / f"{name}-private.pem", FOLDER / f"{name}-public.pem"
    if not private.exists():
        write(private, openssl("genpkey", "-algorithm", "ed25519"))
        write(public, openssl("pkey", "-in", str(private), "-pubout"))
    return public.read_text()


def bare(pem: str) -> str:
    """The base64 inside."""
    return "".join(line for line in pem.splitlines() if not line.startswith("-----"))


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
