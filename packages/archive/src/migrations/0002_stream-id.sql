-- A verdict's id in the stream of verdicts, so that whoever was left behind by the stream can go on from here.
ALTER TABLE assay.verdicts ADD COLUMN stream_ms bigint, ADD COLUMN stream_seq bigint;
CREATE INDEX verdicts_stream ON assay.verdicts (tenant, stream_ms, stream_seq) WHERE stream_ms IS NOT NULL;
