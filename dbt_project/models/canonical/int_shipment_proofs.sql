with proofs as (
    select * from {{ ref('canonical_proofs_of_delivery') }}
    where shipment_id is not null
),

contents as (
    select
        pod_key,
        {{ sorted_text("coalesce(order_line_id, '') || '/' || item_id || '/' || uom || '/' || " ~ decimal_text('quantity')) }} as content
    from {{ ref('canonical_delivered_lines') }}
    where quantity <> 0
    group by pod_key
),

ranked as (
    select
        proofs.*,
        contents.content,
        row_number() over (
            partition by shipment_id order by is_live desc, captured_at desc, received_at desc, proofs.pod_key
        ) as live_first,
        row_number() over (
            partition by shipment_id order by captured_at desc, received_at desc, proofs.pod_key
        ) as newest_first
    from proofs
    left join contents on proofs.pod_key = contents.pod_key
),

chosen as (
    select * from ranked
    where live_first = 1 and is_live
),

counted as (
    select
        ranked.shipment_id,
        sum(case when ranked.is_live then 1 else 0 end) as live_pod_count,
        sum(case when ranked.is_superseded then 1 else 0 end) as superseded_pod_count,
        sum(
            case
                when not ranked.is_live or ranked.pod_key = chosen.pod_key then 0
                when ranked.outcome <> chosen.outcome then 1
                when not (ranked.has_line_quantities and chosen.has_line_quantities) then 0
                when coalesce(ranked.content, '') <> coalesce(chosen.content, '') then 1
                else 0
            end
        ) as conflicting_pod_count,
        max(case when ranked.newest_first = 1 and ranked.is_superseded then 1 else 0 end) = 1
            and max(case when ranked.is_live then 1 else 0 end) = 0 as is_pod_superseded,
        max(ranked.voided_at) as last_voided_at
    from ranked
    left join chosen on ranked.shipment_id = chosen.shipment_id
    group by ranked.shipment_id
)

-- The live proof is the newest that is neither void nor replaced; others may contradict it.
select
    counted.shipment_id, counted.live_pod_count, counted.superseded_pod_count, counted.conflicting_pod_count,
    counted.is_pod_superseded,
    case when counted.live_pod_count = 0 and not counted.is_pod_superseded then counted.last_voided_at end
        as pod_voided_at,
    chosen.pod_key, chosen.pod_id, chosen.order_no as pod_order_no, chosen.outcome as pod_outcome,
    chosen.captured_at as pod_captured_at, chosen.received_at as pod_received_at,
    chosen.has_damage, chosen.has_line_quantities, chosen.latitude, chosen.longitude,
    {{ time_quality_rank('chosen.time_quality') }} as time_quality_rank
from counted
left join chosen on counted.shipment_id = chosen.shipment_id
