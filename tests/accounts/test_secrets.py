"""Tests of passwords, second-factor secrets and clients, without a database."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from uuid import uuid4

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.accounts.domain import passwords, second_factor
from portal.accounts.domain.clients import Client, device_in_words
from portal.platform import clock
from tests.support.processor_time import assert_linear
from tests.support.world import NOW

KEY = second_factor.derive_keys("only-for-tests-0123456789-abcdefghij")


def test_the_hash_is_argon2id_at_the_agreed_setting() -> None:
    stored_hash = passwords.hash_password("heron lantern gravel")
    assert stored_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not passwords.is_outdated(stored_hash)
    assert passwords.is_outdated(stored_hash.replace("m=19456", "m=8192"))
    assert not passwords.is_correct("heron lantern gravel", None)
    assert not passwords.is_correct("heron lantern gravel", "no hash at all")


def test_the_same_password_typed_on_another_keyboard_is_right() -> None:
    stored_hash = passwords.hash_password("cafe\u0301 lantern \uff11\uff12")
    assert passwords.is_correct("caf\u00e9 lantern 12", stored_hash)


def test_a_hash_waits_when_all_slots_are_in_use() -> None:
    assert passwords.MAX_CONCURRENT_HASHES == 2
    for _ in range(passwords.MAX_CONCURRENT_HASHES):
        passwords._hash_slots.acquire()  # noqa: SLF001  the test takes every slot itself
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


@given(st.lists(st.sampled_from(["attendance", "school", "2026", "!", "Password", "summer"]), min_size=1, max_size=3))
def test_common_words_in_any_order_are_guessable(words: list[str]) -> None:
    assert passwords.weakness("".join(words) + "123456789012"[: max(0, 12 - len("".join(words)))]) is not None


@pytest.mark.parametrize("password", ["123456789012é", "123456789012£", "fluffybunny12", "Abcdefgh1234"])
def test_a_run_of_digits_with_one_sign_is_guessable(password: str) -> None:
    """The home-made check let the first two pass: one letter that is not Latin ended its comparing."""
    assert passwords.weakness(password) == (
        "Enter a password that is harder to guess, like three words that have nothing to do with you or your work"
    )


ABOUT = ("Ann Officer", "ann.officer@wrenfold.example", "Wrenfold Council", "Brook Lane Primary School")


@pytest.mark.parametrize(
    "password",
    ["BrookLanePrimary82", "brook lane primary", "Wrenfold Council", "WrenfoldCouncil!", "ann.officer@wrenfold", "AnnOfficer2026"],
)
def test_the_names_around_a_person_make_a_password_guessable(password: str) -> None:
    assert passwords.weakness(password, ABOUT) is not None
    assert passwords.weakness("otter velvet trumpet", ABOUT) is None


def test_the_names_of_a_whole_county_cost_no_time() -> None:
    names = [f"Brook Lane Primary School number {number}" for number in range(5_000)]
    assert passwords.weakness("otter velvet trumpet", names) is None
    assert_linear(lambda size: passwords.weakness("otter velvet trumpet", names[:size]), len(names))


@pytest.mark.parametrize("text", ["4@8({[<369!1|05$+7%2" * 50, "ключ漢字" * 125, "a1" * 500, "\u200d" * 1000])
def test_text_made_to_slow_the_check_down_is_cut(text: str) -> None:
    assert_linear(lambda size: passwords.weakness(text[:size], (text[:size],) * 50), len(text))


@pytest.mark.parametrize(("size", "fits"), [(64, True), (1000, True), (1001, False)])
def test_passwords_of_up_to_a_thousand_characters_are_accepted(size: int, fits: bool) -> None:
    assert (passwords.weakness(("zebra-violin-" * 100)[:size]) is None) is fits


@given(st.text(max_size=200))
def test_any_text_can_be_checked_as_a_password(typed: str) -> None:
    passwords.weakness(typed, (typed, "Ann Officer"))


def test_an_encrypted_secret_opens_only_for_its_person_and_key() -> None:
    person = uuid4()
    ciphertext = second_factor.seal("JBSWY3DPEHPK3PXP", KEY, person)
    assert b"JBSWY" not in ciphertext
    assert second_factor.unseal(ciphertext, KEY, person) == "JBSWY3DPEHPK3PXP"
    for key, person_id, stored_bytes in (
        (KEY, uuid4(), ciphertext),
        (second_factor.derive_keys("another"), person, ciphertext),
        (KEY, person, ciphertext[:-1] + b"x"),
    ):
        with pytest.raises(second_factor.TamperedError):
            second_factor.unseal(stored_bytes, key, person_id)


@pytest.mark.parametrize("offer", ["", "nonsense", "AAAA" * 20, "é", "=" * 9])
def test_an_offer_made_elsewhere_is_rejected(offer: str) -> None:
    with pytest.raises(second_factor.TamperedError):
        second_factor.secret_from_offer(offer, KEY, uuid4())


def test_a_stored_secret_is_rejected_as_an_offer() -> None:
    person = uuid4()
    ciphertext = second_factor.seal("JBSWY3DPEHPK3PXP", KEY, person)
    with pytest.raises(second_factor.TamperedError):
        second_factor.secret_from_offer(second_factor.base64.urlsafe_b64encode(ciphertext).decode(), KEY, person)


@pytest.mark.parametrize(("seconds", "accepted"), [(-61, False), (-30, True), (0, True), (30, True), (61, False)])
def test_a_telephones_clock_may_be_half_a_minute_off(seconds: int, accepted: bool) -> None:
    secret = pyotp.random_base32()
    with clock.frozen_at(NOW):
        code = pyotp.TOTP(secret).at(NOW + timedelta(seconds=seconds))
        assert (second_factor.matching_step(secret, code, None) is not None) is accepted


@given(st.text(max_size=12))
def test_any_text_can_be_checked_as_a_code(typed: str) -> None:
    with clock.frozen_at(NOW):
        second_factor.matching_step("JBSWY3DPEHPK3PXP" * 2, typed, 0)


def test_there_are_ten_recovery_codes_and_typing_them_is_lenient() -> None:
    person, codes = uuid4(), second_factor.recovery_codes()
    assert len(set(codes)) == 10
    first = codes[0]
    typed = f" {first.lower().replace('-', ' ')} "
    assert second_factor.hash_recovery_code(first, person) == second_factor.hash_recovery_code(typed, person)
    assert second_factor.hash_recovery_code(first, person) != second_factor.hash_recovery_code(first, uuid4())


def test_a_clients_hash_depends_on_the_key_and_the_kind() -> None:
    client, other_key = Client("192.0.2.1", "", "key"), Client("192.0.2.1", "", "another key")
    assert "192.0.2.1" not in client.blinded("address", client.address)
    assert client.blinded("address", "192.0.2.1") != other_key.blinded("address", "192.0.2.1")
    assert client.blinded("address", "x") != client.blinded("account", "x")


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605 Version/19.0 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (X11; CrOS x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", "Chrome on Chromebook"),
        ("curl/8", "Another browser"),
    ],
)
def test_a_device_is_named_in_plain_words(user_agent: str, device: str) -> None:
    assert device_in_words(user_agent) == device


def test_an_old_key_still_opens_and_only_the_present_one_encrypts() -> None:
    """Finding B8: keys have ids, so that what was encrypted with which can be told."""
    person = uuid4()
    rotated = second_factor.derive_keys("another", "only-for-tests-0123456789-abcdefghij")
    old = second_factor.seal("JBSWY3DPEHPK3PXP", KEY, person)
    assert second_factor.unseal(old, rotated, person) == "JBSWY3DPEHPK3PXP"
    assert not second_factor.is_sealed_with_current(old, rotated)
    new = second_factor.seal("JBSWY3DPEHPK3PXP", rotated, person)
    assert second_factor.is_sealed_with_current(new, rotated)
    with pytest.raises(second_factor.TamperedError):
        second_factor.unseal(new, KEY, person)


def test_a_secret_of_an_earlier_release_opens_without_a_keys_id() -> None:
    person = uuid4()
    bare = second_factor.seal("JBSWY3DPEHPK3PXP", KEY, person)[12:]
    assert second_factor.unseal(bare, KEY, person) == "JBSWY3DPEHPK3PXP"
    assert not second_factor.is_sealed_with_current(bare, KEY)


@given(st.binary(max_size=80))
def test_any_bytes_can_be_tried_as_a_secret(stored: bytes) -> None:
    for bytes_of_a_copy in (stored, b"key1" + stored, b"key1" + KEY.current_id + stored):
        with pytest.raises(second_factor.TamperedError):
            second_factor.unseal(bytes_of_a_copy, KEY, uuid4())
