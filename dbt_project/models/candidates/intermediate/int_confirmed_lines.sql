with goods as (
    select * from {{ ref('int_candidate_goods') }}
)

-- What the receiver accepted, line by line, without prices.
select
    shipment_id,
    shipment_no,
    count(*) as line_count,
    '[' || {{ sorted_text(json_text({
        'line_id': 'line_id', 'order_line_id': 'order_line_id', 'item_id': 'item_id',
        'quantity': decimal_text('quantity'), 'uom': 'uom'
    }), ',', 'line_id') }} || ']' as lines_json
from goods
group by shipment_id, shipment_no
