"""The index of bad inputs: each one with its treatment and the tests that hold it.

Belongs here: one entry per input of the reference, in its words and order. A test is named ``file::test``,
``file::test[case]`` or ``model file.yml::unit test``. What comes with a later part of the platform has a reason instead.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """``do`` as in the reference: R refused, W accepted and flagged, A accepted, else in words."""

    text: str
    do: str
    tests: tuple[str, ...] = ()
    later: str | None = None


ERP = "tests/integration/bad_inputs/test_erp_rows.py"
DISPATCH = "tests/integration/bad_inputs/test_dispatch_rows.py"
TELEMATICS = "tests/integration/bad_inputs/test_telematics_rows.py"
POD = "tests/integration/bad_inputs/test_pod_rows.py"
FILES = "tests/integration/bad_inputs/test_files_and_lines.py"
HELD = "tests/integration/bad_inputs/test_held_for_a_person.py"
DEMO = "tests/e2e/test_demo_from_the_command_line.py"
DAGSTER = "tests/integration/orchestration/test_what_nobody_agreed_on.py"
BODIES = "tests/integration/api/test_bad_bodies.py"
UPLOADS = "tests/integration/api/test_documents.py"
EDI = "comes with the carriers' EDI: no X12 or EDIFACT is read yet"
CREDIT = "tests/integration/activation/test_credit_notes.py"


def at(path: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{path}::{name}" for name in names)


def refused(path: str, test: str, *cases: str) -> tuple[str, ...]:
    return at(path, *(f"{test}[{case}]" for case in cases))


ROW, NEAR, LINE = (
    "test_it_is_refused_and_its_bytes_are_kept",
    "test_the_row_beside_it_is_loaded",
    "test_a_line_is_judged_by_itself",
)
ACTION, FIX = (
    "test_an_action_is_refused_and_its_bytes_are_kept",
    "test_a_position_is_refused_and_what_the_feed_told_is_kept",
)
FLAG, PAPER = "test_a_position_is_kept_with_its_flag", "test_a_document_is_refused_and_its_proof_is_loaded"
HOLD = "test_it_is_held_under_the_code_that_says_why"
NO_PAPER = "test_what_is_no_document_is_refused_and_not_kept"
TAKEN = "test_what_is_like_it_is_taken_in"
FILE = "test_a_file_that_cannot_be_trusted_is_refused_whole_and_its_neighbour_is_read"

SYSTEMS: dict[str, tuple[Entry, ...]] = {
    "ERP": (
        Entry(
            "negative quantity that is no return / a return with a negative quantity", "R / A",
            refused(ERP, LINE, "negative quantity that is no return", "return with a negative quantity"),
        ),
        Entry("currency `EURO`", "R", (*refused(ERP, ROW, "currency EURO"), *refused(ERP, NEAR, "EUR"))),
        Entry("JPY 10.50", "R", (*refused(ERP, ROW, "JPY 10.50"), *refused(ERP, NEAR, "JPY 10"))),
        Entry(
            "`1.234,56` with no declared locale", "R",
            (*refused(ERP, ROW, "1.234,56 without a locale"), *at(FILES, "test_a_declared_locale_reads_the_amount")),
        ),
        Entry(
            "amount NaN, inf, 1e309", "R",
            (*refused(ERP, ROW, "amount NaN", "amount Infinity", "amount 1e309"), *refused(ERP, NEAR, "amount 1e3")),
        ),
        Entry(
            "a JSON number as amount on our own API, where a decimal string is due", "R",
            (
                *refused(BODIES, ROW, "a JSON number as amount", "a whole JSON number as amount"),
                *at(BODIES, "test_what_breaks_a_contract_is_told_by_its_field"),
            ),
        ),
        Entry(
            "total differs from its lines beyond tolerance", "R",
            at(ERP, "test_a_total_that_differs_from_its_lines_is_refused_and_one_within_tolerance_is_not"),
        ),
        Entry(
            "exact duplicate of key and payload / same key and version, other payload",
            "A no-op / R both, hold the invoice",
            (
                *at(ERP, "test_a_repeat_changes_nothing_and_a_contradiction_refuses_both"),
                *at(DEMO, "test_each_planted_fault_is_blocked_under_its_own_codes"),
            ),
        ),
        Entry(
            "an older version arrives later", "A into history; current unchanged",
            (
                *at(ERP, "test_an_older_version_becomes_history_behind_the_newer_one"),
                *at(DEMO, "test_an_older_version_becomes_history_and_the_newer_one_stays"),
            ),
        ),
        Entry(
            "unknown customer", "park, retry 24 h, then R",
            at(ERP, "test_an_unknown_customer_is_waited_for_a_day_and_then_refused"),
        ),
        Entry(
            "order deleted after invoicing", "hold for a person",
            (
                *at(ERP, "test_an_order_that_was_deleted_is_cancelled_for_us_and_keeps_what_it_was"),
                *at(HELD, "test_an_order_that_went_after_its_invoice_is_held_for_a_person"),
            ),
        ),
        Entry("null order id", "R", refused(ERP, ROW, "null order id")),
        Entry(
            "leading-zero id sent as a number", "R",
            (
                *refused(ERP, ROW, "leading-zero id as a number"),
                *refused(ERP, NEAR, "an id with leading zeros as a text"),
            ),
        ),
        Entry(
            "name `=HYPERLINK(…)` / SQL text in a name", "A; neutralised on CSV export / A",
            (
                *at(ERP, "test_formulas_and_sql_in_a_name_are_kept_as_written"),
                "tests/unit/cli/test_numbers_on_the_terminal.py::test_csv_runs_no_formula_and_leaves_numbers_alone",
            ),
        ),
        Entry(
            "NFC and NFD variants of one name", "A; preserved, compared NFC",
            (
                *at(ERP, "test_composed_and_decomposed_names_are_both_kept_as_written"),
                *refused(HELD, HOLD, "decomposed"),
                "tests/unit/files_adapter/test_files_rows.py"
                "::test_composed_and_decomposed_words_are_the_same_word_and_stay_as_written",
            ),
        ),
        Entry(
            "zero-width or bidi character in an id", "R",
            (
                *refused(ERP, ROW, "zero-width space in an id", "right-to-left override in an id"),
                *refused(ERP, NEAR, "umlaut in an id"),
            ),
        ),
        Entry(
            "lone surrogate, invalid UTF-8, NUL", "R",
            (
                *refused(ERP, ROW, "lone surrogate", "invalid UTF-8", "NUL"), *refused(ERP, NEAR, "valid UTF-8"),
                *at(FILES, "test_each_bad_line_costs_itself_and_keeps_its_bytes"),
            ),
        ),
        Entry(
            "CSV ragged row / unclosed quote / duplicate header", "R row / R file / R file",
            (
                *at(FILES, "test_each_bad_line_costs_itself_and_keeps_its_bytes"),
                *refused(FILES, FILE, "unclosed quote", "duplicate header"),
            ),
        ),
    ),
    "Dispatch": (
        Entry(
            "time without zone", "W with the configured zone, else R",
            (
                *at(DISPATCH, "test_times_of_a_configured_zone_are_flagged_or_refused_where_the_clocks_jump"),
                *refused(DISPATCH, ACTION, "time without a zone, and none is configured"),
                *at(FILES, "test_a_time_without_a_zone_is_refused_where_none_is_configured"),
            ),
        ),
        Entry(
            "time in the DST gap / ambiguous in the fold", "R / R for KPI, row kept",
            (
                *at(DISPATCH, "test_times_of_a_configured_zone_are_flagged_or_refused_where_the_clocks_jump"),
                *at(POD, "test_proofs_of_a_depot_in_the_gap_are_refused_and_naive_ones_flagged"),
                *at(FILES, "test_a_time_that_comes_twice_is_kept_and_marked"),
                "dbt_project/models/marts/_marts__unit_tests.yml::a_cycle_time_counts_what_the_definition_says",
            ),
        ),
        Entry(
            "end before start", "R",
            (
                *refused(DISPATCH, ACTION, "end before start"),
                *at(DISPATCH, "test_the_action_beside_it_is_loaded[end at the start]"),
            ),
        ),
        Entry(
            "year 0001, 9999, epoch 0", "R",
            (
                *refused(DISPATCH, ACTION, "year 0001", "year 9999", "epoch 0"),
                *at(DISPATCH, "test_the_action_beside_it_is_loaded[year 1990]"),
            ),
        ),
        Entry(
            "seconds mistaken for milliseconds", "R",
            (
                *refused(DISPATCH, ACTION, "seconds since 1970"),
                *refused(TELEMATICS, FIX, "seconds mistaken for milliseconds"),
                *at(POD, "test_a_proof_is_refused_and_its_bytes_are_kept[seconds for milliseconds]"),
            ),
        ),
        Entry(
            "two drivers on one stop", "W",
            at(
                DISPATCH, "test_a_second_driver_at_one_stop_is_kept_and_flagged",
                "test_two_drivers_are_kept_and_told",
            ),
        ),
        Entry(
            "cancelled, then delivered", "hold for a person",
            refused(HELD, HOLD, "cancelled-and-delivered", "cancelled-at", "order-gone"),
        ),
        Entry(
            "cyclic stops or parents", "R",
            at(
                DISPATCH, "test_stops_that_are_nested_in_themselves_are_refused",
                "test_a_consignment_is_refused_and_its_bytes_are_kept[parent of its parent]",
                "test_a_circle_that_closes_in_a_later_reading_is_refused",
                "test_a_parent_that_is_no_descendant_is_loaded",
            ),
        ),
        Entry(
            "unknown status", "R and drift alert",
            (
                *at(
                    DISPATCH, "test_a_consignment_is_refused_and_its_bytes_are_kept[unknown status]",
                    "test_an_unknown_status_alarms_once",
                ),
                *at(DAGSTER, "test_it_warns_in_the_run_that_meets_it_first"),
            ),
        ),
    ),
    "Telematics": (
        Entry(
            "NaN or out-of-range coordinates", "R",
            (
                *refused(TELEMATICS, FIX, "latitude NaN", "latitude out of range", "longitude out of range"),
                *at(TELEMATICS, "test_the_position_beside_it_has_no_flag[at the pole and the date line]"),
            ),
        ),
        Entry(
            "likely swapped", "R with the suggestion",
            at(TELEMATICS, "test_swapped_coordinates_are_refused_with_the_suggestion"),
        ),
        Entry("0,0", "W; kept out of geofences", (
            *refused(TELEMATICS, FLAG, "0,0"),
            "dbt_project/models/canonical/fleet/_fleet__canonical_unit_tests.yml"
            "::only_usable_fixes_are_steps_and_each_knows_the_one_before_and_after",
        )),
        Entry("400 km/h jump", "W; kept out of geofences", (
            *refused(TELEMATICS, FLAG, "a jump of 400 km/h"),
            *at(TELEMATICS, "test_the_position_beside_it_has_no_flag[a stretch of 250 km/h]"),
            "dbt_project/models/canonical/fleet/_fleet__canonical_unit_tests.yml"
            "::only_usable_fixes_are_steps_and_each_knows_the_one_before_and_after",
        )),
        Entry(
            "clock +10 min / +1 day", "W, receive time used / R",
            (
                *at(TELEMATICS, "test_of_a_clock_ten_minutes_ahead_the_receive_time_is_used"),
                *refused(TELEMATICS, FIX, "clock ahead by a day"),
            ),
        ),
        Entry("40-day-late ping", "A into history, no alert", refused(TELEMATICS, FLAG, "heard after forty days")),
        Entry("duplicate ping", "A no-op", at(TELEMATICS, "test_a_repeated_position_changes_nothing")),
        Entry(
            "odometer falls", "W",
            (
                *refused(TELEMATICS, FLAG, "odometer falls"),
                *at(TELEMATICS, "test_the_position_beside_it_has_no_flag[odometer stands]"),
            ),
        ),
        Entry(
            "frozen position with speed", "W",
            (
                *refused(TELEMATICS, FLAG, "frozen position with speed"),
                *at(TELEMATICS, "test_the_position_beside_it_has_no_flag[standing still]"),
            ),
        ),
        Entry(
            "unknown device", "park 24 h, then R",
            at(TELEMATICS, "test_an_unknown_device_is_waited_for_a_day_and_then_refused"),
        ),
    ),
    "POD": (
        Entry(
            "before dispatch", "park for matching; no invoice",
            (
                *at(POD, "test_a_proof_that_comes_before_dispatch_waits_for_its_shipment"),
                *refused(HELD, HOLD, "too-early"),
            ),
        ),
        Entry(
            "unknown shipment", "park 72 h, then R",
            at(POD, "test_an_unknown_shipment_is_waited_for_three_days_and_then_refused"),
        ),
        Entry(
            "empty or 1×1 signature", "R",
            (
                *refused(POD, PAPER, "empty signature", "1x1 signature", "1x1 signature as JPEG"),
                *refused(UPLOADS, NO_PAPER, "nothing", "a picture of one pixel"),
                *at(POD, "test_a_sound_document_is_sealed"),
            ),
        ),
        Entry(
            "hash mismatch", "R",
            (
                *at(POD, "test_a_document_of_another_checksum_is_refused_and_kept_under_seal"),
                *at(DEMO, "test_each_planted_fault_is_blocked_under_its_own_codes"),
            ),
        ),
        Entry("PDF named .jpg", "R", (*refused(POD, PAPER, "PDF declared as JPEG", "PDF named .jpg"), *refused(UPLOADS, NO_PAPER, "a PDF named as a JPEG"))),
        Entry("image bomb", "R", (*refused(POD, PAPER, "image bomb", "image bomb as JPEG"), *refused(UPLOADS, NO_PAPER, "an image bomb"))),
        Entry(
            "zip bomb, path traversal", "R",
            (
                *refused(POD, PAPER, "zip with a path traversal", "answer that unpacks beyond every limit"),
                *refused(UPLOADS, NO_PAPER, "a zip with a path traversal"),
                *at(UPLOADS, "test_a_way_out_of_the_vault_is_no_proof"),
                *at(POD, "test_what_lies_elsewhere_is_refused_and_never_fetched[path traversal]"),
            ),
        ),
        Entry("delivered more than ordered", "hold", refused(HELD, HOLD, "too-much")),
        Entry(
            "partial delivery", "A; bill what was delivered",
            at(HELD, "test_of_a_part_what_was_delivered_is_billed", "test_its_near_miss_is_released[part]"),
        ),
        Entry(
            "second, conflicting POD", "hold; keep both",
            (
                *refused(HELD, HOLD, "two-proofs"),
                *at(HELD, "test_of_two_proofs_that_contradict_each_other_both_are_kept"),
                *at(POD, "test_two_proofs_that_contradict_each_other_are_both_kept"),
            ),
        ),
        Entry(
            "POD voided after billing", "credit-note flow",
            (
                *refused(HELD, HOLD, "voided"),
                *at(
                    CREDIT, "test_a_voided_proof_is_credited_after_an_approval_and_billed_anew_after_that",
                    "test_the_same_void_read_again_makes_no_second_draft_nor_does_one_before_billing",
                ),
            ),
        ),
        Entry(
            "photo URL to a private or link-local address", "R and alert; never fetched",
            at(
                POD, "test_what_lies_elsewhere_is_refused_and_never_fetched[link-local address]",
                "test_an_address_elsewhere_alarms", "test_what_lies_on_the_apps_own_host_is_fetched",
            ),
        ),
    ),
    "Any": (
        Entry(
            "JSON 10,000 deep", "400",
            (
                *refused(ERP, ROW, "nested 10,000 deep"), *refused(ERP, NEAR, "nested 20 deep"),
                *at(FILES, "test_each_bad_json_line_costs_itself_and_keeps_its_bytes"),
                *refused(BODIES, ROW, "nested 10,000 deep", "nested 33 deep"),
                *refused(BODIES, TAKEN, "nested 20 deep"),
            ),
        ),
        Entry(
            "duplicate keys", "R",
            (
                *refused(ERP, ROW, "a key twice"), *refused(ERP, NEAR, "keys once"),
                *refused(BODIES, ROW, "a key twice", "a key twice further in"),
            ),
        ),
        Entry(
            "100 MB string", "413",
            (
                *at(ERP, "test_a_row_that_is_too_large_leaves_its_hash_and_size_alone"),
                *at(FILES, "test_a_cell_of_100_megabytes_costs_its_file_alone"),
                *at(
                    BODIES, "test_a_body_of_100_megabytes_is_not_read",
                    "test_a_body_that_does_not_say_its_size_is_read_to_the_limit",
                    "test_what_unpacks_beyond_the_limit_is_not_unpacked",
                ),
            ),
        ),
        Entry(
            "integers > 2^63", "R",
            (
                *refused(ERP, LINE, "integer beyond 2^63", "integer of 2^63 - 1"),
                *refused(ERP, ROW, "a number of 5,000 digits"),
                *refused(BODIES, ROW, "integer of 2^63", "integer of 5,000 digits"),
                *refused(BODIES, TAKEN, "an integer of 2^63 - 1"),
            ),
        ),
        Entry(
            '`"false"` as boolean', "R",
            (
                *refused(ERP, LINE, '"false" as a boolean', "0 as a boolean"),
                *at(POD, 'test_a_proof_is_refused_and_its_bytes_are_kept["false" as a boolean]'),
                *at(BODIES, "test_what_breaks_a_contract_is_told_by_its_field"),
            ),
        ),
        Entry(
            "required fields null", "R",
            (
                *refused(ERP, ROW, "required customer null"), *refused(TELEMATICS, FIX, "latitude null"),
                *at(POD, "test_a_proof_is_refused_and_its_bytes_are_kept[shipment null]"),
                *at(DISPATCH, "test_a_consignment_is_refused_and_its_bytes_are_kept[order null]"),
                *refused(BODIES, ROW, "required amount null"),
            ),
        ),
        Entry(
            "unknown extra field", "W, drift counted",
            (
                *at(ERP, "test_an_unknown_field_refuses_nothing_and_is_counted"),
                *at(FILES, "test_an_unknown_column_refuses_nothing_and_is_counted"),
                *at(BODIES, "test_a_field_that_nobody_agreed_on_refuses_nothing_and_is_counted"),
                *at(DAGSTER, "test_it_warns_in_the_run_that_meets_it_first"),
            ),
        ),
    ),
    "EDI": (
        Entry("`$` or other terminators", "read by the ISA's own separators", later=EDI),
        Entry("several transactions in one stream", "each", later=EDI),
        Entry("wrong SE count", "W", later=EDI),
        Entry("missing GE/IEA", "R", later=EDI),
        Entry("ISA15 = T", "never loaded as production", later=EDI),
    ),
}  # fmt: skip
