"""The envelope that a clearinghouse wants around claims: ends, numbers, test or production.

Owns which value of an agreement stands where. Does not own the numbers' sequence
(``INTERCHANGES``) nor the file (``billing.claims.x12``).
"""

from datetime import datetime

from billing.claims.x12 import envelope
from rpm.clock import zone
from rpm.store.tables.claims import PracticeBilling
from rpm.store.tables.people import Organization
from rpm.transport.profile import TEST, Profile


def local_minute(now: datetime, practice: Organization) -> datetime:
    """The practice's wall clock: what a file says of when it was made."""
    return now.astimezone(zone(practice.timezone)).replace(tzinfo=None)


def envelope_of(
    profile: Profile, number: int, made_at: datetime, usage: str
) -> envelope.Interchange:
    """The interchange that an agreement asks for; group and interchange carry the same number."""
    sender, receiver = profile.sender_id, profile.receiver_in(usage)
    return envelope.Interchange(
        envelope.Party(profile.sender_qualifier, sender, profile.sender_group or sender),
        envelope.Party(profile.receiver_qualifier, receiver, profile.receiver_group or receiver),
        number,
        number,
        made_at,
        production=usage != TEST,
    )


def submitter_of(billing: PracticeBilling) -> envelope.Submitter:
    """Who sends the claims, and whom to ask about them."""
    return envelope.Submitter(
        billing.name, billing.submitter_id, billing.contact_name, billing.contact_phone
    )


def receiver_of(profile: Profile, usage: str) -> envelope.Receiver:
    """Who takes the claims in."""
    return envelope.Receiver(profile.receiver_name, profile.receiver_in(usage))
