-- The reporter himself said that it is the same matter, whatever the machine finds (then the probability may be 0).
ALTER TABLE matter_like ADD COLUMN followed INTEGER NOT NULL DEFAULT 0;
