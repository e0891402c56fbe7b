"""Invented people for the sample's customers: the data names nobody, and nobody real must stand in its place.

Everything follows from the retailer's number and a fixed seed, so that a second load invents the same people.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

SEED = "regulars/online-retail/1"
SOURCE = "online-retail"
TAG = "invented"

# How many of a hundred allow what. No other consent is given: without a record the answer is no.
CONSENTS = {("marketing", "email"): 62, ("marketing", "sms"): 24, ("marketing", "post"): 35}

_GIVEN = (
    "Ada Agnes Aidan Alba Alice Amir Anya Arthur Asha Beatrix Bela Bruno Carmen Cecil Clara Dara Dinah Edgar Elin Elsa "
    "Emeka Esme Farah Felix Fleur Gwen Hamish Hanna Hugo Ida Imran Iris Isla Ivo Jasper Jonas June Kamal Kasia Lars "
    "Leila Linus Lotte Mabel Malik Mara Milo Mina Nadia Ned Nora Olive Omar Oscar Pia Priya Rafe Rosa Ruth Sanjay "
    "Silvia Tamsin Theo Tilda Una Vera Viggo Wanda Wilf Yara Yusuf Zoe"
)
_FAMILY = (
    "Abbot Acheson Adair Alder Ambrose Ashdown Barley Beck Bellamy Birch Blythe Bramble Calder Carver Chandler Clover "
    "Cooper Crane Dale Darrow Draper Eastman Ellery Fairley Fenn Fletcher Fowler Garland Garrick Glover Greenhill Hale "
    "Harker Hawthorn Heath Hollis Ivory Jessop Kestrel Kirkby Lambert Larkin Linden Lockwood Marlow Mercer Merrick "
    "Milner Nettle Norwood Oakley Orchard Palmer Pascoe Penrose Quill Radley Rowan Sadler Sedge Sorrel Tanner Thorne "
    "Tyler Underhill Vane Wainwright Weaver Whitlock Wren Yarrow"
)
GIVEN_NAMES = tuple(_GIVEN.split())
FAMILY_NAMES = tuple(_FAMILY.split())

# ISO 3166-1 alpha-2 of the file's own names; "Unspecified" and "European Community" name no country.
COUNTRIES = {
    "Australia": "AU",
    "Austria": "AT",
    "Bahrain": "BH",
    "Belgium": "BE",
    "Brazil": "BR",
    "Canada": "CA",
    "Channel Islands": "JE",
    "Cyprus": "CY",
    "Czech Republic": "CZ",
    "Denmark": "DK",
    "EIRE": "IE",
    "Finland": "FI",
    "France": "FR",
    "Germany": "DE",
    "Greece": "GR",
    "Hong Kong": "HK",
    "Iceland": "IS",
    "Israel": "IL",
    "Italy": "IT",
    "Japan": "JP",
    "Lebanon": "LB",
    "Lithuania": "LT",
    "Malta": "MT",
    "Netherlands": "NL",
    "Norway": "NO",
    "Poland": "PL",
    "Portugal": "PT",
    "RSA": "ZA",
    "Saudi Arabia": "SA",
    "Singapore": "SG",
    "Spain": "ES",
    "Sweden": "SE",
    "Switzerland": "CH",
    "USA": "US",
    "United Arab Emirates": "AE",
    "United Kingdom": "GB",
}


@dataclass(frozen=True, slots=True)
class Person:
    """An invented customer. `number` is the retailer's, `country` ISO 3166-1 alpha-2 or None when the file has none.

    `consents` are the (purpose, channel) pairs granted; nothing is recorded for the others.
    """

    number: int
    name: str
    email: str
    card: str
    country: str | None
    consents: tuple[tuple[str, str], ...]


def invent(number: int, country: str) -> Person:
    """The person for a customer number. The address lies under example.com, which nobody can own (RFC 2606)."""
    luck = Random(f"{SEED}:{number}")
    given, family = luck.choice(GIVEN_NAMES), luck.choice(FAMILY_NAMES)
    return Person(
        number=number,
        name=f"{given} {family}",
        email=f"{given}.{family}.{number}@example.com".lower(),
        card=f"OR-{number}",
        country=COUNTRIES.get(country),
        consents=tuple(pair for pair, percent in CONSENTS.items() if luck.randrange(100) < percent),
    )
