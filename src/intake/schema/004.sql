-- In which language the reporter wants to be written to: zh, en; '' = unsaid.
ALTER TABLE report ADD COLUMN language TEXT NOT NULL DEFAULT '';
