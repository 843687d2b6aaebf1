-- From here on src/privacy writes the table reporter.  sealed_by: the key its values are sealed with; 0 = as before keys had numbers.
-- phone_index: by which a phone number is found without being opened (crypto/seal.h, blind_index()); NULL = no number, or sealed_by 0.
ALTER TABLE reporter ADD COLUMN sealed_by INTEGER NOT NULL DEFAULT 0;
ALTER TABLE reporter ADD COLUMN phone_index BLOB;
ALTER TABLE reporter ADD COLUMN erased_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX reporter_phone ON reporter(phone_index, report_id) WHERE phone_index IS NOT NULL;
CREATE INDEX reporter_sealed ON reporter(sealed_by, report_id);

-- What a camera wrote into a picture: where and when it was taken.  Evidence, for staff only; copies for others are made without it.
ALTER TABLE report_media ADD COLUMN lon REAL;
ALTER TABLE report_media ADD COLUMN lat REAL;
ALTER TABLE report_media ADD COLUMN taken_at INTEGER;
