"""The named patients of the demo: each shows one thing, and the family name says which.

Owns who they are, what they measure and how much is usually talked with them. Does not own what
happens to a single one on a single day (``happenings``).
"""

from dataclasses import replace
from datetime import date

from rpm.demo.person import EXACT, REGULAR, SPARSE, STEADY, TYPED, UNEVEN, Handed, Person
from rpm.demo.practice import CELLULAR, DIRECT, HUB


def _d(month: int, day: int) -> date:
    return date(2026 if month < 7 else 2025, month, day)


NAMED: tuple[Person, ...] = (
    Person(
        "CG-0001", "Twenty", "Thea", _d(11, 3), "stands at 18 of 20 minutes when the clock stops",
        devices=(Handed("bp", habits=STEADY),),
    ),
    Person(
        "CG-0002", "Good", "Gwen", _d(11, 3), "a good month: device, minutes, both codes",
        devices=(Handed("bp", DIRECT, STEADY),), monthly_seconds=(600, 540, 420),
    ),
    Person("CG-0003", "Reversed", "Ruth", _d(11, 13), "an entry taken back after the close"),
    Person(
        "CG-0004", "Memory", "Mina", _d(11, 24), "readings kept in memory across New Year",
        devices=(
            Handed(
                "bp", CELLULAR, EXACT, sends=((_d(11, 25), _d(12, 5)), (_d(12, 10), _d(6, 30))),
                offline_since_day=_d(12, 10), uploads_day=_d(1, 9),
            ),
        ),
        monthly_seconds=(660, 600),
    ),
    Person(
        "CG-0005", "Manual", "Max", _d(11, 4), "weights typed into an app: not one day counts",
        diagnosis="I50.22", devices=(Handed("weight", CELLULAR, TYPED),), monthly_seconds=(720,),
    ),
    Person(
        "CG-0006", "Diary", "Dora", _d(11, 5), "blood pressure typed in: another service",
        devices=(Handed("bp", CELLULAR, TYPED),), monthly_seconds=(600, 300),
    ),
    Person(
        "CG-0007", "Wellness", "Wes", _d(11, 5), "a step counter: no medical device",
        devices=(Handed("steps", CELLULAR, REGULAR, fda_listed=False),), monthly_seconds=(900,),
    ),
    Person(
        "CG-0008", "Glucose", "Gina", _d(11, 5), "a finger-stick glucose meter",
        diagnosis="E11.9", devices=(Handed("glucose", CELLULAR),), monthly_seconds=(780, 720),
    ),
    Person(
        "CG-0009", "Twodevices", "Tobias", _d(11, 6), "cuff and scale: days of both count once",
        diagnosis="I50.22",
        devices=(Handed("bp", HUB, UNEVEN), Handed("weight", HUB, UNEVEN)),
        monthly_seconds=(1_260, 1_200, 120),
    ),
    Person(
        "CG-0010", "Noconsent", "Ned", _d(11, 6), "no consent on file: everything is held",
        consent=False, monthly_seconds=(900, 600),
    ),
    Person(
        "CG-0011", "Lateconsent", "Connie", _d(11, 6), "consent two weeks after set-up",
        consent=False, devices=(Handed("bp", HUB, STEADY),), monthly_seconds=(900, 480),
    ),
    Person(
        "CG-0012", "Unordered", "Una", _d(11, 6), "no order on file", order=False,
        monthly_seconds=(700, 700),
    ),
    Person(
        "CG-0013", "Newcomer", "Nils", _d(11, 7), "not an established patient", established=False,
        monthly_seconds=(700, 700),
    ),
    Person(
        "CG-0014", "Florida", "Flora", _d(11, 7), "a payer that does not cover this",
        payer="MCD_FL", zone="America/New_York", monthly_seconds=(800, 600),
    ),
    Person(
        "CG-0015", "Newyork", "Nick", _d(11, 7), "a payer with the practitioner's review only",
        payer="MCD_NY", zone="America/New_York",
    ),
    Person(
        "CG-0016", "United", "Uma", _d(11, 7), "a payer whose limiting policy is announced",
        payer="COM_UNITEDHEALTHCARE", devices=(Handed("bp", HUB, STEADY),),
        monthly_seconds=(700, 640),
    ),
    Person(
        "CG-0017", "Oldcodes", "Otto", _d(11, 10), "a plan that has not loaded the codes of 2026",
        payer="COM_GENERIC_PRE2026_CODESET",
        devices=(Handed("bp", HUB, replace(SPARSE, adherence=0.4)),), monthly_seconds=(400, 400),
    ),
    Person(
        "CG-0018", "Clinic", "Clara", _d(11, 10), "care of a health center (FQHC)", setting="FQHC",
        pos=50, monthly_seconds=(720, 600),
    ),
    Person(
        "CG-0019", "Farewell", "Fred", _d(11, 10), "died on January 14, inside a window",
        devices=(Handed("bp", HUB, STEADY, sends=((_d(11, 11), _d(1, 13)),)),),
        monthly_seconds=(660, 600), last_talk_day=_d(1, 13),
    ),
    Person(
        "CG-0020", "Goalmet", "Grace", _d(11, 10), "goals met in December, a new order in January",
        devices=(
            Handed("bp", HUB, STEADY, to_day=_d(12, 19)),
            Handed("bp", HUB, STEADY, from_day=_d(1, 20)),
        ),
    ),
    Person(
        "CG-0021", "Chronic", "Carl", _d(11, 11), "minutes of CCM beside minutes of RPM",
        diagnosis="E11.9", devices=(Handed("glucose", HUB),), monthly_seconds=(720, 600),
    ),
    Person("CG-0022", "Overlap", "Olga", _d(11, 11), "nurse and practitioner at the same time"),
    Person("CG-0023", "Twin", "Tara", _d(11, 11), "one nurse at one time with two patients"),
    Person("CG-0024", "Twin", "Theo", _d(11, 11), "the other patient of that time"),
    Person("CG-0025", "Visit", "Vera", _d(11, 12), "minutes on the day of an office visit"),
    Person("CG-0026", "Textonly", "Tim", _d(11, 12), "texts only: no live contact in the month"),
    Person(
        "CG-0027", "Manyhours", "Hank", _d(11, 12), "100 minutes and more: above the unit limit",
        diagnosis="I50.22", devices=(Handed("weight", CELLULAR, STEADY),),
    ),
    Person(
        "CG-0028", "Elsewhere", "Ellis", _d(11, 12), "another practice bills the same monitoring",
        monthly_seconds=(640, 600),
    ),
    Person(
        "CG-0029", "Airway", "Ari", _d(11, 13), "therapeutic monitoring of asthma (RTM)",
        program="RTM-RESPIRATORY", diagnosis="J45.40",
        devices=(Handed("peak_flow", CELLULAR, STEADY),),
    ),
    Person(
        "CG-0030", "Swap", "Sally", _d(11, 4), "a broken device replaced on December 12",
        devices=(
            Handed("bp", HUB, STEADY, to_day=_d(12, 12)),
            Handed("bp", HUB, STEADY, from_day=_d(12, 12), number=2),
        ),
        monthly_seconds=(660, 600),
    ),
    Person(
        "CG-0031", "Straddle", "Stella", _d(12, 15), "few days in a window across New Year",
        devices=(Handed("bp", HUB, EXACT, sends=((_d(12, 16), _d(12, 20)), (_d(1, 5), _d(1, 8)))),),
        monthly_seconds=(660,),
    ),
    Person(
        "CG-0032", "Unknown", "Ulf", _d(11, 13), "a device nobody had registered for ten days",
        devices=(Handed("bp", CELLULAR, STEADY, registered_day=_d(11, 24)),),
        monthly_seconds=(640, 600),
    ),
    Person(
        "CG-0033", "Silent", "Sam", _d(11, 4), "a device that fell silent on December 18",
        devices=(Handed("bp", CELLULAR, REGULAR, sends=((_d(11, 5), _d(12, 18)),)),),
        monthly_seconds=(420, 300),
    ),
    Person(
        "CG-0034", "Excluded", "Eve", _d(11, 4), "sixteen days until one reading was taken out",
        devices=(
            Handed(
                "weight", HUB, EXACT, sends=((_d(11, 5), _d(11, 20)), (_d(12, 20), _d(6, 30)))
            ),
        ),
        monthly_seconds=(640,), diagnosis="I50.22",
    ),
    Person(
        "CG-0035", "Quarantine", "Quinn", _d(11, 13), "an impossible value, a clock that was reset",
        monthly_seconds=(640, 600),
    ),
    Person(
        "CG-0036", "Newpayer", "Cora", _d(11, 13), "another payer from New Year on",
        devices=(Handed("bp", HUB, STEADY),), monthly_seconds=(640, 600),
    ),
    Person(
        "CG-0037", "Withdrawn", "Wilma", _d(11, 14), "consent withdrawn in January", consent=False,
        monthly_seconds=(640, 600), last_talk_day=_d(1, 15),
    ),
    Person(
        "CG-0038", "Facility", "Faye", _d(11, 14), "billed from a facility", pos=22,
        devices=(Handed("bp", HUB, STEADY),), monthly_seconds=(640, 600),
    ),
    Person(
        "CG-0039", "Surgery", "Sid", _d(11, 14), "inside a surgical global period",
        devices=(Handed("spo2", CELLULAR),), monthly_seconds=(640, 600), diagnosis="J44.9",
    ),
)  # fmt: skip
