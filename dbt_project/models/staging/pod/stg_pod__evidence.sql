with source as (
    {{ all_versions(source('raw_pod', 'evidence')) }}
),

renamed as (
    select
        -- ids
        evidence_id,
        pod_id,

        -- texts
        kind,
        status,
        reason,
        sha256,
        declared_sha256,
        mime_type,

        -- numbers
        size_bytes,

        -- dates and times
        fetched_at,

        -- where it came from
        source_system,
        source_id,
        source_version,
        ingested_at,
        run_id,
        contract_version
    from source
)

select * from renamed
