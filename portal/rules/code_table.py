"""The rows of the code table, grouped by the class in which the codes count."""

from __future__ import annotations

from enum import IntEnum

Row = tuple[str, int, str, str, str]


class Category(IntEnum):
    """The class a code counts in, stored in the top three bits of its byte. `Z` and `#` are in the last."""

    PRESENT = 1
    APPROVED = 2
    AUTHORISED = 3
    UNAUTHORISED = 4
    NOT_POSSIBLE = 5


TABLE_1 = "SI 2024/208, regulation 10, Table 1"
TABLE_2 = "SI 2024/208, regulation 10, Table 2"
TABLE_3 = "SI 2024/208, regulation 10, Table 3"
GUIDANCE = "Working together to improve school attendance (guidance only)"
BEFORE_2024 = "DfE attendance codes in use before 19 August 2024"

#: Symbol, the byte's low five bits, meaning for screens, source, note: grouped by the class they count in. Stored
#: registers contain these numbers, so a number is never changed and never given to another code.
ROWS: tuple[tuple[Category, tuple[Row, ...]], ...] = (
    (
        Category.PRESENT,
        (
            ("/", 0, "Present, morning session", TABLE_1, "At the school when the morning register starts."),
            ("\\", 1, "Present, afternoon session", TABLE_1, "At the school when the afternoon register starts."),
            (
                "L",
                2,
                "Late: arrived before the register closed",
                TABLE_1,
                "Counts as present. The register may stay open for at most 30 minutes.",
            ),
        ),
    ),
    (
        Category.APPROVED,
        (
            (
                "K",
                0,
                "Attending provision arranged by the local authority",
                TABLE_2,
                "Section 19, Education Act 1996; section 42(2) or 61(1), Children and Families Act 2014.",
            ),
            ("V", 1, "Educational visit or trip supervised by school staff", TABLE_2, ""),
            (
                "P",
                2,
                "Approved sporting activity",
                TABLE_2,
                "Must meet the test for an approved educational activity.",
            ),
            (
                "W",
                3,
                "Approved work experience",
                TABLE_2,
                "For pupils in the last two years of compulsory schooling.",
            ),
            (
                "B",
                4,
                "Any other approved educational activity off site",
                TABLE_2,
                "Supervised, in person, during the session. Learning remotely at home is not B.",
            ),
            (
                "J",
                5,
                "Interview (code used before August 2024)",
                BEFORE_2024,
                "Counted as attendance then; J1, which replaced it, is an authorised absence.",
            ),
        ),
    ),
    (
        Category.AUTHORISED,
        (
            ("C1", 0, "Leave: regulated performance or regulated employment abroad", TABLE_3, "Part of C before."),
            ("M", 1, "Leave: medical or dental appointment", TABLE_3, ""),
            (
                "J1",
                2,
                "Leave: interview for employment or for another educational institution",
                TABLE_3,
                "Replaces J, which counted as attendance; J1 is an absence.",
            ),
            ("S", 3, "Leave: study for a public examination", TABLE_3, "Agreed in advance."),
            (
                "C2",
                4,
                "Leave: compulsory-school-age pupil on an agreed temporary part-time timetable",
                TABLE_3,
                "Counts as absence.",
            ),
            (
                "C",
                5,
                "Leave for another exceptional circumstance",
                TABLE_3,
                "Includes the very rare holiday a school authorises.",
            ),
            ("T", 6, "Parent travelling for occupational purposes (mobile child)", TABLE_3, ""),
            ("R", 7, "Religious observance on a day set apart by the parents' religious body", TABLE_3, ""),
            ("I", 8, "Illness, physical or mental (not appointments)", TABLE_3, "The only code in the sickness return."),
            (
                "E",
                9,
                "Suspended or permanently excluded, no alternative provision made",
                TABLE_3,
                "From the sixth day education must be arranged: then K, B or D.",
            ),
            (
                "H",
                10,
                "Family holiday agreed (code used before August 2024)",
                BEFORE_2024,
                "Withdrawn. Exceptional leave is now C; otherwise G.",
            ),
            ("F", 11, "Extended family holiday agreed (an old code)", BEFORE_2024, "History only."),
        ),
    ),
    (
        Category.UNAUTHORISED,
        (
            ("G", 0, "Holiday not granted by the school", TABLE_3, ""),
            (
                "N",
                1,
                "Reason for absence not yet established",
                "SI 2024/208, regulation 10, Table 3 and paragraphs (7) to (9)",
                "Corrected within 5 school days; if still unknown it becomes O.",
            ),
            ("O", 2, "Absent in other or unknown circumstances", TABLE_3, ""),
            (
                "U",
                3,
                "Arrived after the register closed, before the session ended",
                TABLE_3,
                "An unauthorised absence although the pupil came in. Another code is used if one applies.",
            ),
        ),
    ),
    (
        Category.NOT_POSSIBLE,
        (
            (
                "D",
                0,
                "Dual registered: attending the other school where registered",
                TABLE_2,
                "The other school records the mark.",
            ),
            (
                "X",
                1,
                "Not of compulsory school age and not timetabled to attend",
                TABLE_3,
                "Never for a pupil of compulsory school age: use C2.",
            ),
            (
                "Q",
                2,
                "Unable to attend: lack of access arrangements the local authority had a duty to make",
                TABLE_3,
                "Mirrors the defence in section 444(3B) of the Education Act 1996; not for any other travel problem.",
            ),
            ("Y1", 3, "Unable to attend: transport normally provided is unavailable, home not in walking distance", TABLE_3, ""),
            (
                "Y2",
                4,
                "Unable to attend: widespread travel disruption from local, national or international emergency",
                TABLE_3,
                "",
            ),
            ("Y3", 5, "Unable to attend: part of the school premises closed", TABLE_3, ""),
            ("Y4", 6, "Unable to attend: whole school site unexpectedly closed", TABLE_3, "A planned closure is #."),
            ("Y5", 7, "Unable to attend: pupil in criminal justice detention", TABLE_3, ""),
            ("Y6", 8, "Unable to attend: public health guidance or law", TABLE_3, ""),
            (
                "Y7",
                9,
                "Unable to attend: any other unavoidable cause affecting the pupil",
                TABLE_3,
                "Strictly an emergency.",
            ),
            (
                "Y",
                10,
                "Unable to attend, exceptional (code used before August 2024)",
                BEFORE_2024,
                "Split into Q and Y1 to Y7.",
            ),
            ("Z", 11, "Prospective pupil not yet on the admission register", GUIDANCE, "Left out of every count."),
            (
                "#",
                12,
                "Planned whole-school closure (holidays, INSET, polling day)",
                GUIDANCE,
                "Shapes the school's calendar.",
            ),
        ),
    ),
)
