-- A page of a unit or a community in one state tests the state in the index itself: where the two seldom meet, reading the row of each
-- case on the way was nearly all of the cost.
DROP INDEX cases_unit;
CREATE INDEX cases_unit ON cases(unit, id, state);
DROP INDEX cases_community;
CREATE INDEX cases_community ON cases(community, id, state);
