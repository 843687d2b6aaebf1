-- From a report to the cases that were split off the one it made.
CREATE INDEX cases_split ON cases(report) WHERE report > 0;
