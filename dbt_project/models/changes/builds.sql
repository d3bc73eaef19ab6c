{{ waits_for('built_loads') }}
select {{ as_of() }} as as_of, '{{ var("definitions") }}' as definitions
