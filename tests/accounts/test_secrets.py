"""Passwords, second-factor secrets and visitors: pure, apart from the hash itself."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from uuid import uuid4

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal import clock
from portal.accounts import passwords, second_factor
from portal.accounts.visitors import Visitor, device_in_words
from tests.support.world import NOW

KEY = second_factor.derive_key("only-for-tests-0123456789-abcdefghij")


def test_the_hash_is_argon2id_at_the_agreed_setting() -> None:
    kept = passwords.hash_password("heron lantern gravel")
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not passwords.is_outdated(kept)
    assert passwords.is_outdated(kept.replace("m=19456", "m=8192"))
    assert not passwords.is_correct("heron lantern gravel", None)
    assert not passwords.is_correct("heron lantern gravel", "no hash at all")


def test_the_same_password_from_another_keyboard_is_the_same() -> None:
    kept = passwords.hash_password("cafe\u0301 lantern \uff11\uff12")
    assert passwords.is_correct("caf\u00e9 lantern 12", kept)


def test_no_more_hashes_run_at_once_than_agreed_and_the_rest_wait_or_are_told() -> None:
    assert passwords.MAX_CONCURRENT_HASHES == 2
    for _ in range(passwords.MAX_CONCURRENT_HASHES):
        passwords._hash_slots.acquire()  # noqa: SLF001  holding every turn is the case
    waiting = threading.Thread(target=passwords.hash_password, args=("heron lantern gravel",))
    waiting.start()
    time.sleep(0.1)
    assert waiting.is_alive()
    for _ in range(passwords.MAX_CONCURRENT_HASHES):
        passwords._hash_slots.release()  # noqa: SLF001  as above
    waiting.join(timeout=5)
    assert not waiting.is_alive()


@given(st.text(min_size=0, max_size=11))
def test_fewer_than_twelve_characters_are_too_few(typed: str) -> None:
    assert passwords.weakness(typed) == "Enter a password of 12 characters or more"


@given(st.lists(st.sampled_from(["attendance", "school", "2026", "!", "Password", "summer"]), min_size=3, max_size=8))
def test_words_of_the_list_in_any_order_are_guessable(words: list[str]) -> None:
    assert passwords.weakness("".join(words) + "123456789012"[: max(0, 12 - len("".join(words)))]) is not None


@pytest.mark.parametrize(("size", "fits"), [(64, True), (1000, True), (1001, False)])
def test_long_passwords_are_welcome_up_to_a_thousand(size: int, fits: bool) -> None:
    began = time.perf_counter()
    assert (passwords.weakness(("zebra-violin-" * 100)[:size]) is None) is fits
    assert time.perf_counter() - began < 0.2


@given(st.text(max_size=200))
def test_no_password_upsets_the_judge(typed: str) -> None:
    passwords.weakness(typed, (typed, "Ann Officer"))


def test_a_sealed_secret_opens_for_its_person_and_key_only() -> None:
    person = uuid4()
    kept = second_factor.seal("JBSWY3DPEHPK3PXP", KEY, person)
    assert b"JBSWY" not in kept
    assert second_factor.unseal(kept, KEY, person) == "JBSWY3DPEHPK3PXP"
    for key, whose, what in (
        (KEY, uuid4(), kept),
        (second_factor.derive_key("another"), person, kept),
        (KEY, person, kept[:-1] + b"x"),
    ):
        with pytest.raises(second_factor.TamperedError):
            second_factor.unseal(what, key, whose)


@pytest.mark.parametrize("offer", ["", "nonsense", "AAAA" * 20, "é", "=" * 9])
def test_an_offer_that_is_not_ours_is_not_taken_up(offer: str) -> None:
    with pytest.raises(second_factor.TamperedError):
        second_factor.secret_from_offer(offer, KEY, uuid4())


def test_a_secret_sealed_for_keeping_is_no_offer() -> None:
    person = uuid4()
    kept = second_factor.seal("JBSWY3DPEHPK3PXP", KEY, person)
    with pytest.raises(second_factor.TamperedError):
        second_factor.secret_from_offer(second_factor.base64.urlsafe_b64encode(kept).decode(), KEY, person)


@pytest.mark.parametrize(("seconds", "right"), [(-61, False), (-30, True), (0, True), (30, True), (61, False)])
def test_a_telephone_may_be_half_a_minute_off(seconds: int, right: bool) -> None:
    secret = pyotp.random_base32()
    with clock.at(NOW):
        code = pyotp.TOTP(secret).at(NOW + timedelta(seconds=seconds))
        assert (second_factor.matching_step(secret, code, None) is not None) is right


@given(st.text(max_size=12))
def test_no_typed_code_upsets_the_judge(typed: str) -> None:
    with clock.at(NOW):
        second_factor.matching_step("JBSWY3DPEHPK3PXP" * 2, typed, 0)


def test_recovery_codes_are_ten_and_read_however_typed() -> None:
    person, codes = uuid4(), second_factor.recovery_codes()
    assert len(set(codes)) == 10
    first = codes[0]
    assert second_factor.hash_recovery_code(first, person) == second_factor.hash_recovery_code(f" {first.lower().replace('-', ' ')} ", person)
    assert second_factor.hash_recovery_code(first, person) != second_factor.hash_recovery_code(first, uuid4())


def test_a_visitor_is_kept_blinded() -> None:
    one, other = Visitor("192.0.2.1", "", "key"), Visitor("192.0.2.1", "", "another key")
    assert "192.0.2.1" not in one.blinded("address", one.address)
    assert one.blinded("address", "192.0.2.1") != other.blinded("address", "192.0.2.1")
    assert one.blinded("address", "x") != one.blinded("account", "x")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605 Version/19.0 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (X11; CrOS x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", "Chrome on Chromebook"),
        ("curl/8", "Another browser"),
    ],
)
def test_devices_are_named_as_people_know_them(told: str, words: str) -> None:
    assert device_in_words(told) == words
