"""Tests of the tests: each law of the ledger passes on the real service and goes red on a planted bug."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from builders import ANNA, a_purchase, an_id
from conftest import FreshDatabase
from loyalty.books import books, check_books
from loyalty.db_rig import a_message
from loyalty.desk import Desk
from regulars_kit.db import Database, Transactions
from regulars_loyalty.adapters.db.programmes import ProgrammeCache
from regulars_loyalty.adapters.db.unit import PostgresUnit
from regulars_loyalty.application.ports import FirstAnswer, Owner, Writing
from regulars_loyalty.domain.purchase import Receipt
from regulars_kit.values import Refused
