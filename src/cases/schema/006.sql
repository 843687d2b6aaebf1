-- Whose cases one sees hangs on all tasks a unit or a person ever had in a case, not only on open ones.
DROP INDEX case_task_open;
CREATE INDEX case_task_unit ON case_task(unit, case_id);
CREATE INDEX case_task_person ON case_task(person, case_id) WHERE person <> '';
