"""Acknowledgments read: TA1, 999 and 277CA, and what a file is."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.claims.answer_codes import adjustment_told, read_texts, told, words
from billing.claims.x12.ack999 import Fault
from billing.claims.x12.answer_file import read_answers
from billing.claims.x12.kind import ENVELOPE, Told, kind_of
from billing.claims.x12.segments import read_segments
from billing.claims.x12.status277ca import Reason

FOLDER = Path(__file__).parents[3] / "files" / "answers"
ISA = (
    "ISA*00*          *00*          *ZZ*HOUSE          *ZZ*PRACTICE       *261101*1000*^*00501"
    "*000000042*0*P*:~"
)
IEA = "IEA*1*000000042~"


def read(name: str) -> bytes:
    """A file of others."""
    return (FOLDER / name).read_bytes()


def acknowledgment(*segments: str, guide: str = "005010X214") -> bytes:
    """A 277CA around some segments."""
    body = "~".join(segments)
    return (
        f"{ISA}GS*HN*HOUSE*PRACTICE*20261101*1000*1*X*{guide}~ST*277*0001*{guide}~"
        f"BHT*0085*08*X*20261101*1000*TH~{body}~SE*9*0001~GE*1*1~{IEA}"
    ).encode()


def test_a_ta1_alone_answers_an_interchange() -> None:
    """Number, code and note; there is no group in the file."""
    content = f"{ISA}TA1*000000905*261101*0930*R*020~{IEA}".encode()
    answers = read_answers(content)
    assert answers.told == Told("TA1", "HOUSE", "000000042")
    (one,) = answers.interchange_answers
    assert (one.number, one.code, one.note, one.accepted) == ("000000905", "R", "020", False)
    assert answers.findings == ()


def test_a_999_tells_each_set_and_where_it_is_wrong() -> None:
    """One set accepted and two rejected, with segment, place and element."""
    (group,) = read_answers(read("999/staedi-999-mixed.edi")).group_answers
    assert (group.group_number, group.code, group.accepted) == ("17456", "P", None)
    assert [(one.number, one.accepted) for one in group.sets] == [
        ("0001", True),
        ("0002", False),
        ("0003", False),
    ]
    assert group.sets[1].faults == (
        Fault("CLM", "22", "", ("8",)),
        Fault("CLM", "22", "2", ("1",)),
    )


def test_a_277ca_tells_of_a_claim_and_its_batch() -> None:
    """A rejected claim with its reason, our number, the payer's number and the day."""
    (answer,) = read_answers(read("277ca/ims-277ca-rejected.txt")).claims_answers
    (claim,) = answer.claims
    assert (claim.control_number, claim.accepted) == ("3920394930203", False)
    assert claim.statuses[0].reasons == (Reason("A7", "562", "85"),)
    assert claim.statuses[0].cents == 19914
    assert claim.payer_claim_number == "1107000000001120"
    assert answer.by_payer
    assert answer.references == ("11200001",)
    assert not answer.all_rejected


def test_a_batch_rejected_above_its_claims_rejects_all() -> None:
    """A receiver's level rejects, and no claim is named."""
    (answer,) = read_answers(
        acknowledgment(
            "HL*1**20*1",
            "NM1*AY*2*HOUSE*****46*H1",
            "HL*2*1*21*0",
            "NM1*41*2*US*****46*U1",
            "TRN*2*BATCH7",
            "STC*A3:24:41*20261101*U*100",
        )
    ).claims_answers
    assert answer.all_rejected
    assert answer.references == ("BATCH7",)
    assert not answer.by_payer
    assert answer.findings == ()


def test_several_claims_and_statuses_stand_side_by_side() -> None:
    """Claims of one patient, each with its own word; a second status or a line may reject."""
    (answer,) = read_answers(
        acknowledgment(
            "HL*1**20*1",
            "NM1*PR*2*PAYER*****PI*P1",
            "HL*2*1*PT",
            "TRN*2*C1",
            "STC*A2:20*20261101",
            "TRN*2*C2",
            "STC*A1:19*20261101**90******A6:21*A7:562:82",
            "REF*1K*ICN",
            "REF*D9*H77",
            "TRN*2*C3",
            "STC*A2:20*20261101",
            "SVC*HC:99454*90",
            "STC*A8:249*20261101",
            "TRN*2*C4",
            "STC*F1:1*20261101",
        )
    ).claims_answers
    assert [(one.control_number, one.accepted) for one in answer.claims] == [
        ("C1", True),
        ("C2", False),
        ("C3", False),
        ("C4", None),
    ]
    second = answer.claims[1]
    assert (second.payer_claim_number, second.clearinghouse_number) == ("ICN", "H77")
    assert [one.code for one in answer.findings] == ["W_277CA_STATUS"]


def test_a_status_answer_is_no_acknowledgment() -> None:
    """A 277 of guide X212 answers a question of ours; nothing is posted from it."""
    assert kind_of(read("276-277/claim-level-status.277")).kind == "unknown"
    answers = read_answers(read("276-277/claim-level-status.277"))
    assert [one.code for one in answers.findings] == ["E_NO_ANSWER"]
    assert not answers.readable


@pytest.mark.parametrize("content", [b"", b"ISA", b"PK\x03\x04", b"<html>", b"ISA*" * 20])
def test_what_is_no_x12_says_so(content: bytes) -> None:
    """Its kind is unknown, and the finding tells why."""
    answers = read_answers(content)
    assert answers.told.kind == "unknown"
    assert [one.code for one in answers.findings] == ["E_NOT_X12"]


def test_one_file_may_hold_several_interchanges() -> None:
    """Each by its own separators; a broken one is told and the others are read."""
    ta1 = f"{ISA}TA1*000000905*261101*0930*A*000~{IEA}".replace("~", "!\n").encode()
    answers = read_answers(ta1 + read("999/staedi-999-mixed.edi"))
    assert answers.told.kind == "999"
    assert answers.interchange_answers[0].accepted
    assert answers.group_answers[0].group_number == "17456"
    broken = read_answers(ta1 + b"ISA*00*broken~")
    assert [one.code for one in broken.findings] == ["E_INTERCHANGE"]


def test_a_cut_acknowledgment_tells_what_it_lacks() -> None:
    """Nothing is taken for accepted that is not said."""
    (group,) = read_answers(read("999/staedi-999-mixed.edi").split(b"IK5")[0]).group_answers
    assert [one.code for one in group.findings] == ["W_999_CUT_OFF", "W_999_SET"]
    assert not group.sets[0].accepted


def test_codes_are_told_in_own_words_or_bare() -> None:
    """A known code with its words, an unknown one as it is, and a licensed list before ours."""
    assert told("carc", "45") == "CARC 45, charge above the allowed amount"
    assert told("carc", "9999") == "CARC 9999"
    assert adjustment_told("PR", "1") == "PR-1, deductible"
    licensed = read_texts('list,code,text\ncarc,45,"Their words"\n')
    assert told("carc", "45", licensed) == "CARC 45, Their words"
    assert words("rarc", "N822", licensed) == "modifier missing"


@pytest.mark.parametrize(
    "content", ["code,text\n", "list,code,text\ncarc,4 5,x\n", "list,code,text\nx,1,x\n"]
)
def test_a_list_of_another_form_is_refused_by_line(content: str) -> None:
    """The refusal names the line."""
    with pytest.raises(ValueError, match="line"):
        read_texts(content)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(sorted(FOLDER.glob("*/*"))),
    st.sampled_from(("", "\n", "\r\n")),
    st.lists(
        st.tuples(st.floats(0, 1), st.sampled_from(("~", "ST*", "GE~", "\n", "~~"))), max_size=4
    ),
)
def test_a_part_of_the_segments_is_read_as_all_of_them_are(
    path: Path, line_break: str, edits: list[tuple[float, str]]
) -> None:
    """Reading the envelope alone gives the same segments of it as reading the whole file."""
    text = path.read_text("latin-1").replace("~", f"~{line_break}")
    for share, piece in edits:
        place = 106 + int(share * len(text))
        text = text[:place] + piece + text[place:]
    content = text.encode("latin-1")
    whole, part = read_segments(content), read_segments(content, ENVELOPE)
    named = [(one.name, one.elements) for one in whole.segments if one.name in ENVELOPE]
    assert [(one.name, one.elements) for one in part.segments] == named
    assert part.ends_open == whole.ends_open
