-- What was decided, kept by the day it was received. Partitions come and go at run time, and there is no default one.
-- Text that was received verbatim stays text, so that it can be read back byte by byte. What is indexed is collated by
-- its bytes: faster, and no upgrade of the system's locales can break an index.
CREATE TABLE assay.verdicts (
  tenant text COLLATE "C" NOT NULL,
  received_at timestamptz NOT NULL,
  -- The submission's.
  id text COLLATE "C" NOT NULL,
  decided_at timestamptz NOT NULL,
  kind text NOT NULL,
  action text COLLATE "C" NOT NULL,
  score double precision NOT NULL,
  flow text,
  user_id text COLLATE "C",
  reference text COLLATE "C",
  visitor_id text COLLATE "C",
  linked_id text COLLATE "C",
  event_id text COLLATE "C",
  ruleset text NOT NULL,
  ruleset_digest text NOT NULL,
  engine text NOT NULL,
  -- Ids of the rules and names of the integrity entries that fired.
  rules text[] NOT NULL,
  -- Why it could not be judged.
  undecided text,
  late boolean NOT NULL,
  -- What it was made from besides its submission and its event: claim, counters, digests of rulesets, source.
  pinned text NOT NULL,
  -- The verdict's JSON.
  body text NOT NULL,
  PRIMARY KEY (tenant, received_at, id)
) PARTITION BY RANGE (received_at);

CREATE INDEX verdicts_id ON assay.verdicts (tenant, id);
CREATE INDEX verdicts_action ON assay.verdicts (tenant, action, received_at, id);
CREATE INDEX verdicts_user_id ON assay.verdicts (tenant, user_id, received_at, id) WHERE user_id IS NOT NULL;
CREATE INDEX verdicts_reference ON assay.verdicts (tenant, reference, received_at, id) WHERE reference IS NOT NULL;
CREATE INDEX verdicts_visitor_id ON assay.verdicts (tenant, visitor_id, received_at, id) WHERE visitor_id IS NOT NULL;
CREATE INDEX verdicts_linked_id ON assay.verdicts (tenant, linked_id, received_at, id) WHERE linked_id IS NOT NULL;
CREATE INDEX verdicts_event_id ON assay.verdicts (tenant, event_id, received_at, id) WHERE event_id IS NOT NULL;
CREATE INDEX verdicts_rules ON assay.verdicts USING gin (rules);

-- What verdicts were made from, by the same key: the event as it was judged, and what the caller said. Kept for less long.
CREATE TABLE assay.events (
  tenant text COLLATE "C" NOT NULL,
  received_at timestamptz NOT NULL,
  -- The submission's.
  id text COLLATE "C" NOT NULL,
  event_id text COLLATE "C",
  -- JSON: kind, context and facts of the submission.
  submission text NOT NULL,
  -- The event's JSON, deflated (raw). Absent where there was none.
  body bytea,
  PRIMARY KEY (tenant, received_at, id)
) PARTITION BY RANGE (received_at);

-- It is compressed already.
ALTER TABLE assay.events ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX events_event_id ON assay.events (tenant, event_id, received_at, id) WHERE body IS NOT NULL;

-- Rulesets by the digest of all that can change a decision.
CREATE TABLE assay.rulesets (
  digest text PRIMARY KEY,
  name text NOT NULL,
  engine text NOT NULL,
  -- JSON: path → text of every file that is needed to load it.
  files text NOT NULL,
  loaded_at timestamptz NOT NULL
);

-- What became of submissions.
CREATE TABLE assay.labels (
  tenant text NOT NULL,
  -- The outcome's.
  id text NOT NULL,
  submission_id text NOT NULL,
  outcome text,
  label text,
  occurred_at timestamptz NOT NULL,
  told_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, id)
);

CREATE INDEX labels_submission_id ON assay.labels (tenant, submission_id, occurred_at, id);
CREATE INDEX labels_told_at ON assay.labels (told_at);

-- Who did what to the installation.
CREATE TABLE assay.audit (
  tenant text NOT NULL,
  at timestamptz NOT NULL,
  id text NOT NULL,
  actor text NOT NULL,
  act text NOT NULL,
  subject text NOT NULL,
  -- JSON.
  detail text NOT NULL,
  PRIMARY KEY (tenant, at, id)
);

CREATE FUNCTION assay.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'assay.% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON assay.audit
  FOR EACH STATEMENT EXECUTE FUNCTION assay.refuse_change();
