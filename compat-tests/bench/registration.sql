-- What a registration must do at the least: lock the subject, look it up, store content, subject and version.
\set name random(1, 1000000000000)
\set salt random(1, 1000000000000)
BEGIN;
select pg_advisory_xact_lock(:name);
select id, revision from bench_subject where name = 'bench-' || :name || '-' || :salt;
insert into bench_content select nextval('bench_ids'), decode(md5(:name || '/' || :salt), 'hex'), repeat('syntax = "proto3"; message Order ', 8);
insert into bench_subject (name, revision) values ('bench-' || :name || '-' || :salt, 1);
insert into bench_version select currval(pg_get_serial_sequence('bench_subject', 'id')), 1, currval('bench_ids'), 0;
COMMIT;
