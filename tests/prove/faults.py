"""The index of faults: each one with what has to be true after it and the tests that bring it about.

Belongs here: one entry per fault of the push's specification, by its number. A test is named ``file::test``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """``where`` it strikes, and what must be true ``then``."""

    number: int
    what: str
    where: str
    then: str
    tests: tuple[str, ...]


ONCE = "tests/integration/activation/test_each_invoice_is_posted_once.py"
THOUSAND = "tests/integration/activation/test_one_of_a_thousand_is_refused.py"
WAY = "tests/integration/activation/test_faults_on_the_way.py"
MIXED = "tests/integration/activation/test_faults_of_every_kind_at_random.py"
DAY = "tests/integration/activation/test_a_day_without_the_erp_over_http.py"
WORLDS = "tests/simulation/test_many_worlds.py::test_no_seed_breaks_a_promise"
TROUBLE = "tests/unit/activation/test_an_erp_in_trouble.py"
BUDGET = "tests/unit/activation/test_retry_budget.py"
CLOSED = "tests/unit/quality/test_gate_fails_closed.py"
FAILING = "tests/integration/ingestion/test_sources_that_fail.py"
CURSOR = "tests/integration/ingestion/test_a_failing_source_moves_no_cursor.py"
STEPS = "tests/integration/ingestion/test_killed_in_every_step.py"
TORN = "tests/integration/ingestion/test_the_warehouse_killed_and_torn.py"
ERP_ROWS, FIXES = (
    "tests/integration/bad_inputs/test_erp_rows.py",
    "tests/integration/bad_inputs/test_telematics_rows.py",
)
SILENT = "tests/integration/orchestration/test_a_source_that_falls_silent.py"
LETTERS = "tests/integration/bad_inputs/test_letters_are_mended_and_replayed.py"
STORE = "tests/unit/state/test_state_store.py"
FULL = "tests/integration/state_store/test_the_disk_is_full.py"
API = "tests/integration/api/test_faults_36_to_40.py"
WEBHOOKS = "tests/integration/api/test_webhooks.py"
SAME_ID = f"{API}::test_38_39_the_same_id_is_one_row_and_another_body_under_it_a_dead_letter"
LOST, KILLED = (
    f"{ONCE}::test_a_lost_answer_never_makes_a_second_invoice",
    f"{ONCE}::test_a_killed_push_is_finished_by_the_next",
)
KILLED_NOTE = "tests/integration/activation/test_credit_notes.py::test_a_killed_push_leaves_one_credit_note"

FAULTS: tuple[Fault, ...] = (
    Fault(1, "kill -9", "before the intent commits", "nothing sent; READY",
          (f"{ONCE}::test_killed_before_the_attempt_is_committed_nothing_was_sent",)),
    Fault(2, "kill -9", "after SENDING, before POST", "UNKNOWN → look-up → one invoice", (KILLED, KILLED_NOTE)),
    Fault(3, "kill -9", "after POST, before the ack", "look-up → ACKED; one invoice", (KILLED, KILLED_NOTE)),
    Fault(4, "timeout, not applied", "ERP", "one invoice after settle",
          (f"{WAY}::test_4_a_timeout_that_was_not_applied_is_one_invoice_after_settle", LOST, WORLDS)),
    Fault(5, "reply lost", "ERP", "no second POST", (LOST,)),
    Fault(6, "late request applied after the look-up", "ERP", "no duplicate over all seeds",
          (f"{WAY}::test_6_a_late_request_that_is_applied_after_a_look_up_makes_no_second_invoice",
           f"{WAY}::test_6_without_the_settle_rule_the_late_request_makes_a_second_one",
           WORLDS, "tests/simulation/test_many_worlds.py::test_without_the_settle_rule_an_invoice_is_posted_twice")),
    Fault(7, "500 after applying", "ERP", "UNKNOWN", (LOST,)),
    Fault(8, "503 / 429 with Retry-After", "ERP", "waits; budget respected", (
        f"{ONCE}::test_a_busy_erp_is_waited_for", f"{ONCE}::test_a_push_waits_by_itself_for_as_long_as_a_busy_erp_said",
        f"{BUDGET}::test_ten_first_attempts_allow_one_more", f"{BUDGET}::test_time_gives_ten_a_minute_and_never_more_than_ten")),
    Fault(9, "search lag", "look-up", "no resend before settle",
          (f"{WAY}::test_9_what_a_search_does_not_show_yet_is_not_sent_again_before_it_has_settled",
           f"{WAY}::test_9_without_the_settle_rule_the_search_lag_makes_a_second_one", WORLDS)),
    Fault(10, "look-up down", "look-up", "stays UNKNOWN",
          (f"{WAY}::test_10_while_the_look_up_is_down_it_stays_unknown", WORLDS)),
    Fault(11, "ERP key expired", "ERP", "HELD, never resent by itself",
          (f"{ONCE}::test_what_may_be_there_is_not_sent_again_once_the_erp_has_forgotten_its_key",)),
    Fault(12, "same key, other payload", "outbox", "refused, no send",
          (f"{ONCE}::test_what_changed_after_it_was_posted_is_refused", f"{STORE}::test_what_may_exist_there_may_not_change")),
    Fault(13, "two pushers", "lease", "the fencing token refuses the loser",
          (f"{ONCE}::test_two_pushers_at_once_post_each_invoice_once", f"{STORE}::test_the_loser_of_a_lease_cannot_move_the_row",
           WORLDS)),
    Fault(14, "4xx on one row", "ERP", "that row DEAD; 999 of 1,000 sent",
          (f"{THOUSAND}::test_14_the_refused_one_is_dead_and_999_are_sent", f"{ONCE}::test_one_refused_row_stops_no_other")),
    Fault(15, "ERP down for 24 h", "breaker", "nothing lost; drains in order",
          (f"{DAY}::test_15_down_for_a_day_nothing_is_lost_and_it_is_drained_in_order",
           f"{TROUBLE}::test_an_erp_that_is_down_for_a_day_loses_nothing_and_is_drained_in_order")),
    Fault(16, "200 with an error body", "ERP", "not ACKED",
          (f"{ONCE}::test_an_error_that_is_answered_with_200_acknowledges_nothing",)),
    Fault(17, "kill switch in the middle of a batch", "push", "at most the one in flight",
          ("tests/integration/activation/test_the_kill_switch.py::test_pulled_in_the_middle_only_the_one_in_flight_is_sent",)),
    Fault(18, "dry run", "push", "no mutating call seen by the server",
          ("tests/integration/activation/test_dry_run.py::test_it_sends_nothing_and_changes_nothing",)),
    Fault(19, "POD voided or revised between gate and send", "gate", "BLOCKED at the recheck",
          (f"{ONCE}::test_what_the_gate_took_back_is_not_sent",)),
    Fault(20, "empty batch, empty suite", "gate", "fails",
          (f"{CLOSED}::test_an_empty_batch_does_not_pass", f"{CLOSED}::test_an_empty_suite_does_not_pass")),
    Fault(21, "NaN, inf, NULL amount", "gate", "fails",
          (f"{CLOSED}::test_an_amount_that_is_no_number_never_passes", f"{CLOSED}::test_an_infinite_distance_is_not_a_near_one")),
    Fault(22, "check raises or gives no answer", "gate", "fails closed",
          (f"{CLOSED}::test_a_check_that_raises_blocks_every_row", f"{CLOSED}::test_a_check_that_gives_no_answer_blocks_every_row")),
    Fault(23, "decision from an older snapshot", "gate", "blocked",
          (f"{WAY}::test_23_what_an_older_snapshot_released_is_blocked_and_the_newer_is_sent",
           "tests/unit/activation/test_begin_of_an_attempt.py::test_what_is_no_longer_released_is_not_begun")),
    Fault(24, "kill -9 in extract", "ingestion", "rerun equals a clean run",
          (f"{STEPS}::test_24_killed_in_extract_the_rerun_equals_a_clean_run",)),
    Fault(25, "kill -9 in normalize", "ingestion", "rerun equals a clean run",
          (f"{STEPS}::test_25_killed_in_normalize_the_rerun_equals_a_clean_run",)),
    Fault(26, "kill -9 in load", "ingestion", "rerun equals a clean run",
          (f"{STEPS}::test_26_killed_in_load_the_rerun_equals_a_clean_run",
           f"{STEPS}::test_26_killed_in_the_very_first_load_the_rerun_equals_a_clean_run")),
    Fault(27, "dlt working directory lost", "ingestion", "loaded rows equal a clean run's",
          (f"{STEPS}::test_27_dlts_folder_lost_between_two_readings_the_second_equals_a_clean_one",
           f"{STEPS}::test_27_killed_and_dlts_folder_lost_the_rerun_equals_a_clean_run")),
    Fault(28, "kill -9, 20 times (WAYBILL_KILLS=100: 100)", "DuckDB commit and DDL", "opens, or set aside and rebuilt",
          (f"{TORN}::test_28_killed_in_commits_and_ddl_the_warehouse_opens_or_is_rebuilt",
           f"{TORN}::test_28_killed_after_ddl_that_no_log_can_hold_it_is_set_aside_and_rebuilt",
           f"{TORN}::test_28_what_another_process_has_open_is_not_taken_for_damaged")),
    Fault(29, "disk full (small tmpfs)", "both stores", "clean error; nothing acknowledged lost",
          tuple(f"{FULL}::test_29_{name}" for name in (
              "the_state_on_a_full_disk_says_so_and_keeps_what_it_acknowledged",
              "killed_on_a_full_disk_nothing_that_was_acknowledged_is_missing",
              "the_warehouse_on_a_full_disk_says_so_and_is_not_taken_for_damaged",
              "a_reading_that_finds_the_disk_full_is_made_up_for_by_the_next",
              "a_command_tells_it_in_one_line", "a_postgresql_server_without_room_is_named"))),
    Fault(30, "WAL truncated or zeroed", "open", "set aside and rebuilt; a load that is gone is told",
          (f"{TORN}::test_30_with_a_torn_log_the_rerun_equals_a_clean_run",
           f"{TORN}::test_30_a_log_that_lost_a_load_which_was_made_is_told_and_all_is_rebuilt",
           f"{TORN}::test_30_without_the_look_for_a_gap_the_lost_rows_stay_lost",
           f"{TORN}::test_30_a_log_without_its_warehouse_is_set_aside")),
    Fault(31, "source answers 200 with no rows", "extract", "volume alert in that run",
          (f"{SILENT}::test_31_it_warns_in_the_first_run_in_which_nothing_came",
           f"{SILENT}::test_31_a_source_that_is_often_empty_is_not_missed")),
    Fault(32, "cursor in the future, clock ahead", "extract", "quarantined; the cursor goes no further than the source's own time",
          (f"{ERP_ROWS}::test_what_changed_in_the_future_is_refused_and_moves_no_cursor_past_the_source_s_own_time",
           f"{ERP_ROWS}::test_a_cursor_that_a_wrong_clock_left_in_the_future_is_taken_back_and_all_is_read_again",
           f"{FIXES}::test_a_position_is_refused_and_what_the_feed_told_is_kept",
           f"{FIXES}::test_of_a_clock_ten_minutes_ahead_the_receive_time_is_used")),
    Fault(33, "source schema changes", "extract", "row to dead letters, batch goes on; what is new is counted",
          (f"{ERP_ROWS}::test_it_is_refused_and_its_bytes_are_kept", f"{ERP_ROWS}::test_the_row_beside_it_is_loaded",
           f"{ERP_ROWS}::test_an_unknown_field_refuses_nothing_and_is_counted")),
    Fault(34, "source 401", "extract", "alert; no retry storm",
          (f"{FAILING}::test_a_bad_answer_fails_with_its_own_words", f"{CURSOR}::test_it_is_named_and_the_next_source_is_read")),
    Fault(35, "HTML login page with 200, truncated page", "extract", "fetch fails, cursor stays",
          (f"{CURSOR}::test_it_is_named_and_the_next_source_is_read",)),
    Fault(36, "ERP down", "API", "still 202", (f"{API}::test_36_with_the_erp_down_it_is_still_202",)),
    Fault(37, "disk full", "API", "503, never a 2xx",
          (f"{API}::test_37_with_the_disk_full_it_is_503_and_nothing_is_kept",
           f"{API}::test_37_with_no_room_for_a_document_it_is_503")),
    Fault(38, "duplicate event", "API", "2xx, one row", (SAME_ID, f"{WEBHOOKS}::test_what_is_signed_is_kept_as_it_came_and_once")),
    Fault(39, "same id, other body", "API", "409, dead letter", (SAME_ID,)),
    Fault(40, "bad signature, old timestamp", "API", "401; nothing stored as trusted",
          (f"{API}::test_40_a_bad_signature_and_an_old_timestamp_are_401_and_nothing_is_kept",
           f"{WEBHOOKS}::test_what_is_not_signed_is_kept_nowhere", f"{WEBHOOKS}::test_what_was_signed_at_another_time_is_refused")),
    Fault(41, "events out of order", "canonical", "every permutation, same state",
          ("tests/integration/properties/test_any_order_of_arrival.py::test_any_order_of_arrival_ends_in_one_state",)),
    Fault(42, "dead letter replayed twice", "replay", "second is a no-op",
          (f"{LETTERS}::test_a_mended_row_is_loaded_once_and_replayed_again_is_a_no_op",
           f"{LETTERS}::test_a_killed_replay_is_finished_by_the_next_and_loads_once",
           f"{LETTERS}::test_two_replays_at_once_load_the_row_once")),
    Fault(43, "ledger row edited, deleted, tail cut", "ledger", "verify names the first bad row",
          tuple(f"tests/unit/state/test_signed_heads.py::{name}" for name in (
              "test_an_edited_row_is_named", "test_a_deleted_row_is_named", "test_a_cut_tail_is_named",
              "test_a_foreign_signature_is_named", "test_an_untouched_ledger_has_no_problem"))),
    Fault(44, "maker approves own batch", "approval", "refused by the database",
          ("tests/unit/state/test_approvals.py::test_the_database_refuses_an_answer_by_the_maker",
           "tests/unit/state/test_rulesets.py::test_the_database_refuses_an_answer_by_the_maker")),
    Fault(45, "canary secrets", "logs, UI, tables, dead letters, traces", "no hit",
          ("tests/e2e/test_no_secret_gets_out.py::test_45_no_canary_is_found_in_anything_that_is_kept_said_or_shown",
           "tests/integration/api/test_secrets_stay_secret.py::test_canaries_are_found_where_they_belong_and_nowhere_else",
           "tests/unit/support/test_the_search_for_canaries.py::test_it_is_found_wherever_it_is_written")),
    Fault(46, "Dagster daemon killed", "orchestration", "no double effect; alert",
          ("tests/e2e/test_dagsters_daemon_is_killed.py::test_46_no_invoice_is_posted_twice_and_the_run_is_taken_up",
           "tests/unit/orchestration/test_schedules_that_do_not_tick.py::test_it_is_told_once_to_dagster_and_once_that_it_is_over")),
    Fault(47, "restore from backup", "state", "open rows → UNKNOWN, looked up before any push",
          ("tests/integration/activation/test_restored_from_a_backup.py::test_what_was_posted_after_the_backup_is_not_posted_again",
           "tests/integration/activation/test_restored_from_a_backup.py::test_what_was_not_posted_after_the_backup_is_posted_once")),
    Fault(48, "random mixed faults, long", "all", "the promises hold",
          (f"{MIXED}::test_48_whatever_happens_in_whatever_order_each_is_posted_once",
           f"{MIXED}::test_48_without_the_settle_rule_some_seed_is_found_out", WORLDS)),
)  # fmt: skip
