-- How often the first unit was the right one, of what was handled in the last days.
CREATE INDEX triage_handled_at ON triage_handled(at);
