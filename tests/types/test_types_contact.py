"""Contact cards of the three versions of vCard, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcnb.types import Contact


@pytest.mark.parametrize(
    ("card", "first_name", "last_name", "phone_number"),
    [
        ("VERSION:3.0\r\nN:Roe;Carol;;;\r\nFN:Carol Roe\r\nTEL;TYPE=CELL:+1 555\r\nTEL:+2", "Carol", "Roe", "+1 555"),
        ("VERSION:4.0\nFN:Carol Roe\nTEL;VALUE=uri:tel:+1-555", "Carol Roe", None, "+1-555"),
        ("VERSION:4.0\nN:;;;;\nFN:Carol Roe", "Carol Roe", None, None),
        ("VERSION:3.0\nN:Roe\\, Jr\\;;Ca\n rol;;;", "Carol", "Roe, Jr;", None),
        ("VERSION:3.0\nitem1.TEL:+1555\nNICKNAME:Caz\nN:Roe;;;;", "", "Roe", "+1555"),
        ("VERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=D0=98;=D0=90=\n=D0=91;;;", "АБ", "И", None),
        ("VERSION:2.1\nN;CHARSET=windows-1251;QUOTED-PRINTABLE:=C8;=C0;;;", "А", "И", None),
        ("VERSION:2.1\nN;CHARSET=no-such;QUOTED-PRINTABLE:=41;=42;;;", "B", "A", None),
        ("VERSION:3.0\nN:Doe;John\\\\;;;", "John\\", "Doe", None),
        ("VERSION:3.0\nN:Doe\\\\\\;Roe;Jo\\nhn\\:;;;", "Jo\nhn\\:", "Doe\\;Roe", None),
        ("VERSION:2.1\nN;QUOTED-PRINTABLE:A=3BB;C;;;", "C", "A;B", None),
        ("VERSION:3.0", "", None, None),
    ],
)
def test_card_is_read(card, first_name, last_name, phone_number):
    """Name and number are found in cards of every version."""
    text = f"BEGIN:VCARD\n{card}\nEND:VCARD\n"
    contact = Contact.from_vcard(text)
    assert (contact.first_name, contact.last_name, contact.phone_number) == (first_name, last_name, phone_number)
    assert (contact.vcard, contact.user_id) == (text, None)


def test_first_of_several_cards_counts():
    """A file of several cards is read as its first."""
    text = "BEGIN:VCARD\nN:Roe;Carol\nEND:VCARD\nBEGIN:VCARD\nN:Doe;Alice\nTEL:+2\nEND:VCARD\n"
    assert Contact.from_vcard(text).phone_number is None


@pytest.mark.parametrize("text", ["", "hello", "N:Roe;Carol"])
def test_what_is_no_card_is_no_contact(text):
    """A text that is no card gives nothing."""
    assert Contact.from_vcard(text) is None


@given(st.text())
def test_damaged_card_does_not_raise(text):
    """Whatever a card says, reading it gives a contact."""
    assert isinstance(Contact.from_vcard(f"BEGIN:VCARD\n{text}\nN:{text}\nTEL;QUOTED-PRINTABLE:{text}"), Contact)
