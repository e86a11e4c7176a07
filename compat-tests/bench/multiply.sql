-- Multiplies what the server registered to 100,000 schemas: rows as it would have written them itself.
with source as (select * from content order by id limit 1), base as (select max(id) as id from content)
insert into content (context_id, id, guid, is_current, schema_type, text)
select source.context_id, base.id + n, decode(md5('many' || n), 'hex'), true, source.schema_type, source.text
from source, base, generate_series(1, 99000) n;
with numbered as (
    insert into subject (context_id, name, revision)
    select (select context_id from content limit 1), 'multiplied-' || n || '-value', 1 from generate_series(1, 99000) n
    returning id, context_id, split_part(name, '-', 2)::integer as n)
insert into subject_version (subject_id, version, context_id, schema_id, written, ts)
select numbered.id, 1, numbered.context_id, (select max(id) from content) - 99000 + numbered.n, 1, 0 from numbered;
select setval('schema_id_' || (select context_id from content limit 1), (select max(id) from content));
analyze;
