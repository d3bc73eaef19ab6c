{{ golden_records('vehicle', [
    'license_plate',
    'device_id',
    'capacity_kg',
    'in_service_from',
    'in_service_until'
]) }}
