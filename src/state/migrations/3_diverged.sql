-- What a later read in the same run showed otherwise than the server had answered; null where it stands, or wasn't read again.
ALTER TABLE operations ADD COLUMN diverged TEXT;
