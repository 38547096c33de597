-- Who was erased, and when. Kept for as long as verdicts are, so that nothing of before comes back.
CREATE TABLE assay.erasures (
  tenant text COLLATE "C" NOT NULL,
  -- submission, subject or event.
  kind text COLLATE "C" NOT NULL,
  -- A submission's id; of a subject or an event a hash that only the installation can make.
  name text COLLATE "C" NOT NULL,
  erased_at timestamptz NOT NULL,
  PRIMARY KEY (tenant, kind, name)
);

CREATE INDEX erasures_erased_at ON assay.erasures (erased_at);
