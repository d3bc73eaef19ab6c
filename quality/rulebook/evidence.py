"""Evidence: is there a proof of delivery, is it the right one, and is it complete?"""

from __future__ import annotations

from quality.rule import Rule, absent, between, equal, is_none_of, is_one_of, known, none_of

DISPATCH = "dispatch-operations"
DELIVERY = "delivery-evidence"

RULES = (
    Rule(
        "POD_MISSING", "evidence", "BLOCK", DELIVERY,
        "Nobody has confirmed the delivery: there is no live proof of delivery for this shipment.",
        "Ask the driver or the depot to upload the proof; it is judged again as soon as it arrives.",
        "{live_pod_count} live proofs of delivery", "at least one",
        (between("live_pod_count", minimum=1, when="is_pod_unaccounted"),),
    ),
    Rule(
        "POD_VOIDED", "evidence", "BLOCK", DELIVERY,
        "The only proof of delivery was declared void.",
        "Find out why it was voided; upload a new proof, or cancel the shipment.",
        "voided at {pod_voided_at}", "a proof that was not voided",
        (absent("pod_voided_at"),),
    ),
    Rule(
        "POD_NOT_REALIZED_OK", "evidence", "BLOCK", DISPATCH,
        "The driver's app or dispatch says that the delivery failed, or the two disagree.",
        "Clear with the driver what happened and correct the side that is wrong; a redelivery is billed itself.",
        "proof says {pod_outcome}, dispatch says {handover_result_status}",
        "both say delivered, fully or in part",
        (
            is_one_of("pod_outcome", "succeeded", "partiallySucceeded", when="has_live_pod"),
            known("pod_outcome", when="has_live_pod"),
            is_none_of("handover_result_status", "failed", "cancelled", when="has_live_pod"),
        ),
    ),
    Rule(
        "POD_BEFORE_DISPATCH", "evidence", "BLOCK", DISPATCH,
        "The proof was captured before the lorry left, or no departure is known.",
        "Check the departure in dispatch and the clock of the device that captured the proof.",
        "captured at {pod_captured_at}, departed at {departed_at}", "captured at or after the departure",
        (
            between("captured_after_departure_s", minimum=0, when="has_live_pod"),
            known("captured_after_departure_s", when="has_live_pod"),
        ),
    ),
    Rule(
        "POD_IN_FUTURE", "evidence", "BLOCK", DELIVERY,
        "The proof claims a time that has not come yet.",
        "Set the clock of the device right and have the proof captured again.",
        "captured at {pod_captured_at}, judged as of {as_of}",
        "not more than {tolerance_pod_future_s} s after the moment of judging",
        (
            between("captured_beyond_tolerance_s", maximum=0, when="has_live_pod"),
            known("captured_beyond_tolerance_s", when="has_live_pod"),
        ),
    ),
    Rule(
        "POD_WRONG_CONSIGNMENT", "evidence", "BLOCK", DELIVERY,
        "The proof names another order than the shipment it is filed under.",
        "Move the proof to the shipment it belongs to, and find the proof of this one.",
        "proof {pod_id} names order {pod_order_no}", "order {order_no}",
        (equal("pod_order_no", "order_no", when="is_pod_naming_order"),),
    ),
    Rule(
        "POD_SUPERSEDED", "evidence", "BLOCK", DELIVERY,
        "There are proofs that contradict each other, or the newest one was replaced by none.",
        "Decide which proof is true and void the others.",
        "{conflicting_pod_count} contradicting proofs; newest replaced without successor: {is_pod_superseded}",
        "one proof that nothing contradicts",
        (none_of("conflicting_pod_count"), is_one_of("is_pod_superseded", False)),
    ),
    Rule(
        "POD_DOCUMENT_REQUIRED", "evidence", "BLOCK", DELIVERY,
        "The customer demands a signature or a photo, and we hold none under seal.",
        "Have the document uploaded again; an expired link has to be renewed in the driver's app.",
        "{sealed_signature_count} signatures (required: {requires_signature}), "
        "{sealed_photo_count} photos (required: {requires_photo})",
        "every required document sealed",
        (
            none_of("missing_document_count", when="is_document_due"),
            known("missing_document_count", when="is_document_due"),
        ),
    ),
    Rule(
        "POD_HASH_MISMATCH", "evidence", "BLOCK", DELIVERY,
        "A document is not the one that the driver's app declared: its checksum differs.",
        "Do not bill; fetch the document again and ask the POD provider how it could change.",
        "{evidence_hash_mismatch_count} documents differ from their checksum; refused for it: {mismatched_refs}",
        "none",
        (none_of("evidence_hash_mismatch_count"), absent("mismatched_refs")),
    ),
    Rule(
        "POD_GEO_MISMATCH", "evidence", "WARN", DELIVERY,
        "The proof was captured far from the place of delivery.",
        "Nothing is held up; look at the map when the customer complains, and correct the address.",
        "{pod_distance_m} m from the place of delivery", "within {tolerance_pod_distance_m} m",
        (between("distance_beyond_tolerance_m", maximum=0, when="has_live_pod"),),
    ),
    Rule(
        "OPEN_DAMAGE_OR_SHORTAGE", "evidence", "BLOCK", "customer-service",
        "Damage was reported at the delivery and nobody has settled it.",
        "Agree with the customer on what is owed, and close the report.",
        "open report: {has_open_damage}", "no open report",
        (is_one_of("has_open_damage", False),),
    ),
    Rule(
        "TIME_AMBIGUOUS", "evidence", "WARN", DISPATCH,
        "A time of this shipment fell into the hour that a clock change skips or repeats.",
        "Nothing is held up; have the source send its times with a zone.",
        "time quality {time_quality}", "an unambiguous time",
        (is_none_of("time_quality", "gap", "ambiguous"),),
    ),
)  # fmt: skip
