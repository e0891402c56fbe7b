"""The home: whose it is, which version wrote it, what it keeps secret."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest

from regulars.home import HOME_VERSION, Home
from regulars.refusals import CannotStart
from regulars_gateway.domain.keys import is_well_formed
from regulars_kit.auth import Principal, Signer, Verifier
from regulars_kit.values import utc_now


def test_a_first_start_makes_the_keys_and_later_ones_keep_them(tmp_path: Path) -> None:
    with Home(tmp_path / "home") as home:
        made = home.keys()
    with Home(tmp_path / "home") as home:
        assert home.keys() == made
    assert is_well_formed(made.admin_key)
    assert home.admin_key_path.read_text() == made.admin_key + "\n"


def test_keys_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    with Home(tmp_path / "home") as home:
        home.keys()
    for name in ("admin-key", "principal-key.pem", "identifier-key"):
        assert stat.S_IMODE((home.folder / name).stat().st_mode) == 0o600


def test_the_principal_s_keys_belong_together(tmp_path: Path) -> None:
    with Home(tmp_path / "home") as home:
        keys = home.keys()
    admin = Principal("admin", "admin", frozenset({"purchases:write"}))
    token = Signer(keys.principal_private, "door").sign(admin, "loyalty")
    verifier = Verifier({"door": keys.principal_public}, "loyalty", lambda: utc_now() + timedelta(seconds=1))
    assert verifier.verify(token) == admin


def test_a_second_start_on_the_same_home_is_refused_and_names_the_first(tmp_path: Path) -> None:
    with Home(tmp_path / "home"), pytest.raises(CannotStart, match=r"already runs on the home .* \(process \d+\)"):
        Home(tmp_path / "home")
    Home(tmp_path / "home").close()


def test_a_home_of_another_version_is_refused_with_the_way_out(tmp_path: Path) -> None:
    Home(tmp_path / "home").close()
    assert (tmp_path / "home" / "VERSION").read_text().strip() == HOME_VERSION
    (tmp_path / "home" / "VERSION").write_text("99\n")
    with pytest.raises(CannotStart, match=r"is of version 99, this Regulars reads version 1: .*--home"):
        Home(tmp_path / "home")


def test_a_folder_full_of_other_things_is_not_taken_over(tmp_path: Path) -> None:
    (tmp_path / "thesis.odt").touch()
    with pytest.raises(CannotStart, match=r"no home of Regulars \(it holds thesis.odt\)"):
        Home(tmp_path)


def test_a_home_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "a-file").touch()
    with pytest.raises(CannotStart, match=r"cannot be written: .*--home"):
        Home(tmp_path / "a-file" / "home")


def test_a_damaged_key_is_named_with_the_way_out(tmp_path: Path) -> None:
    with Home(tmp_path / "home") as home:
        home.keys()
        home.admin_key_path.write_text("rk_half\n")
        with pytest.raises(CannotStart, match="admin-key is damaged: delete it"):
            home.keys()
        home.admin_key_path.unlink()
        assert is_well_formed(home.keys().admin_key)
